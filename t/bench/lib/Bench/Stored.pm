# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package Bench::Stored;

# What uploads pay for those that are stored already: by a quota, whose ledger
# has them all, and by the sweep, which looks at them all.

use strict;
use warnings FATAL => 'all';
use Exporter 'import';

use Bench::Httpd;
use Bench::Options;
use Bench::Process;
use Bench::Report;
use Bench::Sections qw(empty_pools);
use Time::HiRes ();

our @EXPORT = qw(section_quota section_sweep);

sub section_quota
{
    run_or_die("$opt{dir}/build/quota.log", 'make', '-s', '-C', $opt{top}, '-f',
        'Makefile.apxs', 'build/bench/quota_bench');
    print "\nFiles of 64k and a quota, no server, on $opt{ram}\n",
        `$opt{top}/build/bench/quota_bench $opt{stored} $opt{ram}`;
    die "*** quota_bench failed\n" if $?;
    return;
}

sub sweep_conf
{
    my ($place, $interval) = @_;
    return <<"CONF";
LoadModule upload_pool_module $opt{module}
UploadSweepInterval $interval
<Location /$place>
    SetHandler upload-pool
    UploadPool $opt{dir}/data/pool
</Location>
CONF
}

# Two servers of one pool on the disk. One begins to sweep it as soon as it has
# swept it, and takes no uploads; the other takes all, and does not sweep. In
# every other run the first is stopped by a signal: what differs is then what
# the sweep costs the uploads, in locks and in what the kernel has to look for.
sub section_sweep
{
    my $taker = httpd('taker', sweep_conf('disk', '1d')) or return;
    my @many = ('-s', '1k', '-c', 16, '-n', $opt{sweep});
    load('post', $taker, '/disk', @many);
    my $sweeper = httpd('sweeper', sweep_conf('other', '1s')) or return;
    my $path = { 'it sweeps' => 'CONT', 'nobody sweeps' => 'STOP' };
    my @names = ('nobody sweeps', 'it sweeps');
    my $one = sub {
        my ($name, $size, $n) = @_;
        kill $path->{$name}, map { tree($_) } @{ $sweeper->{pids} };
        # Half a second of the sweep before, that it has come to where it waits
        # for the disk.
        Time::HiRes::sleep(0.5);
        my @before = (cpu(@{ $taker->{pids} }), cpu(@{ $sweeper->{pids} }));
        my $r = load('post', $taker, '/disk', '-s', $size, '-c', 4, '-n', $n);
        return { cpu => cpu(@{ $taker->{pids} }) - $before[0], n => $n,
            swept => cpu(@{ $sweeper->{pids} }) - $before[1],
            wall => $r->{seconds}, p99 => $r->{p99} };
    };
    for my $case (['4k', $opt{small}], ['64k', $opt{small}]) {
        my ($size, $n) = @$case;
        $one->($_, $size, 64) for @names;
        my $all = rounds(sub { $one->($_[0], $size, $n) }, @names);
        compare("Files of $size into a pool of $opt{sweep} on $opt{disk}", [
            ['CPU us/req', '%.0f', sub { $_[0]{cpu} * 1e6 / $n }],
            ['p99 ms', '%.2f', sub { $_[0]{p99} * 1e3 }],
            ['the sweep, %', '%.0f', sub { $_[0]{swept} * 100 / $_[0]{wall} }],
        ], $all, \@names, 'nobody sweeps');
    }
    kill 'CONT', map { tree($_) } @{ $sweeper->{pids} };
    stop($_) for map { @{ $_->{pids} } } $sweeper, $taker;
    empty_pools();
    return;
}

1;
