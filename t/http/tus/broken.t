# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Connections that break, hang and come again, and servers that die.

use strict;
use warnings FATAL => 'all';
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);
use UploadPool::Test;
use UploadPool::Tus;

my $mark = log_mark();
my $at = '/tus/echo.pl';
my $bytes = random_bytes(200_000);

# D7: A client that leaves does not take back the bytes that came.
# R1: The offset is what is there.
# "The Server SHOULD always attempt to store as much of the received data as
# possible."
for my $how (qw(close reset silence)) {
    for my $sent ($how eq 'silence' ? (1, 65_536) : (1, 8_000, 150_001)) {
        my $url = create($at, length => length $bytes)->{headers}{location};
        my $c = begin_patch($url, 0, length $bytes, substr $bytes, 0, $sent);
        # Bytes that a reset overtakes are never received.
        wait_for(sub { length stored($url) == $sent })
            or fail "$how after $sent: all of it arrives";
        $c->$how unless $how eq 'silence';
        my $r = head($url);
        is $r->{headers}{'upload-offset'}, $sent,
            "$how after $sent: HEAD tells what is there";
        $r = append($url, $sent, substr $bytes, $sent);
        is $r->{status}, 200, "$how after $sent: and it goes on";
        is slurp(application($r)->{files}[0]{path}), $bytes,
            "$how after $sent: the right bytes";
    }
}

# R4: The later request takes over: any other request ends one that still hangs.
my $half = substr $bytes, 0, 50_000;
for my $case (['HEAD', sub { head($_[0]) }, 200],
              ['PATCH', sub { append($_[0], 50_000, substr $bytes, 50_000) },
               200],
              ['a wrong PATCH', sub { append($_[0], 7, 'x') }, 409],
              ['DELETE', sub { tus('DELETE', $_[0], []) }, 204]) {
    my ($name, $do, $want) = @$case;
    my $url = create($at, length => length $bytes)->{headers}{location};
    my $c = begin_patch($url, 0, length $bytes, $half);
    wait_for(sub { length stored($url) == 50_000 });
    is $do->($url)->{status}, $want, "$name takes over from a hung PATCH";
    $c->close;
}
# Dead in any way, at any offset: HEAD is answered, with what has come.
for my $round (1 .. 20) {
    my $how = (qw(reset close silence))[$round % 3];
    my $url = create($at, length => length $bytes)->{headers}{location};
    my $c = begin_patch($url, 0, length $bytes,
                        substr $bytes, 0, 1 + $round * 7_919);
    wait_for(sub { length stored($url) == 1 + $round * 7_919 });
    $c->$how unless $how eq 'silence';
    my $r = head($url);
    is $r->{status}, 200, "round $round: HEAD beside one that is dead: $how";
    is $r->{headers}{'upload-offset'}, 1 + $round * 7_919,
        "round $round: and the offset";
    $c->close if $how eq 'silence';
}
for my $round (1 .. 2) {
    my $url = create($at, length => length $bytes)->{headers}{location};
    my $c = begin_patch($url, 0, length $bytes, $half);
    my $pid = fork;
    if (!$pid) {
        for my $n (50_000 .. 60_000) {
            $c->send(substr $bytes, $n, 1) or last;
            sleep 0.01;
        }
        POSIX::_exit(0);
    }
    wait_for(sub { length stored($url) > 50_000 });
    my $r = head($url);
    is $r->{status}, 200, "round $round: HEAD while a PATCH trickles in";
    my $from = $r->{headers}{'upload-offset'};
    $r = append($url, $from, substr $bytes, $from);
    is $r->{status}, 200, "round $round: nothing came after that offset";
    is slurp(application($r)->{files}[0]{path}), $bytes,
        "round $round: the right bytes";
    kill 'KILL', $pid;
    waitpid $pid, 0;
    $c->close;
}

# Two that send the same: one of them wins, and the bytes are right.
for my $round (1 .. 10) {
    my $url = create($at, length => length $bytes)->{headers}{location};
    my @c = map { begin_patch($url, 0, length $bytes, $bytes) } 1 .. 3;
    my @status = map { $_->answer->{status} } @c;
    $_->close for @c;
    my $r = head($url);
    if ($r->{headers}{'upload-offset'} < length $bytes) {
        my $from = $r->{headers}{'upload-offset'};
        append($url, $from, substr $bytes, $from);
    }
    is stored($url), $bytes, "round $round: three at once, one file (@status)";
}

# Children that die while bytes come in, and while the application runs.
fresh_children();
for my $round (1 .. 2) {
    my $url = create($at, length => length $bytes)->{headers}{location};
    my $c = begin_patch($url, 0, length $bytes, substr $bytes, 0, 90_000);
    wait_for(sub { length stored($url) == 90_000 });
    kill 'KILL', children();
    $c->close;
    my $r = wait_for(sub { my $h = eval { head($url) };
                           $h && $h->{status} == 200 && $h });
    is $r->{headers}{'upload-offset'}, 90_000,
        "round $round: what a killed child had written is there";
    $r = append($url, 90_000, substr $bytes, 90_000);
    is slurp(application($r)->{files}[0]{path}), $bytes,
        "round $round: and it goes on";
}
my $url = create("$at?sleep=1", length => 5)->{headers}{location};
append($url, 0, 'hell');
my $c = begin_patch($url, 4, 1, 'o');
ok wait_for(sub { -e pool('tus') . ($url =~ m{(/[^/]+)$})[0]
                  . '/metadata.json' }), 'an upload is done';
kill 'KILL', children();
$c->close;
my $r = wait_for(sub { my $h = eval { head($url) };
                       $h && $h->{status} == 200 && $h });
is $r->{headers}{'upload-offset'}, 5,
    'HEAD runs the application when a process died with it';
is append($url, 5, '')->{json}{env}{UPLOAD_POOL_STATE}, 'done',
    'and its answer is there for the last PATCH';

done_testing;
