# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The application runs once, however often the request that completes an upload
# comes, and each repeat gets the same answer.

use strict;
use warnings FATAL => 'all';
use IO::Uncompress::Gunzip qw(gunzip);
use JSON::PP ();
use Test::More;
use UploadPool::Several;
use UploadPool::Test;

my $mark = log_mark();
my $ran = pool('complete-ran');
unlink "$ran/log", "$ran/denied";

sub runs
{
    return 0 unless -f "$ran/log";
    my $count = () = slurp("$ran/log") =~ /\n/g;
    return $count;
}
sub bucket { my ($up) = @_; return pool('complete') . '/' . $up->{id} }
sub kept { my ($up) = @_; return JSON::PP->new->decode(
    slurp(bucket($up) . '/answer.json')) }

# What differs between two answers to one request.
sub same
{
    my ($r, $first, $name) = @_;
    is $r->{status}, $first->{status}, "$name: the status";
    is $r->{body}, $first->{body}, "$name: the body";
    my @headers = map { my %h = %{ $_->{headers} };
        delete @h{qw(date keep-alive connection transfer-encoding
                     content-length)}; \%h } $r, $first;
    is_deeply @headers, "$name: the headers";
    return;
}

# --- Again ------------------------------------------------------------------

for my $way (patient()) {
    my $before = runs();
    my $up = begin($way, '/c/cgi/count.pl', 'hello');
    is runs(), $before, "$way: it does not run before";
    my $first = $up->{finish}->();
    is $first->{status}, 200, "$way: answered" or diag explain $first;
    is runs(), $before + 1, "$way: it ran";
    for my $n (1, 2) {
        same($up->{again}->(), $first, "$way: again ($n)");
    }
    is runs(), $before + 1, "$way: it ran once";
    is_deeply [grep { -e bucket($up) . "/$_" } qw(answer.json run)],
        [qw(answer.json run)], "$way: kept with the upload";
    is request('DELETE', "/c/cgi/count.pl?X-Progress-ID=$up->{id}")->{status},
        200, "$way: cleared";
    ok !-e bucket($up), "$way: and all of it is gone";
    isnt $up->{again}->()->{status}, 200, "$way: then it is not answered again";
    is runs(), $before + 1, "$way: nor run";
}

# U/complete says that it is complete, as django-chunked-upload does.
{
    my $before = runs();
    my $up = begin('chunked', '/c/cgi/count.pl', 'hello');
    is $up->{finish}->()->{status}, 200, 'U/complete';
    is $up->{again}->()->{status}, 400, 'U/complete again';
    is runs(), $before + 1, 'U/complete: it ran once';
    $up = begin('chunked', '/c/cgi/echo.pl?status=503', 'hello');
    is $up->{finish}->()->{status}, 503, 'U/complete, an error';
    is $up->{again}->()->{status}, 503, 'U/complete runs it again then';
}

# What is kept of an answer, and what is not.
for my $way (patient()) {
    my $up = begin($way, '/c/headers/echo.pl', 'hello');
    my $first = $up->{finish}->();
    is $first->{headers}{'set-cookie'}, 'a=b', "$way: a cookie for the first";
    my $again = $up->{again}->();
    is $again->{body}, $first->{body}, "$way: the second";
    is $again->{headers}{'content-type'}, 'application/json', "$way: its type";
    is $again->{headers}{'x-from-headers'}, 'yes', "$way: mod_headers goes on";
    my %kept = map { lc $_->[0] => 1 } @{ kept($up)->{headers} };
    ok !$kept{'set-cookie'} && !$kept{'x-from-headers'},
        "$way: but nothing of it is kept";

    $up = begin($way, '/c/deflate/echo.pl', 'hello');
    $up->{headers} = ['Accept-Encoding', 'gzip'];
    $first = $up->{finish}->();
    is $first->{headers}{'content-encoding'}, 'gzip', "$way: coded";
    my @plain = map { my $coded = $_->{body};
        gunzip(\$coded => \my $text) or die 'no gzip'; $text }
        $first, $up->{again}->();
    is $plain[1], $plain[0], "$way: coded again";
    $up->{headers} = [];
    $again = $up->{again}->();
    is $again->{headers}{'content-encoding'}, undef, "$way: not for others";
    is $again->{json}{method}, 'POST', "$way: who can read it";
}

