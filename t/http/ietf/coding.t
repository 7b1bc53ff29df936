# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Content codings (section 8 of draft-ietf-httpbis-resumable-upload), transfer
# codings (9) and integrity digests (10).

use strict;
use warnings FATAL => 'all';
use Compress::Zlib ();
use Digest::SHA qw(sha256 sha512);
use MIME::Base64 ();
use Test::More;
use UploadPool::Ietf;
use UploadPool::Test;

my $mark = log_mark();
my $url = '/ietf/echo.pl';

sub field
{
    my (%digests) = @_;
    return join ', ', map {
        "$_=:" . MIME::Base64::encode_base64($digests{$_}, '') . ':'
    } sort keys %digests;
}

# --- 8: codings belong to the representation ---------------------------------

my $plain = 'a line that is the same, ' x 1000;
my $coded = Compress::Zlib::memGzip($plain);
for my $where ('/ietf/echo.pl', '/ietf-gzip/echo.pl') {
    my $half = int(length($coded) / 2);
    my $r = create($where, substr($coded, 0, $half), complete => 0,
                   of => length $coded, headers => ['Content-Encoding', 'gzip']);
    is $r->{status}, 201, "8 $where: a coded upload";
    is $r->{headers}{'upload-offset'}, $half, '8 offsets count coded bytes';
    my $at = $r->{headers}{location};
    $r = append($at, $half, substr($coded, $half), complete => 1);
    is $r->{status}, 200, '8 the rest';
    ok slurp(application($r)->{files}[0]{path}) eq $coded,
        '8 the codings are retained';
    $r = create($where, $coded, headers => ['Content-Encoding', 'gzip']);
    is $r->{status}, 200, "8 $where: all at once";
    ok slurp(application($r)->{files}[0]{path}) eq $coded, '8 retained, too';
    is $r->{json}{env}{HTTP_X_UPLOAD_CONTENT_ENCODING}, 'gzip',
        'the application is told';
    my $id = new_id();
    my ($first, $again) = map { create($where, $coded, headers => [
        'Content-Encoding', 'gzip', 'X-Progress-ID', $id]) } 1, 2;
    is_deeply [@{$again}{qw(status body)}], [@{$first}{qw(status body)}],
        "8 $where: the same coded bytes again are a repeat"
        or diag $again->{status}, $again->{body};
}

# --- 9: those of the transfer do not -----------------------------------------

my $r = create($url, 'x' x 5000, complete => 0, chunked => 7);
is $r->{headers}{'upload-offset'}, 5000, '9 chunks are not counted';
my $at = $r->{headers}{location};
$r = append($at, 5000, 'y' x 5000, complete => 0, chunked => 999);
is $r->{headers}{'upload-offset'}, 10_000, '9 nor in appends';

# --- 10.2: Content-Digest -----------------------------------------------------

my $bytes = random_bytes(20_000);
$r = create($url, $bytes, complete => 0,
            headers => ['Content-Digest', field('sha-256' => sha256($bytes))]);
is $r->{status}, 201, '10.2 creation with the right digest';
is $r->{headers}{'upload-offset'}, 20_000, '10.2 appended';
is scalar(grep { defined $_->{headers}{'upload-offset'} } @{ $r->{interim} }),
    0, '4.1.1 no offset is told before it is checked';
$at = $r->{headers}{location};
for my $case (['sha-256', sha256('other')], ['sha-512', sha512('other')]) {
    $r = append($at, 20_000, 'more end', complete => 1, headers =>
                ['Content-Digest', field(@$case)]);
    is $r->{status}, 400, "10.2 wrong $case->[0]: the client is told";
    is $r->{headers}{'upload-complete'}, '?0', '10.2 it is not complete';
    is $r->{headers}{'upload-offset'}, 20_000, '10.2 nothing is appended';
    state_is($at, 20_000, 0, "10.2 after wrong $case->[0]");
}
$r = append($at, 20_000, 'more', complete => 0, headers =>
            ['Content-Digest', 'sha-256=nothing']);
