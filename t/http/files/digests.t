# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Digests: those that clients announce, in RFC 9530's fields and in a form
# field, and those that UploadDigest computes.

use strict;
use warnings FATAL => 'all';
use Compress::Zlib ();
use Digest::MD5 ();
use Digest::SHA ();
use Encode ();
use MIME::Base64 ();
use Test::More;
use UploadPool::Refuse;
use UploadPool::Test;

my $mark = log_mark();
my $plain = '/policy/plain/count.pl';
my @pool = (pool => 'policy');

sub b64 { return ':' . MIME::Base64::encode_base64($_[0], '') . ':' }
sub sha256 { return 'sha-256=' . b64(Digest::SHA::sha256($_[0])) }
sub sha512 { return 'sha-512=' . b64(Digest::SHA::sha512($_[0])) }
sub file { return {name => 'f', filename => 'f.bin', content => $_[0]} }

# --- Content-Digest and Repr-Digest ------------------------------------------

my $content = random_bytes(30_000);
my @form = multipart([part('t', 'v'), file($content), part('u', 'w')]);
my $body = $form[0];
my ($right, $wrong) = (sha256($body), sha256("$body."));
my $zeros = 'sha-256=' . b64("\0" x 32);

for my $header ('Content-Digest', 'Repr-Digest', 'content-digest') {
    for my $value ($right, sha512($body), "$right, " . sha512($body),
                   "md5=:AAAA:, $right;x=1", 'md5=:AAAA:', 'unixsum=:AA==:',
                   '', 'sha=1', "$zeros, $right") {
        taken("$header: $value", $plain, @form, head => "$header: $value\r\n");
    }
    refused("$header: $_", $plain, @form, head => "$header: $_\r\n",
            status => 400, reason => 'DIGEST', @pool)
        for $wrong, $zeros, sha512("$body."), sha512($body) . ", $wrong",
            sha256($content), "$right, $zeros";
    refused("$header: $_", $plain, @form, head => "$header: $_\r\n",
            status => 400, reason => 'DIGEST_SYNTAX', @pool)
        for '"x"', "$right,", 'sha-256=:AA==:', 'sha-256', 'SHA-256=abc',
            'sha-256=' . Digest::SHA::sha256_hex($body), "$right $right";
}
for my $way (qw(cut chunks bytes), 'chunks of one') {
    my @small = multipart([file('small')]);
    taken("right, $way", $plain, @small, way => $way,
          head => "Content-Digest: " . sha256($small[0]) . "\r\n");
    refused("wrong, $way", $plain, @small, way => $way, status => 400,
            head => "Content-Digest: $zeros\r\n", reason => 'DIGEST', @pool);
}
# Both fields, and one in two lines.
taken('both', $plain, @form, head => "Content-Digest: $right\r\n"
      . 'Repr-Digest: ' . sha512($body) . "\r\n");
refused('one of both', $plain, @form, head => "Content-Digest: $right\r\n"
        . "Repr-Digest: $zeros\r\n", status => 400, reason => 'DIGEST', @pool);
refused('the second line', $plain, @form, status => 400, reason => 'DIGEST',
        head => "Content-Digest: " . sha512($body) . "\r\n"
        . "Content-Digest: $zeros\r\n", @pool);
# The bytes around the parts are content, too.
my @loose = ("preamble\r\n$body" . 'epilogue', $form[1]);
taken('preamble and epilogue', $plain, @loose,
      head => 'Content-Digest: ' . sha256($loose[0]) . "\r\n");
refused('not without them', $plain, @loose,
        head => "Content-Digest: $right\r\n", status => 400,
        reason => 'DIGEST', @pool);
# Obsolete, or about something else.
taken("ignored: $_", $plain, @form, head => "$_\r\n")
    for 'Content-MD5: AAAAAAAAAAAAAAAAAAAAAA==', 'Digest: SHA-256=AAAA',
        'Want-Content-Digest: sha-256=10',
        "Content-Range: bytes 0-9/100\r\nRepr-Digest: $zeros";
