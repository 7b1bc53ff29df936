# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The status object in every state, by every way of asking, and JSONP.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my $url = '/stat/echo.pl';

sub begin
{
    my ($id, %o) = @_;
    my ($body, $type) = multipart([
        {name => 'secret', value => 'field value'},
        {name => 'f', filename => 'my file.txt', type => 'text/x-test; a=b',
         content => 'x' x 20_000}]);
    my $c = connect_raw();
    my $framing = $o{chunked} ? 'Transfer-Encoding: chunked'
        : 'Content-Length: ' . length $body;
    $c->send("POST $url?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
             . "Content-Type: $type\r\nConnection: close\r\n$framing\r\n\r\n");
    return ($c, $body);
}

sub piece
{
    my ($c, $bytes, %o) = @_;
    return $c->send($o{chunked} ? sprintf("%x\r\n%s\r\n", length $bytes, $bytes)
                    : $bytes);
}

# --- States -----------------------------------------------------------------

my $id = new_id();
is_deeply status($url, $id), {state => 'starting'}, 'unknown: starting';
for my $chunked (0, 1) {
    my $name = $chunked ? 'chunked' : 'sized';
    $id = new_id();
    my ($c, $body) = begin($id, chunked => $chunked);
    my $size = $chunked ? undef : length $body;
    my $s = wait_for(sub {
        my $s = status($url, $id);
        return $s->{state} eq 'uploading' && $s;
    });
    is_deeply [sort keys %$s], [qw(content-type expires filename identifier
        received size state)], "$name: the keys while uploading";
    is $s->{identifier}, $id, "$name: identifier";
    is $s->{received}, 0, "$name: nothing received yet";
    is $s->{size}, $size, "$name: size";
    my ($before, $grown) = (0, 0);
    for my $bytes (unpack '(a2500)*', substr $body, 0, 15_000) {
        piece($c, $bytes, chunked => $chunked);
        $s = wait_for(sub {
            my $s = status($url, $id);
            return $s->{received} > $before && $s;
        }) or last;
        $grown++;
        cmp_ok $s->{received}, '<=', 15_000, "$name: not more than was sent";
        $before = $s->{received};
    }
    is $grown, 6, "$name: received grows with every piece";
    is $s->{filename}, 'my file.txt', "$name: filename";
    is $s->{'content-type'}, 'text/x-test', "$name: content-type";
    like $s->{expires}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
        "$name: expires is RFC 3339";
    piece($c, substr($body, 15_000), chunked => $chunked);
    $c->send("0\r\n\r\n") if $chunked;
    is $c->answer->{status}, 200, "$name: it completes";
    $c->close;
    $s = status($url, $id);
    delete $s->{expires};
    is_deeply $s, {state => 'done', identifier => $id, 'filename' =>
        'my file.txt', 'content-type' => 'text/x-test',
        size => length $body, received => length $body}, "$name: done";
}

my $failed = new_id();
is request('POST', "$url?X-Progress-ID=$failed", body => "--x\r\nbad\r\n",
    headers => ['Content-Type', 'multipart/form-data; boundary=x'])->{status},
    400, 'a malformed upload';
my $s = status($url, $failed);
is_deeply [sort keys %$s], [qw(content-type error expires filename identifier
    received size state)], 'the keys of an error';
is $s->{state}, 'error', 'error';
like $s->{error}, qr/^Upload request is malformed/, 'with its text';
for my $gone ('rst', 'fin') {
    my $id = new_id();
    my ($c, $body) = begin($id);
    piece($c, substr $body, 0, 9000);
    wait_for(sub { (status($url, $id)->{received} || 0) > 0 });
    $gone eq 'rst' ? $c->reset : $c->close;
    ok wait_for(sub { status($url, $id)->{state} eq 'error' }),
        "$gone: the client went, error";
    is_deeply [grep { /^\Q$id\E.*bin/ } pool_files('stat')], [],
        "$gone: no data is left";
}

# --- Never more than that ---------------------------------------------------

# T9: Neither path nor field.
for my $text (request('GET', "$url/status?X-Progress-ID=$id")->{body},
              request('GET', "$url/status?X-Progress-ID=$failed")->{body}) {
    unlike $text, qr/\Q@{[pool('stat')]}\E|pools|\.bin/, 'no path';
    unlike $text, qr/secret|field value/, 'no form field';
}
my $nasty = new_id();
upload($url, [{name => 'f', filename => "</script>&\xe2\x80\xa8\"'.html",
               content => 'x'}], id => $nasty);
