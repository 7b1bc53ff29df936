# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadQuota and UploadFreeSpace: no upload gets room that another has
# reserved, and all room is freed again: after clients that leave and processes
# that are killed, by clearing, by sweeping and by the application.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;
use UploadPool::Bucket ();
use UploadPool::Httpd;

# A file counts that at least, and so does a record.
my $block = 4096;
my $mark = log_mark();
my $url = '/room-quota';
my $full = qr/refused with 507: Upload quota is used up: quota of the pool/;

sub body
{
    my ($bytes) = @_;
    return multipart([{name => 'f', filename => 'f', content => 'x' x $bytes}]);
}

# A connection that has sent the head of an upload and so much of its body.
sub begin
{
    my ($where, $id, $bytes, $part, %o) = @_;
    my ($body, $type) = body($bytes);
    my $c = connect_raw(%o);
    my $sent = substr $body, 0, $part;
    $c->{rest} = substr $body, $part;
    $c->send("POST $where?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
        . "Accept: application/json\r\nContent-Type: $type\r\n"
        . ($o{chunked} ? "Transfer-Encoding: chunked\r\n\r\n"
           . sprintf "%x\r\n%s\r\n", length $sent, $sent
           : "Content-Length: " . length($body) . "\r\n\r\n$sent"));
    return $c;
}

sub put
{
    my ($bytes, %o) = @_;
    my $id = delete $o{id} || new_id();
    my $where = delete $o{where} || $url;
    my $r = upload($where, [{name => 'f', filename => 'f',
                             content => 'x' x $bytes}],
                   id => $id, accept => 'application/json', %o);
    return wantarray ? ($r->{status}, $id) : $r->{status};
}

sub clear
{
    my ($id, @more) = @_;
    return request('DELETE', "$url?X-Progress-ID=$id", @more)->{status};
}

# The room of the pool that uploads under way have reserved.
sub reserved
{
    my (undef, $stat) = UploadPool::Bucket::json('stat', pool('room-quota'));
    return $stat->{ledger} && $stat->{ledger}{reserved};
}

# True as soon as so many bytes fit; what was found to fit is cleared.
sub fits
{
    my ($bytes, @more) = @_;
    return wait_for(sub {
        my ($status, $id) = put($bytes, @more);
        clear($id, @more);
        return $status == 200;
    });
}

# --- Parallel ---------------------------------------------------------------

# D5: A reservation, not an afterthought.
for my $round (1 .. 20) {
    my @c = map { my $id = new_id(); [$id, begin($url, $id, 60_000, 0)] } 1 .. 4;
    $_->[1]->send($_->[1]{rest}) for @c;
    my %count;
    $count{ $_->[1]->answer->{status} }++ for @c;
    is_deeply \%count, {200 => 1, 507 => 3}, "round $round: one of four";
    clear($_->[0]) for @c;
    $_->[1]->close for @c;
}
for my $round (1 .. 5) {
    my @c = map { my $id = new_id();
                  [$id, begin($url, $id, 60_000, 10, chunked => 1)] } 1 .. 3;
    # In turns, so that they grow side by side.
    for my $at (0 .. 5) {
        for my $c (map { $_->[1] } @c) {
            my $piece = substr $c->{rest}, 0, $at < 5 ? 10_000 : 99_999, '';
            $c->send(sprintf("%x\r\n%s\r\n", length $piece, $piece)
                     . ($at < 5 ? '' : "0\r\n\r\n"));
        }
    }
    my %count = (200 => 0, 507 => 0);
    $count{ $_->[1]->answer->{status} || 507 }++ for @c;
    cmp_ok $count{200}, '<=', 1, "round $round, of unknown size: at most one";
    is $count{200} + $count{507}, 3, 'the others get 507';
    $_->[1]->close, clear($_->[0]) for @c;
}
ok fits(99_000), 'all of it is free again';

# --- What a refusal is ------------------------------------------------------

my ($status, $kept) = put(60_000);
is $status, 200, '60 % are stored';
my $at = log_mark();
my ($id, $r) = (new_id());
my ($body, $type) = body(60_000);
my $c = connect_raw();
$c->send("POST $url?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
    . "Accept: application/json\r\nContent-Type: $type\r\n"
    . "Content-Length: " . length($body) . "\r\nExpect: 100-continue\r\n\r\n");
$r = $c->answer;
$c->close;
is $r->{status}, 507, 'announced: 507';
# S4: Refused before "100 Continue".
is_deeply $r->{interim}, [], 'before "100 Continue"';
is_deeply $r->{json}, {state => 'error', error => 'Upload quota is used up',
    detail => 'Upload quota is used up'},
    'its JSON';
