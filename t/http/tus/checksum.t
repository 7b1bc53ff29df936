# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# tus 1.0.0, "Checksum".

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;
use UploadPool::Tus;

my $mark = log_mark();
my $at = '/tus/echo.pl';

my $options = tus('OPTIONS', $at, ['Tus-Resumable', undef]);
like $options->{headers}{'tus-extension'}, qr/(?:^|,)checksum(?:,|$)/,
    'Tus-Extension: checksum';
is $options->{headers}{'tus-checksum-algorithm'}, 'sha1,sha256,md5',
    'Tus-Checksum-Algorithm: with sha1';

sub sum { return [headers => ['Upload-Checksum', $_[0]]] }

# R5: Bytes that do not match their checksum are taken back.
for my $algorithm (qw(sha1 sha256 md5)) {
    my $url = create($at, length => 11)->{headers}{location};
    my $r = append($url, 0, 'hello ', @{ sum(checksum($algorithm, 'hello ')) });
    is $r->{status}, 204, "$algorithm: 204 where it matches";
    is $r->{headers}{'upload-offset'}, 6, "$algorithm: Upload-Offset";
    for my $way (['in one'], ['in chunks', chunked => 2],
                 ['the last byte', step => 1]) {
        my ($name, @how) = @$way;
        $r = append($url, 6, 'World', @how,
                    @{ sum(checksum($algorithm, 'world')) });
        is $r->{status}, 460, "$algorithm: $name: 460 where it does not";
        is $r->{reason}, 'Checksum Mismatch', "$algorithm: $name: in words";
        is $r->{json}{state}, 'error', "$algorithm: $name: and in the body";
        is offset($url), 6, "$algorithm: $name: the chunk is discarded";
    }
    $r = append($url, 6, 'world', @{ sum(checksum($algorithm, 'world')) });
    is $r->{status}, 200, "$algorithm: right at last";
    is slurp(application($r)->{files}[0]{path}), 'hello world',
        "$algorithm: the right bytes";
}
my $url = create($at, length => 70_000)->{headers}{location};
my $bytes = random_bytes(70_000);
is append($url, 0, $bytes, @{ sum(checksum(sha1 => "$bytes.")) })->{status},
    460, 'a whole file that is wrong';
is offset($url), 0, 'is not there';
is status($at, $url =~ m{([^/]+)$})->{state}, 'uploading', 'nor done';
my $r = append($url, 0, $bytes, @{ sum(checksum(sha1 => $bytes)) });
is application($r)->{files}[0]{digests}{'sha-256'},
    Digest::SHA::sha256_hex($bytes), 'and when it is right so is its digest';

$url = create($at, length => 11)->{headers}{location};
my $sha1 = checksum(sha1 => 'hello');
for my $bad ('crc32 DUoRhQ==', 'SHA1 ' . substr($sha1, 5), 'sha-1 AAAA',
             'sha1', 'sha1 ', 'sha1 !', substr($sha1, 0, -4), "$sha1, $sha1",
             'sha1 QQ==', '', 'sha256 ' . substr($sha1, 5), "sha1  AA==",
             'sha1 ' . Digest::SHA::sha1_hex('hello')) {
    $r = append($url, 0, 'hello', @{ sum($bad) });
    is $r->{status}, 400, "400: '$bad'";
}
is offset($url), 0, 'nothing of it is kept';
is create($at, length => 5, body => 'hello', @{ sum('crc32 DUoRhQ==') })
    ->{status}, 400, 'with the POST: no such algorithm';
$r = create($at, length => 9, body => 'hallo', @{ sum($sha1) });
is $r->{status}, 460, 'with the POST: a mismatch';
is offset($r->{headers}{location}), 0, 'with the POST: the upload is there';
is create($at, length => 9, body => 'hello', @{ sum($sha1) })
    ->{headers}{'upload-offset'}, 5, 'with the POST: a match';

# A client that goes away leaves bytes that nobody can check.
my $c = connect_raw();
$c->send("PATCH $url HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\n"
         . "Content-Type: $BYTES\r\nUpload-Offset: 0\r\nContent-Length: 11\r\n"
         . "Upload-Checksum: " . checksum(sha1 => 'hello world')
         . "\r\n\r\nhello");
$c->reset;
is wait_for(sub { head($url)->{status} == 200 }) && offset($url), 0,
    'of a broken PATCH with a checksum nothing is kept';

# --- Behind the body ---------------------------------------------------------

sub with_trailer
{
    my ($where, $offset, $content, $trailer, %o) = @_;
    my $announce = exists $o{announce} ? $o{announce}
        : "Trailer: Upload-Checksum\r\n";
    my $body = chunked($content, 3);
    substr $body, -2, 0, $trailer;
    return raw_request("PATCH $where HTTP/1.1\r\n"
        . 'Host: ' . ($o{host} || 'localhost') . "\r\n"
        . "Tus-Resumable: 1.0.0\r\nContent-Type: $BYTES\r\n"
        . "Upload-Offset: $offset\r\nTransfer-Encoding: chunked\r\n"
        . "${announce}Connection: close\r\n\r\n$body");
}

like $options->{headers}{'tus-extension'}, qr/(?:^|,)checksum-trailer(?:,|$)/,
    'Tus-Extension: checksum-trailer';
$url = create($at, length => 11)->{headers}{location};
$r = with_trailer($url, 0, 'hello ',
                  'Upload-Checksum: ' . checksum(sha1 => 'hello ') . "\r\n");
is $r->{status}, 204, 'trailer: a match';
$r = with_trailer($url, 6, 'World',
                  'Upload-Checksum: ' . checksum(sha1 => 'world') . "\r\n");
is $r->{status}, 460, 'trailer: a mismatch';
is offset($url), 6, 'trailer: discarded';
for my $bad ('crc32 DUoRhQ==', 'sha1', '') {
    $r = with_trailer($url, 6, 'world', "Upload-Checksum: $bad\r\n");
    is $r->{status}, 400, "trailer: 400: '$bad'";
    is offset($url), 6, 'trailer: nothing of it is kept';
}
# nginx, Caddy and others pass the announcement on, and drop the trailer.
for my $other ("X-Other: 1\r\n", '') {
    $r = with_trailer($url, 6, 'wor', $other);
    is $r->{status}, 400, "trailer: announced, but not sent: '$other'";
    is offset($url), 6, 'trailer: nothing of it is kept';
}
is append($url, 6, 'wor')->{status}, 204, 'trailer: not announced';
$r = with_trailer($url, 9, 'ld', 'Upload-Checksum: '
                  . checksum(md5 => 'ld') . "\r\n",
                  announce => "Trailer: X, upload-checksum ,Y\r\n");
is $r->{status}, 200, 'trailer: one of several, to the end';
is slurp(application($r)->{files}[0]{path}), 'hello world',
    'trailer: the right bytes';

is crashes_since($mark), 0, 'no child died';

done_testing;