my $r = request('GET', "$url/status?X-Progress-ID=$nasty");
unlike $r->{body}, qr/[<>&]|\xe2/, 'markup in names is escaped';
is $r->{json}{filename}, "</script>&\x{2028}\"'.html", 'and comes back';

# --- Ways of asking ---------------------------------------------------------

my @ways = ("$url/status?X-Progress-ID=$id", "$url?status&X-Progress-ID=$id",
            "$url?X-Progress-ID=$id&status", "$url?status=1&X-Progress-ID=$id",
            "$url?status&clear&X-Progress-ID=$id",
            "$url?X-Progress-ID=$id&status=" . 'x' x 100,
            "/stat/?status&X-Progress-ID=$id",
            "/stat/no/such/page/status?X-Progress-ID=$id");
for my $way (@ways) {
    $r = request('GET', $way);
    is $r->{status}, 200, "GET $way";
    is $r->{json}{state}, 'done', 'its state';
    like $r->{headers}{'content-type'}, qr{^application/json\b}, 'its type';
    is $r->{headers}{'cache-control'}, 'no-store', 'never cached';
    is $r->{headers}{'x-content-type-options'}, 'nosniff', 'nosniff';
    is $r->{headers}{'content-length'}, length $r->{body}, 'its length';
}
for my $way ("$url/status", "$url?status") {
    is request('GET', $way, headers => ['X-Progress-ID', $id])->{json}{state},
        'done', "$way with the header";
}
my $c = connect_raw();
$c->send("HEAD $url/status?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n\r\n");
$r = $c->answer(head => 1);
is $r->{status}, 200, 'HEAD';
is $r->{headers}{'cache-control'}, 'no-store', 'HEAD: not cached';
like $r->{headers}{'content-type'}, qr{^application/json}, 'HEAD: type';
$c->send("GET $url/status?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n\r\n");
is $c->answer->{json}{state}, 'done', 'and no body came before the next';
$c->close;
is request('POST', "$url/status?X-Progress-ID=$id", body => '')->{json}{method},
    'POST', 'POST U/status is the application\'s';
ok exists status($url, 'never-heard-of')->{state}, 'unknown is no error';

# --- JSONP ------------------------------------------------------------------

for my $name ('f', 'jQuery1_2', '$', '_', 'a.b.c', 'Ext.data.cb$1',
              'x' x 64) {
    $r = request('GET', "$url/status?X-Progress-ID=$id&callback=$name");
    is $r->{status}, 200, "callback $name";
    like $r->{body}, qr{\A/\*\*/\Q$name\E\((\{.*\})\);?\s*\z}s, 'its form';
    my ($json) = $r->{body} =~ /\((.*)\)/s;
    is decode_json_text($json)->{state}, 'done', 'its content';
    like $r->{headers}{'content-type'}, qr{^application/javascript\b},
        'its type';
    is $r->{headers}{'x-content-type-options'}, 'nosniff', 'nosniff';
    is $r->{headers}{'cache-control'}, 'no-store', 'never cached';
}
# I5: A callback is a name.
my @bad = ('', '1a', 'a-b', 'a b', 'a(b', 'alert(1)//', 'a;b', 'a%0ab', 'a%00',
    'a[0]', 'a%22', "a'b", 'a%3Cscript%3E', 'a/b', 'a\\b', '.a', 'a,b', '%C3%A4',
    'a%E2%80%A8', 'x' x 65, 'x' x 5000, 'a=b', 'a%2', '%', 'a+b', '(', '*/a',
    'a%26b', 'a:b', 'f&callback=g', '{}');
cmp_ok scalar @bad, '>=', 25, 'enough of them';
for my $name (@bad) {
    for my $how ("$url/status?", "$url?clear&") {
        $r = request('GET', "${how}X-Progress-ID=$id&callback=$name");
        my $shown = substr $name, 0, 30;
        is $r->{status}, 400, "callback '$shown' at $how";
        unlike $r->{headers}{'content-type'}, qr/javascript/, 'is no script';
    }
}
is status($url, $id)->{state}, 'done', 'nothing was cleared by these';

is crashes_since($mark), 0, 'no child died';
done_testing;
