# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package Bench::Options;

# What t/bench/run was asked for, and where its things are: one hash that every
# part of it reads.

use strict;
use warnings FATAL => 'all';
use Exporter 'import';

use Cwd ();
use File::Temp ();
use POSIX ();

our @EXPORT = qw(%opt is_wanted bytes_of);

our %opt;

sub bytes_of
{
    my ($n, $unit) = $_[0] =~ /^([\d.]+)([kmg]?)$/ or die "size $_[0]\n";
    return $n * { '' => 1, k => 2**10, m => 2**20, g => 2**30 }->{$unit};
}

# Environment variable, usual value, value of a quick run.
my @known = (
    ['REPS', 3, 1], ['BIG', '1g', '128m'], ['SMALL', 6000, 400],
    ['MIDDLE', 600, 60], ['CONTENT', '512m', '128m'],
    ['MEMORY', '4g', '256m'], ['HELD', 1000, 100], ['LIVE', 1000, 100],
    ['FILL', 100_000, 5000], ['QUERIES', 20_000, 2000],
    ['CHUNKS', '1g', '32m'], ['HANDOFF', 20, 2], ['PORT', 18300], ['PEERS', ''],
    ['SECURE', 3000, 200], ['SWEEP', 100_000, 2000],
    ['STORED', 1_000_000, 10_000],
    ['SECTIONS', 'big tiny small middle secure content handoff memory held '
        . 'status chunks quota sweep'],
    ['NODE', ''], ['NGINX_UPLOAD', ''],
    ['RAM', -w '/dev/shm' ? '/dev/shm' : '/tmp'], ['DISK', '/var/tmp'],
    ['MODULE', ''], ['AGAINST', ''], ['COMMIT', 'another'],
);

sub read_environment
{
    my ($top, $quick) = @_;
    for my $known (@known) {
        my ($name, $usual, $small) = @$known;
        my $value = $ENV{"UPOOL_BENCH_$name"};
        $opt{lc $name} = defined $value && length $value ? $value
            : $quick && defined $small ? $small : $usual;
    }
    $opt{top} = $top;
    $opt{module} ||= "$top/.libs/mod_upload_pool.so";
    $opt{apxs} = $ENV{APXS} || 'apxs';
    $opt{cc} = $ENV{CC} || 'cc';
    my @how = ('upool-bench-XXXXXX', CLEANUP => 1, DIR =>);
    # Logs, programs, small files; and big files.
    $opt{dir} = File::Temp::tempdir(@how, $opt{disk});
    $opt{fast} = File::Temp::tempdir(@how, $opt{ram});
    $opt{root} = $> == 0;
    $opt{user} = $opt{root} ? 'www-data' : scalar getpwuid $>;
    return;
}

# A peer that is asked for and not there is told aloud: a table that lacks a
# row must not look like a whole one.
sub is_wanted
{
    my ($name, $there) = @_;
    return 0 if $opt{peers} ne ''
        && $opt{peers} !~ /(?:^|,) *\Q$name\E *(?:,|$)/;
    print STDERR "*** $name: not installed, its rows are missing\n" if !$there;
    return $there ? 1 : 0;
}

1;
