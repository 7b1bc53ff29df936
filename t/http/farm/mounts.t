# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Two servers, one pool, no cache, each with its own mount: GlusterFS behaves as
# one local directory does. A file system whose locks do not work is detected,
# and neither server writes to it.
#
# UPOOL_MOUNTS="/mnt/a,/mnt/b …" tries other pairs of mounts of one directory, or
# one directory twice, instead of these.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;
use UploadPool::Farm;
use UploadPool::Mounts;

my $more = join "\n", 'UploadProtocol multipart tus chunked',
    'UploadChunkedAuto On', 'UploadServe On';
my ($farm, %port, $kind);

sub ask
{
    my ($name, $method, $url, %o) = @_;
    return request($method, $url, %o, port => $port{$name});
}

sub whole
{
    my ($name, $id, $content) = @_;
    my ($body, $type) = multipart([{name => 'f', filename => 'a.txt',
                                    content => $content}]);
    return ask($name, 'POST', "/up?X-Progress-ID=$id", body => $body,
               headers => ['Content-Type', $type, 'Accept',
                           'application/json']);
}

sub file
{
    my ($name, $id) = @_;
    return ask($name, 'GET', "/up/file?X-Progress-ID=$id");
}

# E45, A1, A4: one upload, seen and touched from the other side.
sub across
{
    my $id = new_id();
    my $up = $farm->begin('a', $id, 30_000);
    is $farm->wait_status('b', $id, sub { $_[0]{state} eq 'uploading' })
        ->{state}, 'uploading', "$kind: B says that A's upload goes on";
    is whole('b', $id, 'another')->{status}, 409,
        "$kind: the same identifier is in flight on B";
    my $said = $farm->wait_status('b', $id, sub {
        $up->send(100) if $up->{sent} + 200 < $up->{size};
        defined $_[0]{filename} && length $_[0]{filename};
    });
    is $said->{filename}, "of-$id.txt", "$kind: B knows its name";
    is $said->{size}, $up->{size}, "$kind: and its size";
    $said = $farm->wait_status('b', $id, sub { $_[0]{received} >= 29_000 });
    ok $said->{received} >= 29_000, "$kind: and how far it is";
    is $up->send->answer->{status}, 200, "$kind: it goes through";
    $up->close;
    for my $name (qw(a b)) {
        is $farm->wait_status($name, $id, sub { $_[0]{state} eq 'done' })
            ->{state}, 'done', "$kind: done on $name";
        is length file($name, $id)->{body}, 60_000, "$kind: all of it on $name";
    }
    is whole('b', $id, 'second')->{status}, 200, "$kind: replaced on B";
    is file('a', $id)->{body}, 'second', "$kind: A has the new one";
    is whole('a', $id, 'third')->{status}, 200, "$kind: and replaces it";
    is file('b', $id)->{body}, 'third', "$kind: B has that";
    is $farm->clear('b', $id)->{status}, 200, "$kind: cleared on B";
    is $farm->wait_status('a', $id, sub { $_[0]{state} eq 'starting' })
        ->{state}, 'starting', "$kind: A forgets";
    is file('a', $id)->{status}, 404, "$kind: and has no file";
    return;
}

# The writer stops within two seconds, also where its client is silent.
sub cleared
{
    for my $silent (0, 1) {
        my $what = $kind . ($silent ? ', silent' : '');
        my $id = new_id();
        my $before = () = $farm->{a}->error_log =~ /Upload was cleared/g;
        my $up = $farm->begin('a', $id, 30_000);
        $farm->wait_status('b', $id, sub { $_[0]{state} eq 'uploading' });
        is $farm->clear('b', $id)->{status}, 200, "$what: cleared on B";
        ok wait_for(sub {
            $up->send(20) if !$silent && $up->{sent} + 20 < $up->{size};
            $before < (() = $farm->{a}->error_log =~ /Upload was cleared/g);
        }), "$what: the writer on A stops";
        is $up->answer->{status}, 409, "$what: and is told";
        $up->close;
        is $farm->status($_, $id)->{state}, 'starting', "$what: $_ forgets"
            for 'b';
        is whole('b', $id, 'anew')->{status}, 200, "$what: the name is free";
        is file('a', $id)->{body}, 'anew', "$what: and the file A's as well";
    }
    return;
}

# Both servers begin at once: one gets the upload, and its answer is true.
sub races
{
    my %seen;
    my $lost = 0;
    for my $round (1 .. 25) {
        my $id = new_id();
        my %c = map { $_ => connect_raw(port => $port{$_}) } qw(a b);
        for my $name (qw(a b)) {
            my ($body, $type) = multipart([{name => 'f', filename => 'a.txt',
                content => $name x 1000}]);
            $c{$name}->send("POST /up?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
                . "Content-Type: $type\r\nAccept: application/json\r\n"
                . 'Content-Length: ' . length($body) . "\r\n\r\n$body");
        }
        my %status = map { $_ => $c{$_}->answer->{status} } qw(a b);
        $c{$_}->close for qw(a b);
        $seen{join '+', sort values %status}++;
        my @won = grep { $status{$_} == 200 } qw(a b);
        my $body = file('a', $id)->{body} // '';
        $lost++ unless grep { $body eq $_ x 1000 } @won;
    }
    # Two that come one after another replace each other.
    is_deeply [grep { !/^200\+(?:200|409)$/ } keys %seen], [],
        "$kind: 25 rounds of two at once: " . join ', ',
        map { "$_ $seen{$_} times" } sort keys %seen;
    is $lost, 0, "$kind: and each has left what one of them sent";
    return;
}