is status($url, $id)->{error}, 'Upload quota is used up', 'pollers know';
is_deeply [grep { m{^\Q$id\E/.*bin} } pool_files('room-quota')], [],
    'nothing is kept';
is scalar(() = error_log_since($at) =~ /UPL\d+: upload \S+ $full/g), 1,
    'one line in the log';
is put(60_000, id => $kept), 507, 'nor may it replace the other';
is status($url, $kept)->{state}, 'error', 'the attempt failed';
is scalar(grep { m{^\Q$kept\E/.*bin} } pool_files('room-quota')), 1,
    'the old upload is still there';
is put(30_000, id => $kept), 200, 'a smaller one may';
is put(60_000), 200, 'and then it counts alone';
is put(20_000), 507, 'up to the limit';
$c = begin($url, $id = new_id(), 2_000, 400);
my ($exit, $stat);
ok wait_for(sub {
    ($exit, $stat) = UploadPool::Bucket::json('stat', pool('room-quota'));
    $stat->{ledger}{uploads} == 3;
}), 'upload-pool stat sees the one under way';
my $length = length $c->{rest};
is_deeply [@{ $stat->{ledger} }{qw(stored reserved)}],
    [90_000 + 2 * $block, $length + 400 + 2 * $block],
    'what is stored, and what that has reserved';
like +(UploadPool::Bucket::tool('stat', pool('room-quota')))[1],
    qr/^quota +95\.\dK stored, 10\.\dK reserved \(\d+ written\) by 3 uploads$/m,
    'in words';
$c->close;
ok wait_for(sub { status($url, $id)->{state} eq 'error' }), 'and it ends';

# --- Unknown sizes ----------------------------------------------------------

empty_pool('room-quota');
is put(20_000, chunked => 1000, id => $id = new_id()), 200, 'chunked: it fits';
is put(90_000, chunked => 4000), 507, 'chunked: refused in the middle';
is scalar(grep { /bin$/ } pool_files('room-quota')), 1, 'nothing of it is kept';
is put(50_000, chunked => 4000), 200, 'what fits does';
empty_pool('room-quota');
$c = begin("$url/bounded", $id = new_id(), 10, 5, chunked => 1);
wait_for(sub { (status($url, $id)->{state} || '') eq 'uploading' });
# A client that has sent little keeps little from others, whatever may follow.
is put(60_000), 200, 'one that has sent five bytes is in nobody\'s way';
$c->send("5\r\n" . ('x' x 5) . "\r\n");
is put(20_000), 200, 'nor after ten';
$c->reset;
empty_pool('room-quota');
my @silent = map { begin($url, new_id(), 90_000, 0) } 1 .. 3;
is put(90_000), 200, 'those that have announced much and sent nothing neither';
$_->send(substr $_->{rest}, 0, 10) for @silent;
is $_->answer->{status}, 507, 'they get what is left when they begin to send'
    for @silent;
$_->close for @silent;
ok put(60_000) == 507, 'and leave the other where it is';

# --- Room comes back --------------------------------------------------------

empty_pool('room-quota');
ok fits(99_000), 'what somebody removed behind our back is free';
($status, $id) = put(90_000);
is clear($id), 200, 'cleared';
($status, $id) = put(90_000);
is $status, 200, 'free at once';
my ($file) = grep { m{^\Q$id\E/.*bin} } pool_files('room-quota');
rename pool('room-quota') . "/$file", var('t_logs') . '/room-taken' or die $!;
ok fits(90_000), 'what the application moves away is free';
for my $way (qw(close reset)) {
    empty_pool('room-quota');
    $id = new_id();
    $c = begin($url, $id, 90_000, 100);
    wait_for(sub { reserved() });
    is put(60_000), 507, "$way: reserved while it comes";
    $c->$way;
    ok fits(90_000), "$way: free when the client is gone";
}
empty_pool('room-quota');
$id = new_id();
$c = begin($url, $id, 90_000, 100);
wait_for(sub { reserved() });
is clear($id), 200, 'cleared while it comes';
is put(60_000, id => $id), 200, 'free at once, and its name too';
$c->send(substr $c->{rest}, 0, 50_000);
is $c->answer->{status}, 409, 'the cleared one learns of it';
$c->close;
is put(60_000), 507, 'and takes nothing from the other';
unlink pool('room-quota') . '/.quota' or die $!;
is put(60_000), 507, 'without its books the pool is counted';
spew(pool('room-quota') . '/.quota', 'x' x 5000);
is put(60_000), 507, 'with somebody else\'s too';
ok -s pool('room-quota') . '/.quota', 'there are books';

