# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Upload handlers that see the body before it is parsed: one that unmasks it,
# one that parses another format instead of the server; and the length that a
# client announces for a file.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;
use UploadPool::Probe;
use UploadPool::Tus ();

my $mark = log_mark();

# Posts a body of any type, with rules for the probe; the identifier and the
# answer.
sub post
{
    my ($at, $type, $body, %o) = @_;
    my $id = new_id();
    my $r = request('POST', "$at?X-Progress-ID=$id"
        . ($o{rules} ? "&probe=$o{rules}" : ''), body => $body,
        headers => ['Content-Type', $type, 'Accept', 'application/json']);
    return ($id, $r);
}

sub mask { return join '', map { chr((ord($_) + 1) & 255) } split //, $_[0] }

# --- Other bytes --------------------------------------------------------------

for my $bytes (10, 200_000) {
    my $content = random_bytes($bytes);
    my ($body, $type) = multipart([
        {name => 'title', value => 'plain'},
        {name => 'file', filename => 'a.bin', content => $content}]);
    my ($id, $r) = post('/handler-unmask/', $type, mask($body));
    my ($file) = files($r);
    is slurp($file->{path}), $content, "a masked body, $bytes bytes: the file";
    is $file->{digests}{'sha-256'}, Digest::SHA::sha256_hex($content),
        "$bytes: its digest is that of what is stored";
    is application($r)->{fields}[0]{value}, 'plain', "$bytes: the field";
    is application($r)->{received}, length $body, "$bytes: progress of what came";
    is_deeply [grep { /gap|raw end/ } events($id)],
        ['probe-unmask raw end ' . length $body], "$bytes: the body, once";
}
my ($body, $type) = multipart([{name => 'file', filename => 'a', content => 'x'}]);
my ($id, $r) = post('/handler-unmask/', $type, $body);
is $r->{status}, 400, 'what is no form behind the handler is refused';
is_deeply [left_in($id)], ['attempt.json'], 'and nothing is left';
for my $function (qw(receive_raw_data end_of_raw_data)) {
    ($id, $r) = post('/handler-unmask/', $type, mask($body),
                     rules => "stop.$function.probe-unmask");
    is $r->{status}, 422, "stop in $function";
    is $r->{json}{error}, "probe-unmask stops in $function", 'with its text';
    is_deeply [left_in($id)], ['attempt.json'], 'nothing is left';
    is scalar(grep { /^probe-a interrupted/ } events($id)), 1, 'all are told';
    ($id, $r) = post('/handler-unmask/', $type, mask($body),
                     rules => "skip.$function.probe-unmask");
    is $r->{status}, 500, "a file cannot be skipped in $function";
}

# --- Another format -----------------------------------------------------------

my $lines = 'multipart/form-data; boundary="what parts them"';
my $text = "one.txt first\ntwo.txt second line\n";
for my $case (['/handler-lines/', $text], ['/handler-masked-lines/', mask $text]) {
    my ($at, $sent) = @$case;
    ($id, $r) = post($at, $lines, $sent);
    is_deeply [map { [$_->{filename}, slurp($_->{path})] } files($r)],
        [['one.txt', 'first'], ['two.txt', 'second line']],
        "$at: files that the handler has parsed" or diag $r->{body};
    is_deeply [grep { /^probe-a announced/ } events($id)],
        ['probe-a announced 5', 'probe-a announced 11'],
        "$at: the lengths of its parts";
}
($id, $r) = post('/handler-lines/', $lines, "a.exe x\n");
is $r->{status}, 415, 'a guard judges what the handler makes';
($id, $r) = post('/handler-lines/', $lines, "a b\n" x 100);
is $r->{status}, 413, 'as UploadMaxSize does: 400 bytes made too many';
($id, $r) = post('/handler-lines/', $lines, "a b\n" x 12);
is $r->{status}, 507, 'and the quota';
is status('/handler-lines/', $id)->{state}, 'error', 'which pollers see';
($id, $r) = post('/handler-lines/', $lines, "a b\n");
is $r->{status}, 200, 'one is not';

# --- What is announced of a file ------------------------------------------------

sub announced
{
    my (@headers) = @_;
    my $head = join '', map { "$_\r\n" }
        'Content-Disposition: form-data; name="file"; filename="a"', @headers;
    my ($id, $r) = post('/handler-chain/', 'multipart/form-data; boundary=b',
                        "--b\r\n$head\r\nbytes\r\n--b--\r\n");
    return join ' ', $r->{status},
        map { /^probe-a announced (.*)/ ? $1 : () } events($id);
}
is announced(), '200', 'a part says nothing of its length';
is announced('Content-Length: 5'), '200 5', 'or it does';
is announced('content-length:  5 '), '200 5', 'however it is written';
is announced('Content-Length: 77'), '200 77', 'nobody holds it to that';
is announced("Content-Length: $_"), '200', "what is no number is none: $_"
    for '', '-1', '5x', '5, 5', '0x5', '9' x 25;
is announced('Content-Length: 5', 'Content-Length: 5'), '200', 'nor are two';
is announced('Content-Length: 9223372036854775807'),
    '200 9223372036854775807', 'the largest';
$id = new_id();
my $made = UploadPool::Tus::create("/handler-several/?X-Progress-ID=$id",
                                   length => 5, body => 'whole',
                                   metadata => [filename => 'a']);
is $made->{status}, 201, 'an upload in several requests';
is_deeply [grep { /announced|raw end/ } events($id)],
    ['probe-upper announced 5'], 'announces it, and has no body to parse';

is crashes_since($mark), 0, 'no child died';
done_testing;