is $r->{status}, 400, '10.2 a digest that is none';
state_is($at, 20_000, 0, '10.2 after none');
$r = append($at, 20_000, 'more', complete => 0, headers =>
            ['Content-Digest', 'unixsum=:AAA=:']);
is $r->{status}, 204, 'RFC 9530: an algorithm that we do not know is ignored';
$r = append($at, 20_004, ' end', complete => 1, chunked => 1, headers =>
            ['Content-Digest', field('sha-256' => sha256(' end'),
                                     'sha-512' => sha512(' end'))]);
is $r->{status}, 200, '10.2 two that are right';
ok slurp(application($r)->{files}[0]{path}) eq "${bytes}more end", 'the bytes';
$r = create($url, $bytes, headers =>
            ['Content-Digest', field('sha-256' => sha256('other'))]);
is $r->{status}, 400, '10.2 creation with a wrong digest';
state_is(location_of($r), 0, 0, '10.2 the resource has nothing of it');

# --- 10.1: Repr-Digest ---------------------------------------------------------

for my $case (['sha-256', sha256($bytes), sha256('other')],
              ['sha-512', sha512($bytes), sha512('other')]) {
    my ($name, $right, $wrong) = @$case;
    for my $how ('at once', 'in parts') {
        for my $good (1, 0) {
            my @o = (headers => ['Repr-Digest',
                                 field($name => $good ? $right : $wrong)]);
            if ($how eq 'at once') {
                $r = create($url, $bytes, @o);
                $at = location_of($r);
            }
            else {
                $r = create($url, substr($bytes, 0, 7000), complete => 0, @o);
                is $r->{status}, 201, "10.1 $name $how: created";
                $at = $r->{headers}{location};
                $r = append($at, 7000, substr($bytes, 7000));
            }
            is $r->{status}, $good ? 200 : 400, "10.1 $name $how, "
                . ($good ? 'right' : 'wrong: told');
            is $r->{json}{env} ? 1 : 0, $good,
                '10.1 the application runs only when it is right';
            is state_of($at)->{status}, $good ? 204 : 404,
                '10.1 a failed upload is no more';
        }
    }
}
is create($url, 'x', headers => ['Repr-Digest', 'sha-256=x'])->{status}, 400,
    '10.1 a digest that is none';

# --- 10.1: Want-Repr-Digest ----------------------------------------------------

$r = create('/ietf-digest/echo.pl', substr($bytes, 0, 5000), complete => 0,
            headers => ['Want-Repr-Digest', 'sha-256=10, md5=3']);
is $r->{headers}{'repr-digest'}, undef, '10.1 not before it is complete';
$r = append($r->{headers}{location}, 5000, substr($bytes, 5000));
is $r->{headers}{'repr-digest'}, field('sha-256' => sha256($bytes)),
    '10.1 SHOULD answer with what is wanted, and known';
$r = create('/ietf-digest/echo.pl', $bytes, headers =>
            ['Want-Repr-Digest', 'sha-256=0']);
is $r->{headers}{'repr-digest'}, undef, 'RFC 9530: 0 is not wanted';
$r = create('/ietf-digest/echo.pl', $bytes);
is $r->{headers}{'repr-digest'}, undef, 'nor is what was not asked for';
is application($r)->{files}[0]{digests}{'sha-256'}, unpack('H*', sha256($bytes)),
    'the application has it by UploadDigest';
for my $bad ('sha-256', 'sha-256="x"', 'sha-256=', '=1', "sha-256=1, sha-256=0") {
    $r = create('/ietf-digest/echo.pl', $bytes, headers =>
                ['Want-Repr-Digest', $bad]);
    is $r->{status}, 200, "Want-Repr-Digest: $bad";
    is $r->{headers}{'repr-digest'}, undef, 'says nothing';
}

is crashes_since($mark), 0, 'no child died';
done_testing;
