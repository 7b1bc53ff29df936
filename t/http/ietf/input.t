# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Header fields of the wrong type, doubled, too large (sections 4.1.1 to 4.1.3 of
# draft-ietf-httpbis-resumable-upload: other values MUST cause the entire field
# to be ignored), and malicious clients.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Ietf;
use UploadPool::Test;

my $mark = log_mark();
my $url = '/ietf/echo.pl';

# --- 4.1.2: what is no Boolean is no Upload-Complete, so no upload -----------

for my $value ('1', '0', 'true', '?2', '?', '"?1"', '?1, ?1', '?1,?0', '?1;',
               '?1;=', '? 1', '?1 x', ':MQ==:', '(?1)', '1.0', '?T', '',
               '@1', '%"?1"', "?1\t;a", '?10') {
    my $r = request('POST', $url, body => 'abc',
                    headers => ['Upload-Complete', $value]);
    is $r->{json} && $r->{json}{body}, 'abc',
        "4.1.2 Upload-Complete: $value is ignored";
    is scalar @{ $r->{interim} }, 0, 'nothing is announced';
}
for my $value ('?1;a=1', '?1;a;b=?0', ' ?1 ', '?1;x="y, z"') {
    my $r = request('POST', $url, body => 'abc',
                    headers => ['Upload-Complete', $value]);
    is $r->{headers}{'upload-complete'}, '?1',
        "4.1.2 Upload-Complete: $value is a Boolean";
}
my $r = request('POST', $url, body => 'abc', headers =>
                ['Upload-Complete', '?1', 'Upload-Complete', '?1']);
is $r->{json}{body}, 'abc', '4.1.2 twice, even when they agree';

# --- 4.1.1: what is no non-negative Integer is no Upload-Offset --------------

my $at = create($url, 'abc', complete => 0)->{headers}{location};
for my $value ('-1', '3.0', '"3"', '?1', 'three', '3, 3', '3,', '+3', '0x3',
               '3 3', '(3)', ':Aw==:', '1000000000000000', '0000000000000003',
               '9223372036854775807', '9223372036854775808',
               '18446744073709551619', '', '3;', '3;A', '@3', "3\t4") {
    $r = append($at, $value, 'def', complete => 0);
    is $r->{status}, 400, "4.1.1 Upload-Offset: $value is none";
    is $r->{headers}{'upload-complete'}, '?0', 'Upload-Complete: ?0';
}
$r = append($at, 3, 'def', complete => 0, headers => ['Upload-Offset', 3]);
is $r->{status}, 400, '4.1.1 twice, even when they agree';
state_is($at, 3, 0, 'nothing was appended');
is append($at, '3;a=b', 'def', complete => 0)->{status}, 204,
    '4.1.1 parameters are none of our business';
is append($at, '006', 'g', complete => 0)->{status}, 204,
    '4.1.1 zeros in front are digits';
is append($at, '-0', 'g', complete => 0)->{status}, 409, '4.1.1 -0 is 0';
for my $value ('?2', '1', '?1, ?1', 'x') {
    is append($at, 7, 'h', complete => undef,
              headers => ['Upload-Complete', $value])->{status}, 400,
        "4.1.2 an append with Upload-Complete: $value";
}
state_is($at, 7, 0, 'nothing was appended');

# --- 4.1.3: what is no non-negative Integer is no Upload-Length --------------

for my $value ('-1', '3.0', '"3"', '?1', '3, 3', '1000000000000000',
               '9223372036854775807', '', 'abc', '99999999999999999999') {
    $r = create($url, 'abc', complete => 0, of => $value);
    is $r->{status}, 201, "4.1.3 Upload-Length: $value is ignored";
    is state_of($r->{headers}{location})->{headers}{'upload-length'}, undef,
        '4.3.2 no length is known';
}
$r = create('/ietf-free/echo.pl', 'abc', complete => 0,
            of => '999999999999999');
is $r->{status}, 201, '4.1.3 the largest there can be';
is state_of($r->{headers}{location})->{headers}{'upload-length'},
    '999999999999999', 'is recorded';
is append($r->{headers}{location}, 3, 'def', complete => 1)->{status}, 400,
    '4.1.3 and not forgotten';

# --- The interop version -----------------------------------------------------

for my $value ('9', '2', '0', '-8', '8.0', '"8"', '8, 8', '08x', '?1', '',
               '1000000000000000') {
    $r = create($url, 'abc', interop => $value, complete => 0);
    is $r->{status}, 201, "version $value: still an upload";
    is scalar @{ $r->{interim} }, 0,
        "versions: MUST NOT send 104 when it is $value";
}
$r = create($url, 'abc', interop => undef);
is scalar @{ $r->{interim} }, 0, 'versions: MUST NOT send 104 when missing';
is $r->{headers}{'upload-complete'}, '?1', 'but it is an upload';

# --- Other fields of the request ---------------------------------------------

for my $value ('inline; filename="a"; filename="b"', 'inline; filename="a',
               'inline filename=a') {
    $r = create($url, 'abc', headers => ['Content-Disposition', $value]);
    is $r->{status}, 400, "Content-Disposition: $value";
    is scalar @{ $r->{interim} }, 0, 'nothing is announced';
}
for my $case (['inline; filename="file name.jpg";'
                   . " filename*=UTF-8''file%20n%C3%A4me.jpg",
               "file n\x{e4}me.jpg"],
              ['attachment; filename="../../etc/passwd"', '../../etc/passwd'],
              ['inline', '']) {
    my ($value, $name) = @$case;
    $r = create($url, 'abc', headers => ['Content-Disposition', $value]);
    is application($r)->{filename}, $name, "Content-Disposition: $value";
    unlike application($r)->{files}[0]{path}, qr/passwd|jpg/, 'not in its path';
}
$r = create($url, 'abc', headers => ['Content-Length', '3, 3'],
            length => undef);
is $r->{status}, 400, 'a doubled Content-Length';
$r = create($url, 'abc', length => 10, half_close => 1);
is scalar(grep { $_->{status} == 104 } @{ $r->{interim} }), 1,
    'a body that ends early has been announced';
state_is(location_of($r), 3, 0, '4.2.2 what came is kept, not complete');
$r = append(location_of($r), 3, 'defg', complete => 1, length => 7,
            half_close => 1);
isnt $r->{headers}{'upload-complete'}, '?1', '4.4.2 nor is it after this';

# --- Names of others ---------------------------------------------------------

for my $id ('..', '%2e%2e', 'a/../b', 'x' x 65, 'a%00b', '%2f', 'a b',
            '-' x 64 . 'x', 'metadata.json') {
    (my $path = "$url/$id") =~ s/ /%20/g;
    for my $method (qw(HEAD PATCH DELETE)) {
        $r = $method eq 'PATCH' ? append($path, 0, 'x')
            : state_of($path, method => $method);
        like $r->{status}, qr/^40[034]$/, "$method $id: $r->{status}";
    }
}

is crashes_since($mark), 0, 'no child died';
done_testing;
