# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The protocol of django-chunked-upload: its requests, answers, statuses and
# words, but none of its defects.

use strict;
use warnings FATAL => 'all';
use utf8;
use Test::More;
use Digest::MD5 qw(md5_hex);
use UploadPool::Test;
use UploadPool::Chunked;

my $mark = log_mark();
my $url = '/chunked/echo.pl';
my $content = random_bytes(70_000);
my $total = length $content;
my $name = 'Grüße.jpg';
utf8::encode(my $sent_name = $name);

sub part
{
    my ($from, $to) = @_;
    return (substr($content, $from, $to - $from + 1),
            range => "bytes $from-$to/$total");
}

sub refused
{
    my ($r, $status, $detail, $name, $offset) = @_;
    is $r->{status}, $status, "$name: status";
    like $r->{headers}{'content-type'}, qr{^application/json}, "$name: JSON";
    ref $detail
        ? like($r->{json}{detail}, $detail, "$name: detail")
        : is($r->{json}{detail}, $detail, "$name: detail");
    is $r->{json}{offset}, $offset, "$name: offset" if defined $offset;
    return;
}

# --- A whole life ---------------------------------------------------------

for my $where (qw(before after)) {
    my $r = chunk("$url?a=b%20c", part(0, 29_999), filename => $sent_name,
                  $where => [title => 'Holiday']);
    is $r->{status}, 200, "$where: the first chunk";
    my $id = $r->{json}{upload_id};
    like $id, qr/^[A-Za-z0-9-]{1,64}$/, "$where: it gets an upload_id";
    is $r->{json}{offset}, 30_000, "$where: and an offset";
    like $r->{json}{expires}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
        "$where: and when it expires";
    is_deeply [sort keys %{ $r->{json} }], [qw(expires offset upload_id)],
        "$where: and nothing else";
    is $r->{headers}{'cache-control'}, 'no-store', "$where: not to be kept";
    is $r->{headers}{range}, '0-29999', "$where: Range tells the same";
    my $status = status($url, $id);
    is $status->{state}, 'uploading', "$where: status: on its way";
    is $status->{received}, 30_000, "$where: status: the offset";
    is $status->{size}, $total, "$where: status: the size";

    $r = chunk($url, part(30_000, 59_999), $where => [upload_id => $id]);
    is $r->{json}{offset}, 60_000, "$where: the second chunk";
    is $r->{json}{upload_id}, $id, "$where: the same upload";
    $r = chunk($url, part(60_000, 69_999), $where => [upload_id => $id]);
    is $r->{json}{offset}, $total, "$where: the last chunk";
    is status($url, $id)->{state}, 'uploading', "$where: not complete yet";

    $r = complete($url, upload_id => $id, md5 => md5_hex($content),
                  tag => 'x y');
    is $r->{status}, 200, "$where: complete: the application's answer";
    my $env = $r->{json}{env} || {};
    is $env->{UPLOAD_POOL_STATE}, 'done', "$where: an upload is done";
    is $env->{UPLOAD_POOL_IDENTIFIER}, $id, "$where: this one";
    is $env->{REQUEST_METHOD}, 'POST', "$where: POST";
    is $env->{QUERY_STRING}, 'a=b%20c', "$where: the query of its creation";
    ok !exists $env->{HTTP_CONTENT_RANGE}, "$where: no Content-Range";
    my $seen = application($r);
    is $seen->{state}, 'done', "$where: state";
    is scalar @{ $seen->{files} }, 1, "$where: one file";
    my $file = $seen->{files}[0];
    is $file->{filename}, $name, "$where: its name";
    is $file->{field}, 'file', "$where: its field";
    is $file->{'content-type'}, 'image/x-test', "$where: its type";
    is $file->{size}, $total, "$where: its size";
    ok stored($r) eq $content, "$where: its bytes";
    is_deeply $seen->{fields}, [{name => 'title', value => 'Holiday'},
                                {name => 'tag', value => 'x y'}],
        "$where: the fields of its creation and of its completion";
    is status($url, $id)->{state}, 'done', "$where: status: done";

    refused(complete($url, upload_id => $id, md5 => md5_hex($content)), 400,
            'Upload has already been marked as "complete"',
            "$where: complete again");
    refused(chunk($url, part(0, 29_999), before => [upload_id => $id]), 400,
            'Upload has already been marked as "complete"',
            "$where: a chunk too many");
}

# --- The ways to complete -------------------------------------------------

