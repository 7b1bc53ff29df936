# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadRate: an upload takes at least the time that its bytes take at that
# rate, less half a second: the bytes of a quarter of a second come at once, and
# there is no wait after the last turn, which brings those of another quarter. A
# busy machine may need longer; the test does not limit by how much.

use strict;
use warnings FATAL => 'all';
use Test::More;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);
use UploadPool::Test;

my $mark = log_mark();
my $content = random_bytes(200 * 1024);
my @parts = ({name => 'f', filename => 'f', content => $content});

sub now { return clock_gettime(CLOCK_MONOTONIC) }

for my $how (['Content-Length'], ['chunked', chunked => 5000]) {
    my ($name, @how) = @$how;
    my $id = new_id();
    my $begun = now();
    is upload('/room-rate', \@parts, id => $id, @how)->{status}, 200, $name;
    cmp_ok now() - $begun, '>=', 1.5, "$name: 200K at 100K a second";
    my ($file) = grep { m{^\Q$id\E/.*bin} } pool_files('room-rate');
    ok slurp(pool('room-rate') . "/$file") eq $content, "$name: every byte";
}

# Each has its own: three at once are as fast as one, and none is faster.
my ($body, $type) = multipart(\@parts);
my $begun = now();
my @c = map { connect_raw() } 1 .. 3;
$_->send("POST /room-rate HTTP/1.1\r\nHost: x\r\nContent-Type: $type\r\n"
         . 'Content-Length: ' . length($body) . "\r\n\r\n") for @c;
my @left = ($body) x 3;
while (grep { length } @left) {
    $c[$_]->send(substr $left[$_], 0, 20_000, '') for 0 .. 2;
}
is $_->answer->{status}, 200, 'one of three at once' for @c;
cmp_ok now() - $begun, '>=', 1.5, 'not faster than one';
$_->close for @c;

is upload('/room-rate/slow', [{name => 'f', filename => 'f', content => 'x'}])
    ->{status}, 200, 'a small one needs no time';

# 200 seconds would be the whole of it.
my $id = new_id();
my $c = connect_raw();
$c->send("POST /room-rate/slow?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
    . "Content-Type: $type\r\nContent-Length: " . length($body)
    . "\r\n\r\n" . substr $body, 0, 60_000);
ok wait_for(sub { (status('/room-rate/slow', $id)->{received} || 0) >= 2048 }),
    'progress shows while it waits';
cmp_ok status('/room-rate/slow', $id)->{received}, '<', 60_000,
    'what was not read was not received';
is request('DELETE', "/room-rate/slow?X-Progress-ID=$id")->{status}, 200,
    'cleared while it waits';
is $c->answer->{status}, 409, 'it learns of it';
$c->close;

$id = new_id();
$c = connect_raw();
$c->send("POST /room-rate/slow?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
    . "Content-Type: $type\r\nContent-Length: " . length($body)
    . "\r\n\r\n" . substr $body, 0, 5000);
wait_for(sub { (status('/room-rate/slow', $id)->{received} || 0) > 0 });
$c->reset;
ok wait_for(sub { status('/room-rate/slow', $id)->{state} eq 'error' }),
    'a client that goes away while it waits';
is crashes_since($mark), 0, 'no child died';

done_testing;
