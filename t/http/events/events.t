# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Server-sent events: what a browser's EventSource reads while an upload
# arrives, over HTTP/1.1, TLS and HTTP/2, and when it must not be given a
# stream.

use strict;
use warnings FATAL => 'all';
use Test::More;
use Time::HiRes qw(sleep);
use UploadPool::Test;
use UploadPool::Stream;

my $mark = log_mark();
my $url = '/stream/echo.pl';
my ($body, $type) = multipart([{name => 'f', filename => "two\nlines.bin",
                                content => 's' x 60_000}], boundary => 'b');

# The head of an upload and its first bytes.
sub begin
{
    my ($where, $id, $bytes) = @_;
    my $c = connect_raw();
    $c->send("POST $where?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
        . "Content-Type: $type\r\nContent-Length: " . length($body)
        . "\r\n\r\n" . substr $body, 0, $bytes);
    return $c;
}

sub watch { return UploadPool::Stream->new(@_) }

# --- From the beginning to the end ------------------------------------------

for my $way (['HTTP/1.1'], ['TLS', tls => 1]) {
    my ($name, @to) = @$way;
    my $id = new_id();
    my $stream = watch($url, $id, @to);
    is $stream->{status}, 200, "$name: answered";
    like $stream->{headers}{'content-type'}, qr{^text/event-stream(?:;|$)},
        "$name: as an event stream";
    is $stream->{headers}{'cache-control'}, 'no-store', "$name: never cached";
    my $first = $stream->next;
    is_deeply $first, {retry => 2000, event => 'status',
                       data => {state => 'starting'}},
        "$name: first what is known now" or diag explain $first;
    my $c = begin($url, $id, 20_000);
    my $on = $stream->next;
    $on = $stream->next while $on && $on->{data}{received} < 20_000;
    is $on->{data}{state}, 'uploading', "$name: it is coming";
    is_deeply [@{ $on->{data} }{qw(identifier received size)}],
        [$id, 20_000, length $body], "$name: how far it is";
    is $on->{data}{filename}, "two\nlines.bin", "$name: one line of data";
    ok !exists $on->{id}, "$name: no id in the middle";
    $c->send(substr $body, 20_000);
    is $c->answer->{status}, 200, "$name: uploaded";
    my $end;
    while (my $event = $stream->next) {
        $end = $event;
    }
    is_deeply [@$end{qw(event id)}, @{ $end->{data} }{qw(state received)}],
        ['status', 'end', 'done', length $body], "$name: done ends it";

    my $again = watch($url, $id, @to);
    is $again->next->{data}{state}, 'done', "$name: who comes late";
    is $again->next, undef, "$name: hears of the end alone";
    is watch($url, $id, @to, headers => ['Last-Event-ID: end'])->{status}, 204,
        "$name: EventSource is told to stop";
}

# --- HTTP/2, and a stream beside it on the same connection --------------------

{
    my $id = new_id();
    my $pid = open my $out, '-|', 'curl', '-sN', '--http2-prior-knowledge',
        '--max-time', 120, base() . "$url/status?X-Progress-ID=$id&stream"
        or die "curl: $!";
    my $text = '';
    $text .= <$out> until $text =~ /"starting"/;
    pass 'h2: it begins';
    is upload($url, [{name => 'f', filename => 'f', content => 'x'}],
              id => $id)->{status}, 200, 'h2: uploaded';
    { local $/; $text .= <$out>; }
    like $text, qr/id: end\nevent: status\ndata: \{.*"done".*\}\n\n\z/s,
        'h2: done ends it';
    close $out;
    is $?, 0, 'h2: a clean end';
}

# --- Errors and ends of another kind -----------------------------------------

