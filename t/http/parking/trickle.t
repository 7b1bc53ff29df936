# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Bodies that trickle in, all at the same time, to every kind of application:
# plain and TLS, both codings, with and without Expect, with the next request
# right behind. The answers are those of bodies that come at once.

use strict;
use warnings FATAL => 'all';
use Digest::SHA qw(sha256_hex);
use Test::More;
use Time::HiRes qw(sleep);
use UploadPool::Test;

my $mark = log_mark();
my $access = log_mark('access_log');
my $parks = var('mpm') eq 'event';
my $content = random_bytes(30_000);

my @urls = (
    ['/park/cgi/echo.pl', qr/^cgi$/],
    ['/park/php/echo.php', qr/^php-fpm/],
    ['/park/backend/a', qr/^backend$/],
    ['/park/wsgi', qr/^wsgi$/],
    ['/park/perl', qr/^mod_perl$/],
    ['/park/site/any/path', qr/^cgi$/],
    ['/park/pass', qr/^cgi$/],
    ['/park/off/echo.pl', qr/^cgi$/],
);

my ($body, $type) = multipart([{name => 'title', value => 'slow'},
    {name => 'f', filename => 'f.bin', content => $content}]);

# --- All of them at once --------------------------------------------------------

my @cases;
for my $n (0 .. $#urls) {
    for my $way (0 .. 7) {
        # Each application in half of the ways; all ways with each second one.
        next if $n > 1 && $way % 2 != $n % 2;
        my ($tls, $coded, $expect) = map { $way >> $_ & 1 } 0 .. 2;
        push @cases, {url => $urls[$n][0], via => $urls[$n][1], id => new_id(),
                      tls => $tls, coded => $coded, expect => $expect};
    }
}
# Where each takes a process, that many are there: httpd starts them one by one
# as they are missed, and the first would have waited longer than Timeout for the
# last.
my $at_once = var('mpm') eq 'prefork' ? 12 : @cases;

sub trickle
{
    my (@some) = @_;
    for my $case (@some) {
        my $bytes = $case->{coded} ? chunked($body, 7001) : $body;
        # Pieces that end in the middle of a chunk's head and of a delimiter.
        my @cuts = (0, 1, 40, 7005, 14_013, length($bytes) - 9, length $bytes);
        $case->{name} = join ' ', $case->{url}, $case->{tls} ? 'TLS' : 'plain',
            $case->{coded} ? 'chunked' : 'length',
            $case->{expect} ? 'expect' : ();
        $case->{pieces} = [map { substr $bytes, $cuts[$_ - 1],
                                 $cuts[$_] - $cuts[$_ - 1] } 1 .. $#cuts];
        $case->{pieces}[-1] .= "GET /hello.txt HTTP/1.1\r\nHost: x\r\n"
            . "Connection: close\r\n\r\n";
        $case->{c} = connect_raw(tls => $case->{tls});
        $case->{c}->send(
            "POST $case->{url}?X-Progress-ID=$case->{id}&a=b HTTP/1.1\r\n"
            . "Host: localhost\r\nContent-Type: $type\r\n"
            . ($case->{expect} ? "Expect: 100-continue\r\n" : '')
            . ($case->{coded} ? "Transfer-Encoding: chunked\r\n\r\n"
               : 'Content-Length: ' . length($bytes) . "\r\n\r\n"));
    }
    for my $case (grep { $_->{expect} } @some) {
        is $case->{c}->interim->{status}, 100, "$case->{name}: asked for it";
    }
    for my $piece (0 .. 5) {
        sleep 0.2;
        $_->{c}->send($_->{pieces}[$piece]) for @some;
    }
    for my $case (@some) {
        my ($name, $c) = @{$case}{qw(name c)};
        my $answer = $c->answer;
        is $answer->{status}, 200, "$name: 200"
            or diag explain $answer->{error} || $answer->{body};
        is scalar @{ $answer->{interim} || [] }, 0, "$name: no second 100";
        my $said = application($answer) || {};
        like $answer->{json}{via}, $case->{via}, "$name: who answered";
        is $said->{state}, 'done', "$name: done";
        is $said->{files}[0]{digests}{'sha-256'}, sha256_hex($content),
            "$name: the file's digest";
        is slurp($said->{files}[0]{path}), $content, "$name: and its bytes";
        is $said->{received}, length $body, "$name: counted";
        my $next = $c->answer;
        is $next->{status}, 200, "$name: the next request, right behind";
        is $next->{body}, slurp(var('documentroot') . '/hello.txt'),
            "$name: is answered, too";
        ok $c->closed, "$name: and the connection ends";
        $c->close;
    }
    return;
}

my @left = @cases;
trickle(splice @left, 0, $at_once < @left ? $at_once : @left) while @left;

# --- What the logs say ----------------------------------------------------------

my $said = error_log_since($mark);
my $left = grep { $_->{url} =~ m{^/park/off/} } @cases;
is scalar(() = $said =~ /UPL0050: /g), $parks ? @cases - $left : 0,
    'parked, each once, where that can be';
my @lines = grep { m{"POST /park/} } split /\n/, access_log_since($access);
for my $case (@cases) {
    is scalar(grep { /\Q$case->{id}\E/ && / 200 [1-9]\d* done / } @lines), 1,
        "$case->{name}: one line of the access log";
}
# The file "run" may go only a moment after the answer.
my @strange;
wait_for(sub {
    @strange = grep { !m{\.(?:json|bin)$|/(?:lock|run)$} } pool_files('park');
    return !@strange;
});
is_deeply \@strange, [], 'nothing strange in the pool';
is crashes_since($mark), 0, 'no child died';
done_testing;
