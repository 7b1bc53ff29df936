# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadServe: stored files are served, and nothing else; UploadOwner decides to
# whom.

use strict;
use warnings FATAL => 'all';
use utf8;
use MIME::Base64 qw(encode_base64);
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my $url = '/alone-serve';
my $id = new_id();
my @content = ('hello world', random_bytes(300_000), '');
is upload($url, [
    {name => 'a', filename => 'hello.txt', type => 'text/html',
     content => $content[0]},
    {name => 't', value => 'field'},
    {name => 'b', filename => 'big file.bin', content => $content[1]},
    {name => 'c', filename => 'empty', content => $content[2]}],
    id => $id)->{status}, 200, 'three files';
my $where = "$url/file?X-Progress-ID=$id";

sub get { my ($what, @headers) = @_;
          return request('GET', "$where$what", headers => [@headers]) }

# --- The files --------------------------------------------------------------

my @names = ('hello.txt', 'big_file.bin', 'empty');
for my $n (0 .. 2) {
    my $r = get("&n=$n");
    is $r->{status}, 200, "file $n";
    ok $r->{body} eq $content[$n], 'its bytes';
    my $h = $r->{headers};
    is $h->{'content-length'}, length $content[$n], 'its length';
    is $h->{'content-type'}, 'application/octet-stream', 'no type of its own';
    like $h->{'content-disposition'}, qr{^attachment; filename="\Q$names[$n]\E"},
        'attachment with the safe name';
    is $h->{'x-content-type-options'}, 'nosniff', 'nosniff';
    like $h->{'content-security-policy'}, qr/\bsandbox\b/, 'sandbox';
    is $h->{'accept-ranges'}, 'bytes', 'ranges';
}
is get('')->{body}, $content[0], 'the first where none is named';
is request('GET', "$url/file", headers => ['X-Progress-ID', $id])->{body},
    $content[0], 'identifier in the header';
my $c = connect_raw();
$c->send("HEAD $where HTTP/1.1\r\nHost: x\r\n\r\n"
         . "GET $where HTTP/1.1\r\nHost: x\r\n\r\n");
is $c->answer(head => 1)->{headers}{'content-length'}, 11, 'HEAD';
is $c->answer->{body}, $content[0], 'and GET on the same connection';
$c->close;

# --- Ranges and conditions --------------------------------------------------

my $r = get('', 'Range', 'bytes=0-4');
is $r->{status}, 206, 'a range';
is $r->{body}, 'hello', 'its bytes';
is $r->{headers}{'content-range'}, 'bytes 0-4/11', 'Content-Range';
is get('', 'Range', 'bytes=-5')->{body}, 'world', 'the end';
is get('', 'Range', 'bytes=6-')->{body}, 'world', 'from somewhere';
is get('', 'Range', 'bytes=100-')->{status}, 416, 'behind the end';
ok get('&n=1', 'Range', 'bytes=200000-299999')->{body}
    eq substr($content[1], 200_000), 'of the big one';
$r = get('', 'Range', 'bytes=0-1,3-4');
is $r->{status}, 206, 'two ranges';
like $r->{headers}{'content-type'}, qr{^multipart/byteranges}, 'as parts';

$r = get('');
my ($etag, $date) = @{ $r->{headers} }{qw(etag last-modified)};
like $etag, qr/^"[^"]+"$/, 'a strong ETag from the first moment';
unlike $etag, qr/\Q$_\E/, 'not the name on disk'
    for map { m{([^/.]+)\.bin$} } pool_files('alone-serve');
ok $date, 'Last-Modified';
is get('', 'If-None-Match', $etag)->{status}, 304, 'not changed by ETag';
is get('', 'If-Modified-Since', $date)->{status}, 304, 'not changed by date';
is get('', 'If-None-Match', '"other"')->{status}, 200, 'another ETag';
is get('', 'If-Match', '"other"')->{status}, 412, 'If-Match';
is get('', 'If-Range', $etag, 'Range', 'bytes=0-0')->{body}, 'h', 'If-Range';
is get('', 'If-Range', '"x"', 'Range', 'bytes=0-0')->{status}, 200,
    'If-Range, other';
