# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package Bench::Process;

# Servers are started here, looked at through /proc, and stopped by their
# process numbers.

use strict;
use warnings FATAL => 'all';
use Exporter 'import';

use Bench::Options;
use IO::Socket::INET ();
use POSIX ();
use Time::HiRes ();

our @EXPORT = qw(note spew slurp run_or_die start stop alive next_port
    listening tree cpu own_memory threads_of adopt);

my $hz = POSIX::sysconf(POSIX::_SC_CLK_TCK());
my @started;

$SIG{INT} = $SIG{TERM} = sub { exit 1 };
END {
    my $status = $?;
    my @left = reverse @started;
    stop($_) for @left;
    $? = $status;
}

sub note { print STDERR "@_\n"; return }

sub spew
{
    my ($file, $text) = @_;
    open my $out, '>', $file or die "$file: $!";
    print {$out} $text;
    close $out or die "$file: $!";
    return $file;
}

sub run_or_die
{
    my ($log, @command) = @_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>', $log;
        open STDERR, '>&', \*STDOUT;
        exec @command or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    return if $? == 0;
    system 'cat', $log;
    die "@command failed\n";
}

sub start
{
    my ($name, @command) = @_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        POSIX::setsid();
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$opt{dir}/log/$name.out";
        open STDERR, '>&', \*STDOUT;
        exec @command or POSIX::_exit(127);
    }
    push @started, $pid;
    return $pid;
}

sub alive
{
    my ($pid) = @_;
    return waitpid($pid, POSIX::WNOHANG()) == 0;
}

sub stop
{
    my ($pid) = @_;
    my $until = Time::HiRes::time() + 5;
    @started = grep { $_ != $pid } @started;
    kill 'TERM', $pid;
    while (alive($pid)) {
        kill 'KILL', tree($pid) if Time::HiRes::time() > $until;
        Time::HiRes::sleep(0.05);
    }
    return;
}

# A port that nobody has.
sub next_port
{
    while (++$opt{port} < 65536) {
        return $opt{port} if IO::Socket::INET->new(LocalAddr => '127.0.0.1',
            LocalPort => $opt{port}, Listen => 1, ReuseAddr => 1);
    }
    die "no free port\n";
}

sub listening
{
    my ($number, $pid) = @_;
    for (1 .. 100) {
        return 1 if IO::Socket::INET->new(
            PeerAddr => '127.0.0.1', PeerPort => $number, Timeout => 1);
        return 0 if !alive($pid);
        Time::HiRes::sleep(0.1);
    }
    return 0;
}

sub slurp
{
    my ($file) = @_;
    open my $in, '<', $file or return '';
    local $/;
    return scalar(<$in>) // '';
}

# A process and all that it started.
sub tree
{
    my ($pid) = @_;
    my @children = map { split ' ', slurp($_) }
        glob "/proc/$pid/task/*/children";
    return ($pid, map { tree($_) } @children);
}

# CPU seconds of the trees, of children that have ended included. A process's
# own clock counts whole ticks, of user and system time apart, of which sixteen
# processes lose much in a short run; its threads' clocks count nanoseconds, but
# only of threads that live. The larger of both is nearer.
sub cpu
{
    my (@pids) = @_;
    my $sum = 0;
    for my $root_pid (@pids) {
        for my $pid (tree($root_pid)) {
            my $stat = slurp("/proc/$pid/stat");
            $stat =~ s/.*\) //s;
            my @field = split ' ', $stat;
            next if @field < 15;
            my $process = ($field[11] + $field[12]) / $hz;
            my $threads = 0;
            for my $task (glob "/proc/$pid/task/*/schedstat") {
                $threads += $1 / 1e9 if slurp($task) =~ /^(\d+)/;
            }
            $sum += $threads > $process ? $threads : $process;
            $sum += ($field[13] + $field[14]) / $hz if $pid == $root_pid;
        }
    }
    return $sum;
}

# KiB of memory of its own that the children of a server hold.
sub own_memory
{
    my ($pid) = @_;
    my $sum = 0;
    for my $child (tree($pid)) {
        next if $child == $pid;
        $sum += slurp("/proc/$child/status") =~ /^RssAnon:\s+(\d+)/m ? $1 : 0;
    }
    return $sum;
}

# Threads of all the children of a server.
sub threads_of
{
    my ($pid) = @_;
    my $sum = 0;
    for my $child (tree($pid)) {
        next if $child == $pid;
        $sum += slurp("/proc/$child/status") =~ /^Threads:\s+(\d+)/m ? $1 : 0;
    }
    return $sum;
}

# A process that somebody else has started is stopped with the others.
sub adopt
{
    my ($pid) = @_;
    push @started, $pid;
    return $pid;
}

1;
