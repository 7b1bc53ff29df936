# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The server is restarted, gracefully and at once, while uploads of every kind
# are at any point: after a graceful restart each upload ends as if nothing had
# happened; after an immediate one its client is cut off and resumes. There are
# as many segments of shared memory, files and descriptors afterwards as before.
# UPOOL_SEED repeats a run.

# D8: restarts at any point, and nothing that they leave behind

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Crash;
use UploadPool::Test;

my $seed = $ENV{UPOOL_SEED} || time ^ $$ << 12;
srand $seed;
note "UPOOL_SEED=$seed";
my $crash = UploadPool::Crash->new;
my $httpd = $crash->{httpd};
my $parent = $httpd->pid;
my $restarts = rounds(5, 20);
my $points = 0;

sub generations
{
    return scalar(() = $httpd->error_log =~ /resuming normal operations/g);
}

sub restart
{
    my ($signal) = @_;
    my $before = generations();
    kill $signal, $parent or die "$signal: $!";
    wait_for(sub { generations() > $before }) or die 'no restart';
    $crash->recover or die 'no answer';
    return;
}

# The things of this server that a restart may forget to give back: System V
# shared memory that it made, the maps and descriptors of its parent, and files
# in the runtime directory.
sub held
{
    my %held;
    $held{segments} = grep { (split)[4] == $parent }
        slurp('/proc/sysvipc/shm') =~ /^( *\d.*)$/mg;
    my @maps = slurp("/proc/$parent/maps") =~ /^(\S+) \S\S\Ss (.*)$/mg;
    $held{maps} = @maps / 2;
    my @open = map { readlink || () } glob "/proc/$parent/fd/*";
    $held{descriptors} = @open;
    $held{files} = join ' ', sort grep { !/^cgisock/ }
        map { s{.*/}{}r } glob $httpd->dir('logs/*');
    return \%held;
}

my @kinds = @UploadPool::Crash::KINDS;
my @where = qw(header body body last);

sub some_uploads
{
    my @uploads;
    for my $where (@where) {
        my $u = $crash->begin($kinds[$points % @kinds]);
        # Not so far that it has ended.
        $crash->advance($u, rand length $u->{requests}[0]{bytes})
            if rand() < 0.5;
        $points++;
        $crash->advance_to($u, $where);
        $u->{where} = $where;
        # One that waits may have begun, one that is in its header has not.
        wait_for(sub { $crash->server_of($u) }) if $u->{c};
        push @uploads, $u;
    }
    return @uploads;
}

# The first generation is told of when it serves already.
wait_for(\&generations) or die 'no start';
restart('USR1');
my $before = held();
note explain $before;
cmp_ok $before->{maps}, '>', 0, 'it has shared memory';

for my $n (1 .. $restarts) {
    my @uploads = some_uploads();
    restart('USR1');
    my @wrong;
    for my $u (@uploads) {
        my $r = $u->{requests}[0];
        my $begun = $r && $r->{at} > $r->{skip};
        # Its request goes on in the old generation; a connection that waits
        # for the next one is closed.
        if ($begun) {
            $crash->advance($u, length($r->{bytes}) - $r->{at} || 1);
            push @wrong, "$u->{kind}: cut off in its $u->{where}: "
                . ($u->{why} || '') if $u->{broken};
        }
        push @wrong, $crash->judge($u);
    }
    push @wrong, $crash->pool_is_right;
    is join("\n", @wrong), '', "graceful $n: all of them end";
}
for my $n (1 .. $restarts) {
    my @uploads = some_uploads();
    restart('HUP');
    my @wrong = map { $crash->judge($_) } @uploads;
    push @wrong, $crash->pool_is_right, $crash->nothing_is_locked;
    is join("\n", @wrong), '', "at once $n: all of them go on";
}
is join("\n", $crash->ledger_is_right), '', 'the ledger is right';
cmp_ok $points, '>=', 8 * $restarts, "$points points";

restart('USR1');
my $after;
wait_for(sub {
    $after = held();
    return as_json($after) eq as_json($before);
});
is_deeply $after, $before, 'nothing is held more often than before '
    . (2 * $restarts + 1) . ' restarts';
unlike $httpd->error_log, qr/exit signal|Sanitizer/, 'no child died';
done_testing;
