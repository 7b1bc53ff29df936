# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# tus 1.0.0, "Core Protocol": its sections in their order, each MUST and each
# SHOULD that a server can be seen to keep.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;
use UploadPool::Tus;

my $mark = log_mark();
my $at = '/tus/echo.pl';
my $bytes = random_bytes(70_000);

# --- Example: 70 of 100 bytes, a HEAD, the rest -------------------------------

my $made = create("$at?a=b", length => 100);
my $url = $made->{headers}{location};
my $first = append($url, 0, substr $bytes, 0, 70);
is $first->{status}, 204, 'Example: the first PATCH';
my $head = head($url);
is $head->{status}, 200, 'Example: HEAD';
is $head->{headers}{'upload-offset'}, 70, 'Example: Upload-Offset of HEAD';
is $head->{headers}{'tus-resumable'}, '1.0.0', 'Example: Tus-Resumable';
my $last = append($url, 70, substr $bytes, 70, 30);
is $last->{status}, 200, 'the last PATCH has the answer of the application';
is $last->{headers}{'upload-offset'}, 100, 'Example: Upload-Offset at the end';
is $last->{headers}{'tus-resumable'}, '1.0.0', 'and Tus-Resumable';
is $last->{json}{method}, 'POST', 'the application sees a POST';
is $last->{json}{url}, "$at?a=b", 'the URL and query of the creation';
is $last->{json}{env}{UPLOAD_POOL_STATE}, 'done', 'UPLOAD_POOL_STATE';
is $last->{json}{surplus}, 0, 'nothing behind the body';
my $seen = application($last);
is $seen->{state}, 'done', 'state';
is slurp($seen->{files}[0]{path}), substr($bytes, 0, 100), 'the bytes';
is $seen->{files}[0]{digests}{'sha-256'},
    Digest::SHA::sha256_hex(substr $bytes, 0, 100), 'UploadDigest';

# --- Headers -----------------------------------------------------------------

is append(create($at, length => 5)->{headers}{location}, $_, 'hello')
    ->{status}, 400, "Upload-Offset: a non-negative integer, not '$_'"
    for '-1', '+0', ' ', '0x0', '0,0', '1.0', 'zero', '9223372036854775808';
is create($at, length => $_)->{status}, 400,
    "Upload-Length: a non-negative integer, not '$_'"
    for '-1', '+5', ' ', '5 5', '5,5', '5, 5', '5.0', '5e3', 'five',
    '9223372036854775808', '99999999999999999999999';
is create($at, length => '9223372036854775807')->{status} =~ /^(?:201|413|507)$/
    && 1, 1, 'Upload-Length: the largest is a number';

my $options = tus('OPTIONS', $at, ['Tus-Resumable', undef]);
is $options->{headers}{'tus-version'}, '1.0.0', 'Tus-Version: a list of one';
$url = create($at, length => 5)->{headers}{location};
for my $case (['HEAD', $url, []], ['DELETE', $url, []],
              ['PATCH', $url, ['Content-Type', $BYTES, 'Upload-Offset', 0],
               body => 'hello'],
              ['POST', $at, ['Upload-Length', 5]]) {
    my ($method, $where, $headers, @rest) = @$case;
    for my $version ('0.2.2', '1.0.1', '1', '1.0.0, 1.0.0', '') {
        my $r = tus($method, $where, ['Tus-Resumable', $version, @$headers],
                    @rest);
        is $r->{status}, 412, "Tus-Resumable: $method of '$version'";
        is $r->{headers}{'tus-version'}, '1.0.0', 'Tus-Version with the 412';
        is $r->{headers}{'tus-resumable'}, '1.0.0', 'Tus-Resumable with it';
    }
}
is offset($url), 0, 'Tus-Resumable: nothing of it was processed';
is tus('PATCH', $url, ['Tus-Resumable', undef, 'Content-Type', $BYTES,
                       'Upload-Offset', 0], body => 'hello')->{status}, 412,
    'Tus-Resumable: a PATCH without it';
