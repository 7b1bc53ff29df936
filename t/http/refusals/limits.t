# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Every limit: exactly at it an upload is taken, one byte (or part) over it the
# upload is refused with 413, by Content-Length, in chunks and byte by byte.

use strict;
use warnings FATAL => 'all';
use Test::More;
use IO::Compress::Gzip ();
use UploadPool::Test;
use UploadPool::Refuse;

# P3: A body over a limit is 413.
my $mark = log_mark();

# A body of exactly so many bytes.
sub body_of_size
{
    my ($size) = @_;
    my ($empty) = multipart([part('f', '', 'x')]);
    my ($body, $type) = multipart([part('f', 'x' x ($size - length $empty), 'x')]);
    die "size" unless length $body == $size;
    return ($body, $type);
}

# A part whose header lines have so many bytes, each with its CRLF.
sub part_with_headers
{
    my ($size) = @_;
    my $part = part('f', 'v', 'x');
    my $line = 'Content-Disposition: form-data; name="f"; filename="x"';
    $part->{type} = undef;
    $part->{headers} = ['X: ' . 'y' x ($size - length($line) - 7)];
    return $part;
}

my @limits = (
    ['size', 'BODY_TOO_LARGE', sub { body_of_size(1000 + $_[0]) }],
    ['file', 'FILE_TOO_LARGE',
        sub { multipart([part('t', 'v' x 200), part('f', 'x' x 50, 'x'),
                         part('f', 'x' x (100 + $_[0]), 'x')]) }],
    ['parts', 'TOO_MANY_PARTS',
        sub { multipart([map { part("f$_", 'v', $_ == 2 ? 'x' : undef) }
                         1 .. 3 + $_[0]]) }],
    ['field', 'FIELD_TOO_LARGE',
        sub { multipart([part('f', 'x' x 300, 'x'), part('a', 'v' x 100),
                         part('b', 'v' x (100 + $_[0]))]) }],
    ['fields', 'FIELDS_TOO_LARGE',
        sub { multipart([part('f', 'x' x 300, 'x'), part('a', 'v' x 40),
                         part('b', 'v' x (60 + $_[0]))]) }],
    ['header', 'HEADER_TOO_LARGE',
        sub { multipart([part_with_headers(200 + $_[0])]) }],
);
for my $row (@limits) {
    my ($context, $reason, $make) = @$row;
    my $url = "/refuse/$context/count.pl";
    for my $way ('whole', 'chunks', 'bytes') {
        taken("$context at the limit, $way", $url, $make->(0), way => $way);
        refused("$context over the limit, $way", $url, $make->(1), way => $way,
                status => 413, reason => $reason);
    }
    refused("$context over the limit, HTTP/2", $url, $make->(1), curl => 1,
            status => 413, reason => $reason);
}

# What holds when nothing is set.
my $main = '/refuse/main/count.pl';
for my $row (
    ['1000 parts', 'TOO_MANY_PARTS',
        sub { multipart([map { part("f$_", 'v') } 1 .. 1000 + $_[0]]) }],
    ['a field of 1M', 'FIELD_TOO_LARGE',
        sub { multipart([part('a', 'v' x (1_048_576 + $_[0]))]) }],
    ['fields of 10M', 'FIELDS_TOO_LARGE',
        sub { multipart([(map { part('a', 'v' x 1_048_576) } 1 .. 9),
                         part('b', 'v' x 1_048_575),
                         part('c', 'v' x (1 + $_[0]))]) }],
    ['headers of 16K', 'HEADER_TOO_LARGE',
        sub { multipart([part_with_headers(16_384 + $_[0])]) }],
    ['headers of 1M together', 'HEADER_TOO_LARGE',
        sub { multipart([map { part_with_headers(2048) } 1 .. 512 + $_[0]]) }],
) {
    my ($name, $reason, $make) = @$row;
    taken("$name by default", $main, $make->(0));
    refused("$name by default and more", $main, $make->(1), status => 413,
            reason => $reason);
}

