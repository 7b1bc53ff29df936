# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# What goes wrong while an upload waits for its client: one clean answer, an
# error for clients that poll, nothing kept, and the connection closed or still
# usable.

use strict;
use warnings FATAL => 'all';
use Compress::Zlib ();
use Test::More;
use Time::HiRes qw(sleep);
use UploadPool::Test;

my $mark = log_mark();
my $hello = slurp(var('documentroot') . '/hello.txt');
my ($body, $type) = multipart([{name => 'f', filename => 'f.bin',
                                content => 'x' x 9000}], boundary => 'b');
my $json = "Accept: application/json\r\n";

# An upload that has sent so much and waits: the connection, its identifier.
sub waiting
{
    my ($url, $bytes, %o) = @_;
    my $id = $o{id} || new_id();
    my $c = connect_raw(tls => $o{tls});
    my $length = exists $o{length} ? $o{length} : length $body;
    my $q = $url =~ /\?/ ? '&' : '?';
    $c->send("POST $url${q}X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
        . "Content-Type: $type\r\n" . ($o{headers} || '')
        . (defined $length ? "Content-Length: $length\r\n\r\n"
           : "Transfer-Encoding: chunked\r\n\r\n") . $bytes);
    $url =~ s/\?.*//;
    ok wait_for(sub {
        (status($url, $id)->{state} || '') eq 'uploading'
    }), "$url: it has begun" unless $o{quick};
    sleep 0.05;
    return ($c, $id);
}

sub files { return grep { m{^\Q$_[0]\E/.*\.bin$} } pool_files('park') }

sub fails
{
    my ($name, $url, $id) = @_;
    $url =~ s/\?.*//;
    is wait_for(sub { my $s = status($url, $id); $s->{state} eq 'error'
                      && $s->{state} }), 'error', "$name: state error";
    is_deeply [files($id)], [], "$name: nothing is kept";
}

# --- Refused while it trickles --------------------------------------------------

my $cgi = '/park/cgi/echo.pl';
for my $tls (0, 1) {
    my $how = $tls ? 'TLS' : 'plain';
    for my $case (
        ['no delimiter', $cgi, "--b\r\nContent-", 'nothing of the kind' x 500,
         400],
        ['cut', $cgi, substr($body, 0, 100), substr($body, 100, -20)
         . 'y' x 20, 400],
        ['too large', '/park/small/echo.pl', substr($body, 0, 3000),
         substr($body, 3000), 413]) {
        my ($name, $url, $first, $second, $status) = @$case;
        my ($c, $id) = waiting($url, $first, tls => $tls, headers => $json);
        $c->send($second);
        my $answer = $c->answer;
        is $answer->{status}, $status, "$name, $how: $status";
        is $answer->{json}{state}, 'error', "$name, $how: as JSON";
        ok $c->closed, "$name, $how: one answer, then the connection ends";
        fails("$name, $how", $url, $id);
        $c->close;
    }
    my ($c, $id) = waiting('/park/small/echo.pl', substr($body, 0, 3000),
                           tls => $tls);
    $c->send(substr $body, 3000);
    my $answer = $c->answer;
    is $answer->{status}, 413, "$how: an ErrorDocument has the status";
    is $answer->{body}, $hello, "$how: and its own text";
    ok $c->closed, "$how: and nothing follows";
    fails("ErrorDocument, $how", '/park/small/echo.pl', $id);
    $c->close;
}

# A filter below answers: LimitRequestBody, of a body without a length.
{
    my ($c, $id) = waiting('/park/small/echo.pl',
        sprintf("%x\r\n", 30_000) . substr($body, 0, 300), length => undef);
    $c->send('x' x 10_000);
    $c->send('x' x 19_000);
    is $c->answer->{status}, 413, 'LimitRequestBody: 413';
    ok $c->closed, 'LimitRequestBody: and the end';
    fails('LimitRequestBody', '/park/small/echo.pl', $id);
    $c->close;
}
{
    my ($c, $id) = waiting($cgi, "5\r\n--b\r\n", length => undef);
    $c->send("xyz\r\n");
    is $c->answer->{status}, 400, 'no chunk: 400';
    ok $c->closed, 'no chunk: and the end';
    fails('no chunk', $cgi, $id);
    $c->close;
}

# --- The application fails ------------------------------------------------------

{
    my ($c, $id) = waiting('/park/failing/echo.pl?status=500',
                           substr $body, 0, 500);
    $c->send(substr $body, 500);
    is $c->answer->{status}, 500, 'the application fails: its status';
    ok wait_for(sub { !files($id) }), 'UploadCleanup has its way';
    $c->close;
    ($c, $id) = waiting('/park/failing/echo.pl?die', substr $body, 0, 500);
    $c->send(substr $body, 500);
    my $answer = $c->answer;
    is $answer->{status}, 500, 'it dies: 500';
    is $answer->{body}, $hello, 'with the ErrorDocument';
    $c->close;
}

# --- Cleared while it waits -----------------------------------------------------

for my $tls (0, 1) {
    my $how = $tls ? 'TLS' : 'plain';
    my @held = map { [waiting('/park/alone', substr($body, 0, $_),
                              tls => $tls, headers => $json)] } 0, 30, 9000;
    for my $held (@held) {
        my ($c, $id) = @$held;
        is request('DELETE', "/park/alone?X-Progress-ID=$id")->{status}, 200,
            "$how: cleared";
    }
    for my $held (@held) {
        my ($c, $id) = @$held;
        # Nothing more was sent: the server itself has to see it.
        my $answer = $c->answer;
        is $answer->{status}, 409, "$how: its client is told";
        is $answer->{json}{error}, 'Upload was cleared', "$how: why";
        ok $c->closed, "$how: and the connection ends";
        is_deeply status('/park/alone', $id), {state => 'starting'},
            "$how: nothing is left";
        is upload('/park/alone', [{name => 'f', filename => 'f',
            content => 'new'}], id => $id)->{status}, 200,
            "$how: the identifier is free";
        $c->close;
    }
}

