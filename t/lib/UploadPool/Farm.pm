# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Farm;

=head1 NAME

UploadPool::Farm - two servers, one pool, one cache

=head1 SYNOPSIS

    my $farm = UploadPool::Farm->new('redis', "UploadOwner ip\n");
    my $up = $farm->begin('a', $id, 5000);      # so many bytes, then nothing
    is $farm->status('b', $id)->{received}, $up->{sent};
    $up->send; $up->answer; $up->close;

With the kind C<shm> the servers share no cache. After the further lines of the
context, C<a> and C<b> may give each server's own path to the pool.

=cut

use strict;
use warnings FATAL => 'all';
use UploadPool::Cache;
use UploadPool::Httpd;
use UploadPool::Test qw(connect_raw multipart request var wait_for);

sub new
{
    my ($class, $kind, $more, %pool) = @_;
    my %port = (a => var('freeport'), b => var('fakeport'));
    my $self = bless {kind => $kind, %pool ? (pool => $pool{a}) : ()}, $class;
    $self->{cache} = UploadPool::Cache->new($kind)
        unless $kind eq 'shmcb' || $kind eq 'shm';
    my $args = $self->{cache} ? "socache:$kind:127.0.0.1:" . var('cacheport')
        : $kind eq 'shm' ? $kind : "socache:$kind";
    for my $name (sort keys %port) {
        my $httpd = UploadPool::Httpd->new(port => $port{$name}, children => 2,
            modules => ['socache_\w+']);
        $self->{pool} ||= $httpd->make_pool('farm');
        $httpd->start(join "\n", "UploadProgress $args",
            # By default a provider would try all its connections from before
            # an outage, one after the other, for 5 s each.
            'RedisConnPoolTTL 1', 'MemcacheConnTTL 1',
            'UploadProgressSlots 64', '<Location "/up">',
            'SetHandler upload-pool',
            sprintf('UploadPool "%s"', $pool{$name} || $self->{pool}),
            $more || (), '</Location>', '<Location "/metrics">',
            'SetHandler upload-pool-metrics', '</Location>', '');
        $self->{$name} = $httpd;
    }
    return $self;
}

sub cache { return $_[0]{cache} }
sub pool_dir { return $_[0]{pool} }
sub key { return $_[0]{cache}->key($_[0]{pool}, $_[1]) }

sub begin
{
    my ($self, $name, $id, $bytes) = @_;
    my ($body, $type) = multipart([{name => 'f', filename => "of-$id.txt",
        content => 'x' x (2 * $bytes)}]);
    my $c = connect_raw(port => $self->{$name}->port);
    $c->send("POST /up?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
             . "Content-Type: $type\r\nContent-Length: " . length($body)
             . "\r\nAccept: application/json\r\n\r\n" . substr $body, 0, $bytes);
    return bless {c => $c, sent => $bytes, body => $body, size => length $body},
        'UploadPool::Farm::Upload';
}

sub status
{
    my ($self, $name, $id) = @_;
    return UploadPool::Test::status('/up', $id, port => $self->{$name}->port);
}

sub clear
{
    my ($self, $name, $id) = @_;
    return request('DELETE', "/up?X-Progress-ID=$id",
                   port => $self->{$name}->port);
}

# Waits until SUB accepts the status of ID on NAME; returns the last status.
sub wait_status
{
    my ($self, $name, $id, $sub, $seconds) = @_;
    my $said;
    wait_for(sub { $said = $self->status($name, $id); $sub->($said) }, $seconds);
    return $said;
}

sub logs { return map { $_[0]{$_}->error_log } qw(a b) }

# Both servers end at once, since an httpd takes a second or two.
sub DESTROY
{
    my ($self) = @_;
    local ($?, $@);
    my @httpd = grep { $_ } @{$self}{qw(a b)};
    kill 'TERM', grep { $_ } map { $_->pid } @httpd;
    $_->stop for @httpd;
    return;
}

package UploadPool::Farm::Upload;

# The next BYTES, or all that is left.
sub send
{
    my ($self, $bytes) = @_;
    my $left = $self->{size} - $self->{sent};
    $bytes = $left if !defined $bytes || $bytes > $left;
    $self->{c}->send(substr $self->{body}, $self->{sent}, $bytes);
    $self->{sent} += $bytes;
    return $self;
}

sub answer { return $_[0]{c}->answer }
sub close { return $_[0]{c}->close }

1;
