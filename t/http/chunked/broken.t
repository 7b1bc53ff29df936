# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Clients that leave, stall, come twice or at the same time: what has arrived
# stays, nothing is stored twice, and the application runs once.

use strict;
use warnings FATAL => 'all';
use Test::More;
use Digest::MD5 qw(md5_hex);
use UploadPool::Test;
use UploadPool::Chunked;

my $mark = log_mark();
my $url = '/chunked/echo.pl';
my $content = random_bytes(300_000);
my $total = length $content;

# The head and body of a chunk, for those who send it themselves.
sub request_text
{
    my ($target, $from, $to, @fields) = @_;
    my @parts;
    while (my ($name, $value) = splice @fields, 0, 2) {
        push @parts, {name => $name, value => $value};
    }
    my ($body, $type) = multipart([@parts, {
        name => 'file', filename => 'a.bin',
        content => substr $content, $from, $to - $from + 1,
    }]);
    my $head = "POST $target HTTP/1.1\r\nHost: localhost\r\n"
        . "Connection: close\r\nContent-Type: $type\r\n"
        . "Content-Range: bytes $from-$to/$total\r\n"
        . 'Content-Length: ' . length($body) . "\r\n\r\n";
    return ($head, $body);
}

# --- A client that goes -----------------------------------------------------

# D7: A client that goes leaves what came.
for my $how (qw(fin rst)) {
    my $id = new_id();
    chunk($url, substr($content, 0, 100_000), id => $id,
          range => "bytes 0-99999/$total");
    my ($head, $body) = request_text($url, 100_000, 199_999,
                                     upload_id => $id);
    my $cut = index($body, substr $content, 100_000, 100) + 50_000;
    my $c = connect_raw();
    $c->send($head . substr $body, 0, $cut);
    # What has arrived is seen before the client goes: a reset discards it.
    # Where the bytes end like the beginning of a boundary, those wait.
    ok wait_for(sub { status($url, $id)->{received} >= 149_990 }),
        "$how: it arrives";
    $how eq 'rst' ? $c->reset : $c->close;
    my $ask = raw('POST', $url, '', id => $id, range => "bytes */$total");
    is $ask->{status}, 200, "$how: the offset can be asked for";
    my $offset = $ask->{json}{offset};
    ok $offset >= 150_000 - 65_536 && $offset <= 150_000,
        "$how: what came is there: $offset";
    my $r = chunk($url, substr($content, $offset), before => [upload_id => $id],
                  range => "bytes $offset-" . ($total - 1) . "/$total");
    is $r->{json}{offset}, $total, "$how: the rest follows";
    $r = complete($url, upload_id => $id, md5 => md5_hex($content));
    is $r->{status}, 200, "$how: the sum is right";
    ok stored($r) eq $content, "$how: and so is every byte";
}

# --- A client that stalls ---------------------------------------------------

{
    my $id = new_id();
    chunk($url, substr($content, 0, 100_000), id => $id,
          range => "bytes 0-99999/$total");
    my ($head, $body) = request_text($url, 100_000, 199_999,
                                     upload_id => $id);
    my $c = connect_raw();
    $c->send($head . substr $body, 0, 60_000);
    wait_for(sub { status($url, $id)->{received} > 100_000 });
    my $ask = raw('POST', $url, '', id => $id, range => "bytes */$total");
    is $ask->{status}, 200, 'asked while another request is under way';
    my $offset = $ask->{json}{offset};
    ok $offset > 100_000, 'it tells what came';
    my $r = chunk($url, substr($content, $offset), before => [upload_id => $id],
                  range => "bytes $offset-" . ($total - 1) . "/$total");
    is $r->{json}{offset}, $total, 'and the one who asked goes on';
    my $late = $c->answer;
    is $late->{status}, 409, 'the one that stalled is told';
    is complete($url, upload_id => $id, md5 => md5_hex($content))->{status},
        200, 'nothing of it came twice';
}

# --- Two at one offset ------------------------------------------------------

