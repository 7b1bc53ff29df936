# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# What a verdict of an upload handler does, in every function that may give
# one: to the upload, to the other handlers, to the client, to the log.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;
use UploadPool::Probe;

my $mark = log_mark();
my $url = '/handler-chain/';
my @functions = qw(handle_raw_input new_file receive_data_chunk flush
                   end_of_data file_complete upload_complete);
my @two = (['one.txt', 'first content'], ['two.txt', 'second content']);
# More than one pull brings: flush is called while a file is open only.
my @long = (['one.txt', 'x' x 700_000]);

sub files_for { return $_[0] eq 'flush' ? @long : @two }

# The application writes its answer as JSON with its "via".
sub ran { return ($_[0]{json} || {})->{via} ? 1 : 0 }

# The one line that a refusal leaves, without what the others have logged.
sub refusals { return error_log_since($_[0]) =~ /(UPL01\d\d: .*)/g }

# A refusal by probe-b: what must be true whatever the function.
sub check_refused
{
    my ($name, $function, $id, $r, $at, $status, $text) = @_;
    is $r->{status}, $status, "$name: status";
    is_deeply $r->{json}, {state => 'error', error => $text,
    detail => $text}, "$name: text";
    my $state = status($url, $id);
    is $state->{state}, 'error', "$name: state";
    is $state->{error}, $text, "$name: the poller's text";
    is_deeply [left_in($id)], ['attempt.json'], "$name: nothing is left";
    my @opened = $function eq 'handle_raw_input' ? qw(a b) : qw(a b c);
    my @events = events($id);
    is_deeply [grep { /interrupted/ } @events],
        [map { "probe-$_ interrupted" } @opened],
        "$name: each that was opened is told once, in order";
    like $events[-@opened - 1], qr/^probe-b \w+ in $function$/,
        "$name: nobody is called after the verdict";
    my @lines = refusals($at);
    is scalar @lines, 1, "$name: one line in the log";
    return $lines[0];
}

# --- Stop ---------------------------------------------------------------------

for my $function (@functions) {
    for my $verdict (qw(stop reset)) {
        my $at = log_mark();
        my $name = "$verdict in $function";
        my ($id, $r) = send_files($url, "$verdict.$function.probe-b",
                                  files_for($function), {keep_alive => 1});
        my $line = check_refused($name, $function, $id, $r, $at, 422,
                                 "probe-b stops in $function");
        like $line, qr/refused with 422: probe-b stops in $function: probe-b/,
            "$name: that names the handler";
        next if $function eq 'flush';
        my $closes = ($r->{headers}{connection} || '') =~ /close/i ? 1 : 0;
        is $closes, $verdict eq 'reset' ? 1 : 0,
            "$name: the connection " . ($closes ? 'closes' : 'stays');
    }
}
{
    my ($id, $r) = send_files($url, 'stop.receive_data_chunk.probe-b.two.txt',
                              @two);
    is $r->{status}, 422, 'stop in the second file';
    is_deeply [left_in($id)], ['attempt.json'], 'the first one goes too';
    my $c = connect_raw();
    # At once: a client that is waited for loses its connection instead.
    for my $round (1 .. 2) {
        my ($body, $type) = multipart([{name => 'file', filename => 'x',
                                        content => 'x' x 40_000}]);
        $c->send("POST $url?probe=stop.new_file.probe-a HTTP/1.1\r\n"
            . "Host: localhost\r\nAccept: application/json\r\nContent-Type: "
            . "$type\r\nContent-Length: " . length($body) . "\r\n\r\n"
            . $body);
        is $c->answer->{status}, 422,
            "round $round on one connection: the rest is drained";
    }
    $c->send("GET /hello.txt HTTP/1.1\r\nHost: localhost\r\n"
             . "Connection: close\r\n\r\n");
    is $c->answer->{status}, 200, 'and the next request is understood';
    ($id, $r) = send_files($url, 'stop.new_file.probe-a',
                           ['x', 'x' x 3_000_000], {keep_alive => 1});
    is $r->{status}, 422, 'a long rest: the answer arrives';
    like $r->{headers}{connection} || '', qr/close/i, 'and the connection ends';
}

# --- A stream of HTTP/2 ---------------------------------------------------------

{
    my $file = var('t_logs') . "/handler-$$.txt";
    spew($file, 'x' x 30_000);
    for my $case (map { my $v = $_; map { [$v, $_] } @functions }
                  qw(stop reset)) {
        my ($verdict, $function) = @$case;
        next if $function eq 'flush';
        my $r = curl('--http2-prior-knowledge', '-H',
            'Accept: application/json', '-F', "file=\@$file", base()
            . "$url?X-Progress-ID=" . new_id()
            . "&probe=$verdict.$function.probe-b");
        is $r->{status}, 422, "HTTP/2: $verdict in $function: the answer"
            or diag $r->{error};
        is(($r->{json} || {})->{error}, "probe-b stops in $function",
           'and its text');
    }
    unlink $file;
}

# --- The words of a refusal ---------------------------------------------------

{
    my $at = log_mark();
    my ($id, $r) = send_files($url, 'plain.new_file.probe-b', @two);
    check_refused('no words', 'new_file', $id, $r, $at, 403,
                  'Upload was refused');
    $at = log_mark();
    ($id, $r) = send_files($url, 'odd.new_file.probe-b', @two);
    check_refused('status 200, text that is none', 'new_file', $id, $r, $at,
                  403, 'Upload was refused');
    ($id, $r) = send_files($url, 'stop.new_file.probe-b', @two,
                           {accept => 'text/html'});
    is $r->{status}, 422, 'to a browser: the status';
    like $r->{headers}{'content-type'}, qr{^text/html}, "and httpd's own page";
    $at = log_mark();
    ($id, $r) = send_files($url, ['stop.new_file.probe-c',
                                  'stop.new_file.probe-a'], @two);
    is $r->{json}{error}, 'probe-a stops in new_file', 'the first one wins';
    ok !(grep { /probe-[bc] new/ } events($id)), 'the others are not asked';
    ($id, $r) = send_files($url, ['stop.file_complete.probe-b.one.txt',
                                  'stop.new_file.probe-a.two.txt'], @two);
    is $r->{json}{error}, 'probe-b stops in file_complete', 'in time, too';
}

