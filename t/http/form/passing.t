# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# A request that is not an upload passes untouched, byte for byte; one that any
# parser might take for an upload is intercepted or refused, and never passes.

use strict;
use warnings FATAL => 'all';
use MIME::Base64 qw(decode_base64);
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my $bytes = join('', map { chr } 0 .. 255) x 300;
my $url = '/form/echo.pl';

sub body_of
{
    my ($r) = @_;
    my $said = $r->{json} || {};
    return decode_base64($said->{body_base64})
        if defined $said->{body_base64};
    return defined $said->{body} ? $said->{body} : '(none)';
}

# --- Passing ----------------------------------------------------------------

for my $type ('application/json', 'application/x-www-form-urlencoded',
              'text/plain; charset=utf-8', 'application/octet-stream',
              'multipart/mixed; boundary=x', 'multipart/form-data-x',
              'multipart/form-dat', 'multipart/form', 'x-multipart/form-data',
              undef) {
    my @header = defined $type ? ('Content-Type', $type) : ();
    my $name = defined $type ? $type : 'no type';
    for my $way (['sized'], ['chunked', chunked => 4093]) {
        my ($how, @how) = @$way;
        # A CGI program learns no length of a chunked body.
        next if @how;
        my $r = request('POST', "$url?a=b&c", body => $bytes, @how,
                        headers => [@header, 'X-Other', 'kept']);
        is $r->{status}, 200, "$name: 200";
        ok body_of($r) eq $bytes, "$name: byte for byte";
        is $r->{json}{env}{CONTENT_TYPE}, $type, "$name: its type";
        is $r->{json}{env}{CONTENT_LENGTH}, length $bytes, "$name: its length";
        is $r->{json}{env}{QUERY_STRING}, 'a=b&c', "$name: its query";
        is $r->{json}{env}{HTTP_X_OTHER}, 'kept', "$name: its headers";
        ok !exists $r->{json}{env}{UPLOAD_POOL_STATE}, "$name: no state";
    }
    my $r = request('POST', '/form-proxy/x', body => $bytes, chunked => 4093,
                    headers => [@header]);
    ok body_of($r) eq $bytes, "$name: chunked, through mod_proxy";
}
my $json = '{"identifier":"x","state":"done","files":[{"path":"/etc/passwd"}]}';
my $r = request('POST', $url, body => $json,
                headers => ['Content-Type', 'application/json']);
is body_of($r), $json, 'a JSON body in our own shape passes';
is_deeply [grep { /UPLOAD_POOL_(?!URL)|X_UPLOAD/ } keys %{ $r->{json}{env} }],
    [], 'but nothing says that it is ours';

my ($body, $type) = multipart([{name => 'f', filename => 'f', content => 'x'}]);
for my $method (qw(PUT PATCH REPORT DELETE OPTIONS)) {
    $r = request($method, $url, body => $body,
                 headers => ['Content-Type', $type]);
    is $r->{json}{method}, $method, "$method passes";
    is body_of($r), $body, "$method: with its body";
}
$r = request('GET', "$url?x=y");
is $r->{json}{env}{QUERY_STRING}, 'x=y', 'GET passes';
is $r->{json}{env}{UPLOAD_POOL_URL}, $url, 'and knows where to post to';
# Without an identifier the words mean nothing to us.
for my $query ('status', 'clear', 'callback=x', 'status=1&clear=2') {
    $r = request('GET', "$url?$query");
    is $r->{json}{env}{QUERY_STRING}, $query, "GET ?$query passes";
}
$r = request('GET', "$url/status");
is $r->{json}{env}{PATH_INFO}, '/status', 'GET U/status passes without one';
$r = request('GET', "$url?X-Progress-ID=abc");
is $r->{json}{env}{QUERY_STRING}, 'X-Progress-ID=abc',
    'an identifier alone asks for nothing';
$r = request('GET', "$url?X-Progress-ID=../../x&y");
is $r->{json}{env}{QUERY_STRING}, 'X-Progress-ID=../../x&y',
    'and a bad one does no harm there';
$r = request('POST', "$url?X-Progress-ID=abc", body => 'a=b', headers =>
    ['Content-Type', 'application/x-www-form-urlencoded']);
is body_of($r), 'a=b', 'a form of another type with an identifier passes';
for my $path ('new', 'file?X-Progress-ID=abc') {
    $r = request($path eq 'new' ? 'POST' : 'GET', "$url/$path", body => '');
    like $r->{json}{env}{PATH_INFO}, qr{^/(?:new|file)$},
        "$path passes where it is not switched on";
}
is request('POST', '/cgi/echo.pl', body => $body, headers =>
    ['Content-Type', $type])->{json}{body}, $body, 'outside a pool all passes';

