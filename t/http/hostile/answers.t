# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# P7, S4: a refused request of every protocol has one answer, however its body
# is sent; the request behind it is answered or the connection ends, and garbage
# behind it is never taken for another request. A request whose head is reason
# enough to refuse it is refused before 100 (Continue).
# t/http/refusals/malformed.t does the same for malformed forms.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;
use UploadPool::Refuse ();
use UploadPool::Tus ();
use UploadPool::Ietf ();
use UploadPool::Chunked ();

my $mark = log_mark();
my $cgi = '/hostile-cgi/echo.pl';
my $small = '/hostile-small/count.pl';
my $key = '/hostile-key/count.pl';
my $hello = slurp(var('documentroot') . '/hello.txt');
my $canary = "GET /hello.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
my $bytes = "some bytes\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
my $long = $bytes x 80;
my ($form, $type) = multipart([{name => 'f', filename => 'x.txt',
                                content => $bytes}]);
my ($php) = multipart([{name => 'f', filename => 'x.php', content => 'x'}]);
my ($big) = multipart([{name => 'f', filename => 'x', content => $long}]);
my %of = (tus => "Tus-Resumable: 1.0.0\r\n",
          ietf => "Upload-Draft-Interop-Version: 8\r\n");
my $patch = "$of{tus}Content-Type: application/offset+octet-stream\r\n";
my $append = "$of{ietf}Content-Type: application/partial-upload\r\n"
    . "Upload-Complete: ?1\r\n";

sub tus { return UploadPool::Tus::create($cgi, length => 60)
              ->{headers}{location} }
sub ietf { return UploadPool::Ietf::location_of(UploadPool::Ietf::create(
              $cgi, '', complete => 0, of => 60)) }
# Five of ten bytes have come.
sub five
{
    my $id = new_id();
    UploadPool::Chunked::raw('PUT', $cgi, 'hello', id => $id,
                             range => 'bytes 0-4/60');
    return "$cgi?X-Progress-ID=$id";
}
sub fixed { my ($url) = @_; return sub { $url } }

