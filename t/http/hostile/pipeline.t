# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# P7: what follows a refusal on its connection. A body that looks like a request is
# never taken for one, whoever refuses it, by its head or in the middle; the
# request behind it gets its own answer or none.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Httpd;
use UploadPool::Test;

my $httpd = UploadPool::Httpd->new;
my $port = $httpd->port;
my $key = 'a key of the pipelines, quite a long one';
my %pool = map { $_ => $httpd->make_pool($_) } qw(open quota key);
my $all = 'UploadProtocol multipart chunked tus resumable';
sub context
{
    my ($name, $pool, @lines) = @_;
    return join "\n", "<Location /$name>", 'SetHandler upload-pool',
        "UploadPool \"$pool{$pool}\"", $all, @lines, "</Location>\n";
}
$httpd->start(join '', "CustomLog \"logs/access\" \"%r %s\"\n",
    context('plain', 'open'),
    context('size', 'open', 'UploadMaxSize 1K', 'UploadMaxFields 1K'),
    context('quota', 'quota', 'UploadQuota pool 9K'),
    context('key', 'key', "UploadKey \"$key\""),
    context('deny', 'open', 'UploadDeny php'),
    context('require', 'open', 'UploadRequire multipart'),
    context('limit', 'open', 'LimitRequestBody 900'));
spew($httpd->dir('htdocs/real'), 'the real one');
spew($httpd->dir('htdocs/trap'), 'the trap');

# A body of requests, twelve kilobytes of them.
my $trap = "GET /trap HTTP/1.1\r\nHost: x\r\n\r\n";
my $traps = $trap x 400;
my $form = "--b\r\nContent-Disposition: form-data; name=\"f\"; "
    . "filename=\"a.php\"\r\n\r\n${traps}\r\n--b--\r\n";
my $type = 'Content-Type: multipart/form-data; boundary=b';
my @tus = ('Tus-Resumable: 1.0.0');
my $bytes = 'Content-Type: application/offset+octet-stream';

# A form that another is in the middle of.
my $busy = new_id();
my $other = connect_raw(port => $port);
$other->send("POST /plain?X-Progress-ID=$busy HTTP/1.1\r\nHost: x\r\n$type\r\n"
             . "Content-Length: 9000\r\n\r\n--b\r\n");
ok wait_for(sub { status('/plain', $busy, port => $port)->{state} eq 'uploading' }),
    'one is under way';

