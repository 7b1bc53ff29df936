# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package Bench::Live;

# Uploads that live: what each costs in memory while its client sends nothing,
# and what it costs to ask for the progress of one of many.

use strict;
use warnings FATAL => 'all';
use Exporter 'import';

use Bench::Httpd;
use Bench::Options;
use Bench::Peers;
use Bench::Process;
use Bench::Report;
use HTTP::Tiny ();
use Time::HiRes ();

our @EXPORT = qw(section_held section_status);

# Begins uploads that do not go on; to be stopped.
sub hold
{
    my ($server, $path, $n) = @_;
    my $pid = open my $out, '-|', "$opt{dir}/load", 'hold', $server->{port},
        $path, '-c', $n;
    adopt($pid // die "load: $!");
    die "no uploads to hold\n" if !defined readline $out;
    return { pid => $pid, out => $out };
}

# How many of the uploads held the server has taken in, as it says itself; 0
# as soon as it does not answer.
sub count_living
{
    my ($server, $path, $n) = @_;
    my $http = HTTP::Tiny->new(timeout => 3);
    my $living = 0;
    for my $i (0 .. $n - 1) {
        (my $url = "http://127.0.0.1:$server->{port}$path")
            =~ s/%n/sprintf '%06d', $i/e;
        my $answer = $http->get($url);
        return 0 if !$answer->{success};
        $living++ if $answer->{content} =~ /"state"\s*:\s*"uploading"/;
    }
    return $living;
}

# --- Memory -----------------------------------------------------------------

# KiB for each of the uploads that a new server holds, and on how many threads;
# undef when it does not hold them all.
sub held_by
{
    my ($server, $path, $is_living) = @_;
    my ($pid) = @{ $server->{pids} };
    Time::HiRes::sleep(0.5);
    my $before = own_memory($pid);
    my $holder = hold($server, $path, $opt{held});
    my $living = 0;
    for (1 .. 20) {
        Time::HiRes::sleep(0.5);
        $living = $is_living->();
        last if $living >= $opt{held};
    }
    my $after = own_memory($pid);
    my $threads = threads_of($pid);
    stop($holder->{pid});
    return $living < $opt{held} ? undef
        : [sprintf('%.1f', ($after - $before) / $opt{held}), $threads];
}

sub held_row
{
    my ($name, $server, $path, $is_living) = @_;
    return if !$server;
    my $row = held_by($server, $path, sub { $is_living->($server) });
    stop($_) for @{ $server->{pids} };
    note("*** $name does not hold $opt{held} uploads: its row is missing")
        if !$row;
    return $row ? [$name, @$row] : ();
}

# 8 threads where uploads that wait need none; else a thread for each.
sub held_pool
{
    my ($name, @directives) = @_;
    my $id = '?X-Progress-ID=held-%n';
    my $count = sub { count_living($_[0], "/ram/status$id", $opt{held}) };
    my $server = httpd('held8', pool_conf(@directives),
        thread_mpm(8, $opt{held})) or return;
    my $row = held_by($server, "/ram$id", sub { $count->($server) });
    stop($_) for @{ $server->{pids} };
    return [$name, @$row] if $row;
    note('*** upload_pool needs a thread for each upload that waits');
    return held_row($name, httpd('held', pool_conf(@directives),
        thread_mpm($opt{held} + 50)), "/ram$id", $count);
}

sub section_held
{
    my $n = $opt{held};
    my $busy = sub { threads_of($_[0]{pids}[0]) >= $n ? $n : 0 };
    # These have no way to ask: what they hold is what was sent to them.
    my $sent = sub { return $n };
    my @rows = held_pool('upload_pool');
    push @rows, held_row('httpd, floor', httpd('heldfloor', floor_conf(),
        thread_mpm($n + 50)), '/ram', $busy);
    push @rows, held_row('nginx to file', start_nginx('nginxheld', 0), '/ram',
        $sent) if is_wanted('nginx to file', nginx_program());
    for my $name (qw(flask django)) {
        push @rows, held_row($name, start_python($name, 1, $n + 50), '/ram',
            $busy) if is_wanted($name, has_python($name));
    }
    table("Memory of $n uploads that wait for their clients",
        ['KiB each', 'threads'], \@rows, 'upload_pool');
    return;
}

# --- Status queries ---------------------------------------------------------

sub status_once
{
    my ($server, $path, $modulo) = @_;
    my $before = cpu(@{ $server->{pids} });
    my $r = load('get', $server, $path, '-n', $opt{queries}, '-c', 4, '-m',
        $modulo);
    return { cpu => cpu(@{ $server->{pids} }) - $before,
        wall => $r->{seconds}, n => $r->{requests} };
}

# So many more in the table, of nobody. How many there are then.
sub fill
{
    my ($server) = @_;
    my $got = `$opt{top}/build/bench/fill $server->{pids}[0] $opt{fill} 2>&1`;
    return $1 if $got =~ /^(\d+)$/;
    note("*** the progress table cannot be filled: $got");
    return 0;
}

# Name, server, path of a query, number of uploads, and who holds them, as soon
# as the server shows them all.
sub status_row
{
    my ($name, $server, $upload, $status, $n) = @_;
    return if !$server;
    my $holder = hold($server, $upload, $n);
    for (1 .. 20) {
        return { name => $name, server => $server, path => $status, n => $n,
            holder => $holder } if count_living($server, $status, $n) == $n;
        Time::HiRes::sleep(0.5);
    }
    note("*** $name: not all of $n uploads show: the row is missing");
    stop($_) for $holder->{pid}, @{ $server->{pids} };
    return;
}

sub status_build
{
    my ($build) = @_;
    my ($name) = @$build;
    (my $file = "status-$name") =~ tr/ /-/;
    my $id = sub { "?X-Progress-ID=live$_[0]-%n" };
    my @rows;
    for my $n (1, $opt{live}) {
        push @rows, status_row("$name, $n live", httpd("$file-$n",
            with_build($build, 'UploadProgressSlots 8192'),
            thread_mpm($n + 100)), '/ram' . $id->($n), '/ram/status'
            . $id->($n), $n);
    }
    # What fills the table knows that of today alone.
    return @rows if $build->[1] ne $opt{module};
    my $row = status_row("$name, many", httpd("$file-many",
        with_build($build, 'UploadProgressSlots 262144'), thread_mpm(100)),
        '/ram' . $id->('many'), '/ram/status' . $id->('many'), 1)
        or return @rows;
    my $got = fill($row->{server});
    $row->{name} = "$name, " . ($got + 1) . ' live';
    return (@rows, $row) if $got;
    stop($_) for $row->{holder}{pid}, @{ $row->{server}{pids} };
    return @rows;
}

sub status_peers
{
    my @rows;
    my $id = sub { "?X-Progress-ID=live$_[0]-%n" };
    my $module = modules() . '/mod_upload_progress.so';
    for my $n (1, $opt{live}) {
        push @rows, status_row("mod_upload_progress, $n", httpd("progress$n",
            progress_conf(), thread_mpm($n + 100)), '/ram' . $id->($n),
            '/progress' . $id->($n), $n)
            if is_wanted('mod_upload_progress', -e $module);
        push @rows, status_row("nginx progress, $n",
            start_nginx("nginxprogress$n", 1), '/ram' . $id->($n),
            '/progress' . $id->($n), $n)
            if is_wanted('nginx progress', nginx_program()
                && nginx_progress());
    }
    return @rows;
}

sub section_status
{
    my @rows = ((map { status_build($_) } builds()), status_peers());
    return if !@rows;
    my ($six) = grep { $_->{name} eq 'upload_pool, 1 live' } @rows;
    push @rows, { %$six, name => 'file of 6 bytes', path => '/six' } if $six;
    Time::HiRes::sleep(1);
    my %row = map { $_->{name} => $_ } @rows;
    my $all = rounds(sub { my $r = $row{$_[0]};
        status_once($r->{server}, $r->{path}, $r->{n}) },
        map { $_->{name} } @rows);
    compare("Status queries, 4 connections, $opt{queries} of them", [
        ['CPU us', '%.1f', sub { $_[0]{cpu} * 1e6 / $_[0]{n} }],
        ['req/s', '%.0f', sub { $_[0]{n} / $_[0]{wall} }],
    ], $all, [map { $_->{name} } @rows], 'upload_pool, 1 live',
        'mod_upload_progress, 1', 'file of 6 bytes');
    my %stopped;
    stop($_) for grep { !$stopped{$_}++ } map { $_->{holder}{pid} } @rows;
    stop($_) for grep { !$stopped{$_}++ } map { @{ $_->{server}{pids} } } @rows;
    return;
}

1;