for my $round (1 .. 10) {
    my $id = new_id();
    chunk($url, substr($content, 0, 1_000), id => $id,
          range => "bytes 0-999/$total");
    my ($head, $body) = request_text($url, 1_000, 50_999, upload_id => $id);
    my @c = map { connect_raw() } 1 .. 3;
    $_->send($head . substr $body, 0, 40_000) for @c;
    $_->send(substr $body, 40_000) for @c;
    # A newer one may end an older, whose bytes stay: then it finds that the
    # offset is another by now, and both are refused. Never are two taken.
    my @statuses = sort map { $_->answer->{status} } @c;
    ok !(grep { $_ != 400 && $_ != 409 } @statuses[1, 2])
        && $statuses[0] =~ /^(?:200|400|409)$/,
        "round $round: one of three at one offset, if any: @statuses";
    my $held = status($url, $id)->{received};
    ok $statuses[0] == 200 ? $held == 51_000
        : $held >= 1_000 && $held <= 51_000, "round $round: once: $held";
    my $r = chunk($url, substr($content, $held), before => [upload_id => $id],
                  range => "bytes $held-" . ($total - 1) . "/$total");
    $r = complete($url, upload_id => $id, md5 => md5_hex($content));
    is $r->{status}, 200, "round $round: every byte is right";
}

# --- Completed by many at once ---------------------------------------------

for my $round (1 .. 5) {
    my $id = chunk($url, 'hello')->{json}{upload_id};
    my $body = "upload_id=$id&md5=" . md5_hex('hello');
    my $text = "POST $url/complete HTTP/1.1\r\nHost: localhost\r\n"
        . "Connection: close\r\nContent-Type: application/x-www-form-urlencoded"
        . "\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
    my @c = map { connect_raw() } 1 .. 6;
    $_->send($text) for @c;
    my @answers = map { $_->answer } @c;
    my %bodies = map { $_->{body} => 1 }
        grep { $_->{status} == 200 } @answers;
    is scalar keys %bodies, 1, "round $round: the application answers once";
    ok !(grep { $_->{status} !~ /^(?:200|400|409)$/ } @answers),
        "round $round: " . join ' ', map { $_->{status} } @answers;
}

# --- An application that fails ---------------------------------------------

{
    my $id = chunk("$url?status=503", 'hello')->{json}{upload_id};
    my @end = (upload_id => $id, md5 => md5_hex('hello'));
    is complete($url, @end)->{status}, 503, 'an application that fails';
    is complete($url, @end)->{status}, 503, 'may be asked again';
    $id = chunk("$url?status=422", 'hello')->{json}{upload_id};
    @end = (upload_id => $id, md5 => md5_hex('hello'));
    is complete($url, @end)->{status}, 422, 'one that refuses';
    is complete($url, @end)->{status}, 400, 'has said so';
}

# --- Cleared ------------------------------------------------------------------

{
    my $id = new_id();
    chunk($url, substr($content, 0, 1_000), id => $id,
          range => "bytes 0-999/$total");
    my ($head, $body) = request_text($url, 1_000, 50_999, upload_id => $id);
    my $c = connect_raw();
    $c->send($head . substr $body, 0, 40_000);
    wait_for(sub { status($url, $id)->{received} > 1_000 });
    request('DELETE', "$url?X-Progress-ID=$id");
    my $r = $c->answer;
    is $r->{status}, 409, 'a chunk of an upload that is cleared';
    is $r->{json}{detail}, 'Upload was cleared', 'detail';
    is status($url, $id)->{state}, 'starting', 'there is no upload';
    is scalar(grep { m{^\Q$id\E/} } pool_files('chunked')), 0,
        'and nothing of it';
}

# --- A form upload to the same identifier -----------------------------------

{
    my $both = '/chunked-both/echo.pl';
    my $id = new_id();
    chunk($both, 'hello', id => $id, range => 'bytes 0-4/10');
    my $form = chunk($both, 'other', id => $id);
    is $form->{status}, 409, 'a form does not replace what is on its way';
    is stored(chunk($both, 'new', id => new_id())), 'new', 'another does';
}

is crashes_since($mark), 0, 'no child died';
done_testing;
