# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Upload creation, section 4.2 of draft-ietf-httpbis-resumable-upload, and the
# interim answers of section 5. Tests are named after the sections.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Ietf;
use UploadPool::Test;

my $mark = log_mark();
my $url = '/ietf/echo.pl?a=b';
my $content = random_bytes(50_000);

# --- The whole in one request -----------------------------------------------

for my $way (['sized'], ['chunked', chunked => 4099], ['stepped', step => 7999])
{
    my ($name, @how) = @$way;
    my $r = create($url, $content, filename => 'my photo.jpg',
                   type => 'image/jpeg', @how);
    is $r->{status}, 200, "4.2.2 $name: the target's own answer";
    is $r->{headers}{'upload-complete'}, '?1',
        "4.2.2 $name: marked as the target's";
    is $r->{headers}{'upload-offset'}, 50_000, "$name: offset";
    is $r->{headers}{location}, $r->{interim}[0]{headers}{location},
        "4.2.3 $name: Location, where the target tells none";
    my $env = $r->{json}{env} || {};
    is $env->{REQUEST_METHOD}, 'POST', "$name: method";
    is $env->{QUERY_STRING}, 'a=b', "$name: query";
    is $env->{UPLOAD_POOL_STATE}, 'done', "$name: UPLOAD_POOL_STATE";
    my $seen = application($r);
    is $seen->{state}, 'done', "$name: state";
    is $seen->{size}, 50_000, "$name: size";
    my $file = $seen->{files}[0] || {};
    is $file->{filename}, 'my photo.jpg', "$name: filename";
    is $file->{'content-type'}, 'image/jpeg', "$name: content-type";
    is $file->{size}, 50_000, "$name: file's size";
    ok defined $file->{path} && slurp($file->{path}) eq $content,
        "$name: the file's bytes";
    ok !grep({ /^HTTP_UPLOAD_/ } keys %$env),
        "$name: none of the protocol's headers reaches the application";

    my $interim = $r->{interim}[0] || {};
    is $interim->{status}, 104, "4.2.2 $name: interim answer first";
    is $interim->{reason}, 'Upload Resumption Supported', "5 $name: its words";
    like $interim->{headers}{location}, qr{^/ietf/echo\.pl/[0-9a-f-]{36}$},
        "4.2.2 $name: with Location, path-only";
    # A second may have passed.
    like $interim->{headers}{'upload-limit'}, qr/\bmax-age=(?:86400|8639\d)\b/,
        "4.2.2 $name: with Upload-Limit";
    is $interim->{headers}{'upload-draft-interop-version'}, 8,
        "versions $name: with the interop version";
    ok !exists $interim->{headers}{'upload-complete'},
        "$name: nothing of the final answer in it";
    ok !exists $r->{headers}{'upload-draft-interop-version'},
        "$name: nothing of the interim one in the final answer";
    state_is($interim->{headers}{location}, 50_000, 1, "4.3.2 $name");
}

# --- A part first -----------------------------------------------------------

my $r = create($url, 'first', complete => 0, of => 11, filename => 'a.txt',
               type => 'text/plain');
is $r->{status}, 201, '4.2.2 incomplete: 201';
my $at = $r->{headers}{location};
like $at, qr{^/ietf/echo\.pl/[0-9a-f-]{36}$}, '4.2.2 incomplete: Location';
is $r->{headers}{'upload-complete'}, '?0', '4.2.2 incomplete: Upload-Complete';
is $r->{headers}{'upload-offset'}, 5, 'incomplete: Upload-Offset';
like $r->{headers}{'upload-limit'}, qr/\bmax-age=\d+/,
    '4.2.2 incomplete: Upload-Limit';
is $r->{headers}{'cache-control'}, 'no-store', 'incomplete: not to be cached';
is $r->{interim}[0]{headers}{location}, $at,
    '4.2.2 the same Location in all answers';
is $r->{body}, '', 'incomplete: no content';
is state_is($at, 5, 0, '4.3.2 incomplete')->{headers}{'upload-length'}, 11,
    '4.2.2 the length is recorded';