my %refused = (
    'a form over UploadMaxSize' => [413, 'POST /size', $form, $type],
    'a form over the quota' => [507, 'POST /quota', $form, $type],
    'a form over LimitRequestBody' => [413, 'POST /limit', $form, $type],
    'a form with a name that is denied' => [415, 'POST /deny', $form, $type],
    'a form without a delimiter' => [400, 'POST /plain', $traps, $type],
    'a form without a boundary' => [400, 'POST /plain', $form,
        'Content-Type: multipart/form-data'],
    'a form in a coding' => [415, 'POST /plain', $form, $type,
        'Content-Encoding: br'],
    'a form without a signature' => [403, 'POST /key', $form, $type],
    'a form with a bad identifier' => [400, 'POST /plain?X-Progress-ID=..%2f',
        $form, $type],
    'a form in flight' => [409, "POST /plain?X-Progress-ID=$busy", $form, $type],
    'no form' => [415, 'POST /require', $traps, 'Content-Type: text/plain'],
    'a piece of a library that is not known' => [415,
        'POST /plain?chunkIndex=0&totalChunk=2', $form, $type],
    'a piece too far' => [400, 'PUT /plain?X-Progress-ID=' . new_id(), $traps,
        'Content-Range: bytes 5-' . (4 + length $traps) . '/99999'],
    'a piece of another length' => [400, 'PUT /plain?X-Progress-ID=' . new_id(),
        $traps, 'Content-Range: bytes 0-9/20'],
    'a piece of nothing' => [400, 'PUT /plain', $traps,
        'Content-Range: bytes 9-0/20'],
    'a PATCH of tus to nothing' => [404, 'PATCH /plain/' . new_id(), $traps,
        @tus, $bytes, 'Upload-Offset: 0'],
    'a creation of tus that is too large' => [413, 'POST /size', $traps, @tus,
        $bytes, 'Upload-Length: 99999'],
    'a creation of tus without a length' => [400, 'POST /plain', $traps, @tus,
        $bytes],
    'tus of another version' => [412, 'POST /plain', $traps,
        'Tus-Resumable: 9.0.0', 'Upload-Length: 9'],
    'an append of the IETF to nothing' => [404, 'PATCH /plain/' . new_id(),
        $traps, 'Content-Type: application/partial-upload',
        'Upload-Offset: 0', 'Upload-Complete: ?1'],
    'a creation of the IETF that is too large' => [413, 'POST /size', $traps,
        'Upload-Complete: ?1', 'Upload-Length: ' . length $traps],
    'a status with a body' => [200, 'GET /plain/status?X-Progress-ID=x', $traps],
    'a clear with a body' => [200, 'POST /plain?clear&X-Progress-ID=x', $traps],
    'a DELETE with a body' => [200, 'DELETE /plain?X-Progress-ID=x', $traps],
    'a HEAD of tus with a body' => [404, 'HEAD /plain/' . new_id(), $traps,
        @tus],
    'U/complete of nothing' => [404, 'POST /plain/complete',
        "upload_id=x&md5=$traps",
        'Content-Type: application/x-www-form-urlencoded'],
    'U/complete in a form' => [404, 'POST /plain/complete', "--b\r\n"
        . "Content-Disposition: form-data; name=\"upload_id\"\r\n\r\nx\r\n--b\r\n"
        . "Content-Disposition: form-data; name=\"md5\"\r\n\r\n"
        . "$traps\r\n--b--\r\n", $type],
);

# How the body comes: all of it at once with what follows, behind its head, in
# chunks, where a 100 is asked for but not waited for, and with a real request
# in the same write.
my %framing = (
    'with a length' => sub {
        my ($body) = @_;
        return (["Content-Length: " . length $body], $body);
    },
    'in chunks' => sub { return (['Transfer-Encoding: chunked'],
                                 chunked($_[0], 1000)) },
    'in chunks of one request each' => sub {
        return (['Transfer-Encoding: chunked'], chunked($_[0], length $trap));
    },
    'with Expect' => sub {
        my ($body) = @_;
        return (['Expect: 100-continue', 'Content-Length: ' . length $body],
                $body);
    },
);

my $real = "GET /real HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
my $log = $httpd->dir('logs/access');
for my $what (sort keys %refused) {
    my ($status, $line, $body, @headers) = @{ $refused{$what} };
    for my $how (sort keys %framing) {
        my ($more, $wire) = $framing{$how}->($body);
        my $mark = -s $log;
        my $head = join "\r\n", "$line HTTP/1.1", 'Host: x', @headers, @$more;
        my $is_head = $line =~ /^HEAD/;
        my $c = connect_raw(port => $port);
        $c->send("$head\r\n\r\n$wire$real");
        my $first = $c->answer(head => $is_head);
        is $first->{status}, $status, "$what, $how: $status"
            or diag $first->{body};
        my $next = $c->answer;
        like $next->{status} ? $next->{body} : 'nothing', qr/^(?:the real one|nothing)$/,
            "$what, $how: then the next request, or the end";
        $c->close;
        # The log has all of it when the connection is closed.
        wait_for(sub { substr(slurp($log), $mark) =~ /\Q$line\E HTTP/ });
        unlike substr(slurp($log), $mark), qr/trap/,
            "$what, $how: what it brought was no request";
    }
}
$other->close;
unlike $httpd->error_log, qr/exit signal/, 'no child died';
done_testing;
