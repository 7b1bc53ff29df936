# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Older drafts of draft-ietf-httpbis-resumable-upload by their interop versions,
# and other versions of HTTP.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Ietf;
use UploadPool::Test;

my $mark = log_mark();
my $url = '/ietf/echo.pl';

# --- Interop versions --------------------------------------------------------

for my $v (3 .. 8) {
    my %o = (interop => $v);
    my $flag = $v == 3 ? 'upload-incomplete' : 'upload-complete';
    my ($open, $shut) = $v == 3 ? ('?1', '?0') : ('?0', '?1');
    my $type = $v > 5 ? 'application/partial-upload' : undef;
    my $r = create($url, 'abc', %o, complete => 0, of => 9);
    is $r->{status}, 201, "version $v: 201";
    my $at = $r->{headers}{location};
    my $interim = $r->{interim}[0] || {headers => {}};
    is $interim->{headers}{location}, $at, "version $v: 104 with Location";
    is $interim->{headers}{'upload-draft-interop-version'}, $v,
        "version $v: MUST be the version of the request";
    is $r->{headers}{$flag}, $open, "version $v: not complete";
    is $r->{headers}{'upload-offset'}, 3, "version $v: MUST have an offset";
    $r = state_of($at, %o);
    is $r->{status}, 204, "version $v: HEAD";
    is $r->{headers}{'upload-offset'}, 3, "version $v: HEAD: offset";
    is $r->{headers}{$flag}, $open, "version $v: HEAD: not complete";
    $r = append($at, 3, 'def', %o, complete => 0, type => $type);
    is $r->{status}, $v > 6 ? 204 : 201, "version $v: append";
    is $r->{headers}{'upload-offset'}, 6, "version $v: append: offset";
    is $r->{headers}{$flag}, $open, "version $v: append: not complete";
    is append($at, 3, 'def', %o, complete => 0, type => $type)->{status}, 409,
        "version $v: the wrong offset";
    $r = append($at, 6, 'ghi', %o, complete => 1, type => $type);
    is $r->{status}, 200, "version $v: the last";
    is $r->{headers}{'upload-offset'}, 9, "version $v: the last: offset";
    is $r->{headers}{$flag}, $shut, "version $v: the last: complete";
    is slurp(application($r)->{files}[0]{path}), 'abcdefghi',
        "version $v: the bytes";
    is state_of($at, %o)->{headers}{$flag}, $shut, "version $v: HEAD: complete";
    is state_of($at, %o, method => 'DELETE')->{status}, 204,
        "version $v: DELETE";
    is state_of($at, %o)->{status}, 404, "version $v: gone";
    $r = create($url, 'abc', %o);
    is $r->{status}, 200, "version $v: all at once";
    is $r->{headers}{$flag}, $shut, "version $v: all at once: complete";
}
for my $v (3 .. 6) {
    my $at = create($url, 'abc', complete => 0)->{headers}{location};
    for my $method (qw(HEAD DELETE)) {
        is state_of($at, method => $method, interop => $v,
                    headers => ['Upload-Offset', 3])->{status}, 400,
            "version $v: $method MUST NOT have Upload-Offset";
    }
}
# Names as tus-js-client tells them.
my $r = create($url, '', interop => 6, complete => 0, headers =>
    ['Upload-Metadata', 'filename bXkgcGhvdG8uanBn,filetype aW1hZ2UvanBlZw==']);
$r = append($r->{headers}{location}, 0, 'abc', interop => 6);
is application($r)->{filename}, 'my photo.jpg', 'tus-js-client: filename';
is application($r)->{'content-type'}, 'image/jpeg', 'tus-js-client: type';

# --- HTTP/1.0 ----------------------------------------------------------------

$r = raw_request("POST $url HTTP/1.0\r\nHost: x\r\nContent-Length: 3\r\n"
    . "Upload-Complete: ?0\r\nUpload-Draft-Interop-Version: 8\r\n\r\nabc");
is $r->{status}, 201, 'HTTP/1.0: an upload';
is scalar @{ $r->{interim} }, 0, 'HTTP/1.0: no interim answer';
state_is($r->{headers}{location}, 3, 0, 'HTTP/1.0');

# --- Keep-alive, pipelined ---------------------------------------------------

my $c = connect_raw();
my $head = "POST $url HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
    . "Upload-Draft-Interop-Version: 8\r\n";
$c->send("${head}Upload-Complete: ?0\r\n\r\nabc"
    . "${head}Upload-Complete: ?1\r\n\r\ndef"
    . "GET $url HTTP/1.1\r\nHost: x\r\n\r\n");
is $c->answer->{status}, 201, 'pipelined: the first';
$r = $c->answer;
is slurp(application($r)->{files}[0]{path}), 'def', 'pipelined: the second';
is $c->answer->{json}{method}, 'GET', 'pipelined: the third';
$c->close;

# --- TLS and HTTP/2 ----------------------------------------------------------

$r = create($url, 'x' x 100_000, tls => 1);
is $r->{status}, 200, 'TLS: an upload';
is $r->{interim}[0]{status}, 104, 'TLS: interim answer';

sub h2
{
    my ($method, $where, $bytes, @headers) = @_;
    my $file = var('t_logs') . '/ietf-h2';
    spew($file, $bytes);
    my @args = $method eq 'HEAD' ? ('--head')
        : ('-X', $method, '--data-binary', "\@$file");
    while (my ($name, $value) = splice @headers, 0, 2) {
        push @args, '-H', "$name: $value";
    }
    my $answer = curl('--http2-prior-knowledge', @args, '-H', 'Expect:',
                      '-H', 'Upload-Draft-Interop-Version: 8', base() . $where);
    unlink $file;
    return $answer;
}
my $large = random_bytes(2_500_000);
$r = h2('POST', $url, $large, 'Upload-Complete', '?0', 'Content-Type', 'x/y');
is $r->{status}, 201, 'HTTP/2: created';
like $r->{head}, qr{^HTTP/2 }, 'HTTP/2: it is';
my $at = $r->{headers}{location};
is $r->{interim}[0]{status}, 104, 'HTTP/2: interim answer';
is $r->{interim}[0]{headers}{location}, $at, 'HTTP/2: with Location';
cmp_ok scalar(grep { $_->{headers}{'upload-offset'} } @{ $r->{interim} }), '>=',
    1, 'HTTP/2: progress';
$r = h2('HEAD', $at, '');
is $r->{headers}{'upload-offset'}, 2_500_000, 'HTTP/2: HEAD';
$r = h2('PATCH', $at, 'the end', 'Upload-Complete', '?1',
        'Upload-Offset', 2_500_000,
        'Content-Type', 'application/partial-upload');
is $r->{status}, 200, 'HTTP/2: the rest';
is $r->{headers}{'upload-complete'}, '?1', 'HTTP/2: complete';
ok slurp(application($r)->{files}[0]{path}) eq "${large}the end",
    'HTTP/2: the bytes';
$r = h2('PATCH', $at, '', 'Upload-Complete', '?1', 'Upload-Offset', 2_500_007,
        'Content-Type', 'application/partial-upload');
is $r->{status}, 200, 'HTTP/2: the answer once more';
$r = h2('PATCH', $at, 'x', 'Upload-Complete', '?1', 'Upload-Offset', 5,
        'Content-Type', 'application/partial-upload');
is $r->{status}, 409, 'HTTP/2: the wrong offset';

is crashes_since($mark), 0, 'no child died';
done_testing;