my ($id) = $at =~ m{([^/]+)$};
my $status = status('/ietf/echo.pl', $id);
is_deeply [@$status{qw(state received size filename content-type)}],
    ['uploading', 5, 11, 'a.txt', 'text/plain'], 'the status object tells it';

$r = append($at, 5, ' words', complete => 1);
is $r->{status}, 200, '4.4.2 the rest: the answer of the target';
is $r->{headers}{'upload-complete'}, '?1', '4.4.2 the rest: marked so';
is $r->{json}{env}{QUERY_STRING}, 'a=b', 'the query of the creating request';
is $r->{json}{env}{REQUEST_METHOD}, 'POST', 'as POST';
is application($r)->{filename}, 'a.txt', 'the name of the creating request';
is slurp(application($r)->{files}[0]{path}), 'first words', 'the bytes';
is status('/ietf/echo.pl', $id)->{state}, 'done', 'status: done';

# --- Nothing first ----------------------------------------------------------

for my $way (['no content'], ['length 0', body => '']) {
    my ($name, %o) = @$way;
    $r = create($url, $o{body}, complete => 0);
    is $r->{status}, 201, "4.2.1 $name: an upload of nothing so far";
    is state_is($r->{headers}{location}, 0, 0, $name)
        ->{headers}{'upload-length'}, undef, "4.3.2 $name: no length yet";
}
$r = create($url, '', complete => 1, filename => 'empty');
is $r->{status}, 200, '4.2.1 an empty representation is complete at once';
is $r->{headers}{'upload-complete'}, '?1', 'and says so';
is application($r)->{files}[0]{size}, 0, 'the application has an empty file';

# --- Methods ----------------------------------------------------------------

for my $method (qw(POST PUT PATCH)) {
    $r = create($url, "by $method", method => $method, type => 'text/x');
    is $r->{status}, 200, "4.2.1 $method creates";
    is application($r)->{size}, length "by $method", "$method: taken in";
}
for my $method (qw(GET DELETE)) {
    $r = create($url, '', method => $method, interop => undef);
    is $r->{status}, 200, "$method with Upload-Complete is no upload";
    is $r->{json}{env}{UPLOAD_POOL_STATE}, undef, 'the application has it';
}
$r = create('/ietf/echo.pl', 'raw', complete => undef, type => 'text/plain');
is $r->{json}{body}, 'raw', 'without Upload-Complete a body passes';
$r = create('/ietf-off/echo.pl', 'raw', type => 'text/plain');
is $r->{json}{body}, 'raw', 'where the protocol is not open, too';
is scalar @{ $r->{interim} }, 0, 'and nothing is announced';

my ($form, $type) = multipart([{name => 'f', filename => 'a', content => 'x'}]);
$r = create($url, $form, type => $type);
is application($r)->{size}, length $form,
    'a form with Upload-Complete is one representation';
is application($r)->{files}[0]{'content-type'}, 'multipart/form-data',
    'and keeps its type';

# --- 100 Continue -----------------------------------------------------------

my $c = connect_raw();
$c->send("POST /ietf/echo.pl HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
    . "Expect: 100-continue\r\nUpload-Complete: ?1\r\n"
    . "Upload-Draft-Interop-Version: 8\r\n\r\n");
is $c->interim->{status}, 104, '5 Expect: first 104';
is $c->interim->{status}, 100, '5 Expect: 100 is not omitted for it';
$c->send('after');
$r = $c->answer;
is $r->{status}, 200, '5 Expect: then the answer';
is slurp(application($r)->{files}[0]{path}), 'after', 'and the bytes';
$c->close;

# --- Progress ---------------------------------------------------------------

my $large = random_bytes(3 * 1048576 + 5);
$r = create($url, $large, complete => 0);
my @offsets = map { $_->{headers}{'upload-offset'} }
    grep { defined $_->{headers}{'upload-offset'} } @{ $r->{interim} };
