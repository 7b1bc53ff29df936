# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadExpires: an expired upload is gone for everyone who asks, whether it was
# swept or not.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my $url = '/alone-brief';
my @parts = ({name => 'f', filename => 'f', content => 'x' x 3000});
my $id = new_id();
is upload($url, \@parts, id => $id)->{status}, 200, 'an upload';
my $failed = new_id();
request('POST', "$url?X-Progress-ID=$failed", body => 'bad', headers =>
    ['Content-Type', 'multipart/form-data; boundary=x']);
ok wait_for(sub { status($url, $id)->{state} eq 'starting' }),
    'after a time its status is unknown';
is request('GET', "$url/file?X-Progress-ID=$id")->{status}, 410,
    'and its file is gone';
ok wait_for(sub { status($url, $failed)->{state} eq 'starting' }),
    'so is an error';
# On a busy machine it may be over again before it is asked for.
my ($again, $file);
wait_for(sub {
    $again = upload($url, \@parts, id => $id);
    $file = request('GET', "$url/file?X-Progress-ID=$id");
    return $file->{status} == 200;
});
is $again->{status}, 200, 'the identifier can be used again';
is $file->{body}, 'x' x 3000, 'and has its file';

# A slow upload does not expire while it goes on.
my ($body, $type) = multipart(\@parts);
$id = new_id();
my $c = connect_raw();
$c->send("POST $url?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\nContent-Type: $type"
    . "\r\nAccept: application/json\r\nContent-Length: " . length($body)
    . "\r\n\r\n");
my %seen;
for my $piece (unpack '(a500)*', $body) {
    $c->send($piece);
    select undef, undef, undef, 0.5;
    $seen{ status($url, $id)->{state} }++ if length $piece == 500;
}
is_deeply [sort keys %seen], ['uploading'], 'a slow upload is not over';
is $c->answer->{json}{state}, 'done', 'and gets done';
$c->close;

is crashes_since($mark), 0, 'no child died';
done_testing;
