# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# How many clients may watch, on which threads and for how long, and what
# becomes of them when the server restarts.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;
use UploadPool::Httpd;
use UploadPool::Stream;

my $event = var('mpm') eq 'event';
my $prefork = var('mpm') eq 'prefork';
my $httpd = UploadPool::Httpd->new;
my $dir = $httpd->make_pool('stream');
my $port = $httpd->port;
my $place = "<Location /up>\nUploadPool \"$dir\"\nSetHandler upload-pool\n"
    . "UploadPark %s\n</Location>\nUploadWatchers 5 2\nTimeout %d\n"
    . ($prefork ? "ServerLimit 20\nMaxRequestWorkers 20\n"
        : "ServerLimit 1\nStartServers 1\nThreadsPerChild 4\n"
        . "MaxRequestWorkers 4\nMinSpareThreads 1\nMaxSpareThreads 4\n"
        . ($event ? "AsyncRequestWorkerFactor 20\n" : ''));

sub watch
{
    my $stream = UploadPool::Stream->new('/up', new_id(), port => $port);
    $stream->next if $stream->{status} == 200;
    return $stream;
}

# As many as there may be, and one more.
sub bounded
{
    my ($most, $name) = @_;
    my @held = map { watch() } 1 .. $most;
    is_deeply [map { $_->{status} } @held], [(200) x $most],
        "$name: $most may watch";
    my $more = request('GET', '/up/status?X-Progress-ID=more&stream',
                       port => $port, headers => ['Accept',
                                                  'application/json']);
    is $more->{status}, 503, "$name: one more may not";
    like $more->{headers}{'retry-after'}, qr/^[1-9]\d*$/,
        "$name: and hears when to come back";
    is_deeply $more->{json}, {state => 'error',
                              error => 'Too many watch uploads already',
    detail => 'Too many watch uploads already'},
        "$name: and why";
    is status('/up', 'more', port => $port)->{state}, 'starting',
        "$name: he may ask";

    $held[0]->close;
    $held[1]->reset;
    my @next;
    ok wait_for(sub {
        my $stream = watch();
        push @next, $stream if $stream->{status} == 200;
        return @next == 2;
    }), "$name: who goes frees his place";
    $_->close for @held, @next;
    return;
}

# --- How many ---------------------------------------------------------------

$httpd->start(sprintf $place, 'On', 20);
bounded($event ? 5 : 2, 'UploadPark On');
if ($event) {
    # They hold no thread: there are four.
    my @held;
    ok wait_for(sub {
        my $stream = watch();
        push @held, $stream if $stream->{status} == 200;
        return @held == 5;
    }), 'five watch';
    is upload('/up', [{name => 'f', filename => 'f', content => 'x'}],
              port => $port)->{status}, 200, 'and an upload is served';
    $_->close for @held;
}

# --- A restart, a stop --------------------------------------------------------

{
    my $stream;
    wait_for(sub { $stream = watch(); $stream->{status} == 200 });
    kill 'USR1', $httpd->pid;
    is $stream->next, undef, 'a graceful restart ends it';
    ok wait_for(sub {
        my $next = watch();
        return $next->{status} == 200;
    }), 'the new generation takes it';
    my $last;
    wait_for(sub { $last = watch(); $last->{status} == 200 });
    my $parent = $httpd->pid;
    kill 'WINCH', $parent;
    is $last->next, undef, 'so does a graceful stop';
    ok wait_for(sub { !kill 0, $parent }), 'which it does not delay';
    delete $httpd->{running};
}

if ($event) {
    $httpd->start(sprintf $place, 'Off', 20);
    bounded(2, 'UploadPark Off');
    $httpd->stop;
}

# --- For how long -------------------------------------------------------------

$httpd->start(sprintf $place, 'On', 2);
{
    my $stream = watch();
    is $stream->next, undef, 'a stream ends before Timeout';
    ok $stream->{c}->closed, 'and its connection';
    cmp_ok $stream->{comments}, '>=', 2, 'it was never silent for long';
    is watch()->{status}, 200, 'its client may come back';
}
$httpd->stop;

# --- None at all ----------------------------------------------------------------

$httpd->start((sprintf $place, 'On', 20) . "UploadWatchers 0\n");
is watch()->{status}, 503, 'UploadWatchers 0: no streams';
$httpd->stop;
is scalar(() = $httpd->error_log
    =~ /exit signal|AddressSanitizer:|runtime error:/g), 0, 'no child died';
done_testing;
