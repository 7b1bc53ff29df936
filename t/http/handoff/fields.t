# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadPassAs fields: in place of each file there are fields that describe it,
# under the usual names and those of UploadPassField, and no client can forge
# them.

use strict;
use warnings FATAL => 'all';
use Digest::SHA qw(hmac_sha256_hex sha256_hex);
use Digest::MD5 ();
use MIME::Base64 qw(decode_base64);
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my $content = random_bytes(100_000);

my $r = upload('/hfields/fpm/form.php', [
    {name => 'title', value => 't'},
    {name => 'photo', filename => "na\xc3\xafve.jpg", type => 'image/jpeg',
     content => $content},
    {name => 'empty', filename => ''},
    {name => 'docs[]', filename => 'a.txt', type => 'text/plain', content => ''},
    {name => 'docs[]', filename => 'b.txt', type => undef, content => 'b'},
    {name => 'list[]', value => 'x'},
]);
is $r->{status}, 200, 'status' or diag $r->{body};
my $post = $r->{json}{post} || {};
is_deeply $r->{json}{files}, {}, 'no file';
is $post->{title}, 't', 'a field';
is_deeply $post->{list}, ['x'], 'a list';
is $post->{photo_name}, "na\x{ef}ve.jpg", 'NAME_name';
is $post->{photo_type}, 'image/jpeg', 'NAME_type';
is $post->{photo_size}, 100_000, 'NAME_size';
is slurp($post->{photo_path} || '/dev/null'), $content, 'NAME_path';
is $post->{'photo_sha-256'}, sha256_hex($content), 'NAME_sha-256';
is_deeply $post->{docs_name}, ['a.txt', 'b.txt'], 'brackets stay at the end';
is_deeply $post->{docs_type}, ['text/plain', ''], 'no type is empty';
is_deeply [map { -s $_ || 0 } @{ $post->{docs_path} || [] }], [0, 1],
    'their paths';
ok !exists $post->{empty} && !exists $post->{empty_path},
    'an empty input says nothing';

# Fields of the client that could pass for the module's word on where a file is.
$r = upload('/hfields/fpm/form.php', [
    (map { +{name => $_, value => '/etc/passwd'} } 'photo_path', 'photo.path',
     'photo path', 'photo_path[]', 'other_path', 'x_location', 'x_content',
     ' photo_path'),
    {name => 'photo', filename => 'a', content => 'hello'},
    {name => 'photo_path', value => '/etc/passwd'},
    {name => 'kept_pathology', value => 'mine'},
]);
$post = $r->{json}{post} || {};
is slurp($post->{photo_path} || '/dev/null'), 'hello', 'forged: the real path';
is_deeply [grep { $post->{$_} =~ /passwd/ } keys %$post], [],
    'forged: none other' or diag explain $post;
is $post->{kept_pathology}, 'mine', 'forged: what is none stays';

# Fields with names of one's own.
$r = upload('/hfields/own/form.php', [
    {name => 'photo', filename => 'a b.jpg', content => $content},
    {name => 'upload_photo_at', value => '/etc/passwd'},
    {name => 'photo_path', value => 'a path of the application\'s own'},
]);
$post = $r->{json}{post} || {};
like $post->{upload_photo_at}, qr{^file://.*/0-[0-9a-f]{32}\.bin$}, 'a value of two';
is $post->{photo_facts}, '0:a_b.jpg:100000:100%', 'more escapes';
is $post->{photo_md5}, Digest::MD5::md5_hex($content), 'a digest';
is $post->{photo_id}, $r->{json}{identifier}, 'the identifier';
is $post->{photo_none}, '', 'what there is nothing for';
is $post->{photo_path}, 'a path of the application\'s own',
    'what is none of the module\'s stays';

# In memory.
$r = upload('/hfields/inline/form.php',
            [{name => 'f', filename => 'a', content => "in\x00memory"}]);
is $r->{json}{post}{f_content}, "in\x00memory", 'in memory: NAME_content';
ok !exists $r->{json}{post}{f_path}, 'in memory: no path';

# Where a handler keeps it: facts suffice, bytes there are none.
my @away = ({name => 'f', filename => 'a.away', content => 'bytes'});
$r = upload('/hfields/away/form.php', \@away);
is $r->{status}, 200, 'kept elsewhere: status';
is $r->{json}{post}{f_location}, 'away:0', 'kept elsewhere: NAME_location';
my $at = log_mark();
$r = upload('/hf/away/form.php', \@away, accept => 'application/json');
is $r->{status}, 500, 'as a form: 500';
is $r->{json}{state}, 'error', 'as a form: an error';
my @lines = grep { /UPL\d+: / && /:(?:warn|error|crit)\]/ }
    split /\n/, error_log_since($at);
is scalar @lines, 1, 'as a form: one line in the log' or diag @lines;
like $lines[0] // '', qr{field \S+ elsewhere; UploadPassAs form},
    'as a form: which says why';

# The signature of fields is that of the body.
$r = upload('/hfields/signed/echo.pl', \@away);
my $body = defined $r->{json}{body_base64}
    ? decode_base64($r->{json}{body_base64}) : $r->{json}{body};
utf8::encode($body);
is $r->{json}{env}{HTTP_X_UPLOAD_SIGNATURE},
    'sha256=' . hmac_sha256_hex($body, 'sixteen bytes or more, please: 32'),
    'fields: the body is signed';

# The signature of a form is that of its head, not of its bytes.
$r = upload('/hf/signed/echo.pl', \@away);
is $r->{status}, 200, 'UploadKeyUse handoff: a form without identifier';
my $env = $r->{json}{env} || {};
is $env->{HTTP_X_UPLOAD_SIGNATURE}, 'sha256=' . hmac_sha256_hex(
    "$env->{HTTP_X_UPLOAD_IDENTIFIER}\n$env->{CONTENT_TYPE}\n"
    . $env->{CONTENT_LENGTH}, 'sixteen bytes or more, please: 32'),
    'form: identifier, type and length are signed';
is crashes_since($mark), 0, 'no child died';

done_testing;