# Known from the header: no 100, and not a byte of the body is waited for.
for my $case (['size', 1001], ['size', 5_000_000_000], ['size', '9' x 18],
              ['core', 1001], ['core', 5_000_000_000]) {
    my ($context, $length) = @$case;
    my ($body, $type) = body_of_size(1000);
    # S4: Refused before "100 Continue".
    for my $expect ("Expect: 100-continue\r\n", '') {
        refused("$context: $length announced" . ($expect && ', 100 expected'),
                "/refuse/$context/count.pl", '', $type, silent => 1,
                pieces => ["${expect}Content-Length: $length\r\n\r\n"],
                status => 413, reason => 'BODY_TOO_LARGE');
    }
}
{
    my ($body, $type) = body_of_size(1000);
    my $c = connect_raw();
    my $id = new_id();
    $c->send(post_head('/refuse/size/count.pl', $type, $id, 'json')
             . "Expect: 100-continue\r\nContent-Length: 1000\r\n"
             . "Connection: close\r\n\r\n");
    is $c->interim->{status}, 100, 'at the limit the body is asked for';
    $c->send($body);
    is $c->answer->{status}, 200, 'and taken';
}

# LimitRequestBody is httpd's own; a body in chunks gets httpd's own page.
for my $way ('whole', 'chunks', 'bytes') {
    taken("LimitRequestBody: at the limit, $way", '/refuse/core/count.pl',
          body_of_size(1000), way => $way);
}
refused('over LimitRequestBody, whole', '/refuse/core/count.pl',
        body_of_size(1001), status => 413, reason => 'BODY_TOO_LARGE');
refused("over LimitRequestBody, $_", '/refuse/core/count.pl',
        body_of_size(1001), way => $_, how => 'html', status => 413,
        reason => 'BODY_TOO_LARGE') for 'chunks', 'chunks of one';
refused('far over LimitRequestBody, chunks', '/refuse/core/count.pl',
        body_of_size(200_000), way => 'chunks', how => 'html', status => 413,
        reason => 'BODY_TOO_LARGE');

# The inflated bytes count, not those on the wire.
sub gzip
{
    my ($plain) = @_;
    IO::Compress::Gzip::gzip(\$plain, \my $small)
        or die $IO::Compress::Gzip::GzipError;
    return $small;
}
my ($bomb, $type) = multipart([part('f', "\0" x 20_000_000, 'x')]);
my $small = gzip($bomb);
cmp_ok length $small, '<', 100_000, 'a small body that inflates to 20 MB';
my @gzip = (head => "Content-Encoding: gzip\r\n");
for my $way ('whole', 'chunks') {
    refused("20 MB inflated, $way", '/refuse/inflate/count.pl', $small, $type,
            @gzip, way => $way, status => 413, reason => 'BODY_TOO_LARGE');
    refused("a file of 20 MB inflated, $way", '/refuse/inflate-file/count.pl',
            $small, $type, @gzip, way => $way, status => 413,
            reason => 'FILE_TOO_LARGE');
    refused("more than mod_deflate inflates, $way", '/refuse/ratio/count.pl',
            $small, $type, @gzip, way => $way, status => 400,
            reason => 'SERVER_LIMIT');
}
my ($exact) = body_of_size(1_048_576);
my ($over, $over_type) = body_of_size(1_048_577);
taken('inflated to the limit', '/refuse/inflate/count.pl', gzip($exact),
      $over_type, @gzip);
refused('inflated to one byte more', '/refuse/inflate/count.pl', gzip($over),
        $over_type, @gzip, status => 413, reason => 'BODY_TOO_LARGE');
refused('not gzip at all', '/refuse/inflate/count.pl', 'x' x 1000, $type, @gzip,
        status => 400, reason => 'SERVER_LIMIT');

is_deeply [strays('refuse')], [], 'only what was taken is in the pool';
is crashes_since($mark), 0, 'no child died';

done_testing;