is get('&n=1')->{headers}{etag} ne $etag, 1, 'each file has its own ETag';
upload($url, [{name => 'a', filename => 'hello.txt', content => 'HELLO WORLD'}],
       id => $id);
is get('', 'If-None-Match', $etag)->{body}, 'HELLO WORLD',
    'a replaced file has another ETag';

# --- Nothing to give --------------------------------------------------------

for my $what ('&n=1', '&n=-1', '&n=x', '&n=', '&n=0x0', '&n=1e0', '&n=00000000000000000000',
              '&n=99999999999999999999', '&n=0&n=1', '&n=0%00', '&n=../0',
              '&n=%2e') {
    is get($what)->{status}, 404, "$what: 404";
}
is request('GET', "$url/file?X-Progress-ID=unknown")->{status}, 404,
    'an unknown identifier';
is request('GET', "$url/file")->{status}, 404, 'no identifier';
is request('GET', "$url/file/?X-Progress-ID=$id")->{status}, 404, 'file/';
is request('GET', "/alone/file?X-Progress-ID=$id")->{status}, 404,
    'where it is not switched on';
my $other = new_id();
upload('/alone', [{name => 'f', filename => 'f', content => 'x'}],
       id => $other);
is request('GET', "/alone/file?X-Progress-ID=$other")->{status}, 404,
    'not even its own';
is request('GET', "$url/file?X-Progress-ID=$other")->{status}, 404,
    'nor that of another pool';
upload($url, [{name => 't', value => 'v'}], id => $other);
is request('GET', "$url/file?X-Progress-ID=$other")->{status}, 404,
    'an upload without a file';
request('POST', "$url?X-Progress-ID=failed-one", body => 'bad', headers =>
    ['Content-Type', 'multipart/form-data; boundary=x']);
is request('GET', "$url/file?X-Progress-ID=failed-one")->{status}, 404,
    'a failed upload';
upload($url, [{name => 'f', filename => 'f', content => 'x'}], id => $other);
my ($file) = grep { m{^\Q$other\E/.*bin} } pool_files('alone-serve');
unlink pool('alone-serve') . "/$file";
is request('GET', "$url/file?X-Progress-ID=$other")->{status}, 404,
    'one that somebody took away';
symlink '/etc/passwd', pool('alone-serve') . "/$file" or die;
isnt request('GET', "$url/file?X-Progress-ID=$other")->{status}, 200,
    'a link in its place is not followed';
unlink pool('alone-serve') . "/$file";

# --- Names and types that would attack --------------------------------------

my @evil = (
    ['x.html', 'text/html'], ['x.svg', 'image/svg+xml'], ['x.js',
     'application/javascript'], ['.htaccess', 'text/plain'],
    ['x.php', 'application/x-httpd-php'], ["a\r\nX-Evil: yes\r\n\r\n<html>",
     'text/plain'], ['"; filename="evil.html', 'text/html'],
    ['<script>alert(1)</script>', 'text/html'], ['größe €.txt', 'text/plain'],
    ['../../etc/passwd', 'text/plain'], ['', 'text/html'],
);
for my $row (@evil) {
    my ($name, $type) = @$row;
    utf8::encode(my $bytes = $name);
    my $id = new_id();
    is upload($url, [{name => 'f', filename => $bytes, type => $type,
        content => '<script>alert(1)</script>'}], id => $id)->{status}, 200,
        "a file named '" . $name =~ s/[\r\n]/?/gr . "'";
    my $r = request('GET', "$url/file?X-Progress-ID=$id");
    my $h = $r->{headers};
    is $r->{status}, 200, 'given back';
    is $h->{'content-type'}, 'application/octet-stream', 'octet-stream';
    like $h->{'content-disposition'}, qr{^attachment;\ filename="[A-Za-z0-9._-]+"
        (?:;\ filename\*=UTF-8''[A-Za-z0-9._%-]+)?$}x, 'a harmless name';
    unlike $r->{head}, qr/^x-evil/im, 'no header of its own';
    my ($path) = grep { m{^\Q$id\E/.*bin} } pool_files('alone-serve');
    unlike $path, qr/htm|svg|js|ht|php|passwd/, 'no name of its own on disk';
}

