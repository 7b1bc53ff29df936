# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Progress across a graceful restart in the middle of uploads, and after a child
# was killed.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;

my $url = '/stat/echo.pl';
my $content = 'x' x 40_000;
my ($body, $type) = multipart([{name => 'f', filename => 'f.bin',
                                content => $content}]);

sub begin
{
    my ($id, $part) = @_;
    my $c = connect_raw();
    $c->send("POST $url?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
             . "Content-Type: $type\r\nContent-Length: " . length($body)
             . "\r\n\r\n" . substr $body, 0, $part);
    wait_for(sub { (status($url, $id)->{received} || 0) >= $part })
        or die 'the upload does not begin';
    return $c;
}

# The child that an upload is in, from the log since mark, which shows the
# first half of an identifier.
sub child_of
{
    my ($id, $mark) = @_;
    my $short = substr $id, 0, 18;
    return wait_for(sub {
        error_log_since($mark)
            =~ /\[pid (\d+)[^\n]*UPL0020: upload \Q$short\E/ && $1;
    });
}

# --- Graceful restart -------------------------------------------------------

# D8: Progress outlives a restart.
my $mark = log_mark();
my @uploads = map { my $id = new_id(); [$id, begin($id, 9000)] } 1 .. 3;
my $done = new_id();
upload($url, [{name => 'f', filename => 'old', content => 'x'}], id => $done);
restart_graceful();
for my $u (@uploads) {
    my ($id, $c) = @$u;
    my $s = status($url, $id);
    is $s->{state}, 'uploading', 'the new generation shows it';
    is $s->{received}, 9000, 'with what was received';
}
is status($url, $done)->{state}, 'done', 'what was done is done';
my ($id, $c) = @{ $uploads[0] };
is upload($url, [{name => 'f', value => 'v'}], id => $id)->{status}, 409,
    'and it is still in flight for others';
$c->send(substr $body, 9000, 11_000);
ok wait_for(sub { status($url, $id)->{received} >= 20_000 }),
    'progress goes on over the restart';
$c->send(substr $body, 20_000);
my $r = $c->answer;
is $r->{status}, 200, 'it completes in the old generation';
is slurp(application($r)->{files}[0]{path}), $content, 'whole';
is status($url, $id)->{state}, 'done', 'the new generation knows';
$c->close;

($id, $c) = @{ $uploads[1] };
is request('DELETE', "$url?X-Progress-ID=$id")->{status}, 200,
    'the new generation clears what the old one has in flight';
$c->send(substr $body, 9000);
is $c->answer->{status}, 409, 'and the old one ends';
$c->close;
is_deeply status($url, $id), {state => 'starting'}, 'nothing is left';

restart_graceful();
($id, $c) = @{ $uploads[2] };
is status($url, $id)->{state}, 'uploading', 'after two restarts';
$c->send(substr $body, 9000);
is $c->answer->{status}, 200, 'it completes';
$c->close;
is status($url, $id)->{state}, 'done', 'and is done';
is crashes_since($mark), 0, 'no child died';

# --- A killed child ---------------------------------------------------------

$id = unpack 'H40', random_bytes(20);
$mark = log_mark();
$c = begin($id, 9000);
my $pid = child_of($id, $mark);
ok $pid, 'its child is found';
kill 'KILL', $pid;
my $s = wait_for(sub {
    my $s = status($url, $id);
    return $s->{state} eq 'error' && $s;
});
is $s->{state}, 'error', 'a killed child: error';
is $s->{error}, 'Upload was interrupted', 'interrupted';
is $s->{received}, 9000, 'what had come';
is upload($url, [{name => 'f', filename => 'f', content => 'again'}],
          id => $id)->{status}, 200, 'the identifier is free at once';
is request('GET', "$url/file?X-Progress-ID=$id")->{body}, 'again',
    'the new upload is whole';
is scalar(grep { m{^\Q$id\E/.*bin} } pool_files('stat')), 1,
    'and nothing of the killed one is left';
$c->close;

# With an old upload under the same identifier.
$mark = log_mark();
$c = begin($id, 9000);
kill 'KILL', child_of($id, $mark);
ok wait_for(sub { status($url, $id)->{state} eq 'error' }),
    'killed while replacing: error';
is request('GET', "$url/file?X-Progress-ID=$id")->{body}, 'again',
    'the old file is still there';
is request('DELETE', "$url?X-Progress-ID=$id")->{status}, 200, 'cleared';
is_deeply [grep { /^\Q$id\E/ } pool_dirs('stat')], [], 'nothing is left';
$c->close;

# The server has recovered.
ok wait_for(sub { children() > 1 }), 'new children';
is request('GET', '/hello.txt')->{status}, 200, 'and it answers';
done_testing;
