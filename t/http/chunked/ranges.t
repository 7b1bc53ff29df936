# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Malformed Content-Range headers: each is refused before anything is stored, in
# a form and as a raw body, and the upload does not change.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;
use UploadPool::Chunked;

my $mark = log_mark();
my $url = '/chunked/echo.pl';
my $max = '9223372036854775807';
my $id = chunk($url, 'hello', range => 'bytes 0-4/10')->{json}{upload_id};

# R3: Ranges that do not fit.
my @malformed = (
    '', 'bytes', 'bytes 5-9', 'bytes 5-9/', 'bytes 5/10', 'bytes -9/10',
    'bytes 5-/10', 'bytes -5-9/10', 'bytes +5-9/10', 'bytes 5-+9/10',
    'bytes 5-9/-10', 'bytes 5-9/+10', 'bytes=5-9/10', 'bytes: 5-9/10',
    'bytes  5-9/10', 'bytes 5 - 9/10', 'bytes 5-9 /10', 'items 5-9/10',
    'bytes 9-5/10', 'bytes 5-10/10', 'bytes 5-9/9', 'bytes 5-9/0',
    'bytes */*', 'bytes 5-*/10', 'bytes *-9/10', 'bytes 0x5-0x9/10',
    'bytes 5-9/10, bytes 5-9/10', 'bytes 5-6,7-9/10', 'bytes 5-9/1e1',
    "bytes 5-$max/$max", "bytes $max-$max/*", 'bytes 5-9/9223372036854775808',
    'bytes 5-18446744073709551625/*', 'bytes 18446744073709551621-9/10',
    'bytes 5-9/99999999999999999999999999', 'none',
);
for my $range (@malformed) {
    for my $way ([form => sub {
                      chunk($url, 'world', range => $range,
                            before => [upload_id => $id])
                  }],
                 [raw => sub {
                      raw('PUT', "$url?upload_id=$id", 'world',
                          range => $range)
                  }]) {
        my ($name, $send) = @$way;
        my $r = $send->();
        is $r->{status}, 400, "$name: '$range'";
        is $r->{json}{detail}, 'Error in request headers', "$name: detail";
    }
}
for my $way ([form => sub {
                  chunk($url, 'world', before => [upload_id => $id], @_)
              }],
             [raw => sub { raw('PUT', "$url?upload_id=$id", 'world', @_) }]) {
    my ($name, $send) = @$way;
    my $r = $send->(headers => ['Content-Range', 'bytes 5-9/10',
                                'Content-Range', 'bytes 5-9/10']);
    is $r->{status}, 400, "$name: Content-Range twice";
    $r = $send->(headers => ['Content-Range', 'bytes 5-9/10',
                             'X-Content-Range', 'bytes 0-4/10']);
    is $r->{status}, 400, "$name: another X-Content-Range";
}

# Well formed, and wrong for this upload.
my @wrong = (
    ['bytes 0-4/10', 'behind'], ['bytes 4-8/10', 'overlapping'],
    ['bytes 6-9/10', 'a gap', 4], ['bytes 5-9/11', 'another total'],
    ['bytes 5-9/*', 'no total', 4], ['bytes 5-8/10', 'too short'],
    ['bytes 5-9/9223372036854775807', 'the largest total'],
    ['bytes 9223372036854775802-9223372036854775806/9223372036854775807',
     'the last bytes there are'],
    ['bytes 9223372036854775802-9223372036854775806/*', 'and without a total'],
);
for my $case (@wrong) {
    my ($range, $name, $length) = @$case;
    my $r = chunk($url, 'w' x ($length || 5), range => $range,
                  before => [upload_id => $id]);
    is $r->{status}, 400, "$name: $range";
    ok $r->{json}{detail}, "$name: detail";
    is $r->{json}{offset}, 5, "$name: offset";
    is status($url, $id)->{received}, 5, "$name: nothing has changed";
}
my $new = raw('PUT', $url, '12345', id => new_id(),
              range => 'bytes 0-4/9223372036854775807');
is $new->{status}, 200, 'the largest total there is';

# After all of it the upload goes on.
is chunk($url, 'world', range => 'bytes 5-9/10', before => [upload_id => $id])
    ->{json}{offset}, 10, 'the right chunk is taken';

# A form that is none leaves the upload as it was.
$id = chunk($url, 'hello', range => 'bytes 0-4/10')->{json}{upload_id};
my ($body, $type) = multipart([
    {name => 'upload_id', value => $id},
    {name => 'file', filename => 'a', content => 'world'},
]);
my @headers = ('Content-Type', $type, 'Content-Range', 'bytes 5-9/10');
for my $cut (['no end', sub { substr $_[0], 0, -6 }],
             ['rubbish behind the file',
              sub { $_[0] =~ s/world\r\n/world\r\n--$_[1]rubbish\r\n/r }],
             ['a second file', sub {
                  my ($text) = multipart([
                      {name => 'upload_id', value => $id},
                      {name => 'file', filename => 'a', content => 'world'},
                      {name => 'file', filename => 'b', content => 'x'}]);
                  $text;
              }],
             ['another upload_id behind the file', sub {
                  my ($text) = multipart([
                      {name => 'upload_id', value => $id},
                      {name => 'file', filename => 'a', content => 'world'},
                      {name => 'upload_id', value => 'other'}]);
                  $text;
              }]) {
    my ($name, $change) = @$cut;
    my ($boundary) = $type =~ /boundary=(.*)/;
    my $r = request('POST', $url, headers => \@headers,
                    body => $change->($body, $boundary));
    is $r->{status}, 400, $name;
    ok $r->{json}{detail}, "$name: detail";
    is status($url, $id)->{received}, 5, "$name: nothing is kept";
}
is chunk($url, '', range => 'bytes 5-5/10', before => [upload_id => $id])
    ->{status}, 400, 'an empty chunk of one byte';

# --- Identifiers ------------------------------------------------------------

for my $case ([400, id => 'a', before => [upload_id => 'b']],
              [400, before => [upload_id => 'a', upload_id => 'b']],
              [400, before => [upload_id => '']],
              [400, before => [upload_id => "a\0b"]],
              [400, before => [upload_id => 'x' x 65]],
              [403, before => [upload_id => 'a:' . '0' x 64]]) {
    my ($status, @o) = @$case;
    my $r = chunk($url, 'x', range => 'bytes 0-0/2', @o);
    is $r->{status}, $status, "identifiers: @{ $o[-1] }" =~ s/\0/NUL/r;
}
is chunk("$url?upload_id=$id", 'world', range => 'bytes 5-9/10')
    ->{json}{offset}, 10, 'upload_id in the query';

is crashes_since($mark), 0, 'no child died';
done_testing;
