# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# R8: The application runs once, however many requests complete an upload at the
# same moment: clients that send the last piece twice, or again before the first
# was answered.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Several;
use UploadPool::Test;

my $mark = log_mark();
my $ran = pool('complete-ran');
unlink "$ran/log";

sub runs
{
    return 0 unless -f "$ran/log";
    my $count = () = slurp("$ran/log") =~ /\n/g;
    return $count;
}

# Those that send a piece of bytes may find that they came too late.
my %may = (tus => qr/^(?:200|409)$/, resumable => qr/^(?:200|400|409)$/,
           raw => qr/^(?:200|400|409)$/, chunked => qr/^(?:200|400|409)$/);

# Ends the upload as a client does that got no answer: it asks for the offset and
# goes on from there. The question comes first, because the request that was
# taken over may have kept more bytes than were known before.
sub end
{
    my ($up) = @_;
    my $answer;
    wait_for(sub { ($answer = $up->{resume}->())->{status} == 200 });
    return $answer;
}

sub is_whole
{
    my ($up) = @_;
    my ($file) = glob pool('complete') . "/$up->{id}/0-*.bin";
    return status('/c/cgi/count.pl', $up->{id})->{state} eq 'done'
        && slurp($file) eq $up->{bytes};
}

# --- One is taken over ------------------------------------------------------

# The older request has kept all but the last byte, so the newer one is not at the
# right offset: neither completes the upload until a client asks for the offset.
for my $way (patient()) {
    my $up = begin($way, '/c/cgi/count.pl', "content of $way, taken over");
    my $before = runs();
    my ($old, $new) = (connect_raw(), connect_raw());
    my $bytes = text(@{ $up->{last} });
    $old->send(substr $bytes, 0, -1);
    ok wait_for(sub { status('/c/cgi/count.pl', $up->{id})->{received}
                      == length($up->{bytes}) - 1 }),
        "$way: all but the last byte is there";
    $new->send($bytes);
    like $new->answer->{status}, qr/^(?:400|409)$/,
        "$way: the newer request does not fit";
    my $answer = end($up);
    is $answer->{status}, 200, "$way: who asks for the offset completes it";
    is $old->answer->{status}, 409, "$way: the older one was taken over";
    ok is_whole($up), "$way: with the right bytes";
    is $up->{again}->()->{body}, $answer->{body}, "$way: the answer stays";
    is runs() - $before, 1, "$way: and it ran once";
    $_->close for $old, $new;
}

# --- All end together -------------------------------------------------------

my $rounds = rounds(25, 100);
for my $way (ways()) {
    my (%odd, $told, $often, $broken);
    $told = $often = $broken = 0;
    for my $round (1 .. $rounds) {
        my $up = begin($way, '/c/cgi/count.pl', "content $round of $way");
        my $before = runs();
        my @c = map { connect_raw() } 1 .. 4;
        my @which = map { $round % 2 && $_ ? 'repeat' : 'last' } 0 .. 3;
        my @bytes = map { text(@{ $up->{$_} }) } @which;
        # All but the last byte of each first, so that they end together.
        $c[$_]->send(substr $bytes[$_], 0, -1) for 0 .. 3;
        $c[$_]->send(substr $bytes[$_], -1) for 0 .. 3;
        my @answers = map { $_->answer } @c;
        $_->close for @c;
        $odd{ $_->{status} }++
            for grep { $_->{status} !~ $may{$way} } @answers;
        my %said = map { $_->{body} => 1 }
            grep { $_->{status} == 200 } @answers;
        # They may have taken each other over, so that nobody was told.
        if (!%said) {
            my $answer = end($up);
            $said{ $answer->{body} } = 1 if $answer->{status} == 200;
        }
        $told++ if keys %said == 1;
        $often++ if runs() - $before != 1;
        $broken++ unless is_whole($up);
    }
    is_deeply \%odd, {}, "$way: nothing but answers and conflicts";
    is $often, 0, "$way: $rounds races: it ran once in each";
    is $told, $rounds, "$way: and answered once";
    is $broken, 0, "$way: and every upload is done, with its own bytes";
}

sub text
{
    my ($method, $url, $body, @headers) = @_;
    my $head = "$method $url HTTP/1.1\r\nHost: localhost\r\n"
        . "Connection: close\r\nContent-Length: " . length($body) . "\r\n";
    while (my ($name, $value) = splice @headers, 0, 2) {
        $head .= "$name: $value\r\n";
    }
    return "$head\r\n$body";
}

is crashes_since($mark), 0, 'no child died';
done_testing;
