# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The same upload in every way that HTTP can carry it, and what happens on the
# connection afterwards.

use strict;
use warnings FATAL => 'all';
use Digest::SHA qw(sha256_hex);
use IO::Compress::Gzip ();
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my $content = random_bytes(3001);
my @parts = ({name => 'title', value => 'Holiday'},
             {name => 'file', filename => 'f.bin', content => $content});

sub is_upload
{
    my ($r, $name, $want) = @_;
    is $r->{status}, 200, "$name: 200" or diag $r->{error}, $r->{body};
    my $seen = application($r) || {};
    my $path = $seen->{files}[0]{path};
    is sha256_hex(defined $path ? slurp($path) : ''), sha256_hex($want),
        "$name: the file's bytes";
    is $seen->{fields}[0]{value}, 'Holiday', "$name: the field";
    return $seen;
}

# --- Sizes of pieces --------------------------------------------------------

my @ways = (
    ['one write'], ['chunks of 1', chunked => 1], ['chunks of 7', chunked => 7],
    ['one chunk', chunked => 1_000_000], ['byte by byte', step => 1],
    ['7 bytes a time', step => 7], ['chunked, byte by byte', chunked => 5,
     step => 1], ['half closed', half_close => 1],
    ['TLS', tls => 1], ['TLS in small records', tls => 1, step => 97],
    ['TLS chunked', tls => 1, chunked => 512],
);
for my $way (@ways) {
    my ($name, @how) = @$way;
    my $seen = is_upload(upload('/form/echo.pl', \@parts, id => new_id(), @how),
                         $name, $content);
    is $seen->{size}, length +(multipart(\@parts))[0], "$name: size";
    is $seen->{received}, $seen->{size}, "$name: received";
}
my ($body, $type) = multipart(\@parts);
my $slow = connect_raw();
my $piece = int(length($body) / 4) + 1;
$slow->send("POST /form/echo.pl HTTP/1.1\r\nHost: x\r\nContent-Type: $type\r\n"
            . 'Content-Length: ' . length($body) . "\r\n\r\n");
for my $bytes (unpack "(a$piece)*", $body) {
    $slow->send($bytes);
    select undef, undef, undef, 0.05;
}
is_upload($slow->answer, 'a slow sender', $content);
$slow->close;

my $extended = chunked($body, 1000);
$extended =~ s/^([0-9a-f]+)\r\n/$1;name="value"\r\n/;
$extended =~ s/\r\n\r\n\z/\r\nX-Trailer: yes\r\n\r\n/;
is_upload(raw_request("POST /form/echo.pl HTTP/1.1\r\nHost: x\r\n"
    . "Content-Type: $type\r\nTransfer-Encoding: chunked\r\n"
    . "Connection: close\r\n\r\n$extended"), 'chunk extension and trailer',
    $content);
is_upload(raw_request("POST /form/echo.pl HTTP/1.0\r\nContent-Type: $type\r\n"
    . 'Content-Length: ' . length($body) . "\r\n\r\n$body"), 'HTTP/1.0',
    $content);

# --- Expect: 100-continue ---------------------------------------------------

sub expecting
{
    my ($url, %o) = @_;
    my $c = connect_raw();
    my $headers = join '', map { "$_\r\n" } @{ $o{headers} || [] };
    my $length = $o{length} || length $body;
    my $framing = $o{chunked} ? 'Transfer-Encoding: chunked'
        : "Content-Length: $length";
    $c->send("POST $url HTTP/1.1\r\nHost: x\r\nContent-Type: $type\r\n"
             . "Expect: 100-continue\r\n$framing\r\n$headers\r\n");
    return $c;
}
for my $chunked (0, 1) {
    my $name = $chunked ? 'chunked' : 'Content-Length';
    my $c = expecting('/form/echo.pl', chunked => $chunked);
    my $first = $c->interim;
    is $first->{status}, 100, "$name: 100 Continue comes";
    $c->send($chunked ? chunked($body, 500) : $body);
    my $r = $c->answer;
    is_upload($r, "$name: and then the answer", $content);
    ok !exists $r->{json}{env}{HTTP_EXPECT}, "$name: the wait is over";
    $c->close;
}
my @early = (
    ['/form-small/echo.pl', 413, 'too large'],
    ['/form/echo.pl?X-Progress-ID=..%2Fx', 400, 'a bad identifier'],
    ['/form-key/echo.pl?X-Progress-ID=unsigned', 403, 'unsigned'],
    ['/form-key/echo.pl', 403, 'no identifier where a key is'],
    ['/form/echo.pl', 415, 'a coding that nothing decodes',
     headers => ['Content-Encoding: gzip']],
    ['/form-auth/echo.pl', 401, 'no credentials'],
);
for my $row (@early) {
    my ($url, $status, $name, %o) = @$row;
    my $c = expecting($url, length => 100_000, %o);
    my $r = $c->interim;
    is $r->{status}, $status, "$name: refused before any 100";
    $c->close;
}

# --- The connection afterwards ----------------------------------------------

# P7: The next request on the connection is understood.
my $head = "POST /form/echo.pl?n=%d HTTP/1.1\r\nHost: x\r\n"
    . "Content-Type: $type\r\n%s\r\n\r\n";
my $sized = 'Content-Length: ' . length $body;
my $c = connect_raw();
for my $n (1 .. 4) {
    my $how = $n % 2;
    $c->send(sprintf($head, $n, $how ? $sized : 'Transfer-Encoding: chunked')
             . ($how ? $body : chunked($body, 700)));
    my $r = $c->answer;
    is_upload($r, "keep-alive $n", $content);
    is $r->{json}{env}{QUERY_STRING}, "n=$n", "keep-alive $n: its own answer";
    $c->send("GET /form/echo.pl?g=$n HTTP/1.1\r\nHost: x\r\n\r\n");
    $r = $c->answer;
    is $r->{json}{env}{QUERY_STRING}, "g=$n", "and a GET after it, $n";
    ok !exists $r->{json}{env}{UPLOAD_POOL_STATE}, "which is no upload, $n";
    is $r->{json}{length}, 0, "and has no body, $n";
}
$c->close;

