# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Bodies that are a piece of a file by themselves: PUT and POST with
# Content-Range, as "curl -C" sends them, and the sessions of
# nginx-upload-module.

use strict;
use warnings FATAL => 'all';
use Test::More;
use JSON::PP ();
use UploadPool::Test;
use UploadPool::Chunked;

my $mark = log_mark();
my $url = '/chunked/echo.pl';
my $key = 'what the chunked suite signs with, 40 bytes';

# --- Content-Range --------------------------------------------------------

for my $method (qw(PUT POST)) {
    my $id = new_id();
    my $r = raw($method, $url, 'hello', range => 'bytes 0-4/11', id => $id,
                disposition => 'attachment; filename="a%20b.txt"',
                headers => ['Content-Type', 'text/plain; charset=utf-8']);
    is $r->{status}, 200, "$method: the first piece";
    is $r->{json}{upload_id}, $id, "$method: of the upload in the URL";
    is $r->{json}{offset}, 5, "$method: offset";
    is $r->{headers}{range}, '0-4', "$method: Range";
    $r = raw($method, $url, 'x', range => 'bytes 6-6/11', id => $id);
    is $r->{status}, 400, "$method: one too far";
    is $r->{json}{offset}, 5, "$method: the right offset is told";
    $r = raw($method, $url, ' world', range => 'bytes 5-10/11', id => $id,
             chunked => 3);
    is $r->{status}, 200, "$method: the last one";
    my $seen = application($r);
    is $seen->{state}, 'done', "$method: completes it by itself";
    is $r->{json}{env}{REQUEST_METHOD}, 'POST', "$method: the application";
    is stored($r), 'hello world', "$method: its bytes";
    is_deeply [@{ $seen->{files}[0] }{qw(filename content-type charset field)}],
        ['a b.txt', 'text/plain', 'utf-8', 'file'], "$method: what it is";
    my $again = raw($method, $url, ' world', range => 'bytes 5-10/11',
                    id => $id);
    is $again->{status}, 200, "$method: the last one again";
    is $again->{body}, $r->{body}, "$method: has the same answer";
}

# --- All is there, and nobody has completed it -------------------------------

# R8: The request that should have completed the upload did not succeed. A form
# that waits for U/complete has not even tried.
{
    my $id = new_id();
    my $r = chunk($url, 'hello', range => 'bytes 0-4/11', id => $id);
    is $r->{json}{offset}, 5, 'of a form: the first piece';
    $r = chunk($url, ' world', range => 'bytes 5-10/11',
               before => [upload_id => $id]);
    is $r->{json}{offset}, 11, 'the last one';
    is status($url, $id)->{state}, 'uploading', 'it is not complete';
    $r = raw('POST', $url, '', range => 'bytes */11', id => $id);
    is $r->{json}{offset}, 11, 'a client that asks has nothing more to send';
    for my $case (['bytes 4-9/11', 'o worl'], ['bytes 5-10/12', ' world'],
                  ['bytes 0-10/11', 'hello world']) {
        my ($range, $text) = @$case;
        is raw('PUT', $url, $text, range => $range, id => $id)->{status}, 400,
            "$range is not the last piece of it";
    }
    $r = raw('PUT', $url, ' world', range => 'bytes 5-10/11', id => $id);
    is $r->{status}, 200, 'the last piece again';
    is stored($r), 'hello world', 'completes it, with its bytes';
    my $again = raw('PUT', $url, ' world', range => 'bytes 5-10/11',
                    id => $id);
    is $again->{body}, $r->{body}, 'and again has the same answer';
}

my $r = raw('PUT', $url, 'hello', range => 'bytes 0-4/5');
is $r->{status}, 200, 'all of it in one, without an identifier';
is stored($r), 'hello', 'its bytes';
$r = raw('PUT', $url, '12345', range => 'bytes 0-4/10');
my $id = $r->{json}{upload_id};
like $id, qr/^[A-Za-z0-9-]+$/, 'a beginning without one is told its own';
is raw('PUT', "$url?upload_id=$id", '67890', range => 'bytes 5-9/10')
    ->{status}, 200, 'upload_id in the query';

# A PUT without Content-Range is the application's.
$r = raw('PUT', $url, 'hello');
is $r->{json}{env}{REQUEST_METHOD}, 'PUT', 'a PUT passes';
is $r->{json}{body}, 'hello', 'with its body';

