# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The last request of an upload: what the application answers, what becomes of
# the answer, and what a client that lost it can learn.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;
use UploadPool::Tus;

my $mark = log_mark();
my $at = '/tus/echo.pl';

sub whole
{
    my ($where, %o) = @_;
    my $url = create($where, length => 5, %o)->{headers}{location};
    return ($url, append($url, 0, 'hello', %o));
}

# --- The answer --------------------------------------------------------------

my ($url, $r) = whole("$at?claim");
is $r->{status}, 200, 'an answer with a body: 200';
is $r->{headers}{'content-type'}, 'application/json', 'its type';
is $r->{headers}{'upload-offset'}, 5, 'Upload-Offset';
is $r->{headers}{'tus-resumable'}, '1.0.0', 'Tus-Resumable';
my $again = append($url, 5, '');
is $again->{status}, 200, 'the last PATCH again, its bytes are there: 200';
is $again->{body}, $r->{body}, 'the same answer, not another run';
is append($url, 5, 'x')->{status}, 413, 'with a byte more: 413';
is append($url, 0, 'hello')->{status}, 409, 'from the start: 409';
is append($url, 0, 'hello')->{headers}{'upload-offset'}, 5,
    'which says where it is';

# --- An application that says no ---------------------------------------------

($url, $r) = whole("$at?status=422");
is $r->{status}, 422, '422: the client hears it';
is application($r)->{state}, 'done', 'with the body';
is $r->{headers}{'tus-resumable'}, '1.0.0', '422: Tus-Resumable';
is append($url, 5, '')->{status}, 422, '422: the last PATCH again says it too';
my $head = head($url);
is $head->{status}, 410, '422: HEAD tells of no upload that is well';
ok !exists $head->{headers}{'upload-offset'},
    '422: for an offset at the end would be a success to the client';

# --- An application that fails -----------------------------------------------

($url, $r) = whole("$at?status=503");
is $r->{status}, 503, '503: the client hears it';
$again = append($url, 5, '');
is $again->{status}, 503, '503: the last PATCH again runs it again';
$head = head($url);
is $head->{status}, 423,
    '503: so does HEAD, which tus-js-client sends then: try again';
ok !exists $head->{headers}{'upload-offset'}, '503: without Upload-Offset';
is $head->{body}, '', '503: and without a body';
is status($at, $url =~ m{([^/]+)$})->{state}, 'done', '503: the upload stays';
($url, $r) = whole('/tus-clean/echo.pl?status=500');
is $r->{status}, 500, 'UploadCleanup: the client hears it';
# The answer may be there a moment before the upload is gone.
my ($name) = $url =~ m{([^/]+)$};
wait_for(sub { status('/tus-clean/echo.pl', $name)->{state} eq 'starting' });
is head($url)->{status}, 404, 'UploadCleanup: and the upload is gone';

# --- Redirects, no body, refusals by httpd -----------------------------------

($url, $r) = whole("$at?status=204");
is $r->{status}, 204, '204 is 204';
is $r->{headers}{'upload-offset'}, 5, 'with Upload-Offset';
$r = create("$at?status=303", length => 0);
is $r->{status}, 201, 'a redirect in answer to a POST: 201';
like $r->{headers}{location}, qr{^/tus/echo\.pl/[A-Za-z0-9-]+$},
    'and Location is that of the upload';
$r = create("$at?status=202", length => 0);
is $r->{status}, 201, 'any success of a POST is 201';
$r = create("$at?status=422", length => 0);
is $r->{status}, 422, 'but a failure is what it is';
($url, $r) = whole('/tus/no-such-program');
is $r->{status}, 404, 'no such application';

# --- By itself ---------------------------------------------------------------

($url, $r) = whole('/tus-alone/', headers => ['Accept', 'application/json']);
is $r->{status}, 200, 'SetHandler upload-pool answers';
is $r->{json}{state}, 'done', 'with the status object';

# --- Exactly once ------------------------------------------------------------

for my $round (1 .. 10) {
    my $url = create("$at?sleep=0.05", length => 5)->{headers}{location};
    append($url, 0, 'hell');
    my @c = map { begin_patch($url, 4, 1, 'o') } 1 .. 4;
    my @answers = map { $_->answer } @c;
    my @good = grep { $_->{status} == 200 } @answers;
    my %bodies = map { $_->{body} => 1 } @good;
    is scalar keys %bodies, 1, "round $round: the application runs once";
    is scalar(grep { $_->{status} !~ /^(?:200|409|423)$/ } @answers), 0,
        "round $round: all others know"
        or diag join ' ', map { $_->{status} } @answers;
    $_->close for @c;
}

is crashes_since($mark), 0, 'no child died';

done_testing;
