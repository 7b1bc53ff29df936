# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The answers to a client that polls all the time; uploads over HTTP/2 and TLS,
# under way and given up.

use strict;
use warnings FATAL => 'all';
use POSIX ();
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my $url = '/stat/echo.pl';

# --- Order ------------------------------------------------------------------

# D9: It only grows.
# A child asks over one connection, as fast as it can, until the upload is
# done; it tells what was wrong, or nothing.
sub poller
{
    my ($id, $content) = @_;
    my %rank = (starting => 0, uploading => 1, done => 2);
    my $c = connect_raw();
    my ($rank, $received, $wrong, $asked) = (0, 0, '', 0);
    while ($rank < 2 && $asked++ < 20_000) {
        $c->send("GET $url/status?X-Progress-ID=$id HTTP/1.1\r\n"
                 . "Host: x\r\n\r\n");
        my $s = $c->answer->{json} || {state => 'none'};
        my $now = $rank{ $s->{state} };
        return "state $s->{state} after rank $rank"
            if !defined $now || $now < $rank;
        $rank = $now;
        next unless $rank;
        return "received fell from $received to $s->{received}"
            if $s->{received} < $received;
        $received = $s->{received};
        return "received $received of $s->{size}"
            if defined $s->{size} && $received > $s->{size};
    }
    return 'never done' if $rank < 2;
    $c->send("GET $url/file?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n\r\n");
    my $r = $c->answer;
    return "the file is $r->{status}" unless $r->{status} == 200;
    return 'the file has other bytes' unless $r->{body} eq $content;
    return '';
}

my %wrong;
for my $round (1 .. 30) {
    my $id = new_id();
    my $content = random_bytes(10_000 + 977 * $round);
    pipe my $from, my $to or die "pipe: $!";
    my $pid = fork;
    die "fork: $!" unless defined $pid;
    if ($pid == 0) {
        close $from;
        my $wrong = eval { poller($id, $content) };
        $wrong = "died: $@" unless defined $wrong;
        syswrite $to, $wrong if $wrong ne '';
        POSIX::_exit(0);
    }
    close $to;
    my $r = upload($url, [{name => 'f', filename => 'f', content => $content}],
                   id => $id, step => 2000 + 500 * ($round % 5), pause => 0.001,
                   $round % 2 ? (chunked => 3000) : ());
    local $/;
    my $said = <$from>;
    waitpid $pid, 0;
    $wrong{ defined $said ? $said : '' }++;
    $wrong{"upload $r->{status}"}++ unless $r->{status} == 200;
    request('DELETE', "$url?X-Progress-ID=$id");
}
is_deeply \%wrong, {'' => 30}, 'starting, uploading, done; bytes only grow;'
    . ' and once it is done the file is there';

# --- HTTP/2, TLS ------------------------------------------------------------

my $file = var('t_logs') . "/live.$$";
spew($file, random_bytes(400_000));
my $tls = 'https://127.0.0.1:' . var('tlsport');
# S3: Uploads over HTTP/2.
my %way = (
    'h2c' => ['--http2-prior-knowledge', base()],
    'h2 over TLS' => ['--http2', '-k', $tls],
    'HTTP/1.1 over TLS' => ['--http1.1', '-k', $tls],
);

sub slow_curl
{
    my ($id, $rate, @how) = @_;
    my $where = pop @how;
    defined(my $pid = fork) or die "fork: $!";
    return $pid if $pid;
    open STDOUT, '>', "$file.out";
    exec 'curl', '-sS', '--max-time', 60, '--limit-rate', $rate, '-o',
        "$file.answer", '-w', '%{http_code}', @how, '-F', "f=\@$file",
        "$where$url?X-Progress-ID=$id"
        or POSIX::_exit(127);
}

for my $name (sort keys %way) {
    my $id = new_id();
    my $pid = slow_curl($id, '300k', @{ $way{$name} });
    my $first = wait_for(sub {
        my $s = status($url, $id);
        return $s->{received} && $s;
    });
    is $first->{state}, 'uploading', "$name: in flight";
    ok wait_for(sub {
        (status($url, $id)->{received} || 0) > $first->{received}
    }), "$name: received grows";
    is upload($url, [{name => 'f', value => 'v'}], id => $id)->{status}, 409,
        "$name: in flight for others";
    waitpid $pid, 0;
    is slurp("$file.out"), 200, "$name: it completes";
    is status($url, $id)->{state}, 'done', "$name: done";
    ok request('GET', "$url/file?X-Progress-ID=$id")->{body} eq slurp($file),
        "$name: whole";

    $id = new_id();
    $pid = slow_curl($id, '40k', @{ $way{$name} });
    wait_for(sub { status($url, $id)->{received} });
    kill 'KILL', $pid;
    waitpid $pid, 0;
    ok wait_for(sub { status($url, $id)->{state} eq 'error' }),
        "$name: the client went, error";
    is_deeply [grep { /^\Q$id\E.*bin/ } pool_files('stat')], [],
        "$name: no data is left";
    is upload($url, [{name => 'f', value => 'v'}], id => $id)->{status}, 200,
        "$name: and the identifier is free";

    $id = new_id();
    $pid = slow_curl($id, '40k', @{ $way{$name} });
    wait_for(sub { status($url, $id)->{received} });
    is request('DELETE', "$url?X-Progress-ID=$id")->{status}, 200,
        "$name: cleared in flight";
    waitpid $pid, 0;
    like slurp("$file.out"), qr/^(?:409|000)$/, "$name: the writer ends";
    is_deeply status($url, $id), {state => 'starting'}, "$name: unknown";
    is_deeply [grep { /^\Q$id\E/ } pool_dirs('stat')], [],
        "$name: nothing is left";
}
unlink $file, "$file.out", "$file.answer";
is crashes_since($mark), 0, 'no child died';
done_testing;
