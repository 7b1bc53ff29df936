# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Uploads in several requests that try to take more room than they may have, or
# to destroy the uploads of others.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Chunked qw(chunk);
use UploadPool::Test;
use UploadPool::Tus qw(create append tus head offset);

my $mark = log_mark();
my $at = '/attack/quota/echo.pl';

# --- A creation that is refused ----------------------------------------------

# Whoever uses the identifier of a complete upload again replaces it with a
# complete one, or not at all.
my %vain = (
    'tus, over the quota' => [507, sub { create("$at?$_[0]", length => 200_000) }],
    'tus, of parts that are not there' => [404, sub {
        create("$at?$_[0]", concat => "final;$at/" . new_id()) }],
    'chunked, over the quota' => [507, sub {
        request('PUT', "$at?$_[0]", body => 'hello',
                headers => ['Content-Range', 'bytes 0-4/200000']) }],
    'chunked, of another size' => [400, sub {
        chunk("$at?$_[0]", 'hello', range => 'bytes 0-9/20') }],
    'ietf, over the quota' => [507, sub {
        request('POST', "$at?$_[0]", body => 'hello',
                headers => ['Upload-Complete', '?0',
                            'Upload-Length', 200_000]) }],
    'ietf, of another length' => [400, sub {
        request('POST', "$at?$_[0]", body => 'hello',
                headers => ['Upload-Complete', '?1', 'Upload-Length', 3]) }],
);
for my $how (sort keys %vain) {
    my ($status, $try) = @{ $vain{$how} };
    my $id = new_id();
    my $r = upload($at, [{name => 'f', filename => 'a', content => 'mine'}],
                   id => $id);
    my $path = application($r)->{files}[0]{path};
    is $try->("X-Progress-ID=$id")->{status}, $status, "$how: refused";
    ok -e $path && slurp($path) eq 'mine', "$how: the file is still there";
    is scalar(grep { m{^\Q$id\E/.*bin$} } pool_files('attack-quota')), 1,
        "$how: and no other";
    request('DELETE', "$at?X-Progress-ID=$id");
}

# --- Room without bytes ------------------------------------------------------

empty_pool('attack-quota');
sub room
{
    my $sum = 0;
    $sum += -s pool('attack-quota') . "/$_"
        for grep { m{/} } pool_files('attack-quota');
    return $sum;
}
my @long = map { ("f$_" => 'v' x 60_000) } 1, 2;
is chunk($at, 'x', range => 'bytes 0-0/2', before => \@long)->{status}, 507,
    'fields before the file, of more than the quota';
is chunk($at, 'x', range => 'bytes 0-0/2', after => \@long)->{status}, 507,
    'behind it';
is room(), 0, 'nothing of it is kept';
my @some = ('f' => 'v' x 30_000);
my @status = map {
    chunk($at, 'x', range => 'bytes 0-0/2', before => \@some)->{status} } 1 .. 5;
is_deeply \@status, [200, 200, 200, 507, 507], 'they add up';
cmp_ok room(), '<=', 120_000, 'to the quota';
empty_pool('attack-quota');
is upload($at, [{name => 'f', filename => 'a', content => 'x' x 90_000}])
    ->{status}, 200, 'and all of the room is free again';
empty_pool('attack-quota');

# --- FilePond -----------------------------------------------------------------

sub pond
{
    my ($url, $length) = @_;
    my ($body, $type) = multipart([{name => 'filepond', value => '{}'}]);
    return request('POST', $url, body => $body,
                   headers => ['Content-Type', $type,
                               'Upload-Length', $length]);
}

# What the client sent is decoded once, not when the application is run too.
for my $case (['/attack/several/echo.pl/a%2523b%253Fc', '/a%23b%3Fc'],
              ['/attack/several/echo.pl/%252e%252e/%252e%252e/x',
               '/%2e%2e/%2e%2e/x']) {
    my ($url, $path) = @$case;
    my $id = pond($url, 5)->{body};
    my $r = request('PATCH', "$url?patch=$id", body => 'hello', headers =>
                    ['Content-Type', 'application/offset+octet-stream',
                     'Upload-Offset', 0, 'Upload-Name', 'a.txt']);
    is $r->{status}, 200, "$url: completed";
    is $r->{json}{env}{PATH_INFO}, $path, "$url: the application's path";
}

is pond('/attack/text/echo.pl', 0)->{status}, 415,
    'an empty file without a name is none of those that are allowed';
is_deeply [pool_files('attack-text')], [], 'nor is it kept';

# --- Further than any file goes ----------------------------------------------

my $uuid = sprintf '%08x-1111-4111-8111-%012x', $$, time;
is chunk('/attack/several/echo.pl', 'x',
         before => [dzuuid => $uuid, dzchunkindex => 1,
                    dzchunksize => '4611686018427387904',
                    dztotalfilesize => '4611686018427387905',
                    dztotalchunkcount => 2,
                    dzchunkbyteoffset => '4611686018427387904'])->{status}, 400,
    'the last byte of a file of four exbibytes';
like error_log_since($mark), qr/refused with 413: A file of the upload is too large/,
    'is refused as too large';

is crashes_since($mark), 0, 'no child died';

done_testing;
