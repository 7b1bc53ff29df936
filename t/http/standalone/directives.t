# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadURL, UploadCleanup, UploadPass, UploadInline, UploadDigest,
# UploadFileMode.

use strict;
use warnings FATAL => 'all';
use Compress::Zlib ();
use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(sha1_hex sha256_hex sha512_hex);
use MIME::Base64 qw(decode_base64);
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my @parts = ({name => 'title', value => 'Holiday'},
             {name => 'f', filename => 'f.txt', content => 'hello'});
my ($body, $type) = multipart(\@parts);

# --- UploadURL --------------------------------------------------------------

my %urls = ('/alone-url/echo.pl' => 'http://uploads.example.com/here/upload',
            '/alone-url-full/echo.pl' => 'https://uploads.example.com/upload',
            '/alone-url-slash/echo.pl' =>
                'https://uploads.example.com/here/upload');
for my $url (sort keys %urls) {
    my $env = request('GET', $url)->{json}{env};
    is $env->{UPLOAD_POOL_URL}, $urls{$url}, "$url: UPLOAD_POOL_URL";
    is exists $env->{UPLOAD_POOL_NEW_IDENTIFIER}, $url =~ m{^/alone-url/},
        "$url: an identifier for the other server, with UploadMint";
    my $id = new_id();
    my $r = request('POST', "$url?X-Progress-ID=$id", body => $body,
                    headers => ['Content-Type', $type, 'X-Upload-State',
                                'forged']);
    is $r->{json}{body}, $body, "$url: an upload passes";
    is $r->{json}{env}{CONTENT_TYPE}, $type, "$url: with its type";
    is $r->{json}{env}{UPLOAD_POOL_URL}, $urls{$url}, "$url: and the variable";
    ok !exists $r->{json}{env}{HTTP_X_UPLOAD_STATE}, "$url: nothing forged";
    ok !exists $r->{json}{env}{UPLOAD_POOL_STATE}, "$url: no state";
    for my $how (['GET', '/status'], ['GET', '?status'], ['GET', '?clear'],
                 ['DELETE', ''], ['POST', '/new'], ['GET', '/file']) {
        my ($method, $what) = @$how;
        my $q = "$url$what" . ($what =~ /\?/ ? '&' : '?') . 'X-Progress-ID=../x';
        is request($method, $q, body => '')->{json}{method}, $method,
            "$method $q: not even this is intercepted";
    }
}
is_deeply [pool_dirs('alone-url')], [], 'nothing in the pool';

# --- UploadCleanup ----------------------------------------------------------

my %gone = (200 => 0, 302 => 0, 400 => 0, 403 => 0, 404 => 1, 405 => 0,
            409 => 0, 410 => 1, 411 => 1, 412 => 1, 413 => 0, 500 => 1,
            502 => 1, 507 => 1);
for my $status (sort keys %gone) {
    my $id = new_id();
    my $r = upload("/alone-clean/echo.pl?status=$status", \@parts, id => $id);
    is $r->{status}, $status, "the application answers $status";
    # The request is logged, and cleaned up after, when the answer is out.
    my $want = $gone{$status} ? 'starting' : 'done';
    ok wait_for(sub { status('/alone-clean/echo.pl', $id)->{state} eq $want }),
        "$status: " . ($gone{$status} ? 'deleted' : 'kept');
    is scalar(grep { m{^\Q$id\E/.*bin} } pool_files('alone-clean')),
        $gone{$status} ? 0 : 1, "$status: and its file";
}
my $id = new_id();
upload('/alone-clean/echo.pl', \@parts, id => $id);
request('GET', "/alone-clean/echo.pl?status=404&X-Progress-ID=$id");
is status('/alone-clean/echo.pl', $id)->{state}, 'done',
    'a later 404 that is no upload deletes nothing';

# --- UploadPass -------------------------------------------------------------

$id = new_id();
my $r = upload('/alone-pass/echo.pl?a=b', \@parts, id => $id);
is $r->{status}, 200, 'UploadPass';
my $env = $r->{json}{env};
is $env->{PATH_INFO}, '/passed', 'another program runs';
is $env->{UPLOAD_POOL_STATE}, 'done', 'with the variables';
is $env->{UPLOAD_POOL_IDENTIFIER}, $id, 'of this upload';
is $env->{CONTENT_TYPE}, 'application/json', 'and type';
is $env->{CONTENT_LENGTH}, $r->{json}{length}, 'and length';
is $env->{REQUEST_METHOD}, 'POST', 'and method';
is application($r)->{fields}[0]{value}, 'Holiday', 'and body';
is slurp($env->{UPLOAD_POOL_PATH}), 'hello', 'and file';
is status('/alone-pass/echo.pl', $id)->{state}, 'done', 'it is done';
$r = request('POST', '/alone-pass/echo.pl', body => 'x', headers =>
    ['Content-Type', 'text/plain']);
