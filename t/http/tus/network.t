# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# R9: The eight things that tusd, the protocol's own server, tries with real
# sockets: an upload; a client that stalls, closes, resets; one that asks while
# another request hangs; one that sends too much; an upload that is stopped; a
# server that is stopped.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Httpd;
use UploadPool::Test;
use UploadPool::Tus;

my $httpd = UploadPool::Httpd->new;
my $pool = $httpd->make_pool('network');
my @there = (port => $httpd->port);
my $config = <<"END";
Timeout %d
<Location /files>
    SetHandler upload-pool
    UploadPool "$pool"
    UploadProtocol tus
    UploadServe On
</Location>
END
my $bytes = random_bytes(50_000);
my $part = 10_000;

sub new_upload
{
    my ($length) = @_;
    my $r = create('/files', length => $length || length $bytes, @there);
    return $r->{headers}{location};
}

# The beginning of a PATCH, of which nothing more will come.
sub patch
{
    my ($url, $sent, $framing) = @_;
    my $c = connect_raw(@there);
    $c->send("PATCH $url HTTP/1.1\r\nHost: localhost\r\n"
        . "Tus-Resumable: 1.0.0\r\nContent-Type: $BYTES\r\n"
        . "Upload-Offset: 0\r\n"
        . ($framing || 'Content-Length: ' . length $bytes) . "\r\n\r\n$sent");
    return $c;
}

sub arrived
{
    my ($url) = @_;
    my ($id) = $url =~ m{([^/]+)$};
    return wait_for(sub {
        (status('/files', $id, @there)->{received} || 0) == $part });
}

# How far it is, and that it goes on from there to the right end.
sub goes_on
{
    my ($url, $name) = @_;
    my $r = head($url, @there);
    is $r->{headers}{'upload-offset'}, $part, "$name: what came is there";
    is $r->{headers}{'upload-length'}, length $bytes, "$name: the length too";
    is append($url, $part, substr($bytes, $part), @there)->{status}, 200,
        "$name: the rest";
    my ($id) = $url =~ m{([^/]+)$};
    ok request('GET', "/files/file?X-Progress-ID=$id", @there)->{body}
        eq $bytes, "$name: every byte";
    return;
}

$httpd->start(sprintf $config, 30);

my $url = new_upload();
is append($url, 0, $bytes, @there)->{headers}{'upload-offset'}, length $bytes,
    '1 an upload: sent';
my $told = head($url, @there);
is $told->{headers}{'upload-offset'}, length $bytes, '1 an upload: HEAD';
ok request('GET', '/files/file?X-Progress-ID=' . $url =~ s{.*/}{}r, @there)
    ->{body} eq $bytes, '1 an upload: and back';

for my $how (qw(close reset)) {
    my $n = $how eq 'close' ? '3 network close' : '4 network reset';
    $url = new_upload();
    my $c = patch($url, substr $bytes, 0, $part);
    ok arrived($url), "$n: a part comes";
    $c->$how;
    goes_on($url, $n);
}

$url = new_upload();
my $c = patch($url, substr $bytes, 0, $part);
ok arrived($url), '5 lock release: a part comes';
is head($url, @there)->{headers}{'upload-offset'}, $part,
    '5 lock release: HEAD is answered';
my $late = $c->answer;
is $late->{status}, 409, '5 lock release: the hung request is ended';
ok $c->closed, '5 lock release: with its connection';
goes_on($url, '5 lock release');

for my $framing ('Content-Length: ' . length $bytes,
                 'Transfer-Encoding: chunked') {
    $url = new_upload($part);
    $c = patch($url, $framing =~ /chunked/ ? chunked($bytes, 4000) : $bytes,
               $framing);
    is $c->answer->{status}, 413, "6 length exceeded: $framing";
    $c->close;
    my $kept = head($url, @there)->{headers}{'upload-offset'};
    cmp_ok $kept, '<=', $part, '6 length exceeded: no more than the length';
    my $r = $kept < $part ? append($url, $kept, substr($bytes, $kept,
                                   $part - $kept), @there) : {status => 200};
    is $r->{status}, 200, '6 length exceeded: what was announced is taken';
    ok request('GET', '/files/file?X-Progress-ID=' . $url =~ s{.*/}{}r, @there)
        ->{body} eq substr($bytes, 0, $part), '6 length exceeded: those bytes';
}

$url = new_upload();
$c = patch($url, substr $bytes, 0, $part);
ok arrived($url), '7 stopped: a part comes';
is tus('DELETE', $url, [], @there)->{status}, 204, '7 stopped: by another';
like $c->answer->{status}, qr/^4\d\d$/, '7 stopped: the PATCH is told';
$c->close;
is head($url, @there)->{status}, 404, '7 stopped: it is gone';
is_deeply [grep { m{^\Q@{[ $url =~ s{.*/}{}r ]}\E/} } pool_files($pool)], [],
    '7 stopped: with all that came';

$url = new_upload();
$c = patch($url, substr $bytes, 0, $part);
ok arrived($url), '8 shutdown: a part comes';
$httpd->stop;
ok $c->closed || $c->answer->{status} =~ /^[45]/,
    '8 shutdown: the client is told, or cut off';
$c->close;
$httpd->start(sprintf $config, 2);
goes_on($url, '8 shutdown');

$url = new_upload();
$c = patch($url, substr $bytes, 0, $part);
is $c->answer->{status}, 408, '2 read timeout: the client is told';
ok $c->closed, '2 read timeout: and cut off';
goes_on($url, '2 read timeout');

$httpd->stop;
unlike $httpd->error_log, qr/exit signal/, 'no child died';
done_testing;
