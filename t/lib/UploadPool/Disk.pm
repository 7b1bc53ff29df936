# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Disk;

=head1 NAME

UploadPool::Disk - a small disk that can be filled

=head1 SYNOPSIS

    my $httpd = UploadPool::Httpd->new;
    my $disk = UploadPool::Disk->new($httpd, 'full', bytes => 1 << 20,
                                     entries => 40);
    $httpd->start('UploadPool "' . $disk->dir . '"');
    $disk->fill;                # no byte is left
    $disk->crowd;               # no name is left
    $disk->free;                # what fill and crowd took is free again

=head1 DESCRIPTION

A tmpfs, mounted on the pool; where nothing can be mounted (or with
UPOOL_MOUNT=no) L<UploadPool::Fault> imitates one. When the object goes out of scope, the
server stops, and the disk is unmounted.

=cut

use strict;
use warnings FATAL => 'all';
use Carp qw(croak);
use UploadPool::Fault;

sub new
{
    my ($class, $httpd, $name, %o) = @_;
    my $dir = $httpd->make_pool($name);
    my $self = bless {httpd => $httpd, dir => $dir, %o}, $class;
    my ($uid, $gid) = (stat $dir)[4, 5];
    $self->{mounted} = ($ENV{UPOOL_MOUNT} || '') ne 'no'
        && system('mount', '-t', 'tmpfs', '-o', "size=$o{bytes},nr_inodes="
                  # The directory itself is one.
                  . ($o{entries} + 1) . ",mode=700,uid=$uid,gid=$gid", 'none',
                  $dir) == 0;
    unless ($self->{mounted}) {
        $self->{fault} = UploadPool::Fault->new($httpd, $dir);
        $self->free;
    }
    return $self;
}

sub dir { return $_[0]{dir} }

sub fill
{
    my ($self) = @_;
    if ($self->{fault}) {
        return $self->{fault}->room(bytes => 0, entries => $self->{entries});
    }
    my $file = "$self->{dir}/filler";
    open my $out, '>:raw', $file or croak "$file: $!";
    for my $size (65536, 4096, 1) {
        1 while syswrite $out, 'x' x $size;
    }
    close $out;
    return;
}

sub crowd
{
    my ($self) = @_;
    if ($self->{fault}) {
        return $self->{fault}->room(bytes => $self->{bytes}, entries => 0);
    }
    for my $n (1 .. 2 * $self->{entries}) {
        my $file = "$self->{dir}/empty$n";
        open my $empty, '>', $file or last;
        push @{ $self->{empty} }, $file;
    }
    return;
}

sub free
{
    my ($self) = @_;
    if ($self->{fault}) {
        return $self->{fault}->room(bytes => $self->{bytes},
                                    entries => $self->{entries});
    }
    unlink "$self->{dir}/filler", @{ delete $self->{empty} || [] };
    return;
}

sub DESTROY
{
    my ($self) = @_;
    local ($?, $@, $!);
    $self->{httpd}->stop;
    system 'umount', $self->{dir} if delete $self->{mounted};
    return;
}

1;