cmp_ok scalar @offsets, '>=', 1, '4.2.2 progress is told';
cmp_ok scalar @offsets, '<=', 3, 'now and then';
is_deeply [sort { $a <=> $b } @offsets], \@offsets, 'it never goes back';
ok !grep({ defined $_->{headers}{'upload-offset'}
           && defined $_->{headers}{location} } @{ $r->{interim} }),
    'with no Location';
is $r->{headers}{'upload-offset'}, length $large, 'and at the end';
$r = append($r->{headers}{location}, length $large, $large, complete => 1);
is scalar(grep { $_->{status} != 104 } @{ $r->{interim} }), 0, '104 alone';
ok !grep({ defined $_->{headers}{location} } @{ $r->{interim} }),
    '4.4.2 interim answers to an append MUST NOT have Location';
cmp_ok scalar @{ $r->{interim} }, '>=', 1, '4.4.2 progress of an append';
ok slurp(application($r)->{files}[0]{path}) eq $large x 2, 'the bytes';
$r = create('/ietf-sync/echo.pl', $large, complete => 0);
is scalar(grep { defined $_->{headers}{'upload-offset'} } @{ $r->{interim} }),
    0, '4.1.1 none that a power cut could take back';

# At most five interim answers to a request, and none behind a proxy.
sub interims { my ($r) = @_; return scalar @{ $r->{interim} } }
my $huge = 'x' x (90 << 20);
$r = create('/ietf-free/echo.pl', $huge, complete => 0);
is interims($r), 5, 'five of 90 MiB';
is_deeply [map { ($_->{headers}{'upload-offset'} // 0) >> 20 }
           @{ $r->{interim} }], [0, 1, 5, 21, 85], 'at growing steps'
    or diag explain [map { $_->{headers} } @{ $r->{interim} }];
state_is($r->{headers}{location}, length $huge, 0, 'all of it is there');
request('DELETE', $r->{headers}{location});
undef $huge;
for my $case (['off', 0], ['2', 2], ['none', 3]) {
    my ($context, $count) = @$case;
    my $where = "/ietf-interim-$context/echo.pl";
    $r = create($where, $large x 3, complete => 0);
    is interims($r), $count, "UploadInterim: $context";
    $r = append($r->{headers}{location}, 3 * length $large, $large x 3);
    is interims($r), $context eq 'none' ? 2 : $count,
        "UploadInterim: $context: of an append";
    for my $by ('Via', 'X-Forwarded-For', 'Forwarded') {
        $r = create($where, $large, headers => [$by, '1.1 192.0.2.1']);
        is interims($r), $context eq 'none' ? 0 : $count,
            "UploadInterim: $context, with $by";
        is $r->{status}, 200, 'and it is taken';
    }
}

# --- Refused ----------------------------------------------------------------

$r = create('/ietf-text/echo.pl', 'x', filename => 'a.exe', interop => 8);
is $r->{status}, 415, 'a name that is not allowed';
is problem($r), '', 'as a problem document';
is $r->{json}{status}, 415, 'with the status';
is $r->{json}{state}, 'error', 'and as contract 5 says';
ok length $r->{json}{error}, 'with its text';
is scalar @{ $r->{interim} }, 0, '4.2.2 nothing was announced before';
$r = create('/ietf-text/echo.pl', 'x', filename => 'a.txt');
is $r->{status}, 200, 'one that is';

# --- Where it may go --------------------------------------------------------

$r = create('/ietf-proxy/a?b=c', 'to a backend', filename => 'x');
is $r->{status}, 200, 'a target behind a proxy';
is application($r)->{size}, 12, 'sees the upload';
$r = create('/ietf-alone', 'for nobody', complete => 0);
is $r->{status}, 201, 'the stand-alone handler';
$r = append($r->{headers}{location}, 10, '', complete => 1);
is $r->{status}, 200, 'answers itself';
is $r->{headers}{'upload-complete'}, '?1', 'as the target does';
is $r->{json}{state}, 'done', 'with the status object';

is crashes_since($mark), 0, 'no child died';
done_testing;