# --- Owners -----------------------------------------------------------------

my %login = map { $_ => ['Authorization', 'Basic '
    . encode_base64("$_:$_-secret", '')] } qw(ann bob);
for my $where ('/alone-user', '/alone-nobody') {
    my $free = $where eq '/alone-nobody';
    my $id = new_id();
    is upload($where, [{name => 'f', filename => 'f', content => 'of ann'}],
        id => $id, headers => $login{ann})->{status}, 200, "$where: upload";
    is request('GET', "$where/file?X-Progress-ID=$id", headers => $login{ann})
        ->{body}, 'of ann', 'to the owner';
    $r = request('GET', "$where/file?X-Progress-ID=$id",
                 headers => $login{bob});
    is $r->{status}, $free ? 200 : 404, "$where: file to another";
    my $s = status($where, $id, headers => $login{bob});
    is $s->{state}, $free ? 'done' : 'starting', "$where: status to another";
    is request('GET', "$where/file?X-Progress-ID=$id")->{status}, 401,
        'to nobody';
    is upload($where, [{name => 'f', filename => 'f', content => 'of bob'}],
        id => $id, headers => $login{bob})->{status}, $free ? 200 : 403,
        "$where: replaced by another";
    is request('GET', "$where?clear&X-Progress-ID=$id", headers => $login{bob})
        ->{status}, $free ? 200 : 403, "$where: cleared by another";
    is request('GET', "$where/file?X-Progress-ID=$id", headers => $login{ann})
        ->{status}, $free ? 404 : 200, "$where: and afterwards";
}
# In flight: a stranger is told 409 or 403, and cannot cancel.
my ($body, $type) = multipart([{name => 'f', filename => 'f',
                                content => 'x' x 5000}]);
$id = new_id();
$c = connect_raw();
$c->send("POST /alone-user?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
    . "Content-Type: $type\r\n$login{ann}[0]: $login{ann}[1]\r\n"
    . 'Content-Length: ' . length($body) . "\r\n\r\n" . substr $body, 0, 3000);
wait_for(sub { (status('/alone-user', $id, headers => $login{ann})->{received}
                || 0) > 0 });
is_deeply status('/alone-user', $id, headers => $login{bob}),
    {state => 'starting'}, 'in flight: unknown to another';
is request('DELETE', "/alone-user?X-Progress-ID=$id", headers => $login{bob})
    ->{status}, 403, 'and not to be cancelled';
$c->send(substr $body, 3000);
is $c->answer->{status}, 200, 'it completes';
$c->close;

$id = new_id();
is upload('/alone-ip', [{name => 'f', filename => 'f', content => 'x'}],
          id => $id)->{status}, 200, 'UploadOwner ip';
is request('GET', "/alone-ip/file?X-Progress-ID=$id")->{body}, 'x',
    'from the same address';
my @from = ('--interface', '127.0.0.2');
is curl(@from, base() . "/alone-ip/file?X-Progress-ID=$id")->{status}, 404,
    'from another: no file';
is curl(@from, base() . "/alone-ip/status?X-Progress-ID=$id")->{json}{state},
    'starting', 'no status';
is curl(@from, '-X', 'DELETE', base() . "/alone-ip?X-Progress-ID=$id")
    ->{status}, 403, 'no clearing';
is curl(@from, '-F', 'f=x', base() . "/alone-ip?X-Progress-ID=$id")->{status},
    403, 'no replacing';
is curl(base() . "/alone-ip/file?X-Progress-ID=$id")->{status}, 200,
    'still there for its owner';
# It is the hash of the address that lies on disk.
unlike slurp(pool('alone-ip') . "/$_"), qr/127\.0\.0\.1/, "not in $_"
    for grep { /json/ } pool_files('alone-ip');

is crashes_since($mark), 0, 'no child died';
done_testing;
