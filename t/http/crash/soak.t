# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Clients of every kind at once, for as long as UPOOL_SOAK says (in seconds; 15 by
# default, and 900 with "make -f Makefile.apxs soak"), while the server is
# restarted, swept, queried, and in every second round killed: every upload ends
# as a model says it must. UPOOL_SEED repeats what clients and troubles do, though
# not what the machine makes of it; UPOOL_CLIENTS is how many there are at once.

# R8, D1, D8: mixed clients, restarts and kills, against a model

use strict;
use warnings FATAL => 'all';
use Test::More;
use Time::HiRes qw(time);
use UploadPool::Soak;
use UploadPool::Test;

my $seed = $ENV{UPOOL_SEED} || time ^ $$ << 12;
note "UPOOL_SEED=$seed";
my $seconds = $ENV{UPOOL_SOAK} || rounds(15, 900);
my $at_once = $ENV{UPOOL_CLIENTS} || 6;
my $each = $seconds / 3 < 25 ? $seconds / 3 : 25;
my $soak = UploadPool::Soak->new(seed => $seed);
my $until = time + $seconds;

# At least one calm round and one with kills, then more as time allows. A slow
# machine does fewer uploads in each.
for (my $n = 1; $n <= 2 || time < $until; $n++) {
    my $calm = $n % 2;
    my @wrong = $soak->round(calm => $calm, seconds => $each,
                             at_once => $at_once);
    is join("\n", @wrong), '', "round $n" . ($calm ? '' : ', with kills')
        or diag $soak->history;
}
my $tally = $soak->{tally};
cmp_ok $tally->{uploads}, '>', 0, "$tally->{uploads} uploads";
cmp_ok $tally->{runs}, '>=', 1, "the application ran $tally->{runs} times, of"
    . " which clients were told $tally->{'told that it ran'}";
note "$_: $tally->{$_}" for sort keys %$tally;
done_testing;