is tus('POST', $at, ['Tus-Resumable', undef, 'Upload-Concat', 'partial',
                     'Upload-Length', 5])->{status}, 412,
    'Tus-Resumable: a POST without it';
is offset($url), 0, 'Tus-Resumable: nor of that';
for my $r (create($at, length => 5), append($url, 1, 'x'),
           append("$at/unknown", 0, 'x'), head("$at/unknown"),
           tus('DELETE', "$at/unknown", []), head($url),
           create($at, length => -1)) {
    is $r->{headers}{'tus-resumable'}, '1.0.0',
        "Tus-Resumable: in an answer of $r->{status}";
}

is $options->{headers}{'tus-extension'},
    'creation,creation-with-upload,creation-defer-length,expiration,checksum,'
    . 'checksum-trailer,termination,concatenation',
    'Tus-Extension: a comma-separated list';
ok !exists $options->{headers}{'tus-max-size'},
    'Tus-Max-Size: none without a limit';
for my $case (['/tus-small/echo.pl', 4096], ['/tus-file/echo.pl', 3072]) {
    is tus('OPTIONS', $case->[0], ['Tus-Resumable', undef])
        ->{headers}{'tus-max-size'}, $case->[1],
        "Tus-Max-Size: the limit of $case->[0]";
}

$url = create($at, length => 5)->{headers}{location};
my @over = ('X-HTTP-Method-Override');
my $patch = tus('POST', $url, [@over, 'PATCH', 'Content-Type', $BYTES,
                               'Upload-Offset', 0], body => 'hel');
is $patch->{status}, 204, 'X-HTTP-Method-Override: PATCH';
is $patch->{headers}{'upload-offset'}, 3, 'as if it were one';
$head = tus('POST', $url, [@over, 'HEAD'], body => '');
is $head->{headers}{'upload-offset'}, 3, 'X-HTTP-Method-Override: HEAD';
is $head->{body}, '', 'without a body';
is tus('POST', $url, [@over, 'DELETE'], body => '')->{status}, 204,
    'X-HTTP-Method-Override: DELETE';
is head($url)->{status}, 404, 'as if it were one';
is tus('POST', $at, [@over, 'OPTIONS'], body => '')
    ->{headers}{'tus-version'}, '1.0.0', 'X-HTTP-Method-Override: OPTIONS';
is tus('POST', $at, [@over, 'EVIL', 'Upload-Length', 5], body => '')
    ->{status}, 400, 'X-HTTP-Method-Override: no method of ours';

# --- Requests: HEAD ----------------------------------------------------------

$url = create($at, length => 5)->{headers}{location};
is offset($url), 0, 'HEAD: Upload-Offset even if it is 0';
is head($url)->{headers}{'upload-length'}, 5, 'HEAD: Upload-Length';
is head($url)->{headers}{'cache-control'}, 'no-store', 'HEAD: Cache-Control';
append($url, 0, 'hello');
$head = head($url);
is $head->{status}, 200, 'HEAD: of a complete upload';
is $head->{headers}{'upload-offset'}, 5, 'HEAD: Upload-Offset of it';
is $head->{headers}{'upload-length'}, 5, 'HEAD: Upload-Length of it';
is $head->{headers}{'cache-control'}, 'no-store', 'HEAD: Cache-Control of it';
for my $name ('unknown', new_id()) {
    $head = head("$at/$name");
    is $head->{status}, 404, "HEAD: $name";
    ok !exists $head->{headers}{'upload-offset'}, 'without Upload-Offset';
    is $head->{headers}{'cache-control'}, 'no-store', 'and not to be cached';
}

# --- Requests: PATCH ---------------------------------------------------------

# R2: Another offset writes nothing.
$url = create($at, length => 5)->{headers}{location};
for my $type ('application/octet-stream', 'text/plain', '',
              'application/offset+octet-streams', 'multipart/form-data') {
    is append($url, 0, 'hello', headers => ['Content-Type', $type])->{status},
        415, "PATCH: Content-Type '$type'";
}
is offset($url), 0, 'PATCH: of these nothing is kept';
is append($url, 0, 'he', headers => ['Content-Type', uc "$BYTES; x=y"])
    ->{status}, 204, 'PATCH: letter case and parameters of the type';
