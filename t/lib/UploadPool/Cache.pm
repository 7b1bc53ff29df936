# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Cache;

=head1 NAME

UploadPool::Cache - a real redis-server or memcached that a test can trouble

=head1 SYNOPSIS

    my $cache = UploadPool::Cache->new('redis');    # or 'memcache', cacheport
    $cache->stop; $cache->start;                    # all it held is lost
    $cache->hang; $cache->go_on;                    # it takes connections only
    $cache->want_password;                          # redis alone
    my $bytes = $cache->get($key);
    $cache->set($key, $bytes, $seconds);

=head1 DESCRIPTION

The cache runs on 127.0.0.1, in its own directory below t/logs, and keeps
nothing on disk. It is stopped, by process number, when the object goes out of
scope. key(POOL, ID) is the module's key for an upload there, and
record(%FIELDS) the value that it stores.

=cut

use strict;
use warnings FATAL => 'all';
use Carp qw(croak);
use Digest::SHA ();
use File::Path ();
use IO::Socket::INET;
use POSIX ();
use UploadPool::Test qw(var wait_for);

my %program = (redis => 'redis-server', memcache => 'memcached');

sub port { return var('cacheport') }

sub new
{
    my ($class, $kind) = @_;
    my $name = $program{$kind} or croak "no cache $kind";
    my ($program) = grep { -x } map { "$_/$name" }
        qw(/usr/bin /usr/sbin /usr/local/bin);
    croak "$name is missing: this suite needs it" unless $program;
    my $dir = var('t_logs') . "/$kind";
    File::Path::make_path($dir);
    my $self = bless {kind => $kind, program => $program, dir => $dir,
                      owner => $$}, $class;
    return $self->start;
}

sub _command
{
    my ($self) = @_;
    return ($self->{program}, '--port', port(), '--bind', '127.0.0.1',
            '--save', '', '--appendonly', 'no', '--dir', $self->{dir})
        if $self->{kind} eq 'redis';
    return ($self->{program}, '-l', '127.0.0.1', '-p', port(), '-U', 0,
            $> == 0 ? ('-u', var('user')) : ());
}

sub start
{
    my ($self) = @_;
    defined(my $pid = fork) or croak "fork: $!";
    if (!$pid) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', "$self->{dir}/log";
        open STDERR, '>&', \*STDOUT;
        exec { $self->{program} } $self->_command or POSIX::_exit(127);
    }
    $self->{pid} = $pid;
    wait_for(sub { $self->_connection })
        or croak "$self->{kind} does not start";
    return $self;
}

# Asks every connection for a password from now on, also those that are open.
sub want_password
{
    my ($self) = @_;
    my $c = $self->_connection or croak 'no connection';
    print {$c} "CONFIG SET requirepass secret\r\n";
    my $said = <$c>;
    croak "redis said $said" unless $said =~ /^\+OK/;
    # The password is asked of new connections only, so open ones are killed.
    print {$c} "CLIENT KILL TYPE normal SKIPME yes\r\n";
    $said = <$c>;
    return;
}

sub _connection
{
    return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => port(),
                                 Timeout => 5);
}

sub hang { return kill 'STOP', $_[0]{pid} }
sub go_on { return kill 'CONT', $_[0]{pid} }

sub stop
{
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    return if $self->{owner} != $$;
    local $?;
    kill 'CONT', $pid;
    kill 'KILL', $pid;
    waitpid $pid, 0;
    return;
}

sub DESTROY { $_[0]->stop }

# --- Its contents -----------------------------------------------------------

sub _ask
{
    my ($self, $text, $until) = @_;
    my $c = $self->_connection or croak "$self->{kind} is not there";
    print $c $text;
    $c->flush;
    my $said = '';
    until (ref $until eq 'CODE' ? $until->($said) : $said =~ $until) {
        sysread $c, $said, 65536, length $said
            or croak "$self->{kind} says nothing to the point: $said";
    }
    return $said;
}

sub _redis
{
    my ($self, $until, @words) = @_;
    return $self->_ask(join('', '*' . @words . "\r\n",
        map { '$' . length($_) . "\r\n$_\r\n" } @words), $until);
}

sub get
{
    my ($self, $key) = @_;
    if ($self->{kind} eq 'redis') {
        my $said = $self->_redis(sub { $_[0] =~ /^\$(-?\d+)\r\n/
            && ($1 < 0 || length $_[0] == length($&) + $1 + 2) }, 'GET', $key);
        return $said =~ /^\$(\d+)\r\n/ ? substr $said, length $&, $1 : undef;
    }
    my $said = $self->_ask("get $key\r\n", qr/END\r\n\z/);
    return $said =~ /^VALUE \S+ \d+ (\d+)\r\n/ ? substr $said, length $&, $1
        : undef;
}

sub set
{
    my ($self, $key, $bytes, $seconds) = @_;
    return $self->_redis(qr/\r\n/, 'SETEX', $key, $seconds, $bytes)
        if $self->{kind} eq 'redis';
    return $self->_ask("set $key 0 $seconds " . length($bytes)
                       . "\r\n$bytes\r\n", qr/\r\n/);
}

sub clear_all
{
    my ($self) = @_;
    return $self->{kind} eq 'redis' ? $self->_redis(qr/\r\n/, 'FLUSHALL')
        : $self->_ask("flush_all\r\n", qr/\r\n/);
}

sub key
{
    my ($self, $pool, $id) = @_;
    my $name = substr(Digest::SHA::sha1_hex($pool), 0, 16) . $id;
    return 'upload-pool:' . Digest::SHA::sha256_hex($name);
}

sub record
{
    my ($self, %o) = @_;
    my $now = time * 1_000_000;
    return join '', 'UPP1', chr($o{state} || 1),
        (map { pack 'Q>', $_ } map { defined $o{$_} ? $o{$_} : $now }
         qw(size received created updated)),
        (map { pack 'n/a', defined $o{$_} ? $o{$_} : '' }
         qw(owner filename type error));
}

1;