{
    my $id = new_id();
    my $stream = watch($url, $id);
    $stream->next;
    my $c = begin($url, $id, 20_000);
    ok wait_for(sub { status($url, $id)->{state} eq 'uploading' }), 'begun';
    $c->reset;
    my $end;
    while (my $event = $stream->next) {
        $end = $event;
    }
    is_deeply [$end->{id}, $end->{data}{state}], ['end', 'error'],
        'an error ends it';
    ok length $end->{data}{error}, 'and says which';
}
{
    my $id = new_id();
    my $stream = watch($url, $id);
    $stream->next;
    my $c = begin($url, $id, 20_000);
    is $stream->next->{data}{state}, 'uploading', 'it comes';
    is request('DELETE', "$url?X-Progress-ID=$id")->{json}{success},
        JSON::PP::true(), 'it is cleared';
    my $event = $stream->next;
    $event = $stream->next while $event->{data}{state} eq 'uploading';
    is $event->{data}{state}, 'starting', 'its watcher knows nothing of it';
    $_->close for $c, $stream;
}
{
    # A pause between two requests is no end.
    my $id = new_id();
    my @tus = ('Tus-Resumable', '1.0.0');
    my $where = '/stream-tus/up';
    is request('POST', "$where?X-Progress-ID=$id", headers => [@tus,
        'Upload-Length', 10])->{status}, 201, 'tus: created';
    my $stream = watch($where, $id);
    is $stream->next->{data}{received}, 0, 'tus: nothing yet';
    for my $at (0, 5) {
        request('PATCH', "$where/$id", body => '12345', headers => [@tus,
            'Upload-Offset', $at, 'Content-Type',
            'application/offset+octet-stream']);
        my $event = $stream->next;
        $event = $stream->next while $event->{data}{received} < $at + 5;
        is $event->{data}{received}, $at + 5, "tus: @{[$at + 5]} bytes";
        is $event->{data}{state}, $at ? 'done' : 'uploading', 'tus: its state';
    }
    is $stream->next, undef, 'tus: then it is over';
}

# --- What is no stream ---------------------------------------------------------

my $id = new_id();
upload($url, [{name => 'f', filename => 'f', content => 'x'}], id => $id);
is request('GET', "$url/status?X-Progress-ID=$id&stream&callback=f")
       ->{status}, 400, 'no JSONP stream';
is request('GET', "$url/status?X-Progress-ID=$id&callback=f")->{status}, 200,
    'JSONP without stream';
{
    my $c = connect_raw();
    $c->send("HEAD $url/status?X-Progress-ID=" . new_id()
             . "&stream HTTP/1.1\r\nHost: x\r\n\r\n");
    my $head = $c->answer(head => 1);
    is $head->{status}, 200, 'HEAD is answered at once';
    like $head->{headers}{'content-type'}, qr{^text/event-stream},
        'as GET would be';
}
is request('GET', "$url?status&stream=1&X-Progress-ID=$id")->{headers}
       {'content-type'}, 'text/event-stream', 'U?status&stream';
is request('GET', "$url/status?X-Progress-ID=..%2f&stream")->{status}, 400,
    'a bad identifier';
for my $bad ("$id", "$id:" . 'a' x 64) {
    is request('GET', "/stream-key/echo.pl/status?X-Progress-ID=$bad&stream")
           ->{status}, 403, 'no signature, no stream';
}
{
    my $signed = sign('the key of the stream suite, 34 bytes.', new_id());
    my $stream = watch('/stream-key/echo.pl', $signed);
    is $stream->next->{data}{state}, 'starting', 'with it, there is one';
    $stream->close;
}
{
    # Another address is another owner.
    my $id = new_id();
    my $c = begin($url, $id, 20_000);
    ok wait_for(sub { status($url, $id)->{state} eq 'uploading' }), 'begun';
    my $from = base() . "$url/status?X-Progress-ID=$id&stream";
    my @say = map {
        my $pid = open my $out, '-|', 'curl', '-sN', '--interface', $_, $from
            or die "curl: $!";
        my $text = '';
        while (defined(my $line = <$out>)) {
            $text .= $line;
            last if $line =~ /^data:/;
        }
        kill 'TERM', $pid;
        close $out;
        $text;
    } '127.0.0.1', '127.0.0.2';
    like $say[0], qr/"uploading"/, 'its owner watches it';
    like $say[1], qr/data: \{"state": "starting"\}/, 'a stranger sees nothing';
    unlike $say[1], qr/uploading/, 'of it';
    $c->close;
}
{
    my $stream = watch('/stream-deflate/echo.pl', new_id(),
                       headers => ['Accept-Encoding: gzip']);
    is $stream->{headers}{'content-encoding'}, undef,
        'mod_deflate does not hold it back';
    is $stream->next->{data}{state}, 'starting', 'it comes at once';
    $stream->close;
}
is crashes_since($mark), 0, 'no child died';
done_testing;
