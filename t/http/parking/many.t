# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Thousands of slow uploads on eight threads, if the MPM can park them;
# otherwise as many as there are spare threads. All complete, and the server
# answers others meanwhile. Afterwards nothing of them is left.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;
use UploadPool::Httpd;
use UploadPool::Slow;

my $event = var('mpm') eq 'event';
my $httpd = UploadPool::Httpd->new;
my $dir = $httpd->make_pool('many');
my $port = $httpd->port;
# The server has five open files for each.
my $many = $event ? UploadPool::Slow::most(3000, 5) : 6;
cmp_ok $many, '>=', 200, 'enough open files for a test' if $event;

$httpd->start("<Location /up>\nUploadPool \"$dir\"\nSetHandler upload-pool\n"
    . "</Location>\n<Location /metrics>\nSetHandler upload-pool-metrics\n"
    . "</Location>\nUploadProgressSlots 8192\nLogLevel warn\n"
    . "ListenBacklog 4000\n"
    . ($event ? "AsyncRequestWorkerFactor 1000\n" : ''));

sub child
{
    my ($child) = children($httpd->pid);
    return $child;
}

sub files_of { my @f = glob "/proc/$_[0]/fd/*"; return scalar @f }
sub kept { return scalar grep { /\.bin$/ } pool_files($dir) }

sub memory
{
    return slurp("/proc/$_[0]/status") =~ /^RssAnon:\s+(\d+) kB/m && $1;
}

# --- All at once ------------------------------------------------------------------

# S1: The slow do not hold up the others.
request('GET', '/', port => $port);
my $child = child();
my $files = files_of($child);
my $slow = UploadPool::Slow->start($port, '/up?X-Progress-ID=many-%n',
    count => $many, at_once => $many, bytes => 2000, pieces => 4,
    pause => 300, wait => 1);
ok $slow->begun, "$many uploads have sent something";
my @live = grep {
    (status('/up', "many-$_", port => $port)->{state} || '') eq 'uploading'
} map { int($many / 6 * $_) } 0 .. 5;
sub parked
{
    return request('GET', '/metrics', port => $port)->{body}
        =~ /^upload_pool_uploads_parked (\d+)/m && $1;
}
ok wait_for(sub { parked() eq ($event ? $many : 0) }),
    'the metrics count those that hold no thread';
is scalar @live, 6, 'status is answered while they all wait';
is kept(), $many, 'all of them have begun';
is upload('/up', [{name => 'f', filename => 'f', content => 'quick'}],
          port => $port)->{status}, 200, 'and a quick one is served';
is child(), $child, 'by one child' if $event;
$slow->say('go');
is $slow->result, "200=$many", 'all complete';
is kept(), $many + 1, 'and are there';
is parked(), 0, 'none is parked any more';
ok wait_for(sub { files_of($child) <= $files + 4 }),
    'no file is left open' if $event;

# --- All are reset ----------------------------------------------------------------

$slow = UploadPool::Slow->start($port, '/up?X-Progress-ID=reset-%n',
    count => $many, at_once => $many, bytes => 2000, pieces => 4,
    pause => 300, wait => 1);
ok $slow->begun, "$many more";
$slow->say('reset');
$slow->result;
ok wait_for(sub { kept() == $many + 1 }), 'nothing is kept of those';
is scalar(grep { status('/up', "reset-" . int($many / 6 * $_),
                        port => $port)->{state} eq 'error' } 0 .. 5), 6,
    'errors, all of them';
ok wait_for(sub { files_of($child) <= $files + 4 }),
    'no file is left open' if $event;

# --- One after the other ----------------------------------------------------------

# Short uploads, each parked once or twice. The next thousand uses the memory
# that the first has taken.
if ($event) {
    my @after;
    for my $round (1 .. 3) {
        $slow = UploadPool::Slow->start($port, '/up?X-Progress-ID=one',
            count => 1000, at_once => 1, bytes => 300, pieces => 2, pause => 1);
        is $slow->result, '200=1000', "1000 in a row, $round";
        push @after, memory($child);
    }
    cmp_ok $after[2] - $after[0], '<', 512,
        'the last 2000 took no memory (KiB)';
    is child(), $child, 'the same child all the time';
}
$httpd->stop;
is scalar(() = $httpd->error_log =~ /exit signal|AddressSanitizer:/g), 0,
    'no child died';
done_testing;
