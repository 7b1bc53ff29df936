# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# How long an upload waits: UploadMinRate, Timeout and mod_reqtimeout end
# uploads that are silent or too slow with 408, whether they are parked or hold
# a thread, and spare those that are just fast enough.

use strict;
use warnings FATAL => 'all';
use Test::More;
use Time::HiRes qw(sleep);
use UploadPool::Test;
use UploadPool::Httpd;

my $parks = var('mpm') eq 'event';
my $httpd = UploadPool::Httpd->new;
my $dir = $httpd->make_pool('limits');
my $port = $httpd->port;
my ($body, $type) = multipart([{name => 'f', filename => 'f.bin',
                                content => 'x' x 9000}], boundary => 'b');

sub places
{
    return join '', map { "<Location $$_[0]>\nUploadPool \"$dir\"\n"
        . "SetHandler upload-pool\n$$_[1]\n</Location>\n" } @_;
}

sub begin
{
    my ($url, $bytes, %o) = @_;
    my $id = new_id();
    my $c = connect_raw(port => $port);
    $c->send("POST $url?X-Progress-ID=$id HTTP/1.1\r\n"
        . 'Host: ' . ($o{host} || 'x') . "\r\n"
        . "Content-Type: $type\r\nAccept: application/json\r\n"
        . ($o{coded} ? "Transfer-Encoding: chunked\r\n\r\n"
           : 'Content-Length: ' . length($body) . "\r\n\r\n") . $bytes);
    return {c => $c, id => $id, url => $url, name => $o{name} || $url};
}

sub is_over
{
    my ($u, $error) = @_;
    my $answer = $u->{c}->answer;
    is $answer->{status}, 408, "$u->{name}: 408";
    is $answer->{json}{error}, $error, "$u->{name}: $error";
    ok $u->{c}->closed, "$u->{name}: and the connection ends";
    is status($u->{url}, $u->{id}, port => $port)->{state}, 'error',
        "$u->{name}: state error";
    is_deeply [grep { /^\Q$u->{id}\E.*bin/ } pool_files($dir)], [],
        "$u->{name}: nothing is kept";
    $u->{c}->close;
    return;
}

my @all = ([ '/parked', ''], ['/held', 'UploadPark Off']);

# --- UploadMinRate, Timeout -------------------------------------------------------

