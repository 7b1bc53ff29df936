# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Mounts;

=head1 NAME

UploadPool::Mounts - one directory, mounted twice, as two machines have it

=head1 SYNOPSIS

    my $mounts = UploadPool::Mounts->new('glusterfs');
    my %pool = $mounts->pool('farm');       # a => PATH, b => PATH
    $mounts->stop;

=head1 DESCRIPTION

over(A, B) takes two existing mounts. Kinds of new: C<glusterfs>, a server with one brick on C<cacheport> and two clients,
without a daemon that manages them; C<bindfs>, two programs that do not know each other's locks; C<bindfs-forwarding>, in which
only flock() works. They need root and /dev/fuse: if these are missing, new dies, and so does the test. Mounts are unmounted
and programs stopped when the object goes out of scope.

=cut

use strict;
use warnings FATAL => 'all';
use File::Path ();
use UploadPool::Httpd ();
use UploadPool::Test qw(spew slurp var wait_for);

my $serial = 0;

my %mount = (
    glusterfs => \&mount_glusterfs,
    bindfs => sub { mount_bindfs(@_) },
    'bindfs-forwarding' => sub { mount_bindfs(@_, '--multithreaded', '--enable-lock-forwarding') },
);

sub new
{
    my ($class, $kind) = @_;
    die "FUSE file systems are mounted by root alone\n" if $> != 0;
    die "no /dev/fuse: this machine cannot mount what the test needs\n"
        unless -c '/dev/fuse';
    # nobody has to get there.
    my $top = '/tmp/upool-mounts-' . "$$-" . ++$serial;
    my $self = bless {top => $top, pids => [], mounted => []}, $class;
    File::Path::make_path(map { "$top/$_" } qw(brick a b));
    $mount{$kind}->($self);
    for my $name (qw(a b)) {
        wait_for(sub { is_mounted("$top/$name") })
            or die "$kind is not mounted at $top/$name\n";
    }
    return $self;
}

# Two paths that are there already.
sub over
{
    my ($class, %path) = (shift, a => shift, b => shift);
    return bless {path => \%path, pids => []}, $class;
}

sub path
{
    my ($self, $name) = @_;
    return $self->{path} ? $self->{path}{$name} : "$self->{top}/$name";
}

sub is_mounted
{
    my ($path) = @_;
    return scalar grep { (split)[1] eq $path } split /\n/, slurp('/proc/mounts');
}

sub run
{
    my ($self, @command) = @_;
    system(@command) == 0 or die "@command: status $?\n";
    return;
}

sub mount_bindfs
{
    my ($self, @options) = @_;
    for my $name (qw(a b)) {
        $self->run('bindfs', @options, map { "$self->{top}/$_" } 'brick', $name);
    }
    return;
}

sub volume
{
    my ($name, $type, $sub, %option) = @_;
    return join "\n", "volume $name", "type $type",
        (map { "option $_ $option{$_}" } sort keys %option),
        ($sub ? "subvolumes $sub" : ()), "end-volume\n";
}

# Mounts a volume with "performance.stat-prefetch off" and the like, and with
# the mount options that go with it (manual, "A farm").
sub mount_glusterfs
{
    my ($self) = @_;
    my $top = $self->{top};
    my %to = ('transport-type' => 'tcp');
    spew("$top/server.vol",
         volume('disk', 'storage/posix', undef, directory => "$top/brick")
         . volume('locks', 'features/locks', 'disk')
         . volume('server', 'protocol/server', 'locks', %to,
                  'transport.socket.listen-port' => var('cacheport'),
                  'transport.socket.bind-address' => '127.0.0.1',
                  'auth.addr.locks.allow' => '127.0.0.1'));
    spew("$top/client.vol",
         volume('remote', 'protocol/client', undef, %to,
                'remote-host' => '127.0.0.1', 'remote-port' => var('cacheport'),
                'remote-subvolume' => 'locks')
         . volume('behind', 'performance/write-behind', 'remote'));
    $self->run('glusterfsd', '-f', "$top/server.vol", '-p', "$top/server.pid",
               '-l', "$top/server.log");
    push @{ $self->{pids} }, "$top/server.pid";
    for my $name (qw(a b)) {
        $self->run('glusterfs', '-f', "$top/client.vol", '-p', "$top/$name.pid",
                   '-l', "$top/$name.log",
                   (map { "--$_-timeout=0" } qw(attribute entry negative)),
                   "$top/$name");
        push @{ $self->{pids} }, "$top/$name.pid";
    }
    return;
}

sub pool
{
    my ($self, $name) = @_;
    my %pool = map { $_ => $self->path($_) . "/$name" } qw(a b);
    mkdir $pool{a} or die "$pool{a}: $!\n";
    $self->{made} = $pool{a};
    chown UploadPool::Httpd::owner(), $pool{a};
    chmod 0700, $pool{a};
    wait_for(sub { -d $pool{b} }) or die "$name is not on b\n";
    return %pool;
}

sub stop
{
    my ($self) = @_;
    File::Path::remove_tree($self->{made}) if $self->{path} && $self->{made};
    return if $self->{path};
    for my $name (qw(a b)) {
        system('umount', '-l', "$self->{top}/$name")
            if is_mounted("$self->{top}/$name");
    }
    for my $file (reverse splice @{ $self->{pids} }) {
        next unless -s $file;
        my ($pid) = slurp($file) =~ /(\d+)/;
        kill 'TERM', $pid;
        wait_for(sub { !kill 0, $pid });
    }
    File::Path::remove_tree($self->{top});
    return;
}

sub DESTROY
{
    my ($self) = @_;
    local ($?, $@);
    $self->stop;
    return;
}

1;