for my $as (qw(query form json)) {
    my $id = chunk($url, 'hello')->{json}{upload_id};
    my $r = complete($url, as => $as, upload_id => $id,
                     md5 => md5_hex('hello'));
    is $r->{status}, 200, "complete as $as";
    is stored($r), 'hello', "its bytes as $as";
}
for my $bad (['no body', '', undef], ['not JSON', '{', 'application/json'],
             ['JSON, no object', '["upload_id"]', 'application/json'],
             ['text', 'upload_id=x', 'text/plain'],
             ['a broken %', 'upload_id=%', 'application/x-www-form-urlencoded'],
             ['a form without boundary', 'x', 'multipart/form-data']) {
    my ($name, $body, $type) = @$bad;
    my $r = request('POST', "$url/complete", body => $body,
                    headers => [$type ? ('Content-Type', $type) : ()]);
    is $r->{status}, 400, "complete: $name";
    ok $r->{json}{detail}, "complete: $name: detail";
}
my $large = request('POST', "$url/complete", body => 'a=' . 'x' x 1_100_000,
                    headers => ['Content-Type',
                                'application/x-www-form-urlencoded']);
is $large->{status}, 413, 'complete: fields over their limit';

# --- Whole files ------------------------------------------------------------

for my $bytes ('x', '', random_bytes(300_000)) {
    my $name = length($bytes) . ' bytes without Content-Range';
    my $r = chunk($url, $bytes);
    is $r->{status}, 200, $name;
    is $r->{json}{offset}, length $bytes, "$name: all of it";
    $r = complete($url, upload_id => $r->{json}{upload_id},
                  md5 => md5_hex($bytes));
    is $r->{status}, 200, "$name: complete";
    is_deeply [length stored($r), md5_hex(stored($r))],
        [length $bytes, md5_hex($bytes)], "$name: its bytes";
}

# --- Refusals, in its order -------------------------------------------------

my $id = chunk($url, part(0, 9_999))->{json}{upload_id};
refused(chunk($url, undef, range => 'bytes 0-4/10'), 400,
        'No chunk file was submitted', 'no file');
refused(chunk($url, '', filename => '', range => 'bytes 0-4/10'), 400,
        'No chunk file was submitted', 'an input without a file');
refused(chunk($url, undef, before => [upload_id => 'unknown']), 400,
        'No chunk file was submitted', 'no file of an unknown upload');
refused(chunk($url, part(10_000, 19_999), before => [upload_id => 'unknown']),
        404, qr/./, 'an unknown upload');
refused(chunk($url, part(10_000, 19_999), before => [upload_id => '../x']),
        400, qr/./, 'an upload_id that is none');
refused(complete($url, upload_id => 'unknown', md5 => md5_hex('')), 404,
        qr/./, 'complete: an unknown upload');
refused(chunk($url, part(0, 9_999), before => [upload_id => $id]), 400,
        'Offsets do not match', 'the same chunk again', 10_000);
refused(chunk($url, part(10_001, 19_999), before => [upload_id => $id]), 400,
        'Offsets do not match', 'a chunk too far', 10_000);
refused(chunk($url, part(9_999, 19_999), before => [upload_id => $id]), 400,
        'Offsets do not match', 'a chunk that overlaps', 10_000);
refused(chunk($url, part(10_000, 19_999)), 400, 'Offsets do not match',
        'a chunk of no upload', 0);
refused(chunk($url, part(0, 9_999), id => $id), 400, 'Offsets do not match',
        'the same, named in the URL', 10_000);
for my $by (-1, 1) {
    my ($bytes, @range) = part(10_000, 19_999);
    $bytes = $by < 0 ? substr $bytes, 1 : "$bytes.";
    refused(chunk($url, $bytes, @range, before => [upload_id => $id]), 400,
            "File size doesn't match headers", "a size that is $by off",
            10_000);
    is status($url, $id)->{received}, 10_000, "$by off: nothing is kept";
}
refused(complete($url, upload_id => $id, md5 => md5_hex($content)), 400,
        'Upload is not complete', 'complete too early', 10_000);
is chunk($url, part(10_000, $total - 1), before => [upload_id => $id])
    ->{json}{offset}, $total, 'after all that it goes on';
for my $missing ([], [md5 => md5_hex($content)]) {
    refused(complete($url, @$missing), 400,
            "Both 'upload_id' and 'md5' are required", 'no upload_id');
}
refused(complete($url, upload_id => $id), 400,
        "Both 'upload_id' and 'md5' are required", 'no md5');
for my $wrong (md5_hex('other'), '', 'x', md5_hex($content) . '0',
               substr md5_hex($content), 1) {
    refused(complete($url, upload_id => $id, md5 => $wrong), 400,
            'md5 checksum does not match', "a wrong md5 '$wrong'");
}
is complete($url, upload_id => $id, md5 => uc md5_hex($content))->{status}, 200,
    'an md5 in upper case is the same number';

# --- UploadChunkedMd5 Off -------------------------------------------------