for my $case ([0, 'before the end'], [1, 'one before'], [3, 'one behind'],
              [5, 'at the length'], [6, 'beyond'],
              ['9223372036854775807', 'as far as can be']) {
    my $r = append($url, $case->[0], 'llo');
    is $r->{status}, 409, "PATCH: Upload-Offset $case->[1]";
}
is offset($url), 2, 'PATCH: of these nothing is kept';
is append($url, undef, 'llo')->{status}, 400, 'PATCH: no Upload-Offset';
is append($url, 2, 'llo?')->{status}, 413, 'PATCH: more than the length';
is offset($url), 2, 'PATCH: of that nothing is kept, it was announced';
my $r = append($url, 2, '');
is $r->{status}, 204, 'PATCH: nothing';
is $r->{headers}{'upload-offset'}, offset($url), 'PATCH: changes nothing';
for my $way (['in one'], ['in chunks', chunked => 4093],
             ['in pieces', step => 7001]) {
    my ($name, @how) = @$way;
    $url = create($at, length => length $bytes)->{headers}{location};
    $r = append($url, 0, substr($bytes, 0, 40_001), @how);
    is $r->{status}, 204, "PATCH: $name: 204 No Content";
    is $r->{headers}{'upload-offset'}, 40_001,
        "PATCH: $name: offset before and bytes received";
    is $r->{body}, '', "PATCH: $name: without a body";
    $r = append($url, 40_001, substr($bytes, 40_001), @how);
    is slurp(application($r)->{files}[0]{path}), $bytes,
        "PATCH: $name: the bytes";
}
is append("$at/" . new_id(), 0, 'x')->{status}, 404, 'PATCH: no such upload';
is append("$at/", 0, 'x')->{status}, 404, 'PATCH: no name of an upload';

$url = create($at, length => 5)->{headers}{location};
is append($url, 0, 'hello?', chunked => 2)->{status}, 413,
    'PATCH: more than the length, unannounced';
my $kept = offset($url);
is append($url, $kept, substr 'hello', $kept)->{status}, 200,
    'PATCH: which can be put right';

# --- Requests: OPTIONS -------------------------------------------------------

for my $version (undef, '1.0.0', '0.2.2') {
    $r = tus('OPTIONS', $at, ['Tus-Resumable', $version]);
    # Without it the application may be meant.
    is $r->{status}, $version ? 204 : 200,
        'OPTIONS: whatever Tus-Resumable says';
    is $r->{headers}{'tus-version'}, '1.0.0', 'OPTIONS: Tus-Version';
    is $r->{headers}{'tus-resumable'}, '1.0.0', 'OPTIONS: Tus-Resumable';
}

# --- What is not tus ---------------------------------------------------------

is request('POST', $at, body => 'x', headers => ['Content-Type', 'text/plain'])
    ->{json}{body}, 'x', 'a POST of the application passes';
is request('GET', $at, headers => ['Tus-Resumable', '1.0.0'])->{json}{method},
    'GET', 'so does a GET, whatever it says';
is request('DELETE', "$at/thing")->{json}{method}, 'DELETE',
    'and a DELETE that says nothing of tus';
is request('PATCH', "$at/thing", body => 'x',
           headers => ['Content-Type', 'text/plain'])->{json}{method}, 'PATCH',
    'and a PATCH';
is tus('POST', '/tus-off/echo.pl', ['Upload-Length', 5])->{status}, 415,
    'without UploadProtocol tus its client is told so';
$r = upload('/tus-both/echo.pl', [{name => 'f', filename => 'a',
                                   content => 'form'}]);
is application($r)->{files}[0]{size}, 4, 'a form beside it';
$r = append(create('/tus-both/echo.pl', length => 4)->{headers}{location}, 0,
            'four');
is application($r)->{files}[0]{size}, 4, 'and tus beside forms';

is crashes_since($mark), 0, 'no child died';

done_testing;
