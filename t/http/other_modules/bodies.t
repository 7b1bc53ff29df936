# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Modules that read, keep, buffer, decode or pipe bodies on their way in.
#
# P1: a slow client ends no child, whatever module reads its body first.
# S5: modules that a body passes through change nothing about an upload.

use strict;
use warnings FATAL => 'all';
use Compress::Zlib ();
use Test::More;
use UploadPool::Neighbours;
use UploadPool::Test;

my $mark = log_mark();

# mod_request keeps nothing of an upload, and so refuses nothing: what a
# sub-request could inherit is the JSON.
for my $context (qw(kept keptsmall buffer smallbuffer inflate extfilter
                    perlfilter perlbrigades luafilter everything)) {
    goes_through($context, "/n/$context/echo.lua");
}

# mod_deflate, of a body that is coded, slowly.
{
    my $content = random_bytes(9000) . 'z' x 100_000;
    my ($body, $type) = multipart([{name => 'f', filename => 'f',
                                    content => $content}]);
    my $packed = Compress::Zlib::memGzip($body);
    for my $context (qw(inflate everything)) {
        for my $how ([step => 3000, pause => 0.01], [chunked => 700]) {
            my $r = request('POST', "/n/$context/echo.lua", body => $packed,
                headers => ['Content-Type', $type, 'Content-Encoding', 'gzip'],
                @$how);
            arrived("$context, gzip, $how->[0]", $r, $content);
        }
    }
}

# A program that cannot be started: one answer, and nothing stays.
{
    empty_pool('neighbours');
    my ($r, $id, $c) = trickle('/n/noextfilter/echo.lua');
    is $r->{status}, 500, 'no program: it is not the client to blame';
    ok $c->closed, 'no program: one answer, and the end';
    is status('/n/kept/echo.lua', $id)->{state}, 'error',
        'no program: state error';
    is_deeply [grep { /\.bin$/ } pool_files('neighbours')], [],
        'no program: nothing is kept';
}
is crashes_since($mark), 0, 'no child died';

done_testing;