# Too old: the status stays, and what there is to say.
for my $way (patient()) {
    my $before = runs();
    my $up = begin($way, '/c/cgi/count.pl', 'hello');
    $up->{finish}->();
    my $answer = kept($up);
    $answer->{answered} -= 601 * 1e6;
    spew(bucket($up) . '/answer.json', as_json($answer));
    my $r = $up->{again}->();
    is $r->{status}, 200, "$way, later: the status";
    is $r->{json}{state}, 'done', "$way, later: the status object";
    is $r->{headers}{'cache-control'}, 'no-store', "$way, later: not cached";
    unlink bucket($up) . '/answer.json';
    is $up->{again}->()->{json}{state}, 'done', "$way: without any";
    is runs(), $before + 1, "$way: and nothing ran";
}

# Damaged, by whoever else can write there.
for my $text ('', '{}', 'x' x 100_000, "\0", '{"version":2}') {
    my $up = begin((patient())[0], '/c/cgi/count.pl', 'hello');
    $up->{finish}->();
    my $before = runs();
    spew(bucket($up) . '/answer.json', $text);
    is $up->{again}->()->{status}, 200, 'a damaged answer is none';
    is runs(), $before, 'but it is known that there was one';
}

# --- Errors -----------------------------------------------------------------

for my $case ([500, 2], [503, 2], [401, 2], [429, 2], [400, 1], [404, 1],
              [409, 1], [200, 1], [201, 1]) {
    my ($status, $times) = @$case;
    for my $way (patient()) {
        my $up = begin($way, "/c/cgi/echo.pl?status=$status", 'hello');
        my $at = log_mark();
        # tus has one status for success.
        my $told = $way eq 'tus' && $status < 300 ? 200 : $status;
        is $up->{finish}->()->{status}, $told, "$way: $status";
        is $up->{again}->()->{status}, $told, "$way: $status again";
        my $count = () = error_log_since($at) =~ /UPL0062/g;
        is $count, $times, "$way: $status: it ran $times times";
        is status('/c/cgi/echo.pl', $up->{id})->{state}, 'done',
            "$way: $status: the upload stays";
    }
}
for my $way (patient()) {
    my $up = begin($way, '/c/clean/echo.pl?status=404', 'hello');
    is $up->{finish}->()->{status}, 404, "$way, UploadCleanup: 404";
    ok wait_for(sub { !-e bucket($up) }), "$way, UploadCleanup: removed";
    $up = begin($way, '/c/clean/echo.pl', 'hello');
    is $up->{finish}->()->{status}, 200, "$way, UploadCleanup: 200";
    ok -e bucket($up), "$way, UploadCleanup: it stays";
    $up = begin($way, '/c/keep/echo.pl', 'hello');
    is $up->{finish}->()->{status}, 200, "$way, UploadKeep";
    ok wait_for(sub { !-e bucket($up) }), "$way, UploadKeep: not claimed";
    $up = begin($way, '/c/keep/echo.pl?claim', 'hello');
    my $r = $up->{finish}->();
    is $r->{status}, 200, "$way, UploadKeep";
    is $r->{headers}{'x-upload-claim'}, undef, "$way, UploadKeep: not told";
    ok -e bucket($up), "$way, UploadKeep: claimed, it stays";
    my %kept = map { lc $_->[0] => 1 } @{ kept($up)->{headers} };
    ok !$kept{'x-upload-claim'}, "$way, UploadKeep: not kept either";
    $up = begin($way, '/c/keep/echo.pl?status=503', 'hello');
    is $up->{finish}->()->{status}, 503, "$way, UploadKeep";
    is $up->{again}->()->{status}, 503,
        "$way, UploadKeep: what may run again is not let go";
    ok -e bucket($up), "$way, UploadKeep: so it is there";
    $up = begin($way, '/c/document/nothing.pl', 'hello');
    $r = $up->{finish}->();
    is $r->{status}, 404, "$way, ErrorDocument";
    like $r->{json}{env}{QUERY_STRING} || '', qr/document=404/,
        "$way, ErrorDocument: its page";
    is $r->{json}{length}, 0, "$way, ErrorDocument: gets no body";
}

