# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# I4: a client that asks for an upload of another user, or of another pool, gets
# the same answer as for one that never existed: the same status, head and body,
# by every way of asking, whatever the state of the upload.

use strict;
use warnings FATAL => 'all';
use MIME::Base64 qw(encode_base64);
use Test::More;
use UploadPool::Stream;
use UploadPool::Test;

my $mark = log_mark();
my $url = '/room-owner';
my ($body, $type) = multipart([{name => 'f', filename => 'secret.txt',
                                content => 'x' x 5000}]);
my %as = map { $_ => 'Authorization: Basic '
    . encode_base64("$_:$_-secret", '') . "\r\n" } qw(ann bob);

sub ask
{
    my ($method, $where, $headers) = @_;
    my $c = connect_raw();
    $c->send("$method $where HTTP/1.1\r\nHost: x\r\n${headers}"
             . "Connection: close\r\n\r\n");
    my $r = $c->answer(head => $method eq 'HEAD');
    $c->close;
    return $r;
}

# All that the client sees, but the time.
sub seen
{
    my ($r) = @_;
    my $head = $r->{head} =~ s/^Date: .*\r\n//mr;
    return "$head$r->{body}";
}

sub begin
{
    my ($where, $id, $headers, $part) = @_;
    my $c = connect_raw();
    $c->send("POST $where?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n$headers"
        . "Content-Type: $type\r\nContent-Length: " . length($body)
        . "\r\n\r\n" . substr $body, 0, $part);
    return $c;
}

my @status = (['GET', '/status?'], ['HEAD', '/status?'],
              ['GET', '?status&'], ['GET', '/status?n=0&'],
              ['GET', '/status?callback=f&']);
my @file = (['GET', '/file?'], ['HEAD', '/file?'], ['GET', '/file?n=1&']);

sub is_unknown
{
    my ($where, $headers, $id, $state, @ways) = @_;
    my $none = new_id();
    for my $way (@ways) {
        my ($method, $query) = @$way;
        my ($theirs, $nobodys) = map { ask($method,
            "$where${query}X-Progress-ID=$_", $headers) } $id, $none;
        is seen($theirs), seen($nobodys), "$state: $method $where$query";
        is $theirs->{headers}{'cache-control'}, 'no-store',
            "$state: $method $where$query is not kept"
            if $query !~ /file/;
    }
    my @said = map {
        my $stream = UploadPool::Stream->new($where, $_, headers =>
            [grep { length } split /\r\n/, $headers]);
        my $first = $stream->next;
        my $said = as_json([$stream->{status}, $first->{event},
                            $first->{data}]);
        $stream->close;
        $said;
    } $id, $none;
    is $said[0], $said[1], "$state: the stream of $where";
    return;
}

# --- Another user's -------------------------------------------------------------

my $id = new_id();
my $c = begin($url, $id, $as{ann}, 3000);
wait_for(sub { (ask('GET', "$url/status?X-Progress-ID=$id", $as{ann})
                    ->{json}{received} || 0) >= 3000 })
    or die 'it does not begin';
is_unknown($url, $as{bob}, $id, 'in flight', @status, @file);
$c->send(substr $body, 3000);
is $c->answer->{status}, 200, 'it completes';
$c->close;
is_unknown($url, $as{bob}, $id, 'done', @status, @file);
isnt seen(ask('GET', "$url/status?X-Progress-ID=$id", $as{ann})),
    seen(ask('GET', "$url/status?X-Progress-ID=" . new_id(), $as{ann})),
    'its owner is told more';
my $failed = new_id();
begin($url, $failed, $as{ann}, 2000)->reset;
ok wait_for(sub { ask('GET', "$url/status?X-Progress-ID=$failed", $as{ann})
                      ->{json}{state} eq 'error' }), 'another fails';
is_unknown($url, $as{bob}, $failed, 'failed', @status, @file);

# --- Another pool's -------------------------------------------------------------

$id = new_id();
is upload('/ident/echo.pl', [{name => 'f', filename => 'f', content => 'x'}],
          id => $id)->{status}, 200, 'one of another pool';
is_unknown('/ident-old/echo.pl', '', $id, 'in another pool', @status);
my $key = 'the only key of the ident suite, 38 b.';
is upload('/ident-key/echo.pl', [{name => 'f', filename => 'f',
          content => 'x'}], id => sign($key, $id))->{status}, 200,
    'the same in a pool with a key';
my @wrong = map { ask('GET', "/ident-key/echo.pl/status?X-Progress-ID=$_:"
                      . '0' x 64, '') } $id, new_id();
is seen($wrong[0]), seen($wrong[1]), 'and who has no key learns nothing';

is crashes_since($mark), 0, 'no child died';
done_testing;