# --- Skip ---------------------------------------------------------------------

for my $function (qw(new_file receive_data_chunk end_of_data file_complete)) {
    my $name = "skip in $function";
    my ($id, $r) = send_files($url, "skip.$function.probe-b.one.txt", @two);
    is $r->{status}, 200, "$name: the upload goes on";
    my @files = files($r);
    is_deeply [map { $_->{filename} } @files], ['two.txt'],
        "$name: without that file";
    is slurp($files[0]{path}), 'second content', "$name: the other is whole";
    my @saw = $function eq 'new_file' ? qw(a b) : qw(a b c);
    is_deeply [grep { /cut/ } events($id)], [map { "probe-$_ cut 0" } @saw],
        "$name: who saw it is told";
    is_deeply [grep { /complete \d/ } events($id)],
        [$function eq 'file_complete'
             ? map({ "probe-$_ complete 0 size=13 kept=nobody" } qw(a b)) : (),
         'probe-a complete 0 size=14 kept=nobody',
         'probe-b complete 0 size=14 kept=nobody',
         'probe-c complete 0 size=14 kept=stored'],
        "$name: nobody behind completes it";
    is scalar(grep { /\.bin$/ } left_in($id)), 1, "$name: one in the pool";
}
{
    my ($id, $r) = send_files($url, 'skip.new_file.probe-b', @two);
    is_deeply [files($r)], [], 'every file skipped: an empty list';
    is $r->{status}, 200, 'that the application gets';
}

# --- Handled ------------------------------------------------------------------

{
    my ($id, $r) = send_files($url, 'handled.new_file.probe-b.one.txt', @two);
    is_deeply [map { $_->{filename} } files($r)], ['two.txt'],
        'handled by one that keeps nothing: in no list';
    is_deeply [grep { /probe-c (?:new|complete)/ } events($id)],
        ['probe-c new 0 file two.txt',
         'probe-c complete 0 size=14 kept=stored'],
        'nobody behind it saw the file';
    is_deeply [grep { / 0 size=13/ } events($id)],
        [map { "probe-$_ complete 0 size=13 kept=nobody" } qw(a b)],
        'those before it and itself saw all of it';
}

# --- Verdicts out of place ----------------------------------------------------

for my $function (@functions) {
    my @wrong = ('bad',
        $function eq 'new_file' ? () : 'handled',
        $function =~ /^(?:handle_raw_input|flush|upload_complete)$/
            ? 'skip' : ());
    for my $verdict (@wrong) {
        my $at = log_mark();
        my ($id, $r) = send_files($url, "$verdict.$function.probe-b",
                                  files_for($function));
        my $line = check_refused("$verdict in $function", $function, $id, $r,
                                 $at, 500, 'Upload server error');
        like $line, qr/handler probe-b gave a verdict that has no meaning/,
            "$verdict in $function: the log blames the handler";
    }
}

# --- The client goes away -----------------------------------------------------

for my $how (qw(fin rst)) {
    my ($body, $type) = multipart([{name => 'file', filename => 'one.txt',
                                    content => 'x' x 50_000}]);
    my $id = new_id();
    my $c = connect_raw();
    $c->send("POST $url?X-Progress-ID=$id HTTP/1.1\r\nHost: localhost\r\n"
        . "Content-Type: $type\r\nContent-Length: " . length($body)
        . "\r\n\r\n" . substr $body, 0, 30_000);
    ok wait_for(sub { (status($url, $id)->{received} || 0) > 20_000 }),
        "$how: in the middle of a file";
    $how eq 'rst' ? $c->reset : $c->close;
    ok wait_for(sub { status($url, $id)->{state} eq 'error' }),
        "$how: the upload ends in an error";
    my @events = events($id);
    is_deeply [grep { /interrupted|cut|complete|done/ } @events],
        [map { "probe-$_ interrupted" } qw(a b c)],
        "$how: every handler is told, in order, and nothing else";
    is_deeply [left_in($id)], ['attempt.json'], "$how: nothing is left";
}

# A body that is malformed behind the file interrupts as well.
{
    my ($body, $type) = multipart([{name => 'file', filename => 'one.txt',
                                    content => 'content'}]);
    $body =~ s/--\r\n\z//;
    my $id = new_id();
    my $r = request('POST', "$url?X-Progress-ID=$id", body => $body,
                    headers => ['Content-Type', $type]);
    is $r->{status}, 400, 'no closing delimiter';
    is_deeply [grep { /interrupted|done/ } events($id)],
        [map { "probe-$_ interrupted" } qw(a b c)], 'interrupted';
}

# An upload that was complete before a refused attempt stays.
{
    my ($id, $r) = send_files($url, undef, @two);
    my $path = (files($r))[0]{path};
    (undef, $r) = send_files($url, 'stop.upload_complete.probe-c', @two,
                             {id => $id});
    is $r->{status}, 422, 'a second attempt is stopped at its very end';
    is slurp($path), 'first content', 'the first upload stays readable';
    is scalar(grep { /\.bin$/ } left_in($id)), 2, 'and is all that is there';
}

is crashes_since($mark), 0, 'no child died';
done_testing;