# --- At once ----------------------------------------------------------------

# R8: It runs once.
for my $way (patient()) {
    my $before = runs();
    my $up = begin($way, '/c/cgi/echo.pl?sleep=0.7', 'hello');
    my $at = log_mark();
    my ($method, $url, $body, @headers) = @{ $up->{last} };
    my $c = connect_raw();
    my $head = '';
    while (my ($name, $value) = splice @headers, 0, 2) {
        $head .= "$name: $value\r\n";
    }
    $c->send("$method $url HTTP/1.1\r\nHost: x\r\n${head}Content-Length: "
             . length($body) . "\r\n\r\n$body");
    ok wait_for(sub { -e bucket($up) . '/run' }), "$way: it runs";
    my $second = $up->{again}->();
    my $first = $c->answer;
    $c->close;
    is $first->{status}, 200, "$way: the first";
    same($second, $first, "$way: who came meanwhile");
    my $count = () = error_log_since($at) =~ /UPL0062/g;
    is $count, 1, "$way: it ran once";
}

# --- The client, and the server --------------------------------------------------

for my $way (patient()) {
    # The client goes while the application works.
    my $up = begin($way, '/c/cgi/echo.pl?sleep=0.5', 'hello');
    my $at = log_mark();
    $up->{finish}->(abort => 'rst');
    ok wait_for(sub { -e bucket($up) . '/answer.json' }),
        "$way: it answers though nobody listens";
    is $up->{again}->()->{json}{method}, 'POST', "$way: for who comes again";
    my $count = () = error_log_since($at) =~ /UPL0062/g;
    is $count, 1, "$way: it ran once";
}
fresh_children();
for my $way ((patient())[0]) {
    # The process dies while the application works.
    my $up = begin($way, '/c/cgi/echo.pl?sleep=1', 'hello');
    my ($method, $url, $body, @headers) = @{ $up->{last} };
    my $head = '';
    while (my ($name, $value) = splice @headers, 0, 2) {
        $head .= "$name: $value\r\n";
    }
    my $c = connect_raw();
    $c->send("$method $url HTTP/1.1\r\nHost: x\r\n${head}Content-Length: "
             . length($body) . "\r\n\r\n$body");
    ok wait_for(sub { -e bucket($up) . '/run' }), "$way: it runs";
    my @children = children();
    kill 'KILL', @children;
    ok wait_for(sub { my %old = map { $_ => 1 } @children;
                      scalar grep { !$old{$_} } children() }),
        "$way: every child was killed";
    $c->close;
    ok !-e bucket($up) . '/answer.json', "$way: there is no answer";
    # While the dead one is not yet gone, the next is told to come again.
    my $r;
    ok wait_for(sub { $r = $up->{again}->(); ($r->{status} || 409) != 409 }),
        "$way: the server is there again";
    is $r->{status}, 200, "$way: it runs again" or diag explain $r;
    is application($r)->{received}, 5, "$way: with the same upload";
    is $up->{again}->()->{body}, $r->{body}, "$way: and then no more";
}
# httpd says nothing of the children that this test killed.
is scalar(crashes_since($mark)), 0, 'no other child died';

# An identifier that is used again is another upload.
for my $way (patient()) {
    my $up = begin($way, '/c/cgi/echo.pl', 'first');
    my $first = $up->{finish}->();
    is upload('/c/cgi/echo.pl', [{name => 'f', filename => 'f',
        content => 'second'}], id => $up->{id})->{status}, 200,
        "$way: replaced by a form";
    isnt $up->{again}->()->{body}, $first->{body},
        "$way: the old answer is not given";
}

done_testing;
