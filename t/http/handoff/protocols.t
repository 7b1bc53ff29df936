# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadPassAs form and fields, by every protocol of uploads in several
# requests: the application reads a form. Its answer is kept; after a 5xx the
# same form is made again.

use strict;
use warnings FATAL => 'all';
use Digest::SHA qw(sha256_hex);
use Test::More;
use UploadPool::Chunked;
use UploadPool::Several;
use UploadPool::Test;
use UploadPool::Tus qw($BYTES);

my $mark = log_mark();
my $content = random_bytes(250_007);
my $digest = sha256_hex($content);

# PHP's own reader reads it. The file of a client that names no field is in the
# one of UploadFileField.
for my $way (ways()) {
    for my $case (['/hf/fpm/form.php', 'file'], ['/hf/php/form.php', 'file'],
                  ['/hf/named/form.php', 'async-upload']) {
        my ($url, $field) = @$case;
        $field = 'file' if $way eq 'chunked';
        my $up = begin($way, "$url?x=1", $content, filename => 'a b.bin',
                       type => 'image/png');
        my $r = $up->{finish}->();
        my $name = "$way, $url";
        is $r->{status}, 200, "$name: status"
            or diag $r->{body}, explain $up->{failed};
        my $said = $r->{json} || {};
        is $said->{method}, 'POST', "$name: the method";
        is_deeply [sort keys %{ $said->{files} || {} }], [$field],
            "$name: the field";
        my $file = $said->{files}{$field} || {};
        is $file->{name}, 'a b.bin', "$name: the file's name";
        is $file->{sha256}, $digest, "$name: its bytes";
        is $file->{type}, 'image/png', "$name: its type" if $way ne 'raw';
        is $file->{error}, 0, "$name: no error";
    }
}

# Without a name it is a file all the same.
for my $way (qw(tus resumable)) {
    my $up = begin($way, '/hf/fpm/form.php', 'hello', filename => '');
    my $file = ($up->{finish}->()->{json} || {})->{files}{file} || {};
    is $file->{name}, 'file', "$way, no name: one is made";
    is $file->{sha256}, sha256_hex('hello'), "$way, no name: its bytes";
}

# Nothing in it; and what else its metadata say are fields.
{
    my $made = request('POST', '/hf/fpm/form.php', body => '', headers => [
        'Tus-Resumable', '1.0.0', 'Upload-Length', 0,
        'Upload-Metadata', 'filename YS5iaW4=,action dXBsb2Fk']);
    my $said = $made->{json} || {};
    is $said->{files}{file}{error}, 0, 'an empty file by tus is a file'
        or diag $made->{status}, $made->{body};
    is $said->{files}{file}{size}, 0, 'of no bytes';
    is_deeply $said->{post}, {action => 'upload'}, 'other metadata are fields';
}

# The other bodies of a form: what was sent before and behind the file.
{
    my $url = '/hf/fpm/form.php';
    my $half = 125_000;
    my $r = chunk($url, substr($content, 0, $half), range => "bytes 0-"
                  . ($half - 1) . '/' . length $content,
                  before => [title => 'one', 'tag[]' => 'a'],
                  after => ['tag[]' => 'b'], name => 'userfile');
    is $r->{status}, 200, 'a chunk' or diag $r->{body};
    my $id = $r->{json}{upload_id};
    $r = chunk($url, substr($content, $half), range => "bytes $half-"
               . (length($content) - 1) . '/' . length $content,
               before => [upload_id => $id], name => 'userfile');
    $r = complete($url, upload_id => $id, md5 =>
                  Digest::MD5::md5_hex($content), extra => 'late')
        if !$r->{json}{files};
    my $said = $r->{json} || {};
    is $said->{files}{userfile}{sha256}, $digest, 'chunks: the file'
        or diag $r->{body};
    is $said->{post}{title}, 'one', 'chunks: a field';
    is_deeply $said->{post}{tag}, ['a', 'b'], 'chunks: those behind it, too';
}

# A library's pieces, and FilePond's.
{
    my $r;
    for my $n (0, 1) {
        my $from = $n * 200_000;
        my $piece = substr $content, $from, 200_000;
        $r = chunk('/hf/auto/form.php', $piece, before => [
            dzuuid => '6ba7b810-9dad-41d1-80b4-00c04fd43' . sprintf('%03x', $$ % 4096),
            dzchunkindex => $n, dztotalfilesize => length $content,
            dzchunksize => 200_000, dztotalchunkcount => 2,
            dzchunkbyteoffset => $from, album => 'x']);
    }
    is $r->{json}{files}{file}{sha256}, $digest, 'Dropzone: the file'
        or diag $r->{status}, $r->{body};
    is $r->{json}{post}{album}, 'x', 'Dropzone: a field';

    my ($body, $type) = multipart([{name => 'picture', value => '{"a":1}'}]);
    my $made = request('POST', '/hf/fpm/form.php', body => $body, headers =>
        ['Content-Type', $type, 'Upload-Length', length $content]);
    $r = request('PATCH', "/hf/fpm/form.php?patch=$made->{body}", body =>
        $content, headers => ['Content-Type', $BYTES, 'Upload-Offset', 0,
        'Upload-Length', length $content, 'Upload-Name', 'p.jpg']);
    is $r->{json}{files}{picture}{sha256}, $digest, 'FilePond: the file'
        or diag $made->{status}, $r->{status}, $r->{body};
    is $r->{json}{files}{picture}{name}, 'p.jpg', 'FilePond: its name';
}

# The answer is kept; after a 5xx the form is made again.
for my $way (patient()) {
    my $up = begin($way, '/hf/fpm/form.php?a', $content);
    my $first = $up->{finish}->();
    my $again = $up->{again}->();
    is $first->{json}{files}{file}{sha256}, $digest, "$way: the first answer";
    is $again->{body}, $first->{body}, "$way: the kept answer";

    $up = begin($way, '/hf/fpm/form.php?status=503', $content);
    $first = $up->{finish}->();
    is $first->{status}, 503, "$way: a 503";
    is $first->{json}{files}{file}{sha256}, $digest, "$way: of the form";
    $again = $up->{again}->();
    is $again->{status}, 503, "$way: asked again";
    is $again->{json}{files}{file}{sha256}, $digest, "$way: the same form";
    isnt $again->{json}{type}, $first->{json}{type}, "$way: made anew";
}

# Fields of facts.
for my $way (ways()) {
    my $up = begin($way, '/hfields/fpm/form.php', $content);
    my $said = $up->{finish}->()->{json} || {};
    is_deeply $said->{files}, {}, "$way, fields: no file" or
        diag explain $said;
    my $post = $said->{post} || {};
    is $post->{file_name}, 'a.bin', "$way, fields: its name";
    is slurp($post->{file_path} || '/dev/null'), $content, "$way, fields: path";
    is $post->{file_size}, length $content, "$way, fields: size";
    is $post->{'file_sha-256'}, $digest, "$way, fields: digest";
}
is crashes_since($mark), 0, 'no child died';

done_testing;
