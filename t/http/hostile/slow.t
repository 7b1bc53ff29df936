# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# S1: slow clients of every protocol, and some that never end their head, send a
# byte now and then to a server with eight threads. Fast clients finish beside
# them. The slow ones are cut off by UploadMinRate and mod_reqtimeout; they then
# hold no lock and no room, and uploads that can be resumed are still there.

use strict;
use warnings FATAL => 'all';
use Test::More;
use Time::HiRes qw(sleep);
use UploadPool::Test;
use UploadPool::Httpd;

# Where each holds a thread, as many as are sent away while a test may last.
my $slow = var('mpm') eq 'event' ? 200 : 16;
my $httpd = UploadPool::Httpd->new;
my $dir = $httpd->make_pool('slow');
my $port = $httpd->port;
$httpd->start("<Location /slow>\nUploadPool \"$dir\"\n"
    . "UploadProtocol multipart tus resumable\nSetHandler upload-pool\n"
    . "UploadMinRate 1K 2s\nUploadQuota pool 1G\n</Location>\n"
    . "<Location /chunks>\nUploadPool \"$dir\"\n"
    . "UploadProtocol multipart chunked\nSetHandler upload-pool\n"
    . "UploadMinRate 1K 2s\n</Location>\n"
    . "RequestReadTimeout header=2,MinRate=500 body=20,MinRate=500\n"
    . "ListenBacklog 511\n"
    . (var('mpm') eq 'event' ? "AsyncRequestWorkerFactor 200\n" : ''));

my $content = 'x' x 5000;
my ($form, $type) = multipart([{name => 'f', filename => 'f',
                                content => $content}]);

sub created
{
    my ($lines) = @_;
    my $r = request('POST', '/slow', port => $port, body => '',
                    headers => [@$lines, 'Upload-Length', 5000]);
    return ($r->{headers}{location} || die $r->{body}) =~ s{^http://[^/]+}{}r;
}

# A request of each front: its head, its body, and whose it is.
my @fronts = (
    sub {
        my $id = new_id();
        return {id => $id, body => $form, head =>
            "POST /slow?X-Progress-ID=$id HTTP/1.1\r\nContent-Type: $type\r\n"};
    },
    sub {
        my $at = created(['Tus-Resumable', '1.0.0']);
        return {at => $at, id => $at =~ m{([^/]+)$}, body => $content,
            head => "PATCH $at HTTP/1.1\r\nTus-Resumable: 1.0.0\r\n"
            . "Content-Type: application/offset+octet-stream\r\n"
            . "Upload-Offset: 0\r\n"};
    },
    sub {
        my $at = created(['Upload-Draft-Interop-Version', 8,
                          'Upload-Complete', '?0']);
        return {at => $at, id => $at =~ m{([^/]+)$}, body => $content,
            head => "PATCH $at HTTP/1.1\r\nUpload-Draft-Interop-Version: 8\r\n"
            . "Content-Type: application/partial-upload\r\n"
            . "Upload-Complete: ?1\r\nUpload-Offset: 0\r\n"};
    },
    sub {
        my $id = new_id();
        return {id => $id, body => $content, head =>
            "PUT /chunks?X-Progress-ID=$id HTTP/1.1\r\n"
            . "Content-Range: bytes 0-4999/5000\r\n"};
    },
);

sub head_of
{
    my ($u) = @_;
    return "$u->{head}Host: x\r\nConnection: close\r\nAccept: "
        . "application/json\r\nContent-Length: " . length($u->{body})
        . "\r\n\r\n";
}

my @fast = map { $_->() } @fronts;
my @slow = map { $fronts[$_ % @fronts]->() } 1 .. $slow;
for my $u (@slow) {
    $u->{c} = connect_raw(port => $port);
    $u->{c}->send(head_of($u) . substr $u->{body}, 0, 300);
}
my @heads = map { connect_raw(port => $port) } 1 .. $slow / 8;
$_->send("POST /slow HTTP/1.1\r\nX-Slow: ") for @heads;

sub drip
{
    my ($n) = @_;
    $_->{c}->send(substr $_->{body}, 300 + $n, 1) for @slow;
    $_->send('x') for @heads;
    sleep 0.2;
    return;
}
drip($_) for 0 .. 1;
for my $u (@fast) {
    $u->{c} = connect_raw(port => $port);
    $u->{c}->send(head_of($u) . $u->{body});
}
drip($_) for 2 .. 4;
for my $u (@fast) {
    my $answer = $u->{c}->answer;
    is $answer->{status}, 200, 'a fast one finishes: '
        . ($u->{head} =~ /^(\S+ \S{7})/)[0] or diag $answer->{error};
    $u->{c}->close;
}
drip($_) for 5 .. 9;

# --- The slow ---------------------------------------------------------------

my %answers;
for my $u (@slow) {
    $answers{ $u->{c}->answer->{status} }++;
    $u->{ended} = $u->{c}->closed;
    $u->{c}->close;
}
is_deeply \%answers, {408 => $slow}, 'each slow one is told'
    or diag explain \%answers;
is scalar(grep { $_->{ended} } @slow), $slow, 'and its connection ends';
my $ended = grep { my $r = $_->answer; $r->{status} =~ /^(?:408|400|0)$/
                   && $_->closed } @heads;
is $ended, scalar @heads, 'those who never ended their head, too';
my %states;
$states{status($_->{head} =~ m{ (/chunks|/slow)}, $_->{id}, port => $port)
        ->{state}}++ for @slow;
is_deeply \%states, {error => $slow / 4, uploading => 3 * $slow / 4},
    'forms have failed; the others may go on' or diag explain \%states;

# Their locks are free, at once.
my $bad = 0;
for my $u (@slow) {
    my $s = status($u->{head} =~ m{ (/chunks|/slow)}, $u->{id},
                   port => $port);
    if (!$u->{at}) {
        my $r = upload($u->{head} =~ /PUT/ ? '/chunks' : '/slow',
            [{name => 'f', filename => 'f', content => 'x'}], port => $port,
            id => $u->{head} =~ /PUT/ ? new_id() : $u->{id});
        $bad++ unless $r->{status} == 200;
        next;
    }
    my $from = $s->{received};
    $bad++ unless $from >= 300 && $from < 400;
    my $head = head_of({%$u, body => substr($u->{body}, $from),
                        head => $u->{head} =~ s/Offset: 0/Offset: $from/r});
    my $c = connect_raw(port => $port);
    $c->send($head . substr $u->{body}, $from);
    $bad++ unless $c->answer->{status} == 200;
    $c->close;
}
is $bad, 0, 'their identifiers are free, and their uploads go on';

$httpd->stop;
is scalar(() = $httpd->error_log =~ /exit signal|AddressSanitizer:/g), 0,
    'no child died';
done_testing;