# S1: An upload that is too slow is ended.
my $docs = $httpd->dir('htdocs');
mkdir "$docs/$_" for qw(strict lax);
# .htaccess may only be stricter.
spew("$docs/strict/.htaccess", "UploadMinRate 1M 1s\n");
spew("$docs/lax/.htaccess", "UploadMinRate Off 1h\n");
$httpd->start(places(map { [$$_[0], "$$_[1]\nUploadMinRate 2K 1s"],
                           ["$$_[0]-grace", "$$_[1]\nUploadMinRate 2K 60s"],
                           ["$$_[0]-off", "$$_[1]\nUploadMinRate Off"] } @all)
    . "<Directory \"$docs\">\nAllowOverride Options\n"
    . "UploadPool \"$dir\"\nUploadMinRate 1K 2s\n"
    . "SetHandler upload-pool\n</Directory>\n"
    . "<VirtualHost 127.0.0.1:$port>\nServerName main.test\n</VirtualHost>\n"
    . "<VirtualHost 127.0.0.1:$port>\nServerName idle.test\nTimeout 2\n"
    . "</VirtualHost>\n");
{
    my (@slow, @idle, @fine, @busy);
    for my $place (map { $$_[0] } @all) {
        # Silent from the first byte, after a fast beginning, and in chunks;
        # and one byte now and then, which resets no clock.
        push @slow, begin($place, '', name => "$place, nothing"),
            begin($place, substr($body, 0, 4000), name => "$place, most of it"),
            begin($place, "5\r\n--b\r\n", coded => 1,
                  name => "$place, chunks");
        my $drip = begin($place, substr($body, 0, 10), name => "$place, drips");
        push @slow, {%$drip, drips => 1};
        push @fine, begin($place, substr($body, 0, 600), name => "$place, fine"),
            begin("$place-grace", substr($body, 0, 600)),
            begin("$place-off", substr($body, 0, 600));
        my $off = "$place-off";
        push @idle, begin($off, '', host => 'idle.test', name => "$off, idle"),
            begin($off, "5\r\n--b\r\n", coded => 1, host => 'idle.test',
                  name => "$off, idle in chunks");
        # In all longer than Timeout, but never so long without a byte.
        push @busy, begin($off, '', host => 'idle.test', name => "$off, busy");
    }
    my @local = map { begin("/$_/", substr $body, 0, 100) } qw(strict lax);
    # 600 bytes every fifth of a second are more than 2 KiB a second.
    for my $n (1 .. 13) {
        sleep 0.2;
        $_->{c}->send(substr $body, $n * 600, 600)
            for grep { $_->{url} !~ /-/ } @fine;
        $_->{c}->send(substr $body, 9 + $n, 1) for grep { $_->{drips} } @slow;
        $_->{c}->send(substr $body, $n - 1, 1) for @busy;
    }
    $_->{c}->send(substr $body, 14 * 600) for grep { $_->{url} !~ /-/ } @fine;
    $_->{c}->send(substr $body, 600) for grep { $_->{url} =~ /-/ } @fine;
    $_->{c}->send(substr $body, 13) for @busy;
    is_over($_, 'Upload is too slow') for @slow, @local;
    is_over($_, 'Upload timed out') for @idle;
    is $_->{c}->answer->{status}, 200, "$_->{name}: fast enough"
        for @fine, @busy;
    my $log = $httpd->error_log;
    is scalar(() = $log =~ /upload_pool:warn\].*Upload is too slow/g),
        @slow + @local, 'one line of the log for each';
    is scalar(() = $log =~ /upload_pool:warn\].*Upload timed out/g),
        scalar @idle, 'that was idle, too';
    is scalar(() = $log =~ /UPL0050: .*is parked/g), $parks ? 12 : 0,
        'parked, where that can be';
}
$httpd->stop;
unlink $httpd->dir('logs/error_log');

# --- The MPM's own patience -------------------------------------------------------

# It knows the first virtual host of an address only, and would close without an
# answer what waits for longer than that one's Timeout: so that is ended sooner.
if ($parks) {
    $httpd->start(places(@all)
        . "<VirtualHost 127.0.0.1:$port>\nServerName hasty.test\nTimeout 1\n"
        . "</VirtualHost>\n<VirtualHost 127.0.0.1:$port>\n"
        . "ServerName patient.test\nTimeout 60\n</VirtualHost>\n");
    my @held = map { begin('/parked', substr($body, 0, $_),
                           host => 'patient.test', name => "the MPM, $_") }
        0, 30, 4000;
    is_over($_, 'Upload timed out') for @held;
    is scalar(() = $httpd->error_log =~ /upload_pool:warn\].*Upload timed out/g),
        scalar @held, 'the MPM: one line of the log for each';
    $httpd->stop;
    unlink $httpd->dir('logs/error_log');
}

# --- mod_reqtimeout ---------------------------------------------------------------

$httpd->start("RequestReadTimeout body=1-2,MinRate=1000\n" . places(@all));
my @silent = map { my $place = $$_[0];
    (begin($place, '', name => "reqtimeout, $place, nothing"),
     begin($place, substr($body, 0, 100), name => "reqtimeout, $place, some"),
     begin($place, "5\r\n--b\r\n", coded => 1,
           name => "reqtimeout, $place, chunks")) } @all;
my @fine = map { begin($$_[0], substr $body, 0, 600) } @all;
sleep 0.5;
$_->{c}->send(substr $body, 600) for @fine;
is $_->{c}->answer->{status}, 200, "reqtimeout, $_->{name}: in time" for @fine;
is_over($_, 'Upload timed out') for @silent;
is scalar(() = $httpd->error_log =~ /UPL0131: /g), scalar @silent,
    'mod_reqtimeout: one line of the log for each';
$httpd->stop;
is scalar(() = $httpd->error_log =~ /exit signal|AddressSanitizer:/g), 0,
    'no child died';
done_testing;