# --- Not passing ------------------------------------------------------------

# P5: Nothing that somebody takes for a form passes.
my @taken = (
    'Multipart/Form-Data; boundary=x', 'MULTIPART/FORM-DATA;BOUNDARY=x',
    'multipart/form-data;boundary="x"', 'multipart/form-data ; boundary=x',
    "multipart/form-data;\tboundary=x", 'multipart/form-data; boundary=x;',
    'multipart/form-data; charset=utf-8; boundary=x',
    'multipart/form-data; a="boundary=y"; boundary=x',
    'multipart/form-data; boundary=x; a=b',
);
my @refused = (
    'multipart/form-data', 'multipart/form-data;', 'multipart/form-data, x',
    'Multipart/Form-Data', 'multipart/form-data boundary=x',
    'multipart/form-data, boundary=x', 'multipart/form-data; boundary=',
    'multipart/form-data; boundary=""', 'multipart/form-data; boundary',
    'multipart/form-data; boundary=' . 'x' x 71,
    'multipart/form-data; boundary=x; boundary=x',
    'multipart/form-data; boundary=x; boundary=y',
    'multipart/form-data; boundary=x; Boundary=y',
    'multipart/form-data; boundary="x', 'multipart/form-data; boundary="x"y',
    'multipart/form-data; boundary=x y', 'multipart/form-data; boundary="x "',
    "multipart/form-data; boundary='x'y", 'multipart/form-data; xboundary=x',
    "multipart/form-data; boundary*=us-ascii''x",
    'multipart/form-data; boundary*0=x', 'multipart/form-data; boundary=x, y',
    'multipart/form-data; boundary="x[]"', 'multipart/form-data/x; boundary=x',
    'multipart/form-data:x; boundary=x', "multipart/form-data; bound\xe4ry=x",
    'multipart/form-data; boundary=x, text/plain; boundary=x',
    'multipart/form-data(comment); boundary=x',
    'multipart/form-data; boundary=x=y', 'multipart/form-data; =x; boundary=x',
    'multipart/form-data; boundary =x', 'multipart/form-data; boundary= x',
);
($body) = multipart([{name => 'f', value => 'v'}], boundary => 'x');
for my $type (@taken) {
    $r = request('POST', $url, body => $body,
                 headers => ['Content-Type', $type]);
    is $r->{json}{env}{UPLOAD_POOL_STATE}, 'done', "intercepted: $type";
    is_deeply application($r)->{fields}, [{name => 'f', value => 'v'}],
        'with its field';
}
for my $type (@refused) {
    my $since = log_mark();
    $r = request('POST', $url, body => $body,
                 headers => ['Content-Type', $type]);
    is $r->{status}, 400, "refused: $type";
    ok !$r->{json}, 'the application did not run';
    my $lines = () = error_log_since($since) =~ /UPL01\d\d:/g;
    is $lines, 1, 'one line in the log';
}
$r = raw_request("POST $url HTTP/1.1\r\nHost: x\r\nContent-Type: $type\r\n"
    . "Content-Type: text/plain\r\nConnection: close\r\nContent-Length: "
    . length($body) . "\r\n\r\n$body");
is $r->{status}, 400, 'two types, the first ours';

# --- UploadRequire multipart ------------------------------------------------

$url = '/form-only/echo.pl';
for my $type ('application/json', 'application/x-www-form-urlencoded',
              'multipart/mixed; boundary=x', undef) {
    $r = request('POST', $url, body => $body,
                 headers => [defined $type ? ('Content-Type', $type) : ()]);
    is $r->{status}, 415, 'UploadRequire: ' . (defined $type ? $type : 'none');
    ok !$r->{json}, 'the application did not run';
}
$r = request('POST', $url, body => '{}', headers => ['Content-Type',
    'application/json', 'Accept', 'application/json']);
is_deeply $r->{json}, {state => 'error',
    error => 'Request is not a file upload',
    detail => 'Request is not a file upload'}, 'told in JSON';
is upload($url, [{name => 'f', value => 'v'}])->{status}, 200,
    'an upload is taken';
is request('GET', $url)->{status}, 200, 'GET passes';
is request('PUT', $url, body => 'x')->{status}, 200, 'PUT passes';

is crashes_since($mark), 0, 'no child died';
done_testing;
