# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# tus 1.0.0, "Expiration" and "Termination".

use strict;
use warnings FATAL => 'all';
use Test::More;
use HTTP::Date qw(str2time);
use UploadPool::Test;
use UploadPool::Tus;

my $mark = log_mark();
my $at = '/tus/echo.pl';

# --- Expiration --------------------------------------------------------------

like tus('OPTIONS', $at, ['Tus-Resumable', undef])->{headers}{'tus-extension'},
    qr/(?:^|,)expiration(?:,|$)/, 'Tus-Extension: expiration';
my $made = create($at, length => 10);
my $url = $made->{headers}{location};
my $date = qr/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/;
like $made->{headers}{'upload-expires'}, $date, 'Upload-Expires with the POST';
ok str2time($made->{headers}{'upload-expires'}) > time + 80_000,
    'in a day, as UploadExpires is by itself';
like append($url, 0, 'hello')->{headers}{'upload-expires'}, $date,
    'Upload-Expires with every PATCH';
like head($url)->{headers}{'upload-expires'}, $date, 'and with HEAD';
ok !exists append($url, 5, 'hello')->{headers}{'upload-expires'},
    'an upload that is complete is no longer unfinished';

my $soon = '/tus-soon/echo.pl';
$url = create($soon, length => 10)->{headers}{location};
append($url, 0, 'hello');
sub id_of { return $_[0] =~ m{([^/]+)$} ? $1 : die "no upload: $_[0]" }
age('tus-soon', id_of($url), 4000);
my $gone = head($url);
like $gone->{status}, qr/^(?:404|410)$/, 'HEAD of an expired one: 404 or 410';
ok !exists $gone->{headers}{'upload-offset'}, 'without Upload-Offset';
like append($url, 5, 'hello')->{status}, qr/^(?:404|410)$/, 'PATCH of it';
$url = create($soon, length => 100)->{headers}{location};
# In all longer than it would live untouched.
my $n = 0;
while ($n < 6 && append($url, $n, 'x')->{status} == 204) {
    $n++;
    age('tus-soon', id_of($url), 3000);
}
is $n, 6, 'one that is being written lives on';

# A part of a concatenation lives as long as a sibling is coming, or has just
# come: a sweep sees to it, and everybody says the same.
my ($whole, $coming) = map {
    create($soon, length => 5, concat => 'partial')->{headers}{location} } 0, 1;
append($whole, 0, 'hello');
append($coming, 0, 'wo');
age('tus-soon', id_of($whole), 4000);
my @tool = ($ENV{UPOOL_TOOL}, qw(clean -e 1h),
            $> == 0 ? ('-u', var('user')) : (), pool('tus-soon'));
for my $when ('before a sweep', 'after it', 'when the sibling has come') {
    system(@tool) == 0 or die "@tool" if $when eq 'after it';
    append($coming, 2, 'rld') if $when =~ /come/;
    my $head = head($whole);
    is $head->{status}, 200, "HEAD of a part that waits for another, $when";
    is $head->{headers}{'upload-offset'}, 5, "$when: with its offset";
    ok !exists $head->{headers}{'upload-expires'}, "$when: without an end";
    my $status = status($soon, id_of($whole));
    is $status->{state}, 'uploading', "$when: its status";
    ok !exists $status->{expires}, "$when: without an end, too";
    is append($whole, 5, '')->{status}, 204, "$when: PATCH of nothing"
        or diag explain(head($whole));
    age('tus-soon', id_of($whole), 4000);
}
system(@tool) == 0 or die "@tool";
is application(create($soon, concat => "final;$whole $coming"))->{size}, 10,
    'and after one more sweep they become one';
age('tus-soon', id_of($_), 4000) for $whole, $coming;
system(@tool) == 0 or die "@tool";
is head($_)->{status}, 404, 'when the last one has expired, all go'
    for $whole, $coming;

# --- Termination -------------------------------------------------------------

like tus('OPTIONS', $at, ['Tus-Resumable', undef])->{headers}{'tus-extension'},
    qr/(?:^|,)termination(?:,|$)/, 'Tus-Extension: termination';

sub gone
{
    my ($where, $what) = @_;
    my $r = tus('DELETE', $where, []);
    is $r->{status}, 204, "$what: DELETE: 204";
    is $r->{body}, '', "$what: without a body";
    my ($id) = $where =~ m{([^/]+)$};
    ok !-e pool('tus') . "/$id", "$what: its space is free";
    for my $again (head($where), append($where, 0, 'x'),
                   tus('DELETE', $where, [])) {
        like $again->{status}, qr/^(?:404|410)$/, "$what: 404 from now on";
    }
    return;
}

gone(create($at, length => 10)->{headers}{location}, 'no byte yet');
$url = create($at, length => 10)->{headers}{location};
append($url, 0, 'hello');
gone($url, 'unfinished');
$url = create($at, length => 5)->{headers}{location};
append($url, 0, 'hello');
gone($url, 'finished');
$url = create($at, length => 5, concat => 'partial')->{headers}{location};
append($url, 0, 'hello');
my $final = create($at, concat => "final;$url")->{headers}{location};
gone($url, 'partial');
is offset($final), 5, 'what was made of it stays';
gone($final, 'final');

$url = create($at, length => 1_000_000)->{headers}{location};
my $c = begin_patch($url, 0, 1_000_000, 'x' x 5000);
ok wait_for(sub { length stored($url) }), 'while a PATCH is coming in';
gone($url, 'with a writer');
my $told = $c->answer;
ok $told->{status} == 0 || $told->{status} >= 400, 'the writer is told so'
    or diag $told->{status};
$c->close;

# U?clear, as other protocols use it, does the same.
$url = create($at, length => 10)->{headers}{location};
my ($id) = $url =~ m{([^/]+)$};
is request('POST', "$at?clear&X-Progress-ID=$id", body => '')->{json}{success},
    JSON::PP::true(), 'clear';
is head($url)->{status}, 404, 'clear removes an upload of this protocol too';

is crashes_since($mark), 0, 'no child died';

done_testing;
