# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Slow;

=head1 NAME

UploadPool::Slow - thousands of slow uploads at a time, by t/bench/slow.c

=head1 SYNOPSIS

    my $slow = UploadPool::Slow->start($port, '/up?X-Progress-ID=%n',
        count => 3000, at_once => 3000, bytes => 2000, pieces => 4,
        pause => 500, wait => 1);
    $slow->begun;             # all have sent their first piece
    $slow->say('go');         # or reset
    is $slow->result, '200=3000';

C<most(N, FILES)> is the number of uploads that this machine's limit of open
files allows, at most N, if each takes FILES of the server's descriptors.

=cut

use strict;
use warnings FATAL => 'all';
use Carp qw(croak);
use IO::Handle ();
use IPC::Open2 qw(open2);
use UploadPool::Test qw(var);

my $program;

sub _build
{
    return $program if $program;
    my $to = var('t_logs') . '/slow';
    my $from = var('top') . '/t/bench/slow.c';
    my @cc = ($ENV{CC} || 'cc', '-O2', '-o', "$to.$$", $from);
    system(@cc) == 0 or croak "@cc: $?";
    rename "$to.$$", $to or croak "$to: $!";
    return $program = $to;
}

sub most
{
    my ($most, $files) = @_;
    chomp(my $limit = `sh -c 'ulimit -Hn'`);
    return $most if $limit eq 'unlimited';
    my $can = int(($limit - 200) / $files);
    return $can < $most ? $can : $most;
}

sub start
{
    my ($class, $port, $path, %o) = @_;
    my @args = ($port, $path, @o{qw(count at_once bytes pieces pause)},
                $o{wait} ? 'wait' : ());
    my $pid = open2(my $out, my $in, _build(), @args);
    $in->autoflush(1);
    return bless {pid => $pid, out => $out, in => $in}, $class;
}

sub begun
{
    my ($self) = @_;
    my $out = $self->{out};
    my $line = <$out>;
    return defined $line && $line eq "begun\n";
}

sub say
{
    my ($self, $what) = @_;
    return print { $self->{in} } "$what\n";
}

sub result
{
    my ($self) = @_;
    my $out = $self->{out};
    my $line = <$out>;
    waitpid delete $self->{pid}, 0;
    return undef unless defined $line;
    $line =~ s/\s+\z//;
    return $line;
}

sub DESTROY
{
    my ($self) = @_;
    local ($?, $!, $@);
    if ($self->{pid}) {
        kill 'KILL', $self->{pid};
        waitpid $self->{pid}, 0;
    }
    return;
}

1;