refused('Content-Digest is about the content, range or not', $plain, @form,
        head => "Content-Range: bytes 0-9/100\r\nContent-Digest: $zeros\r\n",
        status => 400, reason => 'DIGEST', @pool);
# Digests of a coded body are ignored: the bytes were decoded below the module.
my $gzip = Compress::Zlib::memGzip($body);
taken("coded, $_", '/policy/inflate/count.pl', $gzip, $form[1],
      head => "Content-Encoding: gzip\r\nContent-Digest: $_\r\n")
    for sha256($gzip), $right, $wrong;
refused('identity is no coding', '/policy/inflate/count.pl', @form,
        head => "Content-Encoding: identity\r\nContent-Digest: $wrong\r\n",
        status => 400, reason => 'DIGEST', @pool);
# A refusal of the body comes first; the application never sees the field.
refused('and malformed too', $plain, "$body--", $form[1] . 'x',
        head => "Content-Digest: $right\r\n", status => 400,
        reason => 'NO_DELIMITER', @pool);
my $r = upload('/policy/plain/echo.pl', [file('x')], id => new_id(), headers =>
    ['Content-Digest', sha256((multipart([file('x')]))[0])]);
is $r->{status}, 200, 'a right one';
is $r->{json}{env}{HTTP_CONTENT_DIGEST}, undef,
    'is not passed on: it speaks of another body';
my $id = new_id();
$r = upload($plain, [file('x')], id => $id, accept => 'application/json',
            headers => ['Content-Digest', $zeros]);
is $r->{json}{error}, 'Digest of the upload does not match', 'what is told';
is status($plain, $id)->{error}, $r->{json}{error}, 'and to who polls';
# A fault in the head of the request is told before the body is asked for.
{
    my $c = connect_raw();
    $c->send("POST $plain?X-Progress-ID=" . new_id() . " HTTP/1.1\r\nHost: x\r\n"
        . "Content-Type: $form[1]\r\nContent-Length: 1000\r\n"
        . "Expect: 100-continue\r\nRepr-Digest: sha-512=1\r\n\r\n");
    my $answer = $c->answer;
    is $answer->{status}, 400, 'malformed: before the body';
    is_deeply $answer->{interim}, [], 'which nobody asks for';
    $c->close;
}
# An upload that is there is not replaced by one that does not match.
upload($plain, [file('the first')], id => $id);
my @before = pool_files('policy');
upload($plain, [file('the other')], id => $id,
       headers => ['Content-Digest', $zeros]);
my ($kept) = grep { m{^\Q$id\E/.*\.bin$} } pool_files('policy');
is slurp(pool('policy') . "/$kept"), 'the first', 'the old file stays';

# --- UploadDigestField -----------------------------------------------------------

my $field = '/policy/digest/count.pl';
sub digest_of
{
    my ($bytes, $how) = @_;
    return part('digest', !$how ? 'sha-256=' . Digest::SHA::sha256_hex($bytes)
        : $how eq 'md5' ? 'md5=' . Digest::MD5::md5_hex($bytes) : sha256($bytes));
}

