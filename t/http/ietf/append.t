# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Upload append, section 4.4 of draft-ietf-httpbis-resumable-upload; length
# (4.1.3), the problem types (7), and what comes after completion.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Ietf;
use UploadPool::Test;

my $mark = log_mark();
my $url = '/ietf/echo.pl';

# --- In parts ---------------------------------------------------------------

my @parts = map { random_bytes($_) } 10, 70_000, 1, 4096;
my $r = create($url, '', complete => 0);
my $at = $r->{headers}{location};
my $offset = 0;
for my $part (@parts) {
    my @how = $offset % 2 ? (chunked => 1000) : ();
    $r = append($at, $offset, $part, complete => 0, @how);
    is $r->{status}, 204, "4.4.2 at $offset: 2xx";
    is $r->{headers}{'upload-complete'}, '?0', '4.4.2 not complete';
    is $r->{headers}{'upload-offset'}, $offset += length $part, 'the offset';
    is $r->{body}, '', 'no content';
    ok !exists $r->{headers}{location}, 'no Location';
    state_is($at, $offset, 0, "4.3.2 after $offset");
}
$r = append($at, $offset, '', complete => 1);
is $r->{status}, 200, '4.4.1 nothing completes it';
is $r->{headers}{'upload-complete'}, '?1', '4.4.2 ?1: Upload-Complete: ?1';
is $r->{headers}{'upload-offset'}, $offset, 'at this offset';
ok slurp(application($r)->{files}[0]{path}) eq join('', @parts), 'the bytes';

# The length is the offset, and still the client says when it is complete.
$r = create($url, 'all of it', complete => 0, of => 9);
$at = $r->{headers}{location};
is $r->{status}, 201, '4.1.3 every byte is there';
state_is($at, 9, 0, '4.1.3 that does not complete it');
$r = append($at, 9, '', complete => 0);
is $r->{status}, 204, 'nothing more of nothing more';
$r = append($at, 9, '', complete => 1, headers => ['Content-Length', 0],
            length => undef);
is $r->{status}, 200, 'but the client does';

# --- The application's answer is passed whatever it is ----------------------

for my $status (404, 500) {
    $r = create("$url?status=$status", 'abc', complete => 0);
    $r = append($r->{headers}{location}, 3, 'def', complete => 1);
    is $r->{status}, $status, "4.4.2 an answer of $status";
    is $r->{headers}{'upload-complete'}, '?1', "4.4.2 $status is the target's";
    $r = create("$url?status=$status", 'abc', complete => 1);
    is $r->{status}, $status, "4.2.2 an answer of $status";
    is $r->{headers}{'upload-complete'}, '?1', "4.2.2 $status is the target's";
}

# --- The wrong offset -------------------------------------------------------

# R2: Another offset writes nothing.
$r = create($url, 'abcdef', complete => 0, of => 10);
$at = $r->{headers}{location};
for my $wrong (0, 5, 7, 10, 999_999_999_999_999) {
    $r = append($at, $wrong, 'ghij', complete => 1);
    is $r->{status}, 409, "4.4.2 offset $wrong MUST be 409";
    is $r->{headers}{'upload-complete'}, '?0', '4.4.2 with Upload-Complete: ?0';
    is $r->{headers}{'upload-offset'}, 6, '4.4.2 and the right offset';
    is problem($r), 'mismatching-upload-offset', '7.1 the problem type';
    is $r->{json}{'expected-offset'}, 6, '7.1 expected-offset';
    is $r->{json}{'provided-offset'}, $wrong, '7.1 provided-offset';
}
is state_is($at, 6, 0, '4.4.2 nothing was appended')
    ->{headers}{'upload-length'}, 10, 'nor the length changed';

# --- Lengths that disagree --------------------------------------------------

# R7: Lengths that disagree.
for my $case (['another Upload-Length', 'x', complete => 0, of => 11],
              ['a smaller one', 'x', complete => 0, of => 5],
              ['?1 and more content', 'ghijk', complete => 1],
              ['?1 and less', 'ghi', complete => 1],
              ['?1 and none', '', complete => 1],
              ['?0 and more', 'ghijk', complete => 0],
              ['both in one', 'ghij', complete => 1, of => 9]) {
    my ($name, $bytes, @o) = @$case;
    $r = append($at, 6, $bytes, @o);
    is $r->{status}, 400, "4.1.3 $name: 400";
    is problem($r), 'inconsistent-upload-length', "7.2 $name: problem type";
    is $r->{headers}{'upload-complete'}, '?0', "$name: Upload-Complete: ?0";
    state_is($at, 6, 0, "$name: nothing was appended");
}
is append($at, 6, 'ghij', complete => 1, of => 10)->{status}, 200,
    '4.1.3 and when they agree';