$c = connect_raw();
my $get = "GET /form/echo.pl?get=%d HTTP/1.1\r\nHost: x\r\n\r\n";
$c->send(sprintf($head, 1, $sized) . $body . sprintf($get, 2)
    . sprintf($head, 3, 'Transfer-Encoding: chunked') . chunked($body, 999)
    . sprintf($get, 4));
is_upload($c->answer, 'pipelined 1', $content);
is $c->answer->{json}{env}{QUERY_STRING}, 'get=2', 'pipelined 2';
is_upload($c->answer, 'pipelined 3', $content);
is $c->answer->{json}{env}{QUERY_STRING}, 'get=4', 'pipelined 4';
$c->close;

# --- HTTP/2 -----------------------------------------------------------------

my $file = var('t_logs') . "/framing.$$";
spew($file, $content);
my @form = ('-F', 'title=Holiday', '-F', "file=\@$file;filename=f.bin");
my $id = new_id();
my $path = "/form/echo.pl?X-Progress-ID=$id";
my $tls = 'https://127.0.0.1:' . var('tlsport');
for my $way (['h2c', '--http2-prior-knowledge', base()],
             ['h2 over TLS', '--http2', '-k', $tls],
             ['h2c by Upgrade', '--http2', base()],
             ['HTTP/1.1 over TLS', '--http1.1', '-k', $tls]) {
    my ($name, @how) = @$way;
    my $url = pop @how;
    my $r = curl(@how, @form, "$url$path");
    is_upload($r, $name, $content);
    is $r->{json}{env}{CONTENT_TYPE}, 'application/json', "$name: type";
    is $r->{json}{env}{CONTENT_LENGTH}, $r->{json}{length}, "$name: length";
    is curl(@how, "$url/form/echo.pl/status?X-Progress-ID=$id")
        ->{json}{state}, 'done', "$name: status";
}
# Refused before the body was read: the answer comes with RST_STREAM(NO_ERROR),
# and older curls (7.88) now and then drop an answer for that; ask again.
for my $row (['/form-small/echo.pl', 413, 'too large', '-F',
              'more=' . 'x' x 5000],
             ['/form-key/echo.pl', 403, 'no identifier']) {
    my ($url, $status, $name, @more) = @$row;
    my $r = wait_for(sub {
        my $r = curl('--http2-prior-knowledge', @form, @more, base() . $url);
        return $r->{status} && $r;
    });
    is $r->{status}, $status, "h2c: $name";
}

# --- Content codings --------------------------------------------------------

IO::Compress::Gzip::gzip(\$body, \my $packed) or die 'gzip';
my $squeezed = random_bytes(5_000) x 40;
my ($large) = multipart([{name => 'title', value => 'Holiday'},
    {name => 'f', filename => 'f', content => $squeezed}]);
IO::Compress::Gzip::gzip(\$large, \my $small) or die 'gzip';
for my $row ([$packed, $content, 'gzip'], [$packed, $content, 'gzip chunked',
              chunked => 100], [$small, $squeezed, 'gzip, 200 KB']) {
    my ($bytes, $want, $name, @how) = @$row;
    my $r = request('POST', '/form-gzip/echo.pl', body => $bytes, @how,
        headers => ['Content-Type', $type, 'Content-Encoding', 'gzip']);
    my $seen = is_upload($r, $name, $want);
    is $r->{json}{env}{HTTP_X_UPLOAD_CONTENT_ENCODING}, 'gzip',
        "$name: the coding is set aside";
    ok !exists $r->{json}{env}{HTTP_CONTENT_ENCODING}, "$name: and gone";
    is $seen->{received}, $want eq $content ? length $body : length $large,
        "$name: what counts is the decoded length";
}
is request('POST', '/form-gzip/echo.pl', body => $body,
    headers => ['Content-Type', $type])->{status}, 200,
    'the filter does not mind a plain body';
for my $coding (qw(gzip br deflate x-gzip), 'gzip, gzip') {
    is request('POST', '/form/echo.pl', body => $packed, headers =>
        ['Content-Type', $type, 'Content-Encoding', $coding])->{status}, 415,
        "$coding without a filter";
}
is request('POST', '/form-gzip/echo.pl', body => $packed, headers =>
    ['Content-Type', $type, 'Content-Encoding', 'br'])->{status}, 415,
    'a coding that the filter does not know';
is request('POST', '/form/echo.pl', body => $body, headers =>
    ['Content-Type', $type, 'Content-Encoding', 'identity'])->{status}, 200,
    'identity is none';

# --- Big --------------------------------------------------------------------

my $big = random_bytes(12 * 1024 * 1024 + 17);
for my $way (['Content-Length'], ['chunked', chunked => 65_521],
             ['TLS', tls => 1]) {
    my ($name, @how) = @$way;
    my $r = upload('/form/echo.pl', [{name => 'title', value => 'Holiday'},
        {name => 'f', filename => 'big', content => $big}], id => new_id(),
        @how);
    my $seen = is_upload($r, "12 MiB, $name", $big);
    request('DELETE', "/form/echo.pl?X-Progress-ID=$seen->{identifier}");
    ok !-e $seen->{files}[0]{path}, "12 MiB, $name: deleted";
}
unlink $file;
is crashes_since($mark), 0, 'no child died';
done_testing;