sub tus
{
    my $bytes = join '', map { chr(97 + $_ % 26) } 0 .. 29_999;
    my @tus = ('Tus-Resumable', '1.0.0');
    my $url = ask('a', 'POST', '/up', body => '', headers =>
                  [@tus, 'Upload-Length', 30_000])->{headers}{location};
    my @turn = ('a', 'b') x 5;
    my @said;
    for my $n (0 .. $#turn) {
        push @said, ask($turn[$n], 'PATCH', $url,
            body => substr($bytes, 3000 * $n, 3000),
            headers => [@tus, 'Content-Type', 'application/offset+octet-stream',
                        'Upload-Offset', 3000 * $n])->{status};
        my $offset = ask($turn[$n - 1], 'HEAD', $url, headers => \@tus)
            ->{headers}{'upload-offset'};
        push @said, "HEAD $offset at " . 3000 * ($n + 1)
            if $offset != 3000 * ($n + 1);
    }
    is "@said[0 .. 8]", '204 ' x 8 . '204', "$kind: PATCHes in turn";
    is $said[9], 200, "$kind: the last one completes";
    my ($id) = $url =~ m{([^/]+)$};
    is file('b', $id)->{body}, $bytes, "$kind: every byte in its place";

    # A takes over from B, which learns of it.
    $url = ask('b', 'POST', '/up', body => '', headers =>
               [@tus, 'Upload-Length', 30_000])->{headers}{location};
    my $c = connect_raw(port => $port{b});
    $c->send("PATCH $url HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\n"
             . "Content-Type: application/offset+octet-stream\r\n"
             . "Upload-Offset: 0\r\nContent-Length: 30000\r\n\r\n"
             . substr $bytes, 0, 9000);
    wait_for(sub { $farm->status('a', ($url =~ m{([^/]+)$})[0])
                       ->{received} // 0 });
    my $offset = ask('a', 'HEAD', $url, headers => \@tus)
        ->{headers}{'upload-offset'};
    ok $offset > 0 && $offset <= 9000, "$kind: A asks, and B stops at $offset";
    is ask('a', 'PATCH', $url, body => substr($bytes, $offset), headers =>
           [@tus, 'Content-Type', 'application/offset+octet-stream',
            'Upload-Offset', $offset])->{status}, 200, "$kind: A goes on";
    ($id) = $url =~ m{([^/]+)$};
    is file('b', $id)->{body}, $bytes, "$kind: nothing is lost or doubled";
    $c->close;
    return;
}

sub chunks
{
    my $id;
    my $r;
    for my $n (0 .. 5) {
        my ($body, $type) = multipart([
            ($id ? {name => 'upload_id', value => $id} : ()),
            {name => 'f', filename => 'c.txt', content => $n x 1000}]);
        $r = ask($n % 2 ? 'b' : 'a', 'POST', '/up', body => $body, headers =>
                 ['Content-Type', $type, 'Content-Range', sprintf
                  'bytes %d-%d/6000', 1000 * $n, 1000 * $n + 999]);
        is $r->{status}, 200, "$kind: chunk $n";
        $id ||= $r->{json}{upload_id};
    }
    is file('a', $id)->{body}, join('', map { $_ x 1000 } 0 .. 5),
        "$kind: chunks in turn are one file";
    return;
}

my @others = split ' ', $ENV{UPOOL_MOUNTS} || '';
for my $on (@others ? @others : qw(local glusterfs)) {
    $kind = $on;
    my ($a, $b) = split /,/, $on;
    my $mounts = $on eq 'local' ? undef
        : $b ? UploadPool::Mounts->over($a, $b) : UploadPool::Mounts->new($on);
    $farm = UploadPool::Farm->new('shm', $more,
                                  $mounts ? $mounts->pool('farm') : ());
    %port = map { $_ => $farm->{$_}->port } qw(a b);
    across();
    cleared();
    races();
    tus();
    chunks();
    my @wrong = grep { /exit signal|UPL038[67]/ } $farm->logs;
    is "@wrong", '', "$on: no crash, and nothing to complain of";
    if ($mounts && !$b) {
        my %pool = map { $_ => "$mounts->{top}/$_/farm" } qw(a b);
        ok wait_for(sub { 2 == (my @files = glob "$pool{b}/.farm/*.lock") }),
            "$on: each server has its lock file";
        my ($log) = grep { /UPL0385/ } $farm->{a}->error_log;
        ok $log, "$on: the log says that it is FUSE";
    }
    undef $farm;
    undef $mounts;
}

for my $on (@others ? () : qw(bindfs bindfs-forwarding)) {
    my $mounts = UploadPool::Mounts->new($on);
    $farm = UploadPool::Farm->new('shm', $more, $mounts->pool('farm'));
    %port = map { $_ => $farm->{$_}->port } qw(a b);
    for my $name (qw(a b)) {
        ok wait_for(sub { $farm->{$name}->error_log =~ /UPL0386/ }),
            "$on: $name finds that locks keep nobody out";
        is whole($name, new_id(), 'x')->{status}, 500,
            "$on: $name takes no upload";
        is ask($name, 'POST', '/up', body => '', headers =>
               ['Tus-Resumable', '1.0.0', 'Upload-Length', 5])->{status}, 500,
            "$on: nor by tus";
        like $farm->{$name}->error_log, qr{UPL0386.*keep},
            "$on: the log of $name says why";
    }
    undef $farm;
    undef $mounts;
}

done_testing;
