# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadCORS: what a browser asks before it uploads from another origin.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my $app = 'https://app.example';

sub preflight
{
    my ($url, %o) = @_;
    my @headers = ('Access-Control-Request-Method', $o{method} || 'POST');
    push @headers, 'Origin', $o{origin} if defined $o{origin};
    push @headers, 'Access-Control-Request-Headers', $o{headers} if $o{headers};
    return request('OPTIONS', $url, headers => \@headers);
}
sub cors
{
    my ($r) = @_;
    return [map { s/^access-control-//r } grep { /^access-control/ }
            sort keys %{$r->{headers}}];
}
sub allows
{
    my ($r, $origin, $what) = @_;
    is $r->{status}, 204, "$what: 204";
    is $r->{headers}{'access-control-allow-origin'}, $origin, "$what: $origin";
    return;
}
sub ignores
{
    my ($r, $what) = @_;
    is_deeply cors($r), [], "$what: nothing about CORS"
        or diag explain $r->{headers};
    return;
}

# --- Which origin -----------------------------------------------------------

{
    my $r = preflight('/cors/cgi/echo.pl', origin => $app);
    allows($r, $app, 'an origin that is named');
    is $r->{headers}{'access-control-allow-credentials'}, 'true',
        'with credentials';
    is $r->{headers}{'access-control-allow-methods'},
        'GET, HEAD, POST, DELETE', 'the methods of forms and their status';
    like $r->{headers}{'access-control-allow-headers'}, qr/\bX-Progress-ID\b/,
        'and their headers';
    is $r->{headers}{'access-control-max-age'}, 86400, 'for a day';
    is $r->{headers}{vary} =~ s/, */,/gr, 'Origin,Access-Control-Request-Method'
        . ',Access-Control-Request-Headers', 'Vary';
    is $r->{body}, '', 'no body';
    ok !exists $r->{headers}{'access-control-expose-headers'},
        'nothing to expose';
    allows(preflight('/cors/cgi/echo.pl', origin => 'https://second.example:8443'),
           'https://second.example:8443', 'another one, with a port');
}
for my $origin ('https://other.example', 'https://app.example:443',
                'http://app.example', 'https://APP.example', 'null', '',
                'https://app.example.evil.example', '*',
                'https://app.example/', 'https://second.example') {
    my $r = preflight('/cors/cgi/echo.pl', origin => $origin);
    ignores($r, "Origin '$origin'");
    isnt $r->{status}, 204, "Origin '$origin': the preflight passes";
}
ignores(preflight('/cors/cgi/echo.pl'), 'no Origin');

{
    my $r = preflight('/cors/all/echo.pl', origin => 'https://any.example');
    allows($r, '*', 'everybody');
    ok !exists $r->{headers}{'access-control-allow-credentials'},
        'without credentials';
    unlike $r->{headers}{vary}, qr/Origin/, 'the same for all: no Vary: Origin';
    ignores(preflight('/cors/all/echo.pl', origin => 'null'),
            'null is not among everybody');
    $r = preflight('/cors/mixed/echo.pl', origin => $app);
    allows($r, $app, 'everybody, and one by name');
    is $r->{headers}{'access-control-allow-credentials'}, 'true',
        'who has credentials';
    $r = preflight('/cors/mixed/echo.pl', origin => 'https://any.example');
    allows($r, '*', 'the others');
    like $r->{headers}{vary}, qr/Origin/, 'and Vary, for they differ';
    allows(preflight('/cors/frames/echo.pl', origin => 'null'), 'null',
           'null where it is named');
}
ignores(preflight('/cors/off/echo.pl', origin => $app), 'UploadCORS Off');
ignores(preflight('/cors/pool-off/echo.pl', origin => $app), 'UploadPool off');
ignores(preflight('/cgi/echo.pl', origin => $app), 'no pool');

# --- Which method, which headers ----------------------------------------------

for my $case (['cgi', qw(GET HEAD POST DELETE)],
              ['every', qw(GET HEAD POST DELETE PATCH PUT)],
              ['patch', qw(GET HEAD POST DELETE PATCH)],
              ['put', qw(GET HEAD POST DELETE PUT)]) {
    my ($place, @methods) = @$case;
    my %may = map { $_ => 1 } @methods;
    for my $method (qw(GET HEAD POST DELETE PATCH PUT TRACE LINK post)) {
        my $r = preflight("/cors/$place/echo.pl", origin => $app,
                          method => $method);
        if (!$may{$method}) {
            # With tus it is asked what the server can do.
            ok !exists $r->{headers}{'access-control-allow-methods'},
                "$place: not $method";
            next;
        }
        allows($r, $app, "$place: $method");
        is $r->{headers}{'access-control-allow-methods'}, join(', ', @methods),
            "$place: all of its methods";
    }
}
for my $asked ('content-type', 'x-csrf-token,upload-offset',
               'X-Any, Thing-At-All') {
    is preflight('/cors/cgi/echo.pl', origin => $app, headers => $asked)
        ->{headers}{'access-control-allow-headers'}, $asked,
        "one that is named may send $asked";
}
for my $asked ('content-type', 'x-any') {
    my $allowed = preflight('/cors/all/echo.pl', origin => $app,
                            headers => $asked)
        ->{headers}{'access-control-allow-headers'};
    for my $needed (qw(Content-Type Tus-Resumable Upload-Length Upload-Offset
                       Upload-Metadata Upload-Concat Upload-Checksum
                       Upload-Defer-Length X-HTTP-Method-Override
                       Upload-Complete Upload-Draft-Interop-Version
                       Content-Disposition Content-Range X-Progress-ID
                       X-Requested-With Authorization)) {
        like $allowed, qr/(?:^|, )\Q$needed\E(?:,|$)/,
            "everybody, asking for $asked: $needed";
    }
    unlike $allowed, qr/x-any/i, 'but not what nobody knows';
}
for my $bad ('a;b', 'a:b', "x\xc3\xa4", '<script>', 'a' x 2000) {
    ignores(preflight('/cors/cgi/echo.pl', origin => $app, headers => $bad),
            'names that are none: ' . substr $bad, 0, 10);
}

# --- Where access is restricted -------------------------------------------------

{
    my $r = preflight('/cors/auth/echo.pl', origin => $app);
    allows($r, $app, 'a preflight without credentials, where users are asked');
    ok !exists $r->{headers}{'www-authenticate'}, 'nobody asks for a password';
    $r = preflight('/cors/auth/echo.pl', origin => 'https://other.example');
    is $r->{status}, 401, 'a stranger is asked';
    ignores($r, 'and');
    $r = request('OPTIONS', '/cors/auth/echo.pl', headers => [Origin => $app]);
    is $r->{status}, 401, 'no preflight: asked too';
    allows(preflight('/cors/denied/echo.pl', origin => $app), $app,
           'a preflight tells nothing of who may');
}

# --- With mod_headers ----------------------------------------------------------

{
    my $r = preflight('/cors/always/echo.pl', origin => $app);
    allows($r, $app, 'beside Header always set');
    is $r->{headers}{'access-control-allow-methods'},
        'GET, HEAD, POST, DELETE', 'the methods are ours';
    is $r->{headers}{'access-control-max-age'}, 86400, 'the time too';
    is $r->{headers}{'access-control-allow-credentials'}, 'true', 'once';
    allows(preflight('/cors/add/echo.pl', origin => $app), $app,
           'beside Header add: one line');
}

# --- The connection goes on -------------------------------------------------------

{
    my $c = connect_raw();
    for my $n (1 .. 3) {
        $c->send("OPTIONS /cors/cgi/echo.pl HTTP/1.1\r\nHost: x\r\n"
                 . "Origin: $app\r\nAccess-Control-Request-Method: POST\r\n"
                 . "Content-Length: 5\r\n\r\nhello");
        is $c->answer->{status}, 204, "preflight $n of a connection, with a body";
    }
    $c->close;
}

is scalar(crashes_since($mark)), 0, 'no child died';
done_testing;