# --- Clients that go ------------------------------------------------------------

for my $end (qw(close reset)) {
    for my $tls (0, 1) {
        my ($c, $id) = waiting($cgi, substr($body, 0, 700), tls => $tls);
        $c->$end;
        fails("$end, " . ($tls ? 'TLS' : 'plain'), $cgi, $id);
    }
    my ($c, $id) = waiting($cgi, "5\r\n--b\r\n", length => undef);
    $c->$end;
    fails("$end in chunks", $cgi, $id);
}
{
    my ($c, $id) = waiting($cgi, substr($body, 0, 700));
    $c->finish;
    like $c->answer->{status}, qr/^(?:0|400)$/, 'half a connection: 400';
    fails('half close', $cgi, $id);
    $c->close;
}

# --- Bytes that wait in a filter ------------------------------------------------

# mod_ssl has decrypted them, and the socket is empty.
{
    my $long = 'l' x 40_000;
    my ($text) = multipart([{name => 'f', filename => 'f', content => $long}],
                           boundary => 'b');
    my ($c, $id) = waiting($cgi, '', tls => 1, length => length $text);
    for my $at (map { $_ * 10_000 } 0 .. 3) {
        $c->send(substr $text, $at, 10_000);
        ok wait_for(sub {
            (status($cgi, $id)->{received} || 0) >= $at + 10_000
        }), "TLS: all of a record is taken in, $at";
    }
    $c->send(substr $text, 40_000);
    is $c->answer->{status}, 200, 'TLS: the end of it';
    $c->close;
}
# mod_deflate takes in and gives nothing for a while.
for my $coded (0, 1) {
    my $name = $coded ? 'gzip in chunks' : 'gzip';
    my $random = random_bytes(20_000);
    my ($text) = multipart([{name => 'f', filename => 'f',
        content => $random . 'z' x 200_000}], boundary => 'b');
    my $packed = Compress::Zlib::memGzip($text);
    my $length = length $packed;
    $packed = chunked($packed, 1500) if $coded;
    my ($c, $id) = waiting('/park/inflate/echo.pl', substr($packed, 0, 3),
        quick => 1, length => $coded ? undef : $length,
        headers => "Content-Encoding: gzip\r\n");
    for my $at (3, 11, 500, 5000, 12_000) {
        my ($end) = grep { $_ > $at } 11, 500, 5000, 12_000, length $packed;
        $c->send(substr $packed, $at, $end - $at);
        sleep 0.05;
    }
    my $answer = $c->answer;
    is $answer->{status}, 200, "$name: 200";
    is application($answer)->{files}[0]{size}, 220_000, "$name: all of it";
    is substr(slurp(application($answer)->{files}[0]{path}), 0, 20_000),
        $random, "$name: every byte";
    $c->close;
}

# --- Beside the others ----------------------------------------------------------

{
    my ($c, $id) = waiting($cgi, substr $body, 0, 700);
    is upload($cgi, [{name => 'f', value => 'v'}], id => $id)->{status}, 409,
        'in flight for everybody else';
    my $s = status($cgi, $id);
    is $s->{received}, 700, 'what has come shows';
    is $s->{size}, length $body, 'of how much';
    my $page = request('GET', '/server-status');
    is $page->{status}, 200, 'mod_status answers';
    like request('GET', '/server-status?auto')->{body},
        qr/^Scoreboard: [_SRWKDCLGI.]+$/m, 'with a sane scoreboard';
    $c->send(substr $body, 700);
    is $c->answer->{status}, 200, 'and it goes on';
    is upload($cgi, [{name => 'f', filename => 'f', content => 'again'}],
              id => $id)->{status}, 200, 'and then comes the next';
    $c->close;
}
# Held back by UploadRate, and slow at the same time.
{
    my ($c, $id) = waiting('/park/rate/echo.pl', substr $body, 0, 700);
    for my $at (700, 3000, 6000) {
        $c->send(substr $body, $at, $at == 6000 ? length $body
                 : $at == 700 ? 2300 : 3000);
        sleep 0.05;
    }
    is $c->answer->{status}, 200, 'UploadRate';
    $c->close;
}
# HTTP/2, for which a thread waits.
{
    my $file = var('t_logs') . '/park-h2';
    spew($file, 'h' x 150_000);
    my $id = new_id();
    my $answer = curl('--http2-prior-knowledge', '--limit-rate', '200k',
        '-F', "f=\@$file", base() . "$cgi?X-Progress-ID=$id");
    is $answer->{status}, 200, 'HTTP/2: 200';
    is application($answer)->{files}[0]{size}, 150_000, 'HTTP/2: all of it';
    $id = new_id();
    $answer = curl('--http2-prior-knowledge', '-H', 'Expect: 100-continue',
        '-F', "f=\@$file", base() . "$cgi?X-Progress-ID=$id");
    is $answer->{status}, 200, 'HTTP/2 with Expect: 200';
    unlink $file;
}

is_deeply [grep { !/\.(?:json|bin)$|\/(?:lock|run)$/ } pool_files('park')], [],
    'nothing strange in the pool';
is crashes_since($mark), 0, 'no child died';
done_testing;
