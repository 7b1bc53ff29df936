# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# kill -9 of a child, and of the whole server, while uploads of every kind are
# at any point of their lives: no upload is done with wrong bytes, no offset is
# ahead of its bytes, every upload can be completed, and nothing stays locked or
# reserved. UPOOL_SEED repeats a run, UPOOL_KILLS and UPOOL_STOPS say how many
# kills there are; "make -f Makefile.apxs crashes" does 200 and 50.

# D1, R6, D9: every kill ends in what the client was told, byte for byte

use strict;
use warnings FATAL => 'all';
use List::Util qw(shuffle sum);
use Test::More;
use Time::HiRes qw(sleep);
use UploadPool::Crash;
use UploadPool::Test;

my $seed = $ENV{UPOOL_SEED} || time ^ $$ << 12;
srand $seed;
note "UPOOL_SEED=$seed";
my $kills = $ENV{UPOOL_KILLS} || rounds(12, 200);
my $stops = $ENV{UPOOL_STOPS} || rounds(2, 50);
my $crash = UploadPool::Crash->new;
my (%wrong, %of);

# Where in its life an upload is when the kill comes: each returns it.
my %points = (
    header => sub {
        my $u = $crash->begin(any());
        $crash->advance($u, rand 100_000);
        $crash->advance_to($u, 'header');
        return $u;
    },
    bytes => sub {
        my $u = $crash->begin(any());
        $crash->advance($u, rand 200_000);
        $crash->advance_to($u, 'body');
        return soon($u, 3);
    },
    last => sub {
        my $u = $crash->begin(any());
        $crash->advance_to($u, 'last', rand() < 0.7);
        return soon($u, 6);
    },
    replacing => sub {
        my $old = $crash->begin('form');
        $crash->advance($old, 1e9);
        my $u = $crash->begin(any_form(), id => $old->{id});
        $u->{replaces} = 1;
        $crash->advance_to($u, rand() < 0.5 ? 'body' : 'last');
        return soon($u, 6);
    },
    application => sub {
        my $u = $crash->begin(any_form(), url => '/app/echo.pl');
        $u->{requests}[0]{bytes} =~ s/\?/?sleep=1&/;
        $_ += 8 for $u->{requests}[0]{skip};
        $crash->advance_to($u, 'last');
        wait_for(sub { -e "$crash->{pool}/$u->{id}/metadata.json" });
        return soon($u, 60);
    },
    between => sub {
        my $u = $crash->begin((qw(tus chunked ietf parts))[rand 4]);
        my $r = $u->{requests}[0];
        $crash->advance($u, length $r->{bytes});
        return $u;
    },
    takeover => sub {
        my $u = $crash->begin('tus');
        $crash->advance($u, length $u->{requests}[0]{bytes});
        $crash->advance_to($u, 'body');
        $u->{other} = connect_raw(port => $crash->port);
        $u->{other}->send("HEAD /up/$u->{id} HTTP/1.1\r\nHost: x\r\n"
                          . "Tus-Resumable: 1.0.0\r\n\r\n");
        return soon($u, 30);
    },
    sweep => sub {
        # Another child would take up to ten seconds to see that the one that
        # swept is gone; new ones look at once.
        $crash->kill_children;
        $crash->recover;
        my $begun = $crash->expire(300);
        my $u = $crash->begin(any());
        $crash->advance_to($u, 'body');
        wait_for($begun);
        return soon($u, 40);
    },
);

sub any { return $UploadPool::Crash::KINDS[rand @UploadPool::Crash::KINDS] }
sub any_form { return (qw(form forms))[rand 2] }

# At most so many milliseconds later.
sub soon
{
    my ($u, $most) = @_;
    sleep rand($most) / 1000;
    return $u;
}

# One kill: others are under way, and go on.
sub one
{
    my ($point, $whole) = @_;
    my @others = map { $crash->begin(any()) } 1 .. 2;
    for my $u (@others) {
        $crash->advance($u, rand 150_000);
    }
    my $victim = $points{$point}->();
    my @dead = $whole ? $crash->kill_all
        : $point eq 'sweep' ? $crash->kill_children
        : $crash->kill_child($victim);
    my @wrong = $crash->recover ? () : 'the server does not answer';
    push @wrong, map { $crash->judge($_) } $victim, @others;
    push @wrong, $crash->pool_is_right;
    my $next = $crash->begin('form');
    $crash->advance($next, 1e9);
    push @wrong, 'the next one: ' . ($next->{why} || 'refused')
        unless $next->{done};
    push @wrong, $crash->nothing_is_locked;
    $of{$point}++;
    return @wrong;
}

sub all_of
{
    my ($count, $whole) = @_;
    my @order;
    push @order, shuffle(qw(header bytes bytes last last application between
                            takeover replacing sweep)) while @order < $count;
    for my $n (1 .. $count) {
        my $point = shift @order;
        my @wrong = one($point, $whole);
        is "@wrong", '', ($whole ? 'server' : 'child') . " $n: $point";
        if ($n % 10 == 0 || $n == $count) {
            $crash->kill_children;
            $crash->recover;
            is join("\n", $crash->ledger_is_right), '', 'the ledger is right';
            $crash->clean;
        }
    }
    return;
}

all_of($kills, 0);
all_of($stops, 1);
is sum(values %of), $kills + $stops, 'kills: '
    . join ', ', map { "$_ $of{$_}" } sort keys %of;
my $tally = $crash->tally;
cmp_ok $tally->{records}, '>', $kills + $stops,
    "$tally->{records} times a complete upload was compared";
cmp_ok $tally->{resumed}, '>', 0, 'uploads resumed at their offset: '
    . "$tally->{resumed}, begun anew: " . ($tally->{anew} || 0);
unlike $crash->{httpd}->error_log, qr/exit signal (?!Killed)|Sanitizer/,
    'no child died otherwise';
done_testing;