# --- Contexts and owners ----------------------------------------------------

empty_pool('room-quota');
is put(300_000, where => "$url/wide"), 200, 'no limit in a context inside';
is put(10), 507, 'but what is there counts outside' for 1 .. 2;
empty_pool('room-quota');
is put(25_000, where => "$url/own"), 200, 'an owner has his share';
$at = log_mark();
is put(25_000, where => "$url/own"), 507, 'and no more';
like error_log_since($at), qr/quota of the owner/, 'the log says whose';
my @other = ('--interface', '127.0.0.2', '-F', 'f=@' . var('t_conf')
             . '/httpd.conf');
is curl(@other, base() . "$url/own?X-Progress-ID=" . new_id())->{status}, 200,
    'another owner has his own';
is put(40_000), 200, 'without an owner the pool counts';
is put(40_000), 507, 'together';
put(10_000, where => '/room-none');
ok !-e pool('room-none') . '/.quota', 'no quota, no books';

# --- What is not a file's bytes ------------------------------------------------

# Everything that a client can cause counts: names, and files without bytes.
empty_pool('room-quota');
my @small = map { {name => 'f', filename => "$_-" . 'n' x 500, content => ''} }
    1 .. 5;
my @kept = map {
    upload($url, \@small, id => new_id(), accept => 'application/json')
        ->{status} } 1 .. 6;
is_deeply \@kept, [(200) x 3, (507) x 3], 'empty files with long names add up';

# --- What has expired ----------------------------------------------------------

# Nobody is refused for what is only there because no sweep came by yet.
$at = log_mark();
is put(60_000, where => '/room-expired'), 200, '60 %';
sleep 2;
is put(60_000, where => '/room-expired'), 200, 'which expired, and went';
is put(60_000, where => '/room-expired'), 507, 'not what is young';
is scalar(grep { /bin$/ } pool_files('room-expired')), 1, 'one is there';

# --- UploadFreeSpace --------------------------------------------------------

$at = log_mark();
my $answer = upload('/room-space', [{name => 'f', filename => 'f',
                                     content => 'x'}],
                    accept => 'application/json');
is $answer->{status}, 507, 'less is free than there must be';
is $answer->{json}{error}, 'Not enough space to store the upload', 'it says so';
like error_log_since($at), qr/507: .*to be left free on the file system/,
    'so does the log';
is put(1000, where => '/room-space', chunked => 100), 507, 'chunked too';
is put(1000, where => '/room-space/little'), 200, 'a floor that is there';

# --- Killed, restarted, swept -----------------------------------------------

my $httpd = UploadPool::Httpd->new;
my $pool = $httpd->make_pool('q');
my $config = <<"END";
UploadSweepInterval 1s
<Location /room-quota>
    SetHandler upload-pool
    UploadPool "$pool"
    UploadQuota pool 120000B
    UploadExpires %s
</Location>
END
my @there = (port => $httpd->port);
$httpd->start(sprintf $config, '1d');
$id = new_id();
$c = begin($url, $id, 60_000, 100, @there);
my $child = wait_for(sub {
    my $log = $httpd->error_log;
    $log =~ /\[pid (\d+)[^\n]*UPL0020: upload/ && $1;
}) or die 'the upload does not begin';
wait_for(sub { request('GET', "$url/status?X-Progress-ID=$id", @there)
                   ->{json}{state} eq 'uploading' });
is put(60_000, @there), 507, 'reserved in a process';
kill 'KILL', $child;
ok wait_for(sub { !kill 0, $child }), 'that is killed';
$c->close;
ok fits(60_000, @there), 'its room is free';
($status, $kept) = put(60_000, @there);
is $status, 200, '60 % are stored';
$c = begin($url, new_id(), 30_000, 100, @there);
$httpd->stop;
$c->close;
$httpd->start(sprintf $config, '1d');
is put(60_000, @there), 507, 'the quota survives a restart';
ok fits(30_000, @there), 'the reservation of what ended with it does not';
$httpd->stop;
$httpd->start(sprintf $config, '1s');
ok wait_for(sub { !-d "$pool/$kept" }), 'swept';
ok fits(90_000, @there), 'what was swept is free';
$httpd->stop;
unlike $httpd->error_log, qr/exit signal (?!Killed)/, 'no other child died';
is crashes_since($mark), 0, 'no child died';

done_testing;
