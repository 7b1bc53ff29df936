# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Interruptions (sections 4.2.2 and 4.4.2 of draft-ietf-httpbis-resumable-
# upload) and concurrency (4.6): a later request ends one that is still writing,
# and what has arrived is kept.

use strict;
use warnings FATAL => 'all';
use IO::Select ();
use Test::More;
use UploadPool::Ietf;
use UploadPool::Test;

my $mark = log_mark();
my $url = '/ietf/echo.pl';

# A request whose content stops short; the connection stays open.
sub hang
{
    my ($method, $where, $bytes, $announced, @headers) = @_;
    my $c = connect_raw();
    my $head = "$method $where HTTP/1.1\r\nHost: x\r\n"
        . "Content-Length: $announced\r\nUpload-Draft-Interop-Version: 8\r\n";
    while (my ($name, $value) = splice @headers, 0, 2) {
        $head .= "$name: $value\r\n";
    }
    $c->send("$head\r\n$bytes");
    return $c;
}

sub hang_append
{
    my ($where, $offset, $bytes, $announced) = @_;
    return hang('PATCH', $where, $bytes, $announced, 'Upload-Complete', '?1',
                'Upload-Offset', $offset,
                'Content-Type', 'application/partial-upload');
}

# Polls by the status endpoint, which disturbs nobody.
sub received
{
    my ($where) = @_;
    my ($base, $id) = $where =~ m{^(.*)/([^/]+)$};
    return status($base, $id)->{received} // -1;
}

# The older request of two: an answer that nobody waits for, and the end.
sub ended
{
    my ($c, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is $c->answer->{status}, 409, "$name: answered";
    ok $c->closed, "$name: and closed";
    return;
}

sub arrived
{
    my ($where, $bytes) = @_;
    return wait_for(sub { received($where) == $bytes });
}

# --- The client goes away ----------------------------------------------------

for my $way (qw(close reset)) {
    my $c = hang('POST', $url, 'abcdef', 20, 'Upload-Complete', '?1');
    my $at = $c->interim->{headers}{location};
    ok arrived($at, 6), "4.2.2 $way: part of the content";
    $c->$way;
    my $r = state_is($at, 6, 0, "4.2.2 $way: kept, and MUST NOT be complete");
    is $r->{headers}{'upload-length'}, 20, "$way: the length was recorded";
    $c = hang_append($at, 6, 'ghij', 14);
    ok arrived($at, 10), "4.4.2 $way: part of an append";
    $c->$way;
    state_is($at, 10, 0, "4.4.2 $way: kept, and MUST NOT be complete");
    $r = append($at, 10, 'klmnopqrst');
    is $r->{status}, 200, "$way: resumed";
    is slurp(application($r)->{files}[0]{path}), 'abcdefghijklmnopqrst',
        "$way: the bytes";
}

# --- 4.6: it does not go away, and comes back --------------------------------

# R4: The later request takes over.
for my $method (qw(HEAD GET PATCH DELETE)) {
    my $c = hang('POST', $url, 'abcdef', 20, 'Upload-Complete', '?1');
    my $at = $c->interim->{headers}{location};
    ok arrived($at, 6), "4.6 $method: somebody is writing";
    if ($method eq 'DELETE') {
        is state_of($at, method => $method)->{status}, 204, '4.5.2 DELETE';
        ended($c, '4.5.2 in-flight requests are ended');
        is state_of($at)->{status}, 404, '4.5.2 the resource is gone';
        next;
    }
    if ($method eq 'PATCH') {
        my $r = append($at, 6, 'ghijklmnopqrst');
        is $r->{status}, 200, '4.6 an append ends who was writing';
        is slurp(application($r)->{files}[0]{path}), 'abcdefghijklmnopqrst',
            '4.6 no byte is lost';
        ended($c, '4.6 the older request');
        next;
    }
    my $r = state_of($at, method => $method);
    is $r->{headers}{'upload-offset'}, 6, "4.6 $method: the offset";
    ended($c, "4.6 $method: the older request");
    $c->send('LATE BYTES OF IT');
    $r = append($at, $r->{headers}{'upload-offset'}, 'ghijklmnopqrst');
    is $r->{status}, 200, "4.6 $method: it MUST be accepted afterwards";
    is slurp(application($r)->{files}[0]{path}), 'abcdefghijklmnopqrst',
        "4.6 $method: nothing of the older one comes after";
}

# --- Several at once ---------------------------------------------------------

my $at = create($url, 'abc', complete => 0)->{headers}{location};
my @pids;
my $dir = var('t_logs');
for my $n (1 .. 6) {
    my $pid = fork;
    die "fork: $!" unless defined $pid;
    if (!$pid) {
        my $r = append($at, 3, "part $n " . $n x 50_000, complete => 0);
        spew("$dir/ietf-$n", "$r->{status} "
             . ($r->{headers}{'upload-offset'} // 'none'));
        require POSIX;
        POSIX::_exit(0);
    }
    push @pids, $pid;
}
waitpid $_, 0 for @pids;
my @said = map { slurp("$dir/ietf-$_") } 1 .. 6;
unlink map { "$dir/ietf-$_" } 1 .. 6;
my @won = grep { $said[$_ - 1] =~ /^204 / } 1 .. 6;
cmp_ok scalar @won, '<=', 1, '4.6 of appends at one offset one is whole at most'
    or diag join "\n", @said;
my $r = append($at, state_of($at)->{headers}{'upload-offset'}, '!');
is $r->{status}, 200, '4.6 and the upload can be completed';
my $stored = slurp(application($r)->{files}[0]{path});
like $stored, qr/\Aabc(part (\d) (?:\2)*)?(?:part)?[ 1-6]*!\z/,
    '4.6 with the bytes of one after another';
ok $stored =~ /\Aabc(?:p(?:a(?:r(?:t(?: (?:\d(?: (\d)\1*)?)?)?)?)?)?)?!\z/
    || $stored =~ /\Aabcpart (\d) \1{50000}!\z/, '4.6 and never of two mixed'
    or diag substr $stored, 0, 60;

# One of several final requests runs the application, all get its answer.
$at = create("$url?sleep=0.3", 'abc', complete => 0)->{headers}{location};
@pids = ();
for my $n (1 .. 4) {
    my $pid = fork;
    die "fork: $!" unless defined $pid;
    if (!$pid) {
        my $answer = append($at, 3, '', complete => 1);
        spew("$dir/ietf-$n", "$answer->{status} "
             . ($answer->{headers}{'upload-complete'} // 'none') . ' '
             . ($answer->{json}{env}{UNIQUE_ID} // 'none'));
        require POSIX;
        POSIX::_exit(0);
    }
    push @pids, $pid;
}
waitpid $_, 0 for @pids;
@said = map { slurp("$dir/ietf-$_") } 1 .. 4;
unlink map { "$dir/ietf-$_" } 1 .. 4;
is scalar(grep { /^200 \?1/ } @said), 4, '4.4.2 each gets the final answer'
    or diag join "\n", @said;
my %ran = map { (split)[2] => 1 } @said;
is scalar keys %ran, 1, 'the application ran once' or diag join "\n", @said;

# --- A restart in between ----------------------------------------------------

$at = create($url, 'abc', complete => 0, of => 6)->{headers}{location};
restart_graceful();
state_is($at, 3, 0, '4.1 the state outlives a restart');
is append($at, 3, 'def')->{status}, 200, 'and goes on';

is crashes_since($mark), 0, 'no child died';
done_testing;
