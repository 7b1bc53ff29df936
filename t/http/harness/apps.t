# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Every probe application runs and reports what it was sent, outside any pool:
# when this fails, the other suites say nothing about the module.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;

my $text = "a b\x{e4}c\x{20ac}";
utf8::encode(my $bytes = $text);
my %via = (
    '/cgi/echo.pl' => 'cgi', '/php/echo.php' => qr/^php-/,
    '/fpm/echo.php' => 'php-fpm-fcgi', '/lua/echo.lua' => 'mod_lua',
    '/wsgi/echo' => 'wsgi', '/perl/echo' => 'mod_perl',
    '/backend/echo' => 'backend',
);
for my $url (sort keys %via) {
    my $r = request('POST', "$url?q=1", body => $bytes,
                    headers => ['Content-Type', 'text/plain']);
    is $r->{status}, 200, "$url: status" or diag $r->{head}, $r->{body};
    my $want = ref $via{$url} ? $via{$url} : qr/^\Q$via{$url}\E$/;
    like $r->{json}{via}, $want, "$url: who answered";
    is $r->{json}{method}, 'POST', "$url: method";
    like $r->{json}{url}, qr/\bq=1$/, "$url: query";
    is $r->{json}{body}, $text, "$url: body";
}

my $mpm = var('mpm');
like request('GET', '/server-info')->{body}, qr/\b$mpm\b/i, "runs on $mpm";
like request('GET', '/server-info')->{body}, qr/mod_upload_pool\.c/,
    'the module is loaded';
is request('GET', '/hello.txt', tls => 1)->{status}, 200, 'TLS listener';
is request('GET', '/hello.txt', port => var($_))->{status}, 200, $_
    for qw(secondport thirdport);
is curl('--http2-prior-knowledge', base() . '/hello.txt')->{status}, 200,
    'HTTP/2 on the main port';
is request('POST', '/cgi/echo.pl', body => 'x' x 30000, chunked => 7000)
    ->{status}, 200, 'chunked transfer coding';
ok restart_graceful(), 'graceful restart';
is request('GET', '/hello.txt')->{status}, 200, 'and it answers';
ok scalar(children()) > 0, 'children are found';

done_testing;
