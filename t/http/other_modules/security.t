# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# mod_security: what it sees, whose limits apply, and that its verdict is the
# one answer of the connection, with nothing left behind.
# P7: a canary behind every request that it refuses.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Httpd;
use UploadPool::Neighbours;
use UploadPool::Several;
use UploadPool::Test;

my $mark = log_mark();
my @framings = (['length'], ['chunked', chunked => 1000]);

sub file { return {name => 'f', filename => $_[1] // 'f.bin', content => $_[0]} }

# One answer to it, whatever the framing; then the connection ends, or the next
# request is understood.
sub one_answer
{
    my ($name, $url, $parts, $status, %o) = @_;
    my ($body, $type) = multipart($parts);
    for my $how (@framings) {
        my ($said, @how) = @$how;
        my $to = "$name, $said";
        my $id = new_id();
        empty_pool('neighbours');
        my $c = connect_raw(port => $o{port});
        my $host = $o{host} // 'localhost';
        $c->send("POST $url?X-Progress-ID=$id HTTP/1.1\r\nHost: $host\r\n"
            . "Content-Type: $type\r\n" . join('', @{ $o{lines} || [] })
            . (@how ? "Transfer-Encoding: chunked\r\n\r\n" . chunked($body, $how[1])
               : 'Content-Length: ' . length($body) . "\r\n\r\n$body"));
        $c->send("GET /hello.txt?canary HTTP/1.1\r\nHost: localhost\r\n\r\n");
        my $r = $c->answer;
        is $r->{status}, $status, "$to: $status" or diag $r->{error} // '';
        ok !defined application($r), "$to: no application has run";
        my $next = $c->answer;
        # 0: closed, or reset because more was sent.
        like $next->{status}, qr/^(?:0|200)$/, "$to: one answer";
        is $next->{body}, slurp(var('documentroot') . '/hello.txt'),
            "$to: and then that of the next" if $next->{status};
        $c->close;
        is_deeply [pool_files('neighbours')], [], "$to: nothing in the pool"
            unless $o{began};
        is_deeply [grep { /\.bin$/ } pool_files('neighbours')], [],
            "$to: no bytes in the pool";
    }
    return;
}

# --- SecRequestBodyAccess On ------------------------------------------------

my $title = {name => 'title', value => 'forbidden'};
one_answer('a field', '/n/sec/echo.lua', [$title, file('x' x 5000)], 403);
one_answer('a file name', '/n/sec/echo.lua', [file('x' x 5000, 'a.exe')], 415);
one_answer('a header', '/n/sec/echo.lua', [file('x' x 5000)], 406,
           lines => ["X-Bad: yes\r\n"]);
one_answer('over SecRequestBodyLimit', '/n/sec/echo.lua',
           [file('x' x 500_000)], 413);
# The core's limit speaks while mod_security reads: it must be the only one who
# answers. For a length it is heard before.
one_answer('over LimitRequestBody', '/n/seclimited/echo.lua',
           [file('x' x 30_000)], 413, began => 1);
# Fields count, files do not.
one_answer('over SecRequestBodyNoFilesLimit', '/n/sec/echo.lua',
           [{name => 'text', value => 'y' x 20_000}], 413);

# Nobody is asked before, whoever polls.
{
    my $id = new_id();
    upload('/n/sec/echo.lua', [$title], id => $id);
    is status('/n/sec/echo.lua', $id)->{state}, 'starting',
        'refused by a rule: never began';
}
# Each request is measured by itself, so every way goes through.
goes_through('sec', '/n/sec/echo.lua');
for my $way (ways()) {
    my $up = begin($way, '/n/sec/echo.lua', 'x' x 900_000);
    is $up->{finish}->()->{status}, 413,
        "$way: one request of it over SecRequestBodyLimit";
}
# Refused in the middle, it goes on where it was.
{
    my $up = begin('tus', '/n/sec/echo.lua', 'x' x 8_000);
    my $r = $up->{finish}->(headers => ['X-Bad', 'yes']);
    is $r->{status}, 406, 'tus: one request is refused';
    $r = request('HEAD', $up->{url}, headers => ['Tus-Resumable', '1.0.0']);
    is $r->{headers}{'upload-offset'}, 4_000, 'tus: what came before stays';
    arrived('tus: the next goes on', $up->{finish}->(), 'x' x 8_000, $up->{id});
}

# With ProcessPartial it does not find the end of a form that is longer; what is
# no form it hands on whole.
one_answer('a form over ProcessPartial', '/n/secpartial/echo.lua',
           [file('x' x 9000)], 500);
goes_through('ProcessPartial', '/n/secpartial/echo.lua',
             only => qr/^(?:tus|resumable|raw)$/);

# --- Off, as the manual says --------------------------------------------------

goes_through('Off', '/n/secoff/echo.lua');
{
    my $content = random_bytes(600_000);
    my $r = upload('/n/secoff/echo.lua', [file($content)]);
    arrived('Off, larger than its limits', $r, $content);
    one_answer('Off, a header', '/n/secoff/echo.lua', [file('x' x 5000)], 406,
               lines => ["X-Bad: yes\r\n"]);
}
{
    my @there = (port => var('thirdport'), host => 'security.test');
    one_answer('ctl, another location', '/n/kept/echo.lua',
               [file('x' x 5000)], 413, @there);
    one_answer('ctl, a header', '/n/secctl/echo.lua', [file('x' x 5000)], 406,
               @there, lines => ["X-Early: yes\r\n"]);
    # Off in a <Location> comes too late for what the head tells already.
    my $content = random_bytes(9000);
    my @to = ('/n/secoff/echo.lua', [file($content)],
              port => var('thirdport'));
    is upload(@to, headers => ['Host', 'security.test'])->{status}, 413,
        'On in the server, Off in a location: too late for a length';
    arrived('On in the server, Off in a location, chunked',
            upload(@to, chunked => 500, headers => ['Host', 'security.test']),
            $content);
    for my $how ([], [chunked => 500], [step => 3000, pause => 0.02]) {
        my $r = upload('/n/secctl/echo.lua', [file($content)], @$how,
            port => var('thirdport'), headers => ['Host', 'security.test']);
        arrived("ctl:requestBodyAccess=Off, @$how[0 .. ($#$how > 0 ? 0 : -1)]",
                $r, $content);
    }
}

# --- Its word about the answer ----------------------------------------------

goes_through('secout', '/n/secout/echo.lua');
for my $how (@framings) {
    my ($said, @how) = @$how;
    my $id = new_id();
    my $r = upload('/n/secout/echo.lua', [{name => 't',
        value => 'leaks-a-secret'}, file('x' x 5000)], id => $id, @how);
    is $r->{status}, 502, "the answer is denied, $said: its status";
    unlike $r->{body}, qr/leaks-a-secret/, "the answer is denied, $said";
    ok wait_for(sub { !grep { /^\Q$id\E/ } pool_files('neighbours') }),
        "the answer is denied, $said: UploadCleanup sees that status";
}

# --- Loaded before us, as Debian's names have it ----------------------------

{
    my $httpd = UploadPool::Httpd->new(first => ['unique_id', 'security2']);
    my $pool = $httpd->make_pool('first');
    $httpd->start("SecRuleEngine On\nSecRequestBodyAccess On\n"
        . "SecRequestBodyLimit 4000\n<Location /up>\n UploadPool \"$pool\"\n"
        . " UploadMaxSize 20K\n SetHandler upload-pool\n</Location>\n");
    my @large = file('x' x 30_000);
    is upload('/up', \@large, port => $httpd->port)->{status}, 413,
        'loaded before: 413';
    # It has not read it before we were asked.
    is upload('/up', [file('x' x 3000)], port => $httpd->port,
              id => 'no identifier')->{status}, 400,
        'loaded before: a bad identifier';
    is upload('/up', \@large, port => $httpd->port,
              id => 'no identifier', chunked => 1000)->{status}, 400,
        'loaded before: a bad identifier comes before its limit';
    is upload('/up', [file('x' x 3000)], port => $httpd->port)->{status}, 200,
        'loaded before: below both limits';
    unlike $httpd->error_log, qr/exit signal/, 'loaded before: no child died';
    $httpd->stop;
}
is crashes_since($mark), 0, 'no child died';

done_testing;