# The length that is announced is not the range's: nothing is read.
for my $length (4, 6) {
    $id = new_id();
    my $bad = raw('PUT', $url, 'x' x $length, range => 'bytes 0-4/10',
                  id => $id);
    is $bad->{status}, 400, "$length bytes of 5";
    is $bad->{json}{detail}, "File size doesn't match headers", 'detail';
    is status($url, $id)->{state}, 'error', 'who polls sees it';
    $bad = raw('PUT', $url, 'x' x $length, range => 'bytes 0-4/10', id => $id,
               chunked => 3);
    is $bad->{status}, 400, "$length bytes of 5, in chunked coding";
}
$r = raw('PUT', $url, 'x', range => 'bytes */10', id => new_id());
is $r->{status}, 400, 'a body that only asks';
$r = raw('PUT', $url, 'hello', range => 'bytes 0-4/5',
         disposition => 'attachment; filename=a; filename=b');
is $r->{status}, 400, 'two names';
$r = raw('PUT', $url, 'hello', range => 'bytes 0-4/5',
         headers => ['Content-Encoding', 'gzip']);
is $r->{status}, 415, 'a coding that nobody undoes';
is $r->{json}{detail}, 'Content-Encoding is not supported', 'detail';
my $sum = 'LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=';
for my $case ([$sum, 200], ["A$sum" =~ s/.(?==)//r, 400], ['x', 400]) {
    my ($digest, $status) = @$case;
    my $got = raw('PUT', $url, 'hello', range => 'bytes 0-4/5',
                  headers => ['Content-Digest', "sha-256=:$digest:"]);
    is $got->{status}, $status, "Content-Digest $digest";
}

# --- curl -------------------------------------------------------------------

my $file = var('t_logs') . '/chunked-curl.bin';
my $bytes = random_bytes(200_000);
spew($file, $bytes);
$id = new_id();
my $at = base() . "$url?X-Progress-ID=$id";
$r = curl('-T', $file, '-C', '-', $at);
is $r->{status}, 200, 'curl -C -: all of it';
ok stored($r) eq $bytes, 'its bytes';
$id = new_id();
$at = base() . "$url?X-Progress-ID=$id";
raw('PUT', $url, substr($bytes, 0, 70_000),
    range => 'bytes 0-69999/200000', id => $id);
my $held = status($url, $id)->{received};
is $held, 70_000, 'curl: what is there';
$r = curl('-T', $file, '-C', $held, $at);
is $r->{status}, 200, "curl -C $held: the rest";
ok stored($r) eq $bytes, 'its bytes';
$id = new_id();
$at = base() . "$url?X-Progress-ID=$id";
$r = curl('--http2-prior-knowledge', '-X', 'PUT', '-H',
          'Content-Range: bytes 0-4/200000', '-d', substr('hello', 0, 5), $at);
is $r->{json}{offset}, 5, 'a piece over HTTP/2';
$r = curl('--http2-prior-knowledge', '-X', 'PUT', '-H',
          'Content-Range: bytes 6-6/200000', '-d', 'x', $at);
is $r->{status}, 400, 'a wrong one';
is $r->{json}{offset}, 5, 'is told the offset';
unlink $file;

# --- Sessions ---------------------------------------------------------------

$url = '/chunked-key/echo.pl';
for my $header (qw(Session-ID X-Session-ID)) {
    my $bare = new_id();
    my @session = ($header, sign($key, $bare));
    my $send = sub {
        my ($from, $text, @more) = @_;
        my $to = $from + length($text) - 1;
        return request('POST', $url, body => $text,
                       headers => [@session, @more,
                                   'X-Content-Range', "bytes $from-$to/15",
                                   'Content-Type', 'application/octet-stream',
                                   'Content-Disposition',
                                   'attachment; filename="big.TXT"']);
    };
    my $s = $send->(0, 'abcde');
    is $s->{status}, 201, "$header: a piece";
    is $s->{headers}{range}, '0-4/15', "$header: Range";
    is $s->{body}, '0-4/15', "$header: and in the body";
    $s = $send->(10, 'klmno');
    is $s->{status}, 201, "$header: one out of order";
    is $s->{headers}{range}, '0-4/15,10-14/15', "$header: both ranges";
    $s = $send->(10, 'klmno');
    is $s->{body}, '0-4/15,10-14/15', "$header: again";
    $s = $send->(5, 'fghij');
    is $s->{status}, 200, "$header: the last";
    is stored($s), 'abcdefghijklmno', "$header: its bytes";
    is $s->{json}{env}{UPLOAD_POOL_IDENTIFIER}, $bare, "$header: its name";
    is application($s)->{files}[0]{filename}, 'big.TXT', "$header: filename";
    is $send->(5, 'fghij')->{body}, $s->{body}, "$header: the answer again";
}
my $bare = new_id();
for my $bad ($bare, "$bare:" . '0' x 64, sign('another key of the suite', $bare),
             '1111111111', '../x', '') {
    $r = request('POST', $url, body => 'hello',
                 headers => ['Session-ID', $bad,
                             'X-Content-Range', 'bytes 0-4/10']);
    is $r->{status}, 403, "a session that nobody has signed: '$bad'";
    ok $r->{json}{detail}, 'detail';
}
$r = request('POST', '/chunked/echo.pl', body => 'hello',
             headers => ['Session-ID', '1111111111',
                         'X-Content-Range', 'bytes 0-4/10']);
is $r->{status}, 403, 'without a key there are no sessions';
$r = request('POST', $url . '?X-Progress-ID=' . sign($key, new_id()),
             body => 'hello',
             headers => ['Session-ID', sign($key, new_id()),
                         'X-Content-Range', 'bytes 0-4/10']);
is $r->{status}, 400, 'a session and another identifier';
$r = request('POST', $url, body => 'hello',
             headers => ['Session-ID', sign($key, new_id())]);
is stored($r), 'hello', 'a session without a range is all of it';

# P4: One client may leave thousands of ranges, and they cost the child that
# lists them little memory. The list is in the body, and in the head as long as
# clients and proxies accept a field of that length.
sub peak
{
    my $sum = 0;
    for my $child (children()) {
        $sum += $1 if slurp("/proc/$child/status") =~ /^VmHWM:\s+(\d+)/m;
    }
    return $sum;
}
# All bytes of the only piece came, but the end of the request did not. The
# client sends the piece again, with the same bytes or with corrected ones.
for my $case (map { my $form = $_; map { [$form, $_] } 'all there', 'corrected' } 0, 1) {
    my ($form, $again) = @$case;
    my $id = new_id();
    my $url = $form ? '/chunked-auto/echo.pl' : '/chunked/echo.pl';
    my ($body, $type) = $form
        ? multipart([{name => 'file', filename => 'a.bin',
                      content => 'all there'}])
        : ('all there', 'application/x-test');
    my $how = ($form ? 'a form' : 'raw') . ", $again";
    my @send = (body => $body =~ s/all there/$again/r, headers => [
        'Content-Type', $type, 'X-Progress-ID', $id,
        'Content-Range', 'bytes 0-8/9']);
    my $c = connect_raw();
    $c->send("POST $url HTTP/1.1\r\nHost: x\r\nContent-Type: $type\r\n"
             . "X-Progress-ID: $id\r\nContent-Range: bytes 0-8/9\r\n"
             . "Transfer-Encoding: chunked\r\n\r\n"
             . sprintf "%x\r\n%s\r\n", length $body, $body);
    ok wait_for(sub { (status($url, $id)->{received} || 0) >= 9 }),
        "$how: a piece that is the whole file, but for the request's end";
    $c->close;
    ok wait_for(sub { (request('POST', $url, body => '', headers => [
        'X-Progress-ID', $id, 'Content-Range', 'bytes */9'])->{json}
        || {})->{offset} == 9 }), "$how: all of it is there";
    isnt status($url, $id)->{state}, 'done', "$how: but it is not complete";
    my $r = request('POST', $url, @send);
    is $r->{status}, 200, "$how: the only piece again completes it";
    is stored($r), $again, "$how: and the application has its bytes";
    is request('POST', $url, @send)->{body}, $r->{body},
        "$how: the answer is given again";
}

$bare = new_id();
my $scatter = sub {
    my ($at) = @_;
    return request('POST', $url, body => 'x', headers => [
        'Session-ID', sign($key, $bare),
        'X-Content-Range', "bytes $at-$at/100000"]);
};
$scatter->($_) for 0, 2;
my $bucket = pool('chunked-key') . "/$bare";
my $kept = JSON::PP->new->decode(slurp("$bucket/resumable.json"));
$kept->{ranges} = [map { [2 * $_, 2 * $_ + 1] } 0 .. 8999];
my ($data) = glob "$bucket/0-*";
truncate $data, 18_000 or die "$data: $!";
spew("$bucket/resumable.json", as_json($kept));
my $before = peak();
$r = $scatter->(50_000);
is $r->{status}, 201, 'one of thousands of ranges';
is $r->{body}, join(',', (map { 2 * $_ . '-' . 2 * $_ . '/100000' } 0 .. 8999),
                    '50000-50000/100000'), 'all of them are told';
is $r->{headers}{range}, undef, 'but not in the head';
cmp_ok peak() - $before, '<', 64 * 1024, 'in KiB that a list needs';

is crashes_since($mark), 0, 'no child died';
done_testing;
