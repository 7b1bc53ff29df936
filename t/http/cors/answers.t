# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadCORS: what pages of other origins may see of the answers.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my $app = 'https://app.example';
my @parts = ({name => 'f', filename => 'f.txt', content => 'hello'});
my @ann = (Authorization => 'Basic YW5uOmFubi1zZWNyZXQ=');

sub headers_of
{
    my ($r) = @_;
    return map { $r->{headers}{"access-control-$_"} }
        qw(allow-origin allow-credentials expose-headers);
}
sub open_to
{
    my ($r, $origin, $status, $what) = @_;
    my ($allowed, $credentials, $exposed) = headers_of($r);
    is $r->{status}, $status, "$what: $status" or diag $r->{body};
    is $allowed, $origin, "$what: for $origin";
    is $credentials, $origin eq '*' ? undef : 'true', "$what: credentials";
    like $exposed, qr/\bLocation\b.*\bUpload-Offset\b/, "$what: exposed";
    like $r->{headers}{vary}, qr/\bOrigin\b/, "$what: Vary"
        unless $origin eq '*';
    return;
}
sub closed
{
    my ($r, $status, $what) = @_;
    is $r->{status}, $status, "$what: $status" or diag $r->{body};
    is_deeply [grep { defined } headers_of($r)], [], "$what: closed";
    return;
}
sub send_form
{
    my ($url, $origin, %o) = @_;
    return upload($url, \@parts, id => new_id(), %o, headers =>
                  [(defined $origin ? (Origin => $origin) : ()),
                   @{$o{headers} || []}]);
}

# --- Uploads and what belongs to them ---------------------------------------------

{
    my $id = new_id();
    my $r = send_form('/cors/cgi/echo.pl', $app, id => $id);
    open_to($r, $app, 200, 'an upload');
    is application($r)->{files}[0]{filename}, 'f.txt', 'the application ran';
    for my $get ("/cors/cgi/echo.pl/status?X-Progress-ID=$id",
                 "/cors/cgi/echo.pl?status&X-Progress-ID=$id",
                 "/cors/cgi/echo.pl/file?X-Progress-ID=$id") {
        my ($name) = $get =~ m{echo\.pl.(\w+)};
        open_to(request('GET', $get, headers => [Origin => $app]), $app, 200,
                $name);
        closed(request('GET', $get, headers => [Origin => 'https://x.example']),
               200, "$name, a stranger");
    }
    open_to(request('DELETE', "/cors/cgi/echo.pl?X-Progress-ID=$id",
                    headers => [Origin => $app]), $app, 200, 'clear');
}
open_to(send_form('/cors/all/echo.pl', 'https://any.example'), '*', 200,
        'everybody');
open_to(request('POST', '/cors/keyed/echo.pl/new', headers => [Origin => $app]),
        $app, 201, 'minting');
closed(send_form('/cors/cgi/echo.pl', 'https://other.example'), 200,
       'a stranger');
{
    my $r = send_form('/cors/cgi/echo.pl', undef);
    closed($r, 200, 'the same origin');
    like $r->{headers}{vary}, qr/\bOrigin\b/, 'caches are told all the same';
}
closed(send_form('/cors/off/echo.pl', $app), 200, 'UploadCORS Off');
open_to(send_form('/cors/pass/echo.pl', $app), $app, 200, 'UploadPass');
open_to(send_form('/cors/rewritten/echo.pl', $app), $app, 200,
        'another URL by rewriting');
open_to(send_form('/cors/proxy/x', $app), $app, 200, 'a proxied application');

# Requests and answers of the application's own stay unchanged.
for my $case (['GET', '/cors/cgi/echo.pl'], ['HEAD', '/cors/cgi/echo.pl'],
              ['POST', '/cors/cgi/echo.pl', body => 'a=b', headers =>
               ['Content-Type', 'application/x-www-form-urlencoded']],
              ['PUT', '/cors/cgi/echo.pl', body => 'x']) {
    my ($method, $url, %o) = @$case;
    my $r = request($method, $url, %o,
                    headers => [Origin => $app, @{$o{headers} || []}]);
    closed($r, 200, "$method that is no upload");
    unlike $r->{headers}{vary} || '', qr/Origin/, "$method: no Vary";
}

# --- Errors ------------------------------------------------------------------------

for my $accept (undef, 'application/json') {
    my $form = defined $accept ? 'JSON' : 'a page';
    open_to(send_form('/cors/keyed/echo.pl', $app, accept => $accept), $app,
            403, "a bad identifier, $form");
    open_to(send_form('/cors/cgi/echo.pl', $app, id => 'a/b', accept => $accept),
            $app, 400, "a malformed one, $form");
    open_to(send_form('/cors/small/echo.pl', $app, accept => $accept), $app,
            413, "too large, $form");
    open_to(request('POST', '/cors/require/echo.pl', body => 'x', headers =>
                    [Origin => $app, $accept ? (Accept => $accept) : ()]),
            $app, 415, "no upload, $form");
}
closed(send_form('/cors/keyed/echo.pl', 'https://x.example'), 403,
       'an error, a stranger');
open_to(send_form('/cors/cgi/echo.pl?status=500', $app, id => new_id()), $app,
        500, 'an error of the application');
open_to(send_form('/cors/auth/echo.pl', $app), $app, 401,
        'before anybody is known');
open_to(send_form('/cors/auth/echo.pl', $app, headers => \@ann), $app, 200,
        'with a password');
open_to(send_form('/cors/denied/echo.pl', $app), $app, 403, 'denied');
closed(request('GET', '/cors/denied/echo.pl', headers => [Origin => $app]), 403,
       'denied, and no upload');

# --- With what others set ----------------------------------------------------------

{
    my $r = send_form('/cors/headers/echo.pl', $app);
    open_to($r, $app, 200, 'Header set');
    like $r->{headers}{'access-control-expose-headers'}, qr/, X-Own$/,
        'what others expose stays';
    like $r->{headers}{vary}, qr/Accept/, 'and their Vary';
    $r = send_form('/cors/headers/echo.pl', 'https://x.example');
    is $r->{headers}{'access-control-allow-origin'}, '*',
        'for a stranger the answer is as mod_headers makes it';
    open_to(send_form('/cors/always/echo.pl', $app), $app, 200,
            'Header always set');
    open_to(send_form('/cors/add/echo.pl', $app), $app, 200, 'Header add');
    open_to(send_form('/cors/add/echo.pl', $app, id => 'a/b'), $app, 400,
            'Header add, an error');
}

is scalar(crashes_since($mark)), 0, 'no child died';
done_testing;