for my $case (['?1 and more than Upload-Length', 'abc', complete => 1, of => 2],
              ['?1 and less', 'abc', complete => 1, of => 4],
              ['?0 and more', 'abc', complete => 0, of => 2]) {
    my ($name, $bytes, @o) = @$case;
    $r = create($url, $bytes, @o);
    is $r->{status}, 400, "4.1.3 creation, $name: 400";
    is problem($r), 'inconsistent-upload-length', "7.2 creation, $name";
    is scalar @{ $r->{interim} }, 0, 'no resource was announced';
}
# The length becomes known on the way.
$at = create($url, 'abc', complete => 0)->{headers}{location};
append($at, 3, 'def', complete => 0, of => 8);
is state_of($at)->{headers}{'upload-length'}, 8, '4.4.2 MUST record the length';
is append($at, 6, 'g', complete => 0, of => 9)->{status}, 400,
    '4.1.3 and keep it';
is append($at, 6, 'gh', complete => 1)->{status}, 200, 'until it is complete';

# --- More than the length, and nobody said so -------------------------------

for my $way (['creation', 0], ['append', 3]) {
    my ($name, $begin) = @$way;
    $r = $begin ? create($url, 'abc', complete => 0, of => 10) : undef;
    $r = $begin
        ? append($r->{headers}{location}, 3, 'x' x 100_000, complete => 0,
                 chunked => 100)
        : create($url, 'x' x 100_000, complete => 0, of => 10, chunked => 100);
    $at = location_of($r) || $at;
    is $r->{status}, 400, "4.4.2 $name: rejected once the length is exceeded";
    is problem($r), 'inconsistent-upload-length', "7.2 $name: problem type";
    $at = undef if $begin;
}
$at = create($url, 'abc', complete => 0, of => 10)->{headers}{location};
append($at, 3, 'x' x 1000, complete => 0, chunked => 100);
is state_of($at)->{status}, 404, '4.4.2 and the resource is of no more use';
is append($at, 3, 'defghij', complete => 1)->{status}, 404,
    '4.4.2 MUST reject any further interaction';
$at = create($url, 'abc', complete => 0, of => 10)->{headers}{location};
$r = append($at, 3, 'def', complete => 1, chunked => 2);
is $r->{status}, 400, '4.1.3 ?1 of unknown length that is too short';
is problem($r), 'inconsistent-upload-length', '7.2 problem type';
isnt state_of($at)->{headers}{'upload-complete'}, '?1', 'it is not complete';

# --- After completion -------------------------------------------------------

$r = create("$url?a=b", 'abc', complete => 0);
$at = $r->{headers}{location};
my $first = append($at, 3, 'def', complete => 1);
is $first->{status}, 200, 'complete';
my $path = application($first)->{files}[0]{path};
$r = append($at, 6, '', complete => 1);
is $r->{status}, 200, '4.4.2 the lost answer is told again';
is $r->{headers}{'upload-complete'}, '?1', 'as the target\'s';
is $r->{body}, $first->{body}, 'the same, for the application ran once';
$r = append($at, 3, 'def', complete => 1);
is $r->{status}, 409, '4.4.2 the lost request again: 409';
is $r->{headers}{'upload-complete'}, '?0', '4.4.2 ?0: it is no answer of its';
is $r->{headers}{'upload-offset'}, 6, 'the right offset';
$r = append($at, 6, 'more', complete => 1);
is $r->{status}, 400, '4.4.2 (-11) more content MUST be rejected';
is problem($r), 'inconsistent-upload-length', 'as an inconsistent length';
$r = append($at, 6, 'more', complete => 1, chunked => 2);
is $r->{status}, 400, 'of unknown length, too';
$r = append($at, 6, '', complete => 0);
is $r->{status}, 410, '4.4.2 (-11) to open it again: 410';
is problem($r), 'completed-upload', 'completed-upload';
is slurp($path), 'abcdef', '4.4.2 MUST NOT modify it';
state_is($at, 6, 1, '4.3.2 complete');

# --- Media type (6) and header fields ---------------------------------------

$r = create($url, 'abc', complete => 0);
$at = $r->{headers}{location};
for my $type ('text/plain', 'application/partial-uploads', undef) {
    $r = append($at, 3, 'def', complete => 0, type => $type);
    is $r->{status}, 415, '6 ' . ($type // 'no type') . ': 415';
}
is append($at, undef, 'def', complete => 0)->{status}, 400,
    '4.4.1 without Upload-Offset: 400';
is append($at, 3, 'def', complete => undef)->{status}, 400,
    '4.4.1 without Upload-Complete: 400';
state_is($at, 3, 0, 'nothing was appended');
is append($at, 3, 'd', complete => 0,
          type => 'Application/Partial-Upload; x=y')->{status}, 204,
    '6 letter case and parameters do not matter';
is append("$url/00000000-0000-4000-8000-000000000000", 0, 'x')->{status}, 404,
    'no such upload: 404';

is crashes_since($mark), 0, 'no child died';
done_testing;
