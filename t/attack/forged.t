# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Ways around the door: what only the module may say, and what only it may let
# pass, where the context is not that of the URL that the client asked for.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my @forged = ('X-Upload-State', 'done', 'X-Upload-Identifier', 'forged',
              'X_Upload_Signature', 'sha256=forged',
              'X-Upload-Content-Type', 'forged');

# --- A page outside includes one inside -------------------------------------

my $page = request('GET', '/attack/page/ssi.pl', headers => \@forged);
is $page->{status}, 200, 'a page';
my ($state, $outside, $inside) = split /\n/, $page->{body};
like $outside, qr/"HTTP_X_UPLOAD_STATE":"done"/,
    'outside of a context headers pass untouched';
like $inside, qr/"REQUEST_METHOD"/, 'it includes a page of a context';
unlike $inside, qr/forged|X_UPLOAD/, 'which gets nothing forged';

# A page of a context, which has an upload of its own, hands that on.
$page = upload('/attack/inside/ssi.pl',
               [{name => 'f', filename => 'f', content => 'hello'}],
               headers => \@forged);
is $page->{status}, 200, 'an upload to a page of the context';
($state, $outside, $inside) = split /\n/, $page->{body};
like $state, qr/^state=done read=\d\d/, 'it has the upload';
like $inside, qr/"HTTP_X_UPLOAD_STATE":"done"/, 'and hands on whose it is';
unlike $inside, qr/forged/, 'nothing else';

# --- A directory outside has its index inside -------------------------------

my $index = '/attack/index/';
my $seen = request('POST', $index, body => '{}',
                   headers => [@forged, 'Content-Type', 'application/json']);
is $seen->{status}, 200, 'a request to the index';
is_deeply [grep { /X_UPLOAD/ } keys %{ $seen->{json}{env} }], [],
    'which gets nothing forged';
my $id = new_id();
$seen = upload($index, [{name => 'f', filename => 'f', content => 'hello'}],
               id => $id);
is $seen->{status}, 200, 'an upload to the index';
is application($seen)->{files}[0]{size}, 5, 'is taken in';
is status("${index}echo.pl", $id)->{state}, 'done', 'and is known';
$seen = upload($index, [{name => 'f', filename => 'f',
                         content => 'x' x 5000}]);
is $seen->{status}, 413, 'a large one is not';

is crashes_since($mark), 0, 'no child crashed';
done_testing;
