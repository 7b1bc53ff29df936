# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# All kinds of slow uploads on eight threads: clients that send little, those
# that UploadRate holds back, browsers that come over HTTP/2 first. Others are
# served meanwhile, also by the next generation after a graceful restart; the
# metrics add up at every look; nothing is lost. t/bench/held is the long form.

use strict;
use warnings FATAL => 'all';
use IO::Handle ();
use IO::Socket::INET ();
use IPC::Open2 qw(open2);
use Test::More;
use UploadPool::Httpd;
use UploadPool::Slow;
use UploadPool::Test;

my $event = var('mpm') eq 'event' ? 1 : 0;
my ($few, $rated, $browsers) = $event ? (300, 30, 30) : (4, 2, 0);
my $all = $few + $rated + $browsers;
my $httpd = UploadPool::Httpd->new(modules => ['ssl', 'http2']);
my $dir = $httpd->make_pool('held');
my $port = $httpd->port;
my $tls = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')->sockport;
my $cert = var('t_conf') . '/tls';
my $uploads = "UploadPool \"$dir\"\nSetHandler upload-pool\n";

sub metrics
{
    my $page = request('GET', '/metrics', port => $port)->{body};
    return map { $page =~ /^upload_pool_uploads_$_ (\d+)/m && $1 }
        qw(live parked);
}

sub kept { return scalar grep { /\.bin$/ } pool_files($dir) }

$httpd->start("<Location /up>\n$uploads</Location>\n"
    . "<Location /rate>\n${uploads}UploadRate 2K\n</Location>\n"
    . "<Location /metrics>\nSetHandler upload-pool-metrics\n</Location>\n"
    . "ListenBacklog 1000\n"
    . ($event ? "ServerLimit 4\nAsyncRequestWorkerFactor 200\n" : '')
    . "Listen 127.0.0.1:$tls\n<VirtualHost 127.0.0.1:$tls>\nSSLEngine on\n"
    . "SSLCertificateFile \"$cert/cert.pem\"\n"
    . "SSLCertificateKeyFile \"$cert/key.pem\"\n"
    . "Protocols h2 http/1.1\nUploadPark Always 500B\n</VirtualHost>\n");

my @slow = map {
    my ($path, $count) = @$_;
    UploadPool::Slow->start($port, "$path-%n", count => $count,
        at_once => $count, bytes => 4000, pieces => 4, pause => 50, wait => 1);
} ['/up?X-Progress-ID=few', $few], ['/rate?X-Progress-ID=rated', $rated];
ok $_->begun, 'they have begun' for @slow;
my ($from, $to);
if ($browsers) {
    open2($from, $to, $ENV{NODE} || 'node', var('top') . '/t/bench/browsers.js',
        $tls, '/up?X-Progress-ID=browser-%n', $browsers, 4000, 4, 50);
    is scalar <$from>, "begun\n", 'browsers: over HTTP/2, and then HTTP/1.1';
}
my @sum;
my $parked = $event ? $all : 0;
ok wait_for(sub { @sum = metrics(); "@sum" eq "$all $parked" }),
    'all are live, and all that can be are parked' or diag "@sum";
ok wait_for(sub { kept() == $all }), 'and have begun a file';

if ($event) {
    my $before = () = $httpd->error_log =~ /resuming normal operations/g;
    kill 'USR1', $httpd->pid;
    ok wait_for(sub {
        (() = $httpd->error_log =~ /resuming normal operations/g) > $before
            && request('GET', '/', port => $port)->{status}
    }), 'a graceful restart';
    is upload('/up', [{name => 'f', filename => 'f', content => 'quick'}],
              port => $port)->{status}, 200, 'the new generation serves';
    is_deeply [metrics()], [$all, $all], 'and counts those of the old one';
    is status('/up', "few-$_", port => $port)->{state}, 'uploading',
        "and tells of number $_" for 0, $few - 1;
}
$_->say('go') for @slow;
if ($to) {
    print {$to} "go\n";
    $to->flush;
}
my @wrong = grep { my ($live, $parked) = metrics(); $parked > $live } 1 .. 100;
is scalar @wrong, 0, 'never are more parked than live, while all send';
is $slow[0]->result, "200=$few", 'those that send little complete';
is $slow[1]->result, "200=$rated", 'those that were held back complete';
is scalar <$from>, "200=$browsers\n", 'browsers complete' if $from;
is kept(), $all + $event, 'every file is there';
is_deeply [sort { $a <=> $b } map { -s "$dir/$_" }
           grep { /\.bin$/ } pool_files($dir)],
    [(5) x $event, (4000) x $all], 'and whole';
ok wait_for(sub { !grep { $_ } metrics() }), 'nothing is live any more';
$httpd->stop;
is scalar(() = $httpd->error_log =~ /exit signal|AddressSanitizer:/g), 0,
    'no child died';
done_testing;