ok !exists $r->{json}{env}{PATH_INFO}, 'what is no upload stays where it is';
for my $how (['keep-alive', $body, "Content-Length: @{[length $body]}"],
             ['chunked', chunked($body, 50), 'Transfer-Encoding: chunked']) {
    my ($name, $bytes, $framing) = @$how;
    my $c = connect_raw();
    $c->send("POST /alone-pass/echo.pl HTTP/1.1\r\nHost: x\r\n"
        . "Content-Type: $type\r\n$framing\r\n\r\n$bytes"
        . "GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\n");
    is $c->answer->{json}{env}{PATH_INFO}, '/passed', "$name: passed";
    is $c->answer->{status}, 200, "$name: the next request is right";
    $c->close;
}

# --- UploadInline -----------------------------------------------------------

my @sizes = (0, 1, 1023, 1024, 1025, 5000);
my @files = map { {name => "f$_", filename => "f$_",
                   content => random_bytes($_)} } @sizes;
$id = new_id();
$r = upload('/alone-inline/echo.pl', \@files, id => $id);
my $seen = application($r);
for my $n (0 .. $#sizes) {
    my $file = $seen->{files}[$n];
    my $inline = $sizes[$n] <= 1024;
    is exists $file->{content} ? 1 : 0, $inline ? 1 : 0,
        "$sizes[$n] bytes: " . ($inline ? 'inline' : 'a file');
    is exists $file->{path} ? 1 : 0, $inline ? 0 : 1, 'path or content';
    my $bytes = $inline ? decode_base64($file->{content})
        : slurp($file->{path});
    ok $bytes eq $files[$n]{content}, 'its bytes';
    is $file->{size}, $sizes[$n], 'its size';
    is $file->{digests}{'sha-256'}, sha256_hex($files[$n]{content}),
        'its digest';
}
is scalar(grep { /\.bin/ } pool_files('alone-inline')), 2, 'two on disk';
ok !exists $r->{json}{env}{UPLOAD_POOL_PATH}, 'the first has no path';
is $r->{json}{env}{UPLOAD_POOL_FILES}, scalar @sizes, 'all are counted';
is request('GET', "/alone-inline/echo.pl/file?n=1&X-Progress-ID=$id")
    ->{status}, 404, 'what is not on disk is not served';
is request('GET', "/alone-inline/echo.pl/file?n=5&X-Progress-ID=$id")
    ->{body}, $files[5]{content}, 'what is on disk is';
is status('/alone-inline/echo.pl', $id)->{state}, 'done', 'done';

# --- UploadDigest -----------------------------------------------------------

for my $content ('', 'hello', '123456789', random_bytes(300_001)) {
    for my $how (['sized'], ['chunked', chunked => 4093], ['bytes',
                 step => length $content > 1000 ? 100_000 : 1]) {
        my ($name, @how) = @$how;
        $r = upload('/alone-digest/echo.pl', [
            {name => 'first', filename => 'first', content => 'other'},
            {name => 'f', filename => 'f', content => $content}], @how);
        is_deeply application($r)->{files}[1]{digests}, {
            md5 => md5_hex($content), 'sha-1' => sha1_hex($content),
            'sha-256' => sha256_hex($content),
            'sha-512' => sha512_hex($content),
            crc32 => sprintf('%08x', Compress::Zlib::crc32($content))},
            length($content) . " bytes, $name: digests";
        is application($r)->{files}[0]{digests}{md5}, md5_hex('other'),
            'each file has its own';
    }
}

# --- UploadFileMode ---------------------------------------------------------

$id = new_id();
$r = upload('/alone-mode/echo.pl', \@parts, id => $id);
my $path = application($r)->{files}[0]{path};
is sprintf('%04o', (stat $path)[2] & 07777), '0644', 'UploadFileMode 0644';
is sprintf('%04o', (stat pool('alone-mode') . "/$id")[2] & 07777), '0711',
    'others may pass its directory, not list it';
is slurp($path), 'hello', 'its bytes';

is crashes_since($mark), 0, 'no child died';
done_testing;
