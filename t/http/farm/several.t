# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# An upload in several requests, each to whichever machine of the farm: tus.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;
use UploadPool::Farm;

my $farm = UploadPool::Farm->new('memcache', 'UploadProtocol multipart tus');
my @tus = ('Tus-Resumable', '1.0.0');
my %port = map { $_ => $farm->{$_}->port } qw(a b);
my $bytes = join '', map { chr(97 + $_ % 26) } 0 .. 29_999;

sub ask
{
    my ($name, $method, $url, %o) = @_;
    my @headers = (@tus, @{ delete $o{headers} || [] });
    return request($method, $url, %o, headers => \@headers,
                   port => $port{$name});
}

sub create
{
    my ($name) = @_;
    my $r = ask($name, 'POST', '/up', headers => ['Upload-Length', 30_000],
                body => '');
    is $r->{status}, 201, "created on $name";
    my ($id) = $r->{headers}{location} =~ m{([^/]+)$};
    return ($r->{headers}{location}, $id);
}

sub patch
{
    my ($name, $url, $from, $to) = @_;
    return ask($name, 'PATCH', $url, body => substr($bytes, $from, $to - $from),
               headers => ['Content-Type', 'application/offset+octet-stream',
                           'Upload-Offset', $from]);
}

# The head of a PATCH and some of its body.
sub begin
{
    my ($name, $url, $from, $count) = @_;
    my $c = connect_raw(port => $port{$name});
    $c->send("PATCH $url HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\n"
             . "Content-Type: application/offset+octet-stream\r\n"
             . "Upload-Offset: $from\r\nContent-Length: " . (30_000 - $from)
             . "\r\n\r\n" . substr $bytes, $from, $count);
    return $c;
}

my ($url, $id) = create('a');
is patch('b', $url, 0, 10_000)->{status}, 204, 'the first part to B';
is ask($_, 'HEAD', $url)->{headers}{'upload-offset'}, 10_000,
    "$_ knows how far it is" for qw(a b);
my $said = $farm->wait_status('a', $id, sub { ($_[0]{received} || 0) == 10_000 });
is $said->{received}, 10_000, 'so do pollers';

# A part hangs on A; its client comes back on B.
my $c = begin('a', $url, 10_000, 5_000);
ok wait_for(sub { ($farm->status('b', $id)->{received} || 0) > 10_000 }),
    'the second part comes in on A';
my $offset = ask('b', 'HEAD', $url)->{headers}{'upload-offset'};
is $offset, 15_000, 'B ends it, and has all that came';
is patch('b', $url, 15_000, 20_000)->{status}, 204, 'B goes on';
$c->close;
my $last = patch('a', $url, 20_000, 30_000);
is $last->{status} =~ /^20[04]$/ && $last->{headers}{'upload-offset'}, 30_000,
    'A has the last part';
for my $name (qw(a b)) {
    $said = $farm->wait_status($name, $id, sub { $_[0]{state} eq 'done' });
    is $said->{state}, 'done', "$name: done";
}
my ($file) = glob $farm->pool_dir . "/$id/*.bin";
is slurp($file), $bytes, 'byte for byte';

# Terminated on B while A takes it in.
($url, $id) = create('b');
$c = begin('a', $url, 0, 5_000);
ok wait_for(sub { ($farm->status('b', $id)->{received} || 0) == 5_000 }),
    'one comes in on A';
is ask('b', 'DELETE', $url)->{status}, 204, 'B terminates it';
ok wait_for(sub { !-e $farm->pool_dir . "/$id" }), 'nothing is left of it';
my $answer = $c->answer;
like $answer->{status}, qr/^(?:404|409|410|423)$/, 'A tells its client'
    or diag explain $answer;
$c->close;
my @crashed = grep { /exit signal/ } $farm->logs;
is "@crashed", '', 'no child has crashed';

done_testing;
