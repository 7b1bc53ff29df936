# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# mod_auth_form and mod_session: an authentication that reads bodies itself.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Neighbours;
use UploadPool::Several;
use UploadPool::Test;

my $mark = log_mark();
my $url = '/n/login/echo.lua';
my @file = {name => 'f', filename => 'f', content => 'x' x 5000};

# --- Nobody -----------------------------------------------------------------

empty_pool('neighbours');
for my $how (['length'], ['chunked', chunked => 700],
             ['slow', step => 2000, pause => 0.02]) {
    my ($name, @how) = @$how;
    my $id = new_id();
    my $r = upload($url, \@file, id => $id, @how);
    is $r->{status}, 401, "nobody, $name: 401";
    is status('/n/kept/echo.lua', $id)->{state}, 'starting',
        "nobody, $name: never began";
}
for my $way (ways()) {
    is begin($way, $url, 'x' x 2000)->{failed}{status}, 401,
        "nobody, $way: 401";
}
is_deeply [pool_files('neighbours')], [], 'nobody: nothing in the pool';
{
    my ($body, $type) = multipart(\@file);
    my $c = connect_raw();
    $c->send("POST $url HTTP/1.1\r\nHost: localhost\r\nContent-Type: $type\r\n"
        . 'Content-Length: ' . length($body) . "\r\n\r\n$body"
        . "GET /hello.txt HTTP/1.1\r\nHost: localhost\r\n\r\n");
    is $c->answer->{status}, 401, 'nobody, pipelined: 401';
    is $c->answer->{status}, 200, 'nobody, pipelined: and the next';
    $c->close;
}

# --- Somebody ---------------------------------------------------------------

sub escaped { return $_[0] =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger }

sub log_in
{
    my ($user, %more) = @_;
    my %form = (httpd_username => $user, httpd_password => "$user-secret",
                %more);
    return request('POST', $url, body => join('&', map {
            escaped($_) . '=' . escaped($form{$_})
        } sort keys %form),
        headers => ['Content-Type', 'application/x-www-form-urlencoded']);
}

sub cookie
{
    my ($r) = @_;
    my ($cookie) = ($r->{headers}{'set-cookie'} || '') =~ /^([^;]+)/;
    return [Cookie => $cookie // ''];
}

my $ann = cookie(log_in('ann'));
like $ann->[1], qr/^neighbours=./, 'a session';
goes_through('a session', $url, headers => $ann);

# The session's user is the owner.
{
    my $bob = cookie(log_in('bob'));
    my $id = new_id();
    is upload($url, \@file, id => $id, headers => [@$ann])->{status}, 200,
        'owner: an upload';
    is status($url, $id, headers => $ann)->{state}, 'done', 'owner: sees it';
    is status($url, $id, headers => $bob)->{state}, 'starting',
        'another: does not';
    is upload($url, \@file, id => $id, headers => [@$bob])->{status}, 403,
        'another: may not replace it';
}

# The form that was lost for the login comes along with it, and is taken in.
{
    my ($body, $type) = multipart(\@file);
    my $r = log_in('ann', httpd_method => 'POST', httpd_mimetype => $type,
                   httpd_body => $body);
    arrived('login with a form', $r, $file[0]{content});
    $r = log_in('ann', httpd_method => 'POST', httpd_mimetype => $type,
                httpd_body => substr $body, 0, -30);
    is $r->{status}, 400, 'login with a form that is cut: 400';
    $r = log_in('mallory', httpd_method => 'POST', httpd_mimetype => $type,
                httpd_body => $body);
    is $r->{status}, 401, 'no login with a form: 401';
}
is crashes_since($mark), 0, 'no child died';

done_testing;
