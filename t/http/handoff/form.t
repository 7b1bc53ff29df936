# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadPassAs form: applications that do not know the module read from the form
# that it writes what they would have read from the client's own form.

use strict;
use warnings FATAL => 'all';
use Digest::SHA qw(sha256_hex);
use MIME::Base64 qw(decode_base64);
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my $boundary = '----UploadPoolTest7MA4YWxkTrZu0gW';

# The bytes of the body that an echoing application has read.
sub body_of
{
    my ($said) = @_;
    return decode_base64($said->{body_base64}) if defined $said->{body_base64};
    my $body = $said->{body} // '';
    utf8::encode($body);
    return $body;
}

sub type_of
{
    my ($said) = @_;
    my $headers = $said->{headers} || {};
    my ($found) = grep { lc eq 'content-type' } keys %$headers;
    return $found ? $headers->{$found} : $said->{env}{CONTENT_TYPE};
}

# Everything but the boundary is as the client wrote it.
sub check_same
{
    my ($name, $answer, $sent) = @_;
    is $answer->{status}, 200, "$name: status"
        or diag $answer->{head} // $answer->{error}, $answer->{body} // '';
    my $said = $answer->{json} || {};
    my ($fresh) = (type_of($said) // '')
        =~ m{^multipart/form-data; boundary=(----UploadPool[0-9a-f]{32})$};
    ok defined $fresh, "$name: Content-Type" or diag type_of($said) // "none";
    my $body = body_of($said);
    my $want = $sent =~ s/\Q$boundary\E/$fresh/gr;
    is sha256_hex($body), sha256_hex($want), "$name: the form"
        or diag "read:\n", substr($body, 0, 2000), "\nsent:\n",
        substr($want, 0, 2000);
    is $said->{length}, length $want, "$name: length";
    is $said->{surplus} || 0, 0, "$name: nothing behind the body";
    return $fresh;
}

my $large = random_bytes(1_200_003);
my @parts = (
    {name => '_charset_', value => 'UTF-8'},
    {name => 'csrf', value => '0123456789abcdef'},
    {name => 'files[]', filename => "na\xc3\xafve \xf0\x9f\x93\xb7.png",
     type => 'image/png', content => "\x89PNG\r\n\x1a\n" . 'x' x 70_000},
    {name => 'empty', filename => ''},
    {name => 'between', value => "two\r\nlines"},
    {name => 'files[]', filename => 'b.TXT', type => 'Text/Plain; charset="x y"',
     content => ''},
    {name => 'a[x][]', value => ''},
    {name => 'latin', value => "H\xf6lle\x00\xff"},
    {disposition => 'form-data; name="quote%22d"; filename="%22a%22 100%25.bin"',
     type => 'application/octet-stream', content => $large},
    {disposition => 'form-data; name="back"; filename="a \"b\" \\\\ c.txt"',
     type => undef, content => 'no type'},
    {disposition => "form-data; name=\"old\"; filename=\"H\xf6lle.txt\"",
     type => 'text/plain', content => 'Latin 1'},
    {name => 'json', type => 'application/json', value => '{"a":[1,2]}'},
    {name => 'dir', filename => 'photos/2026/a.jpg', type => 'image/jpeg',
     content => 'jpeg'},
    {name => 'empty', filename => ''},
);

my @echoes = qw(/hf/cgi/echo.pl /hf/perl/x /hf/wsgi/a /hf/wsgidaemon/a
    /hf/backend/a /hf/sendfile/a /hf/unmapped/echo.pl /hf/inline/echo.pl
    /hf/site/any/path /hf/pass/echo.pl);
my %fresh;
for my $url (@echoes) {
    my $fresh = check_same("$url", upload($url, \@parts),
        (multipart(\@parts))[0]);
    ok !$fresh{ $fresh // '' }++, "$url: a boundary of its own";
}

# All ways of reading on one connection, in pieces and beyond the end.
my @short = map { +{%$_, length($_->{content} // '') > 1e6
                    ? (content => substr $large, 0, 100_003) : ()} } @parts;
for my $how (qw(bytes lines whole looking pieces waitless waitlesslines
                waitlesswhole crlf)) {
    my $query = $how eq 'pieces' ? 'pieces' : "by=$how";
    check_same("by $how", upload("/hf/perl/x?$query", \@short),
        (multipart(\@short))[0]);
}

# Nothing in it, one empty input, fields alone.
check_same("$_->[0]", upload('/hf/cgi/echo.pl', $_->[1]),
    (multipart($_->[1]))[0])
    for ['no files', [{name => 'a', value => 'b'}, {name => 'a', value => ''}]],
    ['an empty input', [{name => 'file', filename => ''}]],
    ['no parts', []];

# More files than are open at a time.
my @many = map { +{name => "f$_", filename => "$_.bin",
                   content => random_bytes(1 + $_ * 3000)} } 1 .. 60;
check_same("many files, $_", upload($_, \@many), (multipart(\@many))[0])
    for qw(/hf/cgi/echo.pl /hf/backend/a /hf/perl/x?by=lines);

# PHP, by its own reader.
for my $url (qw(/hf/php/form.php /hf/fpm/form.php)) {
    my $r = upload($url, \@parts);
    is $r->{status}, 200, "$url: status" or diag $r->{body};
    my $said = $r->{json} || {};
    my $files = $said->{files} || {};
    is_deeply $said->{post}{a}, {x => ['']}, "$url: a[x][]";
    is $said->{post}{between}, "two\r\nlines", "$url: a field behind a file";
    is_deeply $files->{files}{sha256},
        [sha256_hex($parts[2]{content}), sha256_hex('')], "$url: files[]";
    is_deeply $files->{files}{name},
        ["na\x{ef}ve \x{1f4f7}.png", 'b.TXT'], "$url: their names";
    is $files->{empty}{error}, 4, "$url: UPLOAD_ERR_NO_FILE";
    is $files->{'quote%22d'}{sha256}, sha256_hex($large), "$url: a large one";
    is $files->{dir}{full_path}, 'photos/2026/a.jpg', "$url: full_path";
    is $files->{back}{full_path}, 'a "b" \\ c.txt', "$url: backslashes";
    ok $said->{identifier}, "$url: X-Upload-Identifier";
}
is crashes_since($mark), 0, 'no child died';

done_testing;