# Name, status, method, URL, header lines, body; early: the head tells.
my @rows = (
    ['form: no boundary', 400, 'POST', fixed($cgi),
     "Content-Type: multipart/form-data\r\n", $form, early => 1],
    ['form: an extension', 415, 'POST', fixed($small),
     "Content-Type: $type\r\n", $php],
    ['form: too large', 413, 'POST', fixed($small), "Content-Type: $type\r\n",
     $big],
    ['form: far too large', 413, 'POST', fixed('/hostile-early/echo.pl'),
     "Content-Type: $type\r\n", 'x' x 10, early => 9_000_000],
    ['form: larger than any', 413, 'POST', fixed('/hostile-early/echo.pl'),
     "Content-Type: $type\r\n", 'x' x 10, early => '9' x 18],
    ['form: a bad identifier', 400, 'POST', fixed("$cgi?X-Progress-ID=a/b"),
     "Content-Type: $type\r\n", $form, early => 1],
    ['form: two identifiers', 400, 'POST', fixed("$cgi?X-Progress-ID=a"),
     "X-Progress-ID: b\r\nContent-Type: $type\r\n", $form, early => 1],
    ['form: unsigned', 403, 'POST', fixed("$key?X-Progress-ID=abc"),
     "Content-Type: $type\r\n", $form, early => 1],
    ['form: a forged signature', 403, 'POST',
     fixed("$key?X-Progress-ID=abc:" . 'a' x 64), "Content-Type: $type\r\n",
     $form, early => 1],
    ['form: a coding', 415, 'POST', fixed($cgi),
     "Content-Encoding: br\r\nContent-Type: $type\r\n", $form],
    ['tus: no length', 400, 'POST', fixed($cgi), $of{tus}, $bytes, early => 1],
    ['tus: too long', 413, 'POST', fixed($small),
     "$of{tus}Upload-Length: 3001\r\n"
     . "Content-Type: application/offset+octet-stream\r\n", $bytes, early => 1],
    ['tus: a length of letters', 400, 'POST', fixed($cgi),
     "$of{tus}Upload-Length: ten\r\n", '', early => 1],
    ['tus: broken metadata', 400, 'POST', fixed($cgi),
     "$of{tus}Upload-Length: 9\r\nUpload-Metadata: a b c\r\n", '', early => 1],
    ['tus: another version', 412, 'PATCH', \&tus, "Tus-Resumable: 9.9.9\r\n"
     . "Upload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\n",
     $bytes, early => 1],
    ['tus: a wrong offset', 409, 'PATCH', \&tus, "${patch}Upload-Offset: 7\r\n",
     $bytes, early => 1],
    ['tus: no offset', 400, 'PATCH', \&tus, $patch, $bytes, early => 1],
    ['tus: another type', 415, 'PATCH', \&tus, "$of{tus}Upload-Offset: 0\r\n"
     . "Content-Type: text/plain\r\n", $bytes, early => 1],
    ['tus: unknown', 404, 'PATCH', fixed("$cgi/nobody"),
     "${patch}Upload-Offset: 0\r\n", $bytes, early => 1],
    ['tus: a wrong checksum', 460, 'PATCH', \&tus, "${patch}Upload-Offset: 0\r\n"
     . "Upload-Checksum: md5 " . 'A' x 22 . "==\r\n", $bytes],
    ['tus: an unknown checksum', 400, 'PATCH', \&tus,
     "${patch}Upload-Offset: 0\r\nUpload-Checksum: rot13 AAAA\r\n", $bytes,
     early => 1],
    ['tus: more than its length', 413, 'PATCH', \&tus,
     "${patch}Upload-Offset: 0\r\n", $long],
    ['ietf: a wrong offset', 409, 'PATCH', \&ietf,
     "${append}Upload-Offset: 7\r\n", $bytes, early => 1],
    ['ietf: no offset', 400, 'PATCH', \&ietf, $append, $bytes, early => 1],
    ['ietf: another type', 415, 'PATCH', \&ietf,
     "$of{ietf}Content-Type: text/plain\r\nUpload-Complete: ?1\r\n"
     . "Upload-Offset: 0\r\n", $bytes, early => 1],
    ['ietf: unknown', 404, 'PATCH', fixed("$cgi/nobody"),
     "${append}Upload-Offset: 0\r\n", $bytes, early => 1],
    ['ietf: too long', 413, 'POST', fixed($small),
     "$of{ietf}Upload-Complete: ?0\r\nUpload-Length: 3001\r\n", $bytes,
     early => 1],
    ['ietf: a wrong digest', 400, 'PATCH', \&ietf, "${append}Upload-Offset: 0\r\n"
     . 'Content-Digest: sha-256=:' . 'A' x 43 . "=:\r\n", $bytes],
    ['chunks: no range at all', 400, 'PUT', fixed($cgi),
     "Content-Range: nonsense\r\n", $bytes, early => 1],
    ['chunks: a gap', 400, 'PUT', \&five, "Content-Range: bytes 9-59/60\r\n",
     $bytes, early => 1],
    ['chunks: another total', 400, 'PUT', \&five,
     "Content-Range: bytes 5-59/61\r\n", $bytes, early => 1],
    ['chunks: fewer bytes than the range', 400, 'PUT', \&five,
     "Content-Range: bytes 5-9/60\r\n", $bytes],
    ['chunks: too large', 400, 'PUT', fixed("$small?X-Progress-ID=z"),
     'Content-Range: bytes 0-' . (length($bytes) - 1) . "/3001\r\n", $bytes, early => 1],
    ['chunks: in a form, a gap', 400, 'POST', \&five,
     "Content-Type: $type\r\nContent-Range: bytes 9-59/60\r\n", $form],
    ['chunks: the end of nothing', 404, 'POST',
     fixed("$cgi/complete"), "Content-Type: application/x-www-form-urlencoded\r\n",
     'upload_id=nobody&md5=' . 'a' x 32],
);

sub converse
{
    my ($pieces, $behind) = @_;
    my $c = connect_raw();
    $c->send_all([@$pieces, $behind]);
    my @answers = $c->answer;
    while (@answers < 4) {
        my $next = $c->answer;
        last unless $next->{status};
        push @answers, $next;
    }
    my $ended = $c->closed;
    $c->close;
    return ($ended, @answers);
}

sub shown { return join ' ', map { $_->{status} } @_ }

