# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# D5: Room is reserved when a request announces its size, by whatever protocol,
# and not when its bytes arrive: of several requests that are too large together,
# only one begins. The bytes received of an upload in several requests keep their
# room, even after a restart.

use strict;
use warnings FATAL => 'all';
use IO::Select ();
use Test::More;
use UploadPool::Httpd;
use UploadPool::Test;

my $mark = log_mark();
my $url = '/room-several';
my $size = 120_000;
my ($form, $type) = multipart([{name => 'f', filename => 'f',
                                content => 'x' x ($size - 200)}]);
# More than is read of a body that is refused: the answer comes at once.
my $whole = 'x' x $size;
# The head that announces the upload, and its whole body.
my %begin = (
    form => ["Content-Type: $type\r\nContent-Length: " . length $form, $form],
    raw => ['Content-Range: bytes 0-' . ($size - 1) . "/$size\r\n"
            . "Content-Length: $size", $whole],
    tus => ["Tus-Resumable: 1.0.0\r\nUpload-Length: $size\r\n"
            . "Content-Type: application/offset+octet-stream\r\n"
            . "Content-Length: $size", $whole],
    resumable => ["Upload-Complete: ?1\r\n"
                  . "Content-Length: $size", $whole],
);

sub begin
{
    my ($kind, $id, $bytes, %o) = @_;
    my $c = connect_raw(%o);
    my $where = $url . ($o{below} ? "/$o{below}" : '');
    $c->send("POST $where?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
        . "Accept: application/json\r\n$begin{$kind}[0]\r\n\r\n"
        . substr $begin{$kind}[1], 0, $bytes);
    return $c;
}

# A client that was let in has sent that many bytes and waits; all others have
# an answer.
sub is_in
{
    my ($id, $c, $bytes, %o) = @_;
    my $where = $url . ($o{below} ? "/$o{below}" : '');
    return wait_for(sub {
        # One that is refused with its first bytes has received them, too.
        my $said = status($where, $id, %o);
        return 'in' if ($said->{received} || 0) >= $bytes
            && $said->{state} eq 'uploading';
        return unless IO::Select->new($c->socket)->can_read(0);
        my $r = $c->answer;
        return $r->{status} == 507 ? 'out' : "answered $r->{status}";
    });
}

for my $round (1 .. 20) {
    my @all = map { {kind => $_, id => new_id()} }
        $round % 2 ? sort keys %begin : reverse sort keys %begin;
    $_->{c} = begin($_->{kind}, $_->{id}, 1000) for @all;
    my %count;
    $count{ is_in($_->{id}, $_->{c}, 1) }++ for @all;
    is_deeply \%count, {in => 1, out => 3}, "round $round: one of four";
    for my $one (@all) {
        request('DELETE', "$url?X-Progress-ID=$one->{id}");
        $one->{c}->close;
    }
}

my $httpd = UploadPool::Httpd->new;
my @there = (port => $httpd->port);
my @kinds = qw(raw tus resumable);
my $config = join '', map { <<"END" } @kinds;
<Location $url/$_>
    SetHandler upload-pool
    UploadPool "@{[ $httpd->make_pool($_) ]}"
    UploadProtocol multipart chunked tus resumable
    UploadChunkedAuto On
    UploadQuota pool 200000B
</Location>
END
my %first = map { $_ => new_id() } @kinds;
$httpd->start($config);
for my $kind (@kinds) {
    my $c = begin($kind, $first{$kind}, 100_000, @there, below => $kind);
    is is_in($first{$kind}, $c, 100_000, @there, below => $kind), 'in',
        "$kind: a part of one comes";
    $c->close;
}
$httpd->stop;
$httpd->start($config);
for my $kind (@kinds) {
    my $second = new_id();
    my @here = (@there, below => $kind);
    my $c = begin($kind, $second, 1000, @here);
    is is_in($second, $c, 1, @here), 'out',
        "$kind: after a restart it still has its room";
    $c->close;
    is request('DELETE', "$url/$kind?X-Progress-ID=$first{$kind}", @there)
        ->{status}, 200, "$kind: it is cleared";
    $c = begin($kind, $second, 1000, @here);
    is is_in($second, $c, 1, @here), 'in', "$kind: then there is room";
    $c->close;
}
$httpd->stop;
unlike $httpd->error_log, qr/exit signal/, 'no child died';
is crashes_since($mark), 0, 'none of the other server';
done_testing;
