# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Clamd;

=head1 NAME

UploadPool::Clamd - a real virus scanner, and one that a test controls

=head1 SYNOPSIS

    my $clamd = UploadPool::Clamd->new;     # F<t_logs>/clamd.sock, clamdport
    ... "x$UploadPool::Clamd::PATTERN" ...  # is a virus called NAME
    $clamd->stop;

    my $fake = UploadPool::Clamd->fake(sub { my ($socket) = @_; ... });

=head1 DESCRIPTION

The scanner runs in its own directory with one signature, uses no network but
127.0.0.1, and takes streams of at most STREAM_MAX bytes. fake listens on
fakeport and calls the sub for each connection, in a separate process. Both are
stopped, by process number, when they go out of scope.

=cut

use strict;
use warnings FATAL => 'all';
use Carp qw(croak);
use File::Path ();
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ();
use UploadPool::Test qw(slurp spew var wait_for);

our $PATTERN = 'harmless pattern of the scan suite, made up for it';
our $NAME = 'Upload.Pool.Made-Up';
our $STREAM_MAX = 1_048_576;

sub socket_path { return var('t_logs') . '/clamd.sock' }

sub new
{
    my ($class) = @_;
    my ($program) = grep { -x } map { "$_/clamd" } qw(/usr/sbin /usr/local/sbin);
    croak 'clamd is missing: this suite needs it' unless $program;
    my $dir = var('t_logs') . '/clamd';
    File::Path::make_path("$dir/db");
    spew("$dir/db/made-up.ndb", "$NAME:0:*:" . unpack('H*', $PATTERN) . "\n");
    spew("$dir/clamd.conf", join "\n", 'Foreground yes',
         'LocalSocket ' . socket_path(), 'FixStaleSocket yes',
         'TCPAddr 127.0.0.1', 'TCPSocket ' . var('clamdport'),
         "DatabaseDirectory $dir/db", "TemporaryDirectory $dir",
         "StreamMaxLength $STREAM_MAX", "MaxThreads 2", "ReadTimeout 20", '');
    my $self = bless {dir => $dir, owner => $$}, $class;
    $self->{pid} = _spawn(sub {
        open STDOUT, '>', "$dir/clamd.log";
        open STDERR, '>&', \*STDOUT;
        exec $program, '-c', "$dir/clamd.conf";
    });
    wait_for(sub { _answers() || !$self->alive });
    croak 'clamd does not start: ' . slurp("$dir/clamd.log")
        unless $self->alive && _answers();
    return $self;
}

sub fake
{
    my ($class, $serve) = @_;
    # A client's own end may have got this port, where its range begins lower.
    my $listener = wait_for(sub { IO::Socket::INET->new(
        LocalAddr => '127.0.0.1', LocalPort => var('fakeport'), Listen => 20,
        ReuseAddr => 1) }) or croak "fakeport: $!";
    my $self = bless {owner => $$}, $class;
    $self->{pid} = _spawn(sub {
        alarm 900;
        while (my $socket = $listener->accept) {
            $serve->($socket);
            close $socket;
        }
    });
    return $self;
}

sub _spawn
{
    my ($run) = @_;
    defined(my $pid = fork) or croak "fork: $!";
    return $pid if $pid;
    $run->();
    POSIX::_exit(127);
}

sub _answers
{
    for my $socket (
        IO::Socket::UNIX->new(Peer => socket_path()),
        IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                              PeerPort => var('clamdport'))) {
        return 0 unless $socket;
        print $socket "zPING\0";
        $socket->flush;
        my $said = '';
        sysread $socket, $said, 100;
        return 0 unless $said eq "PONG\0";
    }
    return 1;
}

sub alive
{
    my ($self) = @_;
    return $self->{pid} && waitpid($self->{pid}, POSIX::WNOHANG()) == 0;
}

sub stop
{
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    return if $self->{owner} != $$;
    local $?;
    kill 'TERM', $pid;
    for (1 .. 100) {
        return if waitpid($pid, POSIX::WNOHANG()) != 0;
        select undef, undef, undef, 0.1;
    }
    kill 'KILL', $pid;
    waitpid $pid, 0;
    return;
}

sub DESTROY { $_[0]->stop }

1;
