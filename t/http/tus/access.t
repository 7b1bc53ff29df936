# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Who may touch an upload: signatures, owners, protocols.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;
use UploadPool::Tus;

my $mark = log_mark();
my $key = 'what the tus suite signs with, 38 byt.';

# --- Keys --------------------------------------------------------------------

my $mint = '/tus-mint/echo.pl';
my $url = create($mint, length => 10)->{headers}{location};
like $url, qr{^/tus-mint/echo\.pl/[A-Za-z0-9-]+:[0-9a-f]{64}$},
    'UploadMint: the upload has a signed name';
my ($id, $signature) = $url =~ m{([^/]+):([^/:]+)$};
is "$id:$signature", sign($key, $id), 'signed as the application would';
is append($url, 0, 'hello')->{status}, 204, 'PATCH of it';
(my $encoded = $url) =~ s/:/%3A/;
is offset($encoded), 5, 'its colon may be encoded';
my %bad = (unsigned => $id, 'of another' => "$id:" . 'a' x 64,
           shortened => substr("$id:$signature", 0, -1),
           'in capitals' => "$id:\U$signature",
           doubled => "$id:$signature:$signature",
           'signed for another' => new_id() . ":$signature");
for my $how (sort keys %bad) {
    my $where = "$mint/$bad{$how}";
    for my $r (head($where), append($where, 5, 'world'),
               tus('DELETE', $where, [])) {
        is $r->{status}, 403, "$how: 403";
        ok !exists $r->{headers}{'upload-offset'}, 'and no offset';
    }
}
is offset($url), 5, 'nothing has changed';

my $own = '/tus-key/echo.pl';
is create($own, length => 1)->{status}, 403,
    'without UploadMint an upload needs an identifier of the application';
$id = new_id();
my $made = create("$own?X-Progress-ID=" . sign($key, $id), length => 5);
is $made->{headers}{location}, "$own/" . sign($key, $id), 'which names it';
is create("$own?X-Progress-ID=" . sign($key, $id), length => 5)->{status}, 409,
    'once at a time';
is status($own, sign($key, $id))->{state}, 'uploading', 'pollers see it';
my $r = append($made->{headers}{location}, 0, 'hello');
is application($r)->{identifier}, $id, 'so does the application';
is create("$own?X-Progress-ID=" . sign("x$key", new_id()), length => 5)
    ->{status}, 403, 'a forged one makes none';
$made = create($own, length => 5,
               headers => ['X-Progress-ID', sign($key, $id = new_id())]);
is $made->{headers}{location}, "$own/" . sign($key, $id), 'in the header';
is append($made->{headers}{location} . '?X-Progress-ID=' . sign($key, new_id()),
          0, 'hello')->{status}, 400, 'one that contradicts the URL';

# --- Owners ------------------------------------------------------------------

my $auth = '/tus-auth/echo.pl';
is create($auth, length => 5)->{status}, 401, 'httpd asks who it is';
$url = create($auth, length => 10, user => 'ann')->{headers}{location};
is append($url, 0, 'hello', user => 'ann')->{status}, 204, 'ann goes on';
for my $r (head($url, user => 'bob'), append($url, 5, 'x', user => 'bob'),
           tus('DELETE', $url, [], user => 'bob')) {
    is $r->{status}, 403, 'bob does not';
    ok !exists $r->{headers}{'upload-offset'}, 'nor does he learn how far';
}
is head($url)->{status}, 401, 'nobody in particular neither';
is offset($url, user => 'ann'), 5, 'it is as it was';
$r = append($url, 5, 'world', user => 'ann');
is $r->{json}{env}{REMOTE_USER}, 'ann', 'the application knows her';
is head($url, user => 'bob')->{status}, 403, 'also when it is complete';
is append($url, 10, '', user => 'bob')->{status}, 403,
    'her answer is not for him';
is append($url, 10, '', user => 'ann')->{status}, 200, 'but for her';
is tus('DELETE', $url, [], user => 'ann')->{status}, 204, 'and it goes';

# --- Uploads of other protocols ----------------------------------------------

my $both = '/tus-both/echo.pl';
$r = upload($both, [{name => 'f', filename => 'a', content => 'form'}],
            id => $id = new_id());
for my $r (head("$both/$id"), append("$both/$id", 4, 'x'),
           tus('DELETE', "$both/$id", [])) {
    is $r->{status}, 404, 'an upload of a form is none of tus';
}
is status($both, $id)->{state}, 'done', 'and stays';
$url = create("$both?X-Progress-ID=" . ($id = new_id()), length => 9)
    ->{headers}{location};
append($url, 0, 'hello');
is upload($both, [{name => 'f', filename => 'a', content => 'form'}],
          id => $id)->{status}, 409, 'a form does not take one on its way';
is offset($url), 5, 'which stays as it was';
is status($both, $id)->{received}, 5, 'pollers are told its offset';
is status($both, $id)->{size}, 9, 'and its length';

is crashes_since($mark), 0, 'no child died';

done_testing;
