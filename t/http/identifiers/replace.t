# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# One identifier used again: a complete upload replaces the one before at once
# and as a whole; while one is under way no other can begin.

use strict;
use warnings FATAL => 'all';
use Test::More;
use Time::HiRes ();
use UploadPool::Test;

my $mark = log_mark();
my $url = '/ident/echo.pl';

# Begins an upload and sends all but the last bytes; returns the connection
# and what is missing.
sub begin
{
    my ($id, $content) = @_;
    my ($body, $type) = multipart([{name => 'f', filename => 'f',
                                    content => $content}]);
    my $c = connect_raw();
    $c->send("POST $url?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
             . "Content-Type: $type\r\nConnection: close\r\n"
             . 'Content-Length: ' . length($body) . "\r\n\r\n"
             . substr $body, 0, -10);
    wait_for(sub { status($url, $id)->{state} eq 'uploading' })
        or die 'the upload does not begin';
    return ($c, substr $body, -10);
}
sub served { return request('GET', "$url/file?X-Progress-ID=$_[0]")->{body} }
sub simple
{
    my ($id, $content, %o) = @_;
    return upload($url, [{name => 'f', filename => 'f', content => $content}],
                  id => $id, %o);
}
sub files_of { my ($id) = @_; return grep { m{^\Q$id\E/.*\.bin} }
               pool_files('ident') }

# --- Replacement ------------------------------------------------------------

my $id = new_id();
my $old = application(simple($id, 'old'))->{files}[0]{path};
my ($c, $rest) = begin($id, 'new' x 1000);
is slurp($old), 'old', 'while the new one uploads the old file is there';
is served($id), 'old', 'and is served';
is status($url, $id)->{state}, 'uploading', 'status is of the new one';
$c->send($rest);
my $new = application($c->answer)->{files}[0]{path};
$c->close;
isnt $new, $old, 'a path never comes to name other content';
ok !-e $old, 'then the old file is gone';
is slurp($new), 'new' x 1000, 'and the new one is there';
is served($id), 'new' x 1000, 'and is served';
is scalar(files_of($id)), 1, 'one file in the bucket';

my %seen = ($old => 1, $new => 1);
for my $n (1 .. 20) {
    my $path = application(simple($id, "n$n"))->{files}[0]{path};
    ok !$seen{$path}++, "replacement $n has a path of its own";
}
is scalar(files_of($id)), 1, 'still one file';
is served($id), 'n20', 'the last';

# A failure keeps what was there.
for my $way (['malformed', sub {
                  my ($body, $type) = multipart([{name => 'f', filename => 'f',
                                                  content => 'bad'}]);
                  request('POST', "$url?X-Progress-ID=$id",
                      body => substr($body, 0, -5),
                      headers => ['Content-Type', $type])->{status} }, 400],
             ['aborted', sub {
                  my ($c) = begin($id, 'gone');
                  $c->reset;
                  wait_for(sub { status($url, $id)->{state} eq 'error' })
                      ? 400 : 0 }, 400]) {
    my ($name, $do, $status) = @$way;
    is $do->(), $status, "$name: refused";
    is status($url, $id)->{state}, 'error', "$name: state";
    is served($id), 'n20', "$name: the old file is still served";
    is scalar(files_of($id)), 1, "$name: and nothing of the failed one";
}
is simple($id, 'again')->{status}, 200, 'after a failure it can be used again';
is status($url, $id)->{state}, 'done', 'and is done';
is served($id), 'again', 'with the new content';
my $fresh = new_id();
is request('POST', "$url?X-Progress-ID=$fresh", body => 'x', headers =>
    ['Content-Type', 'multipart/form-data; boundary=x'])->{status}, 400,
    'a first upload that fails';
is_deeply [files_of($fresh)], [], 'leaves no file';
is status($url, $fresh)->{state}, 'error', 'but its state';
is simple($fresh, 'x')->{status}, 200, 'and can be tried again at once';

# --- In flight --------------------------------------------------------------

# T5: One in flight, and never two mixed.
$id = new_id();
($c, $rest) = begin($id, 'first');
my $tries = var('mpm') eq 'prefork' ? 12 : 24;
my %got;
# Many new connections: some of them come to another process.
$got{ simple($id, 'second')->{status} }++ for 1 .. $tries;
is_deeply \%got, {409 => $tries}, 'a second one gets 409 in every process';
my $busy = simple($id, 'x', accept => 'application/json');
is_deeply $busy->{json}, {state => 'error',
    error => 'An upload with this identifier is in progress',
    detail => 'An upload with this identifier is in progress'}, 'in JSON';
is status($url, $id)->{state}, 'uploading', 'the first goes on';
$c->send($rest);
is application($c->answer)->{files}[0]{size}, 5, 'and completes';
$c->close;
is served($id), 'first', 'with its own content';

# --- Races ------------------------------------------------------------------

# Two children begin at the same moment; each tells the status that it got.
my ($both, $none, $mixed, $unsettled, $left) = (0) x 5;
my %letter = (0 => 'a' x 40_000, 1 => 'b' x 40_000);
my $races = rounds(25, 100);
for my $round (1 .. $races) {
    my $id = "race-$$-$round";
    my @c;
    for my $n (0, 1) {
        my ($body, $type) = multipart([{name => 'f', filename => 'f',
                                        content => $letter{$n}}]);
        my $c = connect_raw();
        my $head = "POST $url?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
            . "Content-Type: $type\r\nConnection: close\r\nContent-Length: "
            . length($body) . "\r\n\r\n";
        push @c, [$c, "$head$body"];
    }
    # Interleaved pieces, both in flight at once.
    my $piece = $round % 2 ? 50_000 : 9000;
    while (grep { length $_->[1] } @c) {
        $_->[0]->send(substr $_->[1], 0, $piece, '') for @c;
    }
    my @status = map { $_->[0]->answer->{status} } @c;
    $_->[0]->close for @c;
    my $done = grep { $_ == 200 } @status;
    $none++ unless $done;
    $unsettled++ if grep { $_ != 200 && $_ != 409 } @status;
    $both++ if $done == 2;
    my $content = served($id);
    $mixed++ unless grep { $content eq $_ } values %letter;
    # The one that alone got 200 is the one that is there.
    $mixed++ if $done == 1 && $content ne $letter{ $status[0] == 200 ? 0 : 1 };
    $left++ if files_of($id) != 1;
    request('DELETE', "$url?X-Progress-ID=$id");
}
is $none, 0, 'races: somebody always wins';
is $unsettled, 0, 'races: 200 or 409, nothing else';
is $mixed, 0, 'races: exactly one content, that of a winner';
is $left, 0, 'races: one file each';
cmp_ok $both, '<', $races, 'races: they did meet';
is_deeply [grep { /^race-/ } pool_dirs('ident')], [], 'all of it deleted';

is crashes_since($mark), 0, 'no child died';
done_testing;
