# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Bodies that no two parsers read alike, or that crashed one of them, each in
# five ways of sending and over HTTP/2. Behind each HTTP/1 request a canary is
# pipelined: it is answered, or the connection ends.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;
use UploadPool::Malformed;
use UploadPool::Refuse;

my $mark = log_mark();
my $url = '/refuse/main/count.pl';

# The five ways rest upon what a good body does in each of them.
for my $way ('whole', 'cut', 'bytes', 'chunks', 'chunks of one') {
    taken("a good body, $way", $url, "--b\r\n$FIELD--b--\r\n", $PLAIN,
          way => $way);
}

taken("a type in other letters", $url, "--b\r\n$FIELD--b--\r\n",
      'MultiPart/Form-DATA;Boundary="b"');

# P1, P5, P7, S3: no child ends, one reading or none, one answer, and the same
# over HTTP/2.
for my $row (malformed()) {
    my ($name, $reason, $body, $type) = @$row;
    # No new places to cut at in what is long.
    my @ways = length $body > 2000 ? qw(whole chunks)
        : ('whole', 'cut', 'bytes', 'chunks', 'chunks of one');
    for my $way (@ways) {
        refused("$name, $way", $url, $body, $type || $PLAIN, way => $way,
                status => $reason eq 'HEADER_TOO_LARGE' ? 413 : 400,
                reason => $reason);
    }
    refused("$name, HTTP/2", $url, $body, $type || $PLAIN, curl => 1,
            status => $reason eq 'HEADER_TOO_LARGE' ? 413 : 400,
            reason => $reason);
}

is_deeply [strays('refuse')], [], 'the pool keeps states alone';
is crashes_since($mark), 0, 'no child died';

done_testing;
