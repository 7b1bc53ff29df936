# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# FilePond's chunkUploads, request by request.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;
use UploadPool::Tus;

my $mark = log_mark();
my $at = '/tus-pond/echo.pl';

sub begin
{
    my ($where, $length, %o) = @_;
    my ($body, $type) = multipart([{name => 'picture', value => '{"a":1}'}]);
    return request('POST', $where, body => $body, headers => [
        'Content-Type', $type,
        defined $length ? ('Upload-Length', $length) : (), %o]);
}

sub piece
{
    my ($where, $id, $offset, $bytes, %o) = @_;
    return request('PATCH', "$where?patch=$id", body => $bytes, headers => [
        'Content-Type', $BYTES, 'Upload-Length', 11,
        defined $offset ? ('Upload-Offset', $offset) : (),
        'Upload-Name', 'photo.jpg', %o]);
}

sub known { return tus('HEAD', "$at?patch=$_[0]", ['Tus-Resumable', undef]) }

sub revert
{
    my ($where, $text, @type) = @_;
    return request('DELETE', $where, body => $text,
                   headers => ['Content-Type', 'text/plain;charset=UTF-8']);
}

my $made = begin("$at?x=y", 11);
is $made->{status}, 200, 'POST: 200';
like $made->{headers}{'content-type'}, qr{^text/plain}, 'POST: text';
like $made->{body}, qr/^[A-Za-z0-9-]+$/, 'POST: nothing but the identifier';
my $id = $made->{body};
is known($id)->{headers}{'upload-offset'}, 0, 'HEAD: the offset';
my $r = piece($at, $id, 0, 'hello ');
is $r->{status}, 204, 'PATCH: 204';
is $r->{headers}{'upload-offset'}, 6, 'PATCH: the offset';
is known($id)->{headers}{'upload-offset'}, 6, 'HEAD: the offset then';
is status($at, $id)->{filename}, 'photo.jpg', 'Upload-Name is its name';
is piece($at, $id, 0, 'hello ')->{status}, 409, 'PATCH: a wrong offset';
$r = piece($at, $id, 6, 'world', 'Upload-Name', 'other.jpg');
is $r->{status}, 200, 'the last PATCH has the application\'s answer';
is $r->{json}{url}, "$at?x=y", 'which saw the POST';
my $seen = application($r);
is slurp($seen->{files}[0]{path}), 'hello world', 'the bytes';
is $seen->{files}[0]{filename}, 'photo.jpg', 'the first name';
is $seen->{files}[0]{field}, 'picture', 'the name of the field';
is_deeply $seen->{fields}, [{name => 'picture', value => '{"a":1}'}],
    'and what stood in it';
is piece($at, $id, 11, '')->{body}, $r->{body}, 'the last one again';
is revert($at, $id)->{status}, 200, 'DELETE with the identifier as its body';
is status($at, $id)->{state}, 'starting', 'takes it back';
is known($id)->{status}, 404, 'HEAD of it: 404';
$id = begin($at, 11)->{body};
is revert($at, $id)->{status}, 200, 'DELETE of one that is not complete';
is piece($at, $id, 0, 'x')->{status}, 404, 'PATCH of it: 404';

is begin($at, $_)->{status}, 400, "Upload-Length: not '$_'"
    for '-1', '+1', 'x', '1, 1', '9223372036854775808';
is begin($at, 5000)->{status}, 413, 'over UploadMaxSize';
$id = begin($at, 11)->{body};
is piece($at, $id, $_, 'x')->{status}, 400, "Upload-Offset: not '$_'"
    for '-1', '', 'x', '0, 0';
is piece($at, $id, undef, 'x')->{status}, 400, 'no Upload-Offset';
is piece($at, $id, '9223372036854775807', 'x')->{status}, 409, 'far beyond';
is piece($at, $id, 0, 'x' x 12)->{status}, 413, 'more than the length';
$id = begin($at, 11)->{body};
is request('PATCH', "$at?patch=$id", body => 'x', headers => [
    'Content-Type', $BYTES, 'Upload-Offset', 0, 'Upload-Name', 'a.exe'])
    ->{status}, 415, 'UploadDeny holds for Upload-Name';
is known($id)->{headers}{'upload-offset'}, 0, 'nothing of that was taken';
for my $bad ('..', '', 'a/b', 'x' x 70) {
    is piece($at, $bad, 0, 'x')->{status}, 400, "no identifier: '$bad'";
    is revert($at, $bad)->{status}, 400, "nor in the body: '$bad'"
        if length $bad;
}
is piece($at, "$id&patch=$id", 0, 'x')->{status}, 400, 'two of them';
is revert($at, "$id=1")->{status}, 400, 'an identifier and more';
$r = upload($at, [{name => 'picture', value => '{}'},
                  {name => 'picture', filename => 'a.jpg', content => 'x'}]);
is application($r)->{files}[0]{size}, 1, 'without chunkUploads it is a form';
is begin($at, undef)->{json}{env}{UPLOAD_POOL_STATE}, 'done',
    'and so is one without Upload-Length';

my $key = '/tus-pond-key/echo.pl';
$id = begin($key, 11)->{body};
like $id, qr/^[A-Za-z0-9-]+:[0-9a-f]{64}$/, 'with a key it is signed';
(my $bare = $id) =~ s/:.*//;
is piece($key, $bare, 0, 'x')->{status}, 403, 'unsigned: 403';
is revert($key, $bare)->{status}, 403, 'nor can that be taken back';
is piece($key, $id, 0, 'hello world')->{status}, 200, 'as it was told';
is revert($key, $id)->{status}, 200, 'and taken back';

is crashes_since($mark), 0, 'no child died';

done_testing;
