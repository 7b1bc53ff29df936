# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Offset retrieval (section 4.3 of draft-ietf-httpbis-resumable-upload), limits
# (4.1.4), cancellation (4.5), and the owner of an upload.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Ietf;
use UploadPool::Test;

my $mark = log_mark();
my $url = '/ietf/echo.pl';
my $key = 'what the ietf suite signs with, 40 bytes';

# --- 4.3.2 ------------------------------------------------------------------

my $r = create($url, 'abc', complete => 0, of => 10);
my $at = $r->{headers}{location};
for my $method (qw(HEAD GET)) {
    for my $interop (8, 7, 6, undef) {
        my $name = "4.3.2 $method " . ($interop // 'without a version');
        $r = state_of($at, method => $method, interop => $interop);
        is $r->{status}, 204, "$name: 2xx";
        is $r->{headers}{'upload-offset'}, 3, "$name MUST: Upload-Offset";
        is $r->{headers}{'upload-complete'}, '?0',
            "$name MUST: Upload-Complete";
        is $r->{headers}{'upload-length'}, 10, "$name MUST: Upload-Length";
        my $age = ($interop // 8) == 6 ? 'expires' : 'max-age';
        like $r->{headers}{'upload-limit'}, qr/\b$age=\d+/,
            "$name MUST: Upload-Limit";
        is $r->{headers}{'cache-control'}, 'no-store',
            "$name SHOULD: no-store";
        is $r->{body}, '', "$name: no content";
    }
}
append($at, 3, 'defghij', complete => 1);
$r = state_is($at, 10, 1, '4.3.2 complete');
is $r->{headers}{'upload-length'}, 10, '4.3.2 complete: Upload-Length';
my $unknown = "$url/00000000-0000-4000-8000-000000000000";
is state_of($unknown)->{status}, 404, '4.3 an unknown one: 404';
is state_of($unknown)->{headers}{'upload-offset'}, undef, 'without an offset';
is problem(state_of($unknown, method => 'GET')), '', 'as a problem';
is state_of($unknown, method => 'GET', interop => undef)->{json}{via}, 'cgi',
    'without a word of the protocol the application has it';
is request('GET', "$url/page")->{json}{env}{PATH_INFO}, '/page',
    'and every other URL of its own';

# --- 4.1.4 ------------------------------------------------------------------

for my $case (['/ietf/echo.pl', 'max-append-size=1073741824'],
              ['/ietf-small/echo.pl', 'max-size=65536, max-append-size=16384'],
              ['/ietf-free/echo.pl', 'min-size=0'],
              ['/ietf-alone', 'max-append-size=1073741824']) {
    my ($where, $limits) = @$case;
    $r = request('OPTIONS', $where);
    like $r->{status}, qr/^20[04]$/, "4.1.4 OPTIONS $where";
    is $r->{headers}{'upload-limit'}, $limits, '4.1.4 MUST have Upload-Limit';
}
is request('OPTIONS', '/ietf/echo.pl',
           headers => ['Upload-Complete', '?1'])->{headers}{'upload-limit'},
    undef, '4.1.4 with Upload-Complete it asks for nothing';
is request('OPTIONS', '/ietf-off/echo.pl')->{headers}{'upload-limit'}, undef,
    '4.1.4 where there are no resumable uploads';
$r = request('OPTIONS', $at);
is $r->{status}, 204, 'OPTIONS of an upload resource';
is $r->{headers}{'accept-patch'}, 'application/partial-upload', 'Accept-Patch';
like $r->{headers}{allow}, qr/\bPATCH\b/, 'Allow';

my $small = '/ietf-small/echo.pl';
$r = create($small, 'x' x 1000, complete => 0);
like $r->{headers}{'upload-limit'},
    qr/^max-size=65536, max-append-size=16384, max-age=(?:600|59\d)$/,
    '4.2.2 all limits';
$at = $r->{headers}{location};
$r = append($at, 1000, 'x' x 16385, complete => 0);
is $r->{status}, 413, '4.1.4 over max-append-size: 413';
like $r->{headers}{'upload-limit'},
    qr/^max-size=65536, max-append-size=16384, max-age=(?:600|59\d)$/,
    '4.1.4 SHOULD include Upload-Limit';
is $r->{headers}{'upload-complete'}, '?0', 'it can go on';
state_is($at, 1000, 0, 'in smaller pieces');
is append($at, 1000, 'x' x 16384, complete => 0)->{status}, 204, 'as this';
$r = create($small, 'x', complete => 0, of => 65537);
is $r->{status}, 413, '4.1.4 a length over max-size: 413';
like $r->{headers}{'upload-limit'}, qr/^max-size=65536/, 'with Upload-Limit';
is scalar @{ $r->{interim} }, 0, '4.1.4 no resource is made';
$r = append($at, 17384, 'x', complete => 0, of => 65537);
is $r->{status}, 413, '4.1.4 it becomes known later';
for my $begin (17384, 33768, 50152) {
    is append($at, $begin, 'x' x 16384, complete => 0)->{status},
        $begin == 50152 ? 413 : 204, "4.1.4 16 KiB at $begin";
}
is create($small, 'x' x 16384)->{status}, 200, 'all that fits in a request';
$r = create($small, 'x' x 40_000, chunked => 4096);
is $r->{status}, 413, 'chunked, and more than httpd lets in';

# --- 4.5 --------------------------------------------------------------------

$at = create($url, 'abc', complete => 0)->{headers}{location};
my ($id) = $at =~ m{([^/]+)$};
my $before = () = grep { m{^$id/} } pool_files('ietf');
cmp_ok $before, '>', 0, 'its files';
$r = state_of($at, method => 'DELETE');
is $r->{status}, 204, '4.5.2 DELETE: 204';
is state_of($at)->{status}, 404, '4.5.2 deactivated';
is append($at, 3, 'def')->{status}, 404, '4.5.2 for appends too';
is state_of($at, method => 'DELETE')->{status}, 404, '4.5.2 once';
is scalar(grep { m{^$id} } pool_files('ietf'), pool_dirs('ietf')), 0,
    'nothing of it is left';
$at = create($url, 'abc', complete => 0)->{headers}{location};
is request('DELETE', $at)->{status}, 204,
    '4.5 a client of the final protocol says nothing else';
is request('DELETE', $at)->{json}{method}, 'DELETE',
    'what is none of ours is the application\'s';

# --- Identifiers and signatures ---------------------------------------------

my $signed = '/ietf-key/echo.pl';
$r = create($signed, 'abc', complete => 0);
$at = $r->{headers}{location};
like $at, qr{^/ietf-key/echo\.pl/[0-9a-f-]{36}:[0-9a-f]{64}$},
    'with a key the resource is signed';
state_is($at, 3, 0, 'signed');
(my $bare = $at) =~ s/:.*//;
(my $forged = $at) =~ s/.$/$& eq '0' ? 1 : 0/e;
for my $other ($bare, $forged, "$bare:", "${at}0") {
    is state_of($other)->{status}, 403, "HEAD $other: 403";
    is append($other, 3, 'def')->{status}, 403, 'PATCH: 403';
    is state_of($other, method => 'DELETE')->{status}, 403, 'DELETE: 403';
}
is append($at, 3, 'def')->{status}, 200, 'as it was signed';

is create('/ietf-signed/echo.pl', 'abc', complete => 0)->{status}, 403,
    'without UploadMint the client brings an identifier';
my $own = sign($key, new_id());
$r = create("/ietf-signed/echo.pl?X-Progress-ID=$own", 'abc', complete => 0);
is $r->{status}, 201, 'of the application\'s';
is $r->{headers}{location}, "/ietf-signed/echo.pl/$own", 'which names it';
is create("/ietf-signed/echo.pl?X-Progress-ID=$own", 'abc',
          complete => 0)->{status}, 409, '4 one resource for one upload';
is append($r->{headers}{location}, 3, 'def')->{status}, 200, 'goes on';

is crashes_since($mark), 0, 'no child died';
done_testing;