for my $row (@rows) {
    my ($name, $status, $method, $where, $lines, $body, %o) = @$row;
    my $head = sub {
        return "$method " . $where->() . " HTTP/1.1\r\nHost: x\r\n"
            . "Accept: application/json\r\n$lines";
    };
    my @ways = length $body < 20 ? () : length $body > 2000 ? qw(whole chunks)
        : ('whole', 'cut', 'bytes', 'chunks', 'chunks of one');
    for my $way (@ways) {
        my @pieces = UploadPool::Refuse::pieces_of($way, $head->(), $body);
        my ($ended, $first, @more) = converse(\@pieces, $canary);
        # A length in the head is known sooner than one of chunks.
        is $first->{status}, $status, "$name, $way: $status"
            or diag $first->{body} || $first->{error};
        is scalar @{ $first->{interim} || [] }, 0, "$name, $way: no other";
        ok $ended && (!@more || @more == 1 && $more[0]{status} == 200
                      && $more[0]{body} eq $hello),
            "$name, $way: then the next request, or the end"
            or diag shown(@more), $more[0]{body};
    }
    for my $way (@ways ? ('whole', 'chunks') : ()) {
        my @pieces = UploadPool::Refuse::pieces_of($way, $head->(), $body);
        my ($ended, $first, @more) = converse(\@pieces,
            "\x16\x03\x01\0\xff$bytes" . $canary);
        is $first->{status}, $status, "$name, garbage behind, $way: $status";
        ok $ended && @more <= 1 && (!@more || $more[0]{status} == 400),
            "$name, garbage behind, $way: 400 at the most" or diag shown(@more);
    }
    next unless $o{early};
    my $c = connect_raw();
    $c->send($head->() . "Expect: 100-continue\r\nContent-Length: "
             . ($o{early} > 1 ? $o{early} : length $body || 10) . "\r\n\r\n");
    my $first = $c->answer;
    is $first->{status}, $status, "$name: before a byte of the body";
    is scalar @{ $first->{interim} || [] }, 0, "$name: and no 100";
    # A client that did not see it coming sends the body nevertheless.
    $c->send(($body || 'x' x 10) . $canary);
    my $next = $c->answer;
    ok !$next->{status} || $next->{status} == 200 && $next->{body} eq $hello,
        "$name: whoever sends the body then is understood, or not heard"
        or diag shown($next);
    $c->close;
}

# --- Refused below us, which has answered by then ---------------------------

my $core = '/hostile-core/echo.pl';
my $made = sub { UploadPool::Tus::create($core, length => 5000)
                     ->{headers}{location} };
my $kept = sub { UploadPool::Ietf::location_of(UploadPool::Ietf::create(
                     $core, '', complete => 0, of => 5000)) };
for my $row (['form', 'POST', fixed($core), "Content-Type: $type\r\n", $big],
             ['tus', 'PATCH', $made, "${patch}Upload-Offset: 0\r\n", $long],
             ['ietf', 'PATCH', $kept, "${append}Upload-Offset: 0\r\n", $long],
             ['chunks', 'PUT', sub { "$core?X-Progress-ID=" . new_id() },
              "Content-Range: bytes 0-4999/5000\r\n", $long]) {
    my ($name, $method, $where, $lines, $body) = @$row;
    for my $case (['over LimitRequestBody', 413, chunked($body, 500)],
                  ['no chunk', 400, "5\r\n" . substr($body, 0, 5) . "\r\nxyz\r\n"],
                  ['a chunk without end', 400, "5\r\n" . substr($body, 0, 9)
                   . "\r\n0\r\n\r\n"],
                  ['a chunk of 2^70', [400, 413], '4' . '0' x 17 . "\r\nx"],
                  ['a negative chunk', 400, "-1\r\nx\r\n0\r\n\r\n"]) {
        my ($what, $status, $coded) = @$case;
        my @statuses = ref $status ? @$status : $status;
        my $head = "$method " . $where->() . " HTTP/1.1\r\nHost: x\r\n$lines"
            . "Transfer-Encoding: chunked\r\n\r\n";
        my ($ended, @answers) = converse([$head . $coded], $canary);
        ok $ended && @answers == 1
            && grep({ $answers[0]{status} == $_ } @statuses),
            "$name, $what: one answer, @statuses, and the end"
            or diag shown(@answers);
    }
}

ok !-e pool('hostile-ran') . '/log', 'no application ran';
is crashes_since($mark), 0, 'no child died';
done_testing;
