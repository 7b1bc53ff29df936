# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Uploads that wait while the server stops, restarts, or a child has served its
# number of connections: they complete, or end as an error, and no child is left
# behind.

use strict;
use warnings FATAL => 'all';
use Test::More;
use Time::HiRes qw(sleep);
use UploadPool::Test;
use UploadPool::Httpd;

my $event = var('mpm') eq 'event';
my $prefork = var('mpm') eq 'prefork';
my $httpd = UploadPool::Httpd->new;
my $dir = $httpd->make_pool('restart');
my $port = $httpd->port;
my $content = 'r' x 6000;
my ($body, $type) = multipart([{name => 'f', filename => 'f.bin',
                                content => $content}], boundary => 'b');
my $place = "<Location /up>\nUploadPool \"$dir\"\nSetHandler upload-pool\n"
    . "</Location>\n" . ($prefork ? "ServerLimit 40\nMaxRequestWorkers 40\n"
        : "ServerLimit 8\nThreadsPerChild 8\nMaxRequestWorkers 64\n");

sub begin
{
    my ($bytes) = @_;
    my $id = new_id();
    my $c = connect_raw(port => $port);
    $c->send("POST /up?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
        . "Content-Type: $type\r\nContent-Length: " . length($body)
        . "\r\n\r\n" . substr $body, 0, $bytes);
    wait_for(sub { (status('/up', $id, port => $port)->{received} || 0)
                       >= $bytes }) or die 'it does not begin';
    return {c => $c, id => $id, at => $bytes};
}

sub completes
{
    my ($u, $name) = @_;
    $u->{c}->send(substr $body, $u->{at});
    my $answer = $u->{c}->answer;
    is $answer->{status}, 200, "$name: it completes"
        or diag explain $answer;
    my ($file) = grep { /^\Q$u->{id}\E.*bin$/ } pool_files($dir);
    is slurp("$dir/$file"), $content, "$name: every byte";
    $u->{c}->close;
    return;
}

sub generations
{
    return scalar(() = $httpd->error_log =~ /resuming normal operations/g);
}

sub graceful
{
    my $before = generations();
    kill 'USR1', $httpd->pid;
    wait_for(sub { generations() > $before }) or die 'no restart';
    wait_for(sub { request('GET', '/', port => $port)->{status} });
    return;
}

sub children_of
{
    my ($parent) = @_;
    my @found;
    for my $file (glob '/proc/[0-9]*/stat') {
        open my $in, '<', $file or next;
        my $stat = <$in>;
        push @found, $1 if defined $stat
            && $stat =~ /^(\d+) \(.*\) [^Z] (\d+) / && $2 == $parent;
    }
    return @found;
}

# --- Graceful restart -------------------------------------------------------------

# D8: A restart completes or fails what waits.
$httpd->start($place);
{
    my @held = map { begin(100 * $_) } 1 .. 3;
    graceful();
    my $young = begin(500);
    is status('/up', $held[0]{id}, port => $port)->{state}, 'uploading',
        'the new generation shows those of the old one';
    completes($held[0], 'after a graceful restart');
    # A clear has to reach the old generation.
    is request('DELETE', "/up?X-Progress-ID=$held[1]{id}",
               port => $port)->{status}, 200, 'cleared over the restart';
    is $held[1]{c}->answer->{status}, 409, 'and the old one ends';
    $held[1]{c}->close;
    graceful() for 1 .. 2;
    completes($held[2], 'after a storm of restarts');
    completes($young, 'of a generation in between');
    my $parent = $httpd->pid;
    ok wait_for(sub { children_of($parent) <= ($prefork ? 20 : 4) }),
        'the old generations are gone';

    my $last = begin(300);
    kill 'WINCH', $parent;
    ok wait_for(sub {
        !IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port)
    }), 'a graceful stop: nobody else is let in';
    completes($last, 'during a graceful stop');
    ok wait_for(sub { !kill 0, $parent }), 'and then it has stopped';
    delete $httpd->{running};
}

# --- A connection that the MPM has not counted yet ----------------------------

# event counts a connection in the worker that takes it. Meanwhile the listener
# of a child that stops sees none left, and ends: nobody would ever look again
# at what is parked, and the child would close it without an answer.
my $hold = $httpd->dir('hold');
my @held_files = ($hold, "$hold.held");
$httpd->start("$place\nProbeHold \"$hold\"\n");
{
    chmod 0777, $httpd->dir('');
    spew($hold, '');
    my $id = new_id();
    my $c = connect_raw(port => $port, from => '127.0.0.7');
    $c->send("POST /up?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
        . "Content-Type: $type\r\nContent-Length: " . length($body)
        . "\r\n\r\n" . substr $body, 0, 500);
    ok wait_for(sub { -e "$hold.held" }), 'a worker has it';
    graceful();
    # Time for the listener to end, if it does.
    sleep 0.5;
    unlink @held_files;
    ok wait_for(sub { (status('/up', $id, port => $port)->{received} || 0)
                          >= 500 }), 'it is taken up after the restart';
    sleep 0.5;
    completes({c => $c, id => $id, at => 500}, 'taken while the child stops');
}
$httpd->stop;

# --- A child that has served enough, a stop that does not wait --------------------

$httpd->start("$place\nGracefulShutdownTimeout 1\nMaxConnectionsPerChild 4\n");
{
    my @held = map { begin(100 * $_) } 1 .. 3;
    for (1 .. 12) {
        upload('/up', [{name => 'f', filename => 'f', content => 'x'}],
               port => $port)->{status} == 200 or die 'not served';
    }
    completes($_, 'MaxConnectionsPerChild') for @held;

    my $lost = begin(300);
    my $parent = $httpd->pid;
    kill 'WINCH', $parent;
    ok wait_for(sub { !kill 0, $parent }),
        'GracefulShutdownTimeout does not wait for ever';
    is $lost->{c}->answer->{status}, 0, 'its client is not answered';
    $lost->{c}->close;
    delete $httpd->{running};
    $httpd->start($place);
    isnt status('/up', $lost->{id}, port => $port)->{state}, 'done',
        'it never was done';
    is upload('/up', [{name => 'f', filename => 'f', content => 'new'}],
              id => $lost->{id}, port => $port)->{status}, 200,
        'and its identifier is free';
}
{
    my @lost = map { begin(200) } 1 .. 3;
    my $parent = $httpd->pid;
    my @children = children_of($parent);
    kill 'TERM', $parent;
    ok wait_for(sub { !kill 0, $parent }), 'a stop at once';
    ok wait_for(sub { !grep { kill 0, $_ } @children }), 'of all of them';
    delete $httpd->{running};
    $_->{c}->close for @lost;
}
my $log = $httpd->error_log;
is scalar(() = $log =~ /exit signal|AddressSanitizer:|runtime error:/g), 0,
    'no child died';
is scalar(() = $log =~ /UPL0050: /g) > 0, $event, 'parked, where that can be';
done_testing;
