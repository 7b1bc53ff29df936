# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Bodies that end too early: cut at every byte, by clients that leave, reset or
# fall silent, and by mod_reqtimeout. The upload is never done, nothing is kept,
# and its state is error.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;
use UploadPool::Refuse;
use UploadPool::Httpd;

my $mark = log_mark();
my $url = '/refuse/main/count.pl';
my ($body, $type) = multipart([part('a', 'v'), part('f', 'content', 'x.png')],
                              boundary => 'b');
# The line end behind the closing delimiter may be missing.
my $needed = length($body) - 2;

sub left_of
{
    my ($dir, $id) = @_;
    return -d "$dir/$id" ? grep { /\.bin$/ } pool_files("$dir/$id") : ();
}

# --- Complete requests whose body ends early ---------------------------------

# P1: A body may end anywhere.
for my $at (0 .. $needed - 1) {
    my $way = (qw(whole chunks))[$at % 2];
    refused("cut at $at, $way", $url, substr($body, 0, $at), $type,
            way => $way, status => 400,
            reason => index($body, "--b\r\n") == 0 && $at < 3 ? 'NO_DELIMITER'
            : 'TRUNCATED');
}
taken("cut at $_", $url, substr($body, 0, $_), $type) for $needed,
    length $body;

# --- Clients that go ----------------------------------------------------------

# D7: A client that leaves in the middle leaves an error.
# Each offset: every kind of end, by length and in chunks.
sub leave
{
    my ($name, $end, $bytes, %o) = @_;
    my $id = new_id();
    my $before = () = runs();
    my $c = connect_raw(port => $o{port});
    $c->send(post_head($o{url} || $url, $type, $id, 'json') . $bytes);
    my $answer;
    if ($end eq 'half-close') {
        $c->finish;
        $answer = $c->answer;
    }
    elsif ($end eq 'fin') {
        $c->close;
    }
    else {
        # Bytes that are reset before they were read have never come.
        wait_for(sub { status($url, $id, port => $o{port})->{state}
                           ne 'starting' });
        $c->reset;
    }
    my $state;
    wait_for(sub {
        $state = status($o{url} || $url, $id, port => $o{port})->{state};
        $state eq 'error';
    });
    my $now = () = runs();
    my %got = (state => $state, left => join(' ', left_of($o{dir}, $id)),
               ran => $now - $before,
               answer => !$answer || !$answer->{status} ? 0
                   : $answer->{status});
    my $want = $o{answer} || qr/^0$/;
    ok $got{state} eq 'error' && $got{left} eq '' && $got{ran} == 0
        && $got{answer} =~ $want, "$name: error, nothing kept, nothing ran"
        or diag explain(\%got);
    return $id;
}

my $long = length $body;
my @offsets = map { int $_ * $needed / 14 } 0 .. 14;
for my $at (@offsets) {
    my $part = substr $body, 0, $at;
    for my $end ('half-close', 'fin', 'rst') {
        my $log = log_mark();
        leave("$end after $at bytes of $long", $end,
              "Content-Length: $long\r\n\r\n$part", dir => pool('refuse'),
              answer => $end eq 'half-close' ? qr/^(?:0|400)$/ : undef);
        my $lines;
        wait_for(sub {
            $lines = () = error_log_since($log) =~ /UPL01\d\d:/g });
        is $lines, 1, "$end after $at bytes: one line of the log";
        like error_log_since($log), qr/upload_pool:info\].*UPL01(?:14|32):/,
            "$end after $at bytes: no warning for the weather";
        leave("$end after $at bytes in chunks", $end,
              "Transfer-Encoding: chunked\r\n\r\n"
              . sprintf("%x\r\n", $long) . $part, dir => pool('refuse'),
              answer => $end eq 'half-close' ? qr/^(?:0|400)$/ : undef);
    }
}

sub silent
{
    my ($bytes, $port) = @_;
    my $id = new_id();
    my $c = connect_raw(port => $port);
    $c->send(post_head($url, $type, $id, 'json') . $bytes);
    return [$c, $id];
}

# --- Clients that fall silent --------------------------------------------------

{
    my $httpd = UploadPool::Httpd->new;
    my $dir = $httpd->make_pool('silent');
    my $cgi = var('cgibin');
    my $ran = pool('refuse-ran');
    my $config = "ScriptAlias /refuse/main/ \"$cgi/\"\n"
        . "<Directory \"$cgi\">\nOptions ExecCGI\n</Directory>\n"
        . "<Location /refuse/main/>\nUploadPool \"$dir\"\n"
        . "SetEnv UPOOL_RAN \"$ran\"\n</Location>\n";
    for my $case (['Timeout', "Timeout 1\n", qr/^408$/],
                  ['RequestReadTimeout', "RequestReadTimeout body=1\n",
                   qr/^408$/],
                  ['RequestReadTimeout with a rate',
                   "RequestReadTimeout body=1-2,MinRate=100000\n", qr/^408$/]) {
        my ($name, $directive, $answer) = @$case;
        $httpd->start("$config$directive");
        # All at the same time: each of them waits for a second.
        my @begun = map { silent($_, $httpd->port) }
            (map { "Content-Length: $long\r\n\r\n" . substr $body, 0, $_ }
             0, 30, $needed - 5),
            "Transfer-Encoding: chunked\r\n\r\n5\r\n--b\r\n";
        my $before = () = runs();
        for my $n (0 .. $#begun) {
            my ($c, $id) = @{ $begun[$n] };
            like $c->answer->{status}, $answer, "$name, $n: answer";
            is status($url, $id, port => $httpd->port)->{state}, 'error',
                "$name, $n: state";
            is_deeply [left_of($dir, $id)], [], "$name, $n: nothing kept";
        }
        is scalar(() = runs()), $before, "$name: nothing ran";
        my $log = $httpd->error_log;
        is scalar(() = $log =~ /UPL01\d\d:/g), 4, "$name: four lines of the log";
        is scalar(() = $log =~ /upload_pool:warn\].*UPL0131:/g), 4,
            "$name: all of them about the time";
        $httpd->stop;
        unlink $httpd->dir('logs/error_log');
    }
}

is_deeply [strays('refuse')], [], 'only what was taken is in the pool';
is crashes_since($mark), 0, 'no child died';

done_testing;
