# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Trailers that come slowly: where uploads can be parked, the end of a chunked
# body holds no thread, wherever in it the client pauses. The module finds the
# same trailers, refuses the same, and sees the next request of the connection
# begin at the same place as when everything comes at once.

use strict;
use warnings FATAL => 'all';
use Digest::SHA qw(sha1_base64);
use Test::More;
use UploadPool::Httpd;
use UploadPool::Test;

my $parks = var('mpm') eq 'event';
my $httpd = UploadPool::Httpd->new;
my $dir = $httpd->make_pool('trailers');
my $port = $httpd->port;
my $content = random_bytes(3000);
my ($body, $type) = multipart([{name => 'f', filename => 'f.bin',
                                content => $content}], boundary => 'b');
$httpd->start(($parks ? "AsyncRequestWorkerFactor 100\n" : '')
    . "<Location /metrics>\nSetHandler upload-pool-metrics\n</Location>\n"
    . "<Location /up>\nUploadPool \"$dir\"\nUploadProtocol multipart tus\n"
    . "SetHandler upload-pool\n</Location>\n");

sub parked
{
    return request('GET', '/metrics', port => $port)->{body}
        =~ /^upload_pool_uploads_parked (\d+)/m && $1;
}

sub begin
{
    my ($end, %o) = @_;
    my $u = {id => new_id(), name => $end =~ s/\r/\\r/gr =~ s/\n/\\n/gr,
             c => connect_raw(port => $port)};
    $u->{c}->send("POST /up?X-Progress-ID=$u->{id} HTTP/1.1\r\nHost: x\r\n"
        . "Content-Type: $type\r\nTransfer-Encoding: chunked\r\n"
        . "Accept: application/json\r\n\r\n"
        . join('', map { sprintf "%x\r\n%s\r\n", length, $_ }
               $body =~ /(.{1,1000})/gs) . $end);
    return $u;
}

sub is_whole
{
    my ($id, $name) = @_;
    my ($file) = grep { m{^\Q$id\E/.*bin} } pool_files($dir);
    ok $file && slurp("$dir/$file") eq $content, "$name: every byte";
    return;
}

# --- More than threads ------------------------------------------------------------

my $section = "000;x=y\r\nX-One: 1\r\nX-Two: " . 'v' x 90 . "\r\n\r\n";
my @cuts = $parks ? (0 .. 31, 60, length($section) - 3 .. length($section) - 1)
    : (1, 9, length($section) - 1);
my @held = map { begin(substr $section, 0, $_) } @cuts;
ok wait_for(sub { parked() == @held }), scalar(@held) . ' hold no thread' if $parks;
is upload('/up', [{name => 'f', filename => 'f', content => 'q'}], port => $port)
    ->{status}, 200, 'another is served';
for my $n (0 .. $#cuts) {
    my ($u, $rest) = ($held[$n], substr $section, $cuts[$n]);
    # The next request begins right behind it.
    my $id = new_id();
    $u->{c}->send($rest . "POST /up?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
        . "Content-Type: $type\r\nAccept: application/json\r\nContent-Length: "
        . length($body) . "\r\n\r\n$body");
    for my $one ([$u->{id}, "cut at $cuts[$n]"], [$id, 'the next behind it']) {
        my $answer = $u->{c}->answer;
        is $answer->{status}, 200, "$$one[1]: 200";
        is_whole(@$one);
    }
    $u->{c}->close;
}

# --- Byte by byte -----------------------------------------------------------------

{
    my $id = new_id();
    is request('POST', '/up', port => $port, headers =>
               ['Tus-Resumable', '1.0.0', 'Upload-Length', length $content,
                'X-Progress-ID', $id])->{status}, 201, 'tus: made';
    my $c = connect_raw(port => $port);
    $c->send("PATCH /up/$id HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\n"
        . "Upload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\n"
        . "Trailer: Upload-Checksum\r\nTransfer-Encoding: chunked\r\n\r\n"
        . chunked($content, 700) =~ s/0\r\n\r\n\z//r);
    for my $byte (split //, "0\r\nUpload-Checksum: sha1 " . sha1_base64($content)
                  . "=\r\n\r\n") {
        select undef, undef, undef, 0.01;
        $c->send($byte);
    }
    is $c->answer->{status}, 200, 'tus: its checksum came byte by byte';
    is_whole($id, 'tus');
    $c->close;
}

# --- Refused ----------------------------------------------------------------------

# A last chunk where the end of a chunk's data is due; a size that is none; a
# trailer that is no field; a section beyond what is kept back, with more fields
# than httpd takes.
my %wrong = ('where data ends' => ["3\r\nabc0\r\n", ''], 'no size' => ["0g\r\n", ''],
    'no field' => ["0\r\nno field\r\n", "\r\n"],
    'too much' => ["0\r\n", "X-More: text\r\n" x 700 . "\r\n"]);
for my $name (sort keys %wrong) {
    my ($first, $rest) = @{ $wrong{$name} };
    my $u = begin($first);
    $u->{c}->send($rest);
    is $u->{c}->answer->{status}, 400, "$name: 400";
    ok $u->{c}->closed, "$name: the connection ends";
    is_deeply [grep { /^\Q$u->{id}\E.*bin/ } pool_files($dir)], [],
        "$name: nothing is kept";
    $u->{c}->close;
}
{
    my $u = begin("0\r\nX-One: 1\r\n");
    ok wait_for(sub { parked() == 1 }), 'parked' if $parks;
    $u->{c}->reset;
    ok wait_for(sub {
        (status('/up', $u->{id}, port => $port)->{state} || '') eq 'error'
    }), 'a client that goes in its trailers';
}
$httpd->stop;
unlike $httpd->error_log, qr/AddressSanitizer:|exit signal/, 'no child died';
done_testing;
