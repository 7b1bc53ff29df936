# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# One upload, seen from both ends: a form with a field and a file goes in, the
# application sees JSON, the file is in the pool.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;

my $mark = log_mark();

my $plain = request('POST', '/cgi/echo.pl', body => 'just text',
                    headers => ['Content-Type', 'text/plain']);
is $plain->{status}, 200, 'the echo program answers';
is $plain->{json}{body}, 'just text', 'outside a pool a body passes';

my $other = request('POST', '/form/echo.pl?a=b', body => 'just text',
                    headers => ['Content-Type', 'text/plain']);
is $other->{json}{body}, 'just text', 'another content type passes';
is $other->{json}{env}{QUERY_STRING}, 'a=b', 'and so does its query';
ok !exists $other->{json}{env}{UPLOAD_POOL_STATE}, 'it is no upload';

my $id = new_id();
my $content = random_bytes(70_000);
for my $way (['Content-Length'], ['chunked', chunked => 4099],
             ['one byte less than a bucket', step => 7999]) {
    my ($name, @how) = @$way;
    my $r = upload('/form/echo.pl?a=b', [
        {name => 'title', value => 'Holiday'},
        {name => 'file', filename => 'my photo.jpg', type => 'image/jpeg',
         content => $content},
    ], id => $id, @how);
    is $r->{status}, 200, "$name: the application's own answer";
    my $env = $r->{json}{env} || {};
    is $env->{UPLOAD_POOL_STATE}, 'done', "$name: UPLOAD_POOL_STATE";
    is $env->{UPLOAD_POOL_IDENTIFIER}, $id, "$name: UPLOAD_POOL_IDENTIFIER";
    is $env->{CONTENT_TYPE}, 'application/json', "$name: CONTENT_TYPE";
    is $r->{json}{length}, $env->{CONTENT_LENGTH}, "$name: CONTENT_LENGTH";
    is $r->{json}{surplus}, 0, "$name: nothing behind the body";
    like $env->{HTTP_X_UPLOAD_CONTENT_TYPE}, qr{^multipart/form-data;},
        "$name: the client's own type is set aside";
    my $seen = application($r);
    is $seen->{state}, 'done', "$name: state";
    is_deeply $seen->{fields}, [{name => 'title', value => 'Holiday'}],
        "$name: fields";
    is scalar @{ $seen->{files} || [] }, 1, "$name: one file";
    my $file = $seen->{files}[0] || {};
    is $file->{filename}, 'my photo.jpg', "$name: filename";
    is $file->{'safe-filename'}, 'my_photo.jpg', "$name: safe-filename";
    is $file->{'content-type'}, 'image/jpeg', "$name: content-type";
    is $file->{size}, length $content, "$name: size";
    is $file->{path}, $env->{UPLOAD_POOL_PATH}, "$name: path";
    ok defined $file->{path} && slurp($file->{path}) eq $content,
        "$name: the file's bytes";
    is status('/form/echo.pl', $id)->{state}, 'done', "$name: status";
}
is crashes_since($mark), 0, 'no child died';

done_testing;
