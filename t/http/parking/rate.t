# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Uploads that UploadRate holds back, many more than there are threads: where
# uploads can be parked these hold no thread, although their bytes have arrived
# already, and others are served. With a stream of HTTP/2, an MPM that cannot
# park, or a server without a free descriptor, a thread waits; every byte
# arrives all the same.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Httpd;
use UploadPool::Test;

my $parks = var('mpm') eq 'event';
my $many = $parks ? 40 : 3;    # and 8 threads
my $httpd = UploadPool::Httpd->new(modules => ['ssl', 'http2']);
my $dir = $httpd->make_pool('rated');
my $port = $httpd->port;
my $content = random_bytes(20_000);
my ($body, $type) = multipart([{name => 'f', filename => 'f.bin',
                                content => $content}], boundary => 'b');

# With a byte a second none of them ends within this test; at 20K the content
# waits for half a second behind the first two quarters.
my $conf = "Protocols h2c http/1.1\nTimeout 300\n"
    . ($parks ? "AsyncRequestWorkerFactor 100\n" : "")
    . "<Location /metrics>\nSetHandler upload-pool-metrics\n</Location>\n"
    . join '', map { "<Location $$_[0]>\nUploadPool \"$dir\"\n"
        . "SetHandler upload-pool\n$$_[1]\n"
        . "</Location>\n" } ['/held', 'UploadRate 1B'], ['/rated', 'UploadRate 20K'],
            ['/off', "UploadRate 20K\nUploadPark Off"], ['/quick', ''];

sub head
{
    my ($url, $id) = @_;
    return "POST $url?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
        . "Content-Type: $type\r\nAccept: application/json\r\n"
        . 'Content-Length: ' . length($body) . "\r\n\r\n";
}

# Everything is sent at once.
sub begin
{
    my ($url) = @_;
    my $u = {id => new_id(), url => $url, c => connect_raw(port => $port)};
    $u->{c}->send(head($url, $u->{id}) . $body);
    return $u;
}

sub metric
{
    my ($name) = @_;
    return request('GET', '/metrics', port => $port)->{body}
        =~ /^upload_pool_uploads_$name (\d+)/m && $1;
}

sub is_whole
{
    my ($id, $name) = @_;
    my ($file) = grep { m{^\Q$id\E/.*bin} } pool_files($dir);
    ok $file && slurp("$dir/$file") eq $content, "$name: every byte";
    return;
}

sub completes
{
    my ($u, $name) = @_;
    is $u->{c}->answer->{status}, 200, "$name: 200";
    is_whole($u->{id}, $name);
    return;
}

sub are_held
{
    my ($n, $name) = @_;
    return ok wait_for(sub {
        metric('live') == $n && metric('parked') == $n
    }), $name;
}

# --- More than threads ------------------------------------------------------------

$httpd->start($conf);
my @held = map { begin('/held') } 1 .. $many;
are_held($many, "$many held back, and none holds a thread") if $parks;
ok wait_for(sub {
    $many == grep { (status('/held', $_->{id}, port => $port)->{received} || 0) > 0 }
        @held
}), 'status tells of each';
is upload('/quick', [{name => 'f', filename => 'f', content => 'q'}],
          port => $port)->{status}, 200, 'a quick one is served';
is request('DELETE', "/held?X-Progress-ID=$held[0]{id}", port => $port)->{status},
    200, 'one is cleared';
is $held[0]{c}->answer->{status}, 409, 'and learns of it';
ok $held[0]{c}->closed, 'what it has not read is not taken for a request';

my @rated = map { begin('/rated') } 1 .. 3;
push @rated, map { begin('/off') } 1 .. 2;
completes($_, "$_->{url} beside them") for @rated;
# After an upload that was held back, its connection takes the next one.
for my $n (1 .. 2) {
    my $id = new_id();
    $rated[0]{c}->send(head('/rated', $id) . $body);
    completes({c => $rated[0]{c}, id => $id}, "again on the connection, $n");
}
{
    my ($first, $second) = (new_id(), new_id());
    my $c = connect_raw(port => $port);
    $c->send(head('/rated', $first) . $body . head('/rated', $second) . $body);
    completes({c => $c, id => $_}, 'two sent in a row') for $first, $second;
}
{
    my $file = $httpd->dir('h2.bin');
    my $id = new_id();
    spew($file, $content);
    is curl('--http2-prior-knowledge', '-F', "f=\@$file",
            "http://127.0.0.1:$port/rated?X-Progress-ID=$id")->{status}, 200,
        'HTTP/2: 200';
    is_whole($id, 'HTTP/2');
}

# --- The server ends or dies ------------------------------------------------------

# Those of the old generation go on, held back as before.
if (var('mpm') ne 'prefork') {
    $_->{c}->reset for splice @held, 4;
}
my $going = begin('/rated');
$httpd->restart_graceful;
completes($going, 'over a graceful restart');
is status('/held', $held[1]{id}, port => $port)->{state}, 'uploading',
    'one of the old generation is held back as before';
is request('DELETE', "/held?X-Progress-ID=$held[1]{id}", port => $port)->{status},
    200, 'and cleared from the new one';
is $held[1]{c}->answer->{status}, 409, 'which it learns of';

sub children_of
{
    my ($parent) = @_;
    return map { split ' ', slurp($_) } glob "/proc/$parent/task/*/children";
}

kill 'KILL', children_of($httpd->pid);
ok wait_for(sub { request('GET', '/', port => $port)->{status} }),
    'its children are killed, and new ones serve';
ok wait_for(sub {
    upload('/quick', [{name => 'f', filename => 'f.bin', content => $content}],
           port => $port, id => $held[2]{id})->{status} == 200
}), 'an identifier of one that was held back is free';
is_whole($held[2]{id}, 'the next with it');
are_held(0, 'none is counted any more');
unlike $httpd->error_log, qr/AddressSanitizer:|exit signal (?!Killed)/,
    'no child died but those';
$httpd->stop;
unlink $httpd->dir('logs/error_log');

# --- No alarm ---------------------------------------------------------------------

if ($parks) {
    my $shim = var('t_logs') . "/noalarm-$$.so";
    my @cc = ($ENV{CC} || 'cc', '-shared', '-fPIC', '-o', $shim,
              var('top') . '/t/http/parking/noalarm.c');
    system(@cc) == 0 or die "@cc: $?";
    $httpd->{preload} = join ' ', grep { defined } $ENV{UPOOL_PRELOAD}, $shim;
    $httpd->start($conf);
    completes(begin('/rated'), 'no descriptor for an alarm');
    unlike $httpd->error_log, qr/UPL0050: /, 'a thread waits';
    $httpd->stop;
    unlink $shim;
    unlike $httpd->error_log, qr/AddressSanitizer:|exit signal/,
        'no child died of it';
}
done_testing;