my $loose = '/chunked-loose/echo.pl';
$id = chunk($loose, 'hello')->{json}{upload_id};
refused(complete($loose), 400, "'upload_id' is required", 'loose: nothing');
refused(complete($loose, upload_id => $id, md5 => md5_hex('x')), 400,
        'md5 checksum does not match', 'loose: a wrong md5 all the same');
is stored(complete($loose, upload_id => $id)), 'hello', 'loose: without md5';

# --- Size -------------------------------------------------------------------

my $small = '/chunked-small/echo.pl';
refused(chunk($small, 'x' x 10, range => 'bytes 0-9/21'), 400,
        'Size of file exceeds the limit (20 bytes)', 'a total over the limit');
refused(chunk($small, 'x' x 21), 400,
        'Size of file exceeds the limit (20 bytes)', 'a file over the limit');
is chunk($small, 'x' x 20)->{status}, 200, 'just as large as it may be';
$id = chunk($small, 'x' x 10, range => 'bytes 0-9/*')->{json}{upload_id};
refused(chunk($small, 'x' x 11, range => 'bytes 10-20/*',
              before => [upload_id => $id]), 400,
        'Size of file exceeds the limit (20 bytes)', 'over it bit by bit');
refused(chunk('/chunked-rules/echo.pl', 'x', filename => 'a.exe'), 415, qr/./,
        'an extension that is not accepted');
refused(chunk('/chunked-rules/echo.pl', 'x', range => 'bytes 0-0/2',
              filename => 'a.exe'), 415, qr/./, 'of a chunk, too');

# --- Its defects ------------------------------------------------------------

# (2) The total is part of the upload.
$id = chunk($url, 'hello', range => 'bytes 0-4/10')->{json}{upload_id};
for my $other (9, 11, 6) {
    my $last = $other < 10 ? $other - 1 : 9;
    refused(chunk($url, 'x' x ($last - 4), range => "bytes 5-$last/$other",
                  before => [upload_id => $id]), 400, qr/size/i,
            "a total that becomes $other", 5);
}
refused(chunk($url, 'worldlier', range => 'bytes 5-13/*',
              before => [upload_id => $id]), 400, qr/size/i,
        'more than the total without saying so', 5);
is chunk($url, 'world', range => 'bytes 5-9/*', before => [upload_id => $id])
    ->{json}{offset}, 10, 'a total need not be said twice';
# (5) What is refused leaves nothing.
my @before = pool_files('chunked');
chunk($url, part(5, 9));
chunk($url, 'four', range => 'bytes 0-4/10');
chunk($url, undef);
chunk('/chunked-rules/echo.pl', 'x', filename => 'a.exe');
is_deeply [grep { !m{/attempt\.json$} } pool_files('chunked')], \@before,
    'refused first chunks leave no file';
# (3) Two at one offset: in broken.t.  (7) The offset can be asked for.
$id = chunk($url, part(0, 9_999))->{json}{upload_id};
for my $way (['Content-Range and no body', sub {
                  raw('POST', $url, '', range => "bytes */$total", id => $id)
              }],
             ['a form', sub {
                  chunk($url, undef, range => "bytes */$total",
                        before => [upload_id => $id])
              }]) {
    my ($name, $ask) = @$way;
    my $r = $ask->();
    is $r->{status}, 200, "asked by $name";
    is $r->{json}{offset}, 10_000, "$name: offset";
    is $r->{headers}{range}, '0-9999', "$name: Range";
}
refused(raw('POST', $url, '', range => 'bytes */71', id => $id), 400,
        qr/size/i, 'asked with another total');
refused(raw('POST', $url, '', range => "bytes */$total", id => 'unknown'), 404,
        qr/./, 'asked of an unknown upload');
# … and it can be cancelled.
is request('DELETE', "$url?X-Progress-ID=$id")->{json}{success},
    JSON::PP::true, 'cancelled';
refused(chunk($url, part(10_000, 19_999), before => [upload_id => $id]), 404,
        qr/./, 'a chunk of one that was cancelled');

# (8) It expires a day after the last chunk, not after the first.
$id = chunk($url, part(0, 9_999))->{json}{upload_id};
my $dir = pool('chunked') . "/$id";
my $old = time - 80_000;
utime $old, $old, glob "$dir/*";
is chunk($url, part(10_000, 19_999), before => [upload_id => $id])
    ->{status}, 200, 'most of a day later it goes on';
$old -= 10_000;
utime $old, $old, $dir, glob "$dir/*";
refused(chunk($url, part(20_000, 29_999), before => [upload_id => $id]), 410,
        'Upload has expired', 'a day later it does not');
refused(complete($url, upload_id => $id, md5 => md5_hex($content)), 410,
        'Upload has expired', 'nor is it completed');

is crashes_since($mark), 0, 'no child died';
done_testing;