my $other = random_bytes(70_000);
my @good = (
    'in front' => [digest_of($content), file($content)],
    'behind' => [file($content), digest_of($content)],
    'md5 in front' => [digest_of($content, 'md5'), file($content)],
    'md5 behind' => [file($content), digest_of($content, 'md5')],
    'base64' => [digest_of($content, 'base64'), file($content)],
    'upper case' => [part('digest', 'SHA-256='
        . uc Digest::SHA::sha256_hex('x')), file('x')],
    'a line end' => [part('digest', "md5=" . Digest::MD5::md5_hex('x') . "\r\n"),
                     file('x')],
    'two files' => [digest_of($content), digest_of($other, 'md5'),
                    file($content), file($other)],
    'two files, each before' => [digest_of($content), file($content),
                                 digest_of($other), file($other)],
    'two files, each behind' => [file($content), digest_of($content, 'md5'),
                                 file($other), digest_of($other)],
    'the first of two' => [digest_of($content), file($content), file($other)],
    'none' => [file($content)],
    'an empty one' => [part('digest', ''), file($content)],
    'an empty input' => [{name => 'g', filename => '', content => ''},
        part('digest', ''), digest_of($content), file($content)],
    'an empty file' => [digest_of(''), file('')],
    'no file' => [part('x', 'y')],
);
while (my ($name, $parts) = splice @good, 0, 2) {
    taken("announced: $name", $field, multipart($parts));
}
my @bad = (
    'in front' => [digest_of("$content."), file($content)],
    'behind' => [file($content), digest_of("$content.")],
    'md5' => [digest_of("$content.", 'md5'), file($content)],
    'md5 behind' => [file($content), digest_of("$content.", 'md5')],
    'the second' => [digest_of($content), digest_of($content), file($content),
                     file($other)],
    'the wrong way round' => [file($content), file($other), digest_of($other),
                              digest_of($content)],
    'one too many' => [digest_of($content), digest_of($content),
                       file($content)],
    'without a file' => [digest_of($content)],
);
while (my ($name, $parts) = splice @bad, 0, 2) {
    refused("announced: $name", $field, multipart($parts), status => 400,
            reason => 'FILE_DIGEST', @pool);
}
refused("announced: $_", $field, multipart([part('digest', $_), file('x')]),
        status => 400, reason => 'FILE_DIGEST_SYNTAX', @pool)
    for 'x', 'md5', 'md5=', 'md5=abc', 'sha-256=00', 'sha-1=' . '0' x 40,
        '0' x 64, 'sha-512=' . '0' x 128, 'md5=:AA==:', "md5=\0" . '0' x 31;
for my $way (qw(cut bytes chunks)) {
    my @right = multipart([digest_of('short'), file('short')]);
    my @wrong = multipart([file('short'), digest_of('other')]);
    taken("announced, $way", $field, @right, way => $way);
    refused("announced, $way", $field, @wrong, way => $way, status => 400,
            reason => 'FILE_DIGEST', @pool);
}
$r = upload('/policy/digest/echo.pl', [digest_of('x'), file('x')],
            id => new_id());
is application($r)->{fields}[0]{name}, 'digest',
    'the application gets the field as any other';
taken('switched off further in', '/policy/digest-off/count.pl',
      multipart([part('digest', 'anything'), file('x')]));
# The file ends before the form does: the answer does not wait for the rest.
my $c = connect_raw();
my ($long) = multipart([digest_of('x'), file('y'), file('z' x 100_000)],
                       boundary => 'b');
$c->send("POST $field?X-Progress-ID=" . new_id() . " HTTP/1.1\r\nHost: x\r\n"
    . "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: "
    . length($long) . "\r\n\r\n" . substr $long, 0, 600);
is $c->answer->{status}, 400, 'told as soon as it is known';
$c->close;

# --- UploadDigest ------------------------------------------------------------------

sub crc32 { return sprintf '%08x', Compress::Zlib::crc32($_[0]) }
for my $bytes ('', 'a', 'abc', $content, $other, "\0" x 200_000) {
    for my $way (0, 1000) {
        $r = upload('/policy/all/echo.pl', [file($bytes)], id => new_id(),
                    $way ? (chunked => $way) : ());
        is_deeply application($r)->{files}[0]{digests}, {
            md5 => Digest::MD5::md5_hex($bytes),
            'sha-1' => Digest::SHA::sha1_hex($bytes),
            'sha-256' => Digest::SHA::sha256_hex($bytes),
            'sha-512' => Digest::SHA::sha512_hex($bytes),
            crc32 => crc32($bytes),
        }, length($bytes) . ' bytes' . ($way ? ', chunked' : '');
    }
}

is crashes_since($mark), 0, 'no child died';
done_testing;
