# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Modules that change answers on their way out: mod_ratelimit, mod_substitute,
# mod_headers, mod_deflate, mod_include. This module's answers stay correct.

use strict;
use warnings FATAL => 'all';
use Compress::Zlib ();
use Test::More;
use UploadPool::Neighbours;
use UploadPool::Test;

my $mark = log_mark();
my $content = "done and done\n" x 2000;
my @file = {name => 'f', filename => 'f.txt', content => $content};

goes_through('ratelimit', '/n/ratelimit/echo.lua');
for my $range (['all of it', 0], ['a range', 1]) {
    my ($name, $ranged) = @$range;
    my $id = new_id();
    upload('/n/ratelimit/echo.lua', \@file, id => $id);
    my $r = request('GET', "/n/ratelimit/echo.lua/file?X-Progress-ID=$id",
        headers => $ranged ? ['Range', 'bytes=100-20099'] : []);
    is $r->{status}, $ranged ? 206 : 200, "ratelimit, $name: status";
    is $r->{body}, $ranged ? substr($content, 100, 20_000) : $content,
        "ratelimit, $name: every byte";
}

# Filters of the administrator change the JSON, and its length is right; the
# files of uploads are not touched.
for my $gzip (0, 1) {
    my $name = $gzip ? 'substitute and deflate' : 'substitute';
    my @accept = $gzip ? (headers => ['Accept-Encoding', 'gzip']) : ();
    my $id = new_id();
    upload('/n/substitute/echo.lua', \@file, id => $id);
    my $url = '/n/substitute/echo.lua';
    my $r = request('GET', "$url/status?X-Progress-ID=$id", @accept);
    my $body = $gzip ? Compress::Zlib::memGunzip($r->{body}) : $r->{body};
    is decode_json_text($body)->{state}, 'DONE!', "$name: the status";
    is $r->{headers}{'x-neighbour'}, 'yes', "$name: a header is added";
    is $r->{headers}{'cache-control'}, 'no-store, must-revalidate',
        "$name: a header is changed";
    $r = request('GET', "$url/file?X-Progress-ID=$id", @accept);
    $body = $gzip && ($r->{headers}{'content-encoding'} || '') eq 'gzip'
        ? Compress::Zlib::memGunzip($r->{body}) : $r->{body};
    is $body, $content, "$name: a file stays what it is";
    is $r->{headers}{'x-content-type-options'}, 'nosniff', "$name: and safe";
}

# --- mod_include ------------------------------------------------------------

# A page in the context that takes the upload itself, and includes another of
# it; and one outside that includes one inside.
my $page = "<!--#echo var=\"UPLOAD_POOL_STATE\" -->|"
    . "<!--#echo var=\"UPLOAD_POOL_IDENTIFIER\" -->|"
    . "<!--#include virtual=\"/n/kept/echo.lua?included\" -->";
spew(pool('neighbours-pages') . '/page.shtml', $page);
for my $how (['length'], ['chunked', chunked => 1000]) {
    my ($name, @how) = @$how;
    my $id = new_id();
    my $r = upload('/n-pages/page.shtml', \@file, id => $id, @how);
    is $r->{status}, 200, "SSI, $name: status";
    my ($state, $said, $json) = split /\|/, $r->{body}, 3;
    is $state, 'done', "SSI, $name: the page has the variables";
    is $said, $id, "SSI, $name: of this upload";
    my $included = decode_json_text($json) || {};
    is $included->{env}{UPLOAD_POOL_IDENTIFIER}, $id,
        "SSI, $name: what it includes has them too";
    unlike $included->{body} // '', qr/Content-Disposition|done and done/,
        "SSI, $name: nothing of the form";
    $id = new_id();
    $r = upload('/n-outside/page.shtml', \@file, id => $id, @how);
    is $r->{status}, 200, "SSI outside, $name: status";
    ($state, $said, $json) = split /\|/, $r->{body}, 3;
    is $state, '(none)', "SSI outside, $name: no upload";
    $included = decode_json_text($json) || {};
    is $included->{env}{UPLOAD_POOL_STATE}, undef,
        "SSI outside, $name: nor in what it includes";
    is status('/n/kept/echo.lua', $id)->{state}, 'starting',
        "SSI outside, $name: a sub-request takes nothing in";
}
{
    my ($r, $id) = trickle('/n-pages/page.shtml');
    is $r->{status}, 200, 'SSI, slow: status';
    like $r->{body}, qr/^done\|\Q$id\E\|\{/, 'SSI, slow: the page';
}
is crashes_since($mark), 0, 'no child died';

done_testing;
