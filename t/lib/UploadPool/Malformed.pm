# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Malformed;

=head1 NAME

UploadPool::Malformed - bodies that no two parsers read alike

=head1 SYNOPSIS

    for my $row (malformed()) {
        my ($name, $reason, $body, $type) = @$row;

Each has a name, the reason of its refusal (as UploadPool::Refuse calls them),
the body, and its type if that is not C<$PLAIN>. C<$FIELD> is the rest of a good
part behind its delimiter, of the boundary "b".

=cut

use strict;
use warnings FATAL => 'all';
use Exporter 'import';

our @EXPORT = qw(malformed $PLAIN $FIELD);
our $PLAIN = 'multipart/form-data; boundary=b';
our $FIELD = qq(Content-Disposition: form-data; name="a"\r\n\r\nv\r\n);
my $file = qq(Content-Disposition: form-data; name="f"; filename="x"\r\n);

sub disposition
{
    my ($rest) = @_;
    return "--b\r\nContent-Disposition: $rest\r\n\r\nv\r\n--b--\r\n";
}

sub headers
{
    my (@lines) = @_;
    return join '', "--b\r\n", (map { "$_\r\n" } @lines), "\r\nv\r\n--b--\r\n";
}

my $good = 'Content-Disposition: form-data; name="f"; filename="x"';

my @table = (
    # name, reason, body, content type
    ['an empty body', NO_DELIMITER => ''],
    ['only CRLF', NO_DELIMITER => "\r\n"],
    ['text without a delimiter', NO_DELIMITER => "just text\r\n"],
    ['another boundary', NO_DELIMITER => "--c\r\n$FIELD--c--\r\n"],
    ['the boundary without its dashes', NO_DELIMITER => "b\r\n${FIELD}b--\r\n"],
    ['no closing delimiter', TRUNCATED => "--b\r\n$FIELD"],
    ['a closing delimiter with one dash', DELIMITER => "--b\r\n$FIELD--b-\r\n"],
    ['text behind the boundary', DELIMITER => "--b\r\n$FIELD--bX\r\n$FIELD--b--"],
    ['text behind the first boundary', DELIMITER => "--bX\r\n$FIELD--b--"],
    ['text behind the closing delimiter',
        DELIMITER => "--b\r\n$FIELD--b--X\r\n"],
    ['a delimiter behind a bare LF',
        DELIMITER => "--b\r\n${file}\r\nv\n--b\r\n$FIELD--b--\r\n"],
    ['a closing delimiter behind a bare LF',
        DELIMITER => "--b\r\n${file}\r\nv\n--b--\r\n"],
    ['a delimiter that ends in a bare LF',
        DELIMITER => "--b\n$FIELD--b--\r\n"],
    ['a delimiter that ends in a bare CR',
        DELIMITER => "--b\r$FIELD--b--\r\n"],
    ['bare LF everywhere', DELIMITER =>
        "--b\n" . ($FIELD =~ s/\r//gr) . "--b--\n"],
    ['a continuation line first',
        HEADER => headers(' folded: x', $good)],
    ['a tab continuation line first', HEADER => headers("\tx", $good)],
    ['a folded header', HEADER => headers('Content-Disposition: form-data;',
                                          ' name="f"; filename="x"')],
    ['a header line without a colon', HEADER => headers($good, 'nonsense')],
    ['a header without a name', HEADER => headers($good, ': nameless')],
    ['a blank before the colon',
        HEADER => headers('Content-Disposition : form-data; name="f"')],
    ['a NUL in a header', HEADER => headers("X: a\0b", $good)],
    ['a bare CR in a header', HEADER => headers("X: a\rb", $good)],
    ['a header that ends in a bare LF',
        HEADER => "--b\r\nX: y\n$good\r\n\r\nv\r\n--b--\r\n"],
    ['no blank line', HEADER => "--b\r\n$good\r\n--b--\r\n"],
    ['no headers at all', HEADER => "--b\r\n\r\nv\r\n--b--\r\n"],
    ['a blank line glued to a delimiter',
        HEADER => "--b\r\n\r\n--b\r\n$FIELD--b--\r\n"],
    ['headers glued to the closing delimiter',
        HEADER => "--b\r\n$good\r\n\r\n--b--\r\n"],
    ['headers that end with the body', TRUNCATED => "--b\r\n$good\r\n"],
    ['two Content-Disposition', HEADER => headers($good, $good)],
    ['Content-Disposition in two letter cases',
        HEADER => headers($good, 'content-disposition: form-data; name="g"')],
    ['two Content-Type', HEADER => headers($good, 'Content-Type: text/plain',
                                           'Content-Type: image/png')],
    ['Content-Disposition: attachment',
        HEADER => disposition('attachment; name="f"; filename="x"')],
    ['Content-Disposition without a type',
        HEADER => disposition('name="f"; filename="x"')],
    ['no name', HEADER => disposition('form-data; filename="x"')],
    ['two names', HEADER => disposition('form-data; name="a"; name="b"')],
    ['two names in two letter cases',
        HEADER => disposition('form-data; name="a"; NAME="b"')],
    ['two filenames',
        HEADER => disposition('form-data; name="a"; filename="x"; filename="y"')],
    ['filename in pieces',
        HEADER => disposition('form-data; name="a"; filename*0="x"')],
    ['two extended filenames', HEADER =>
        disposition(q(form-data; name="a"; filename*=x; filename*=utf-8''x))],
    ['an extended field name',
        HEADER => disposition(q(form-data; name="a"; name*=utf-8''x))],
    ['an unterminated quote', HEADER => disposition('form-data; name="a')],
    ['a missing semicolon',
        HEADER => disposition('form-data; name="a" filename="x"')],
    ['a missing semicolon behind the type',
        HEADER => disposition('form-data name="a"')],
    ['text behind a quoted name', HEADER => disposition('form-data; name="a"b')],
    ['33 header lines', HEADER_TOO_LARGE =>
        headers($good, map { "X-$_: y" } 1 .. 32)],
    ['a preamble without end', PADDING => 'x' x 70_000 . "\r\n--b--\r\n"],
    ['an epilogue without end', PADDING => "--b--\r\n" . "\r\n" x 40_000],
    ['blanks without end behind a boundary',
        PADDING => '--b' . ' ' x 70_000 . "\r\n$FIELD--b--\r\n"],
    ['CR CR CR', NO_DELIMITER => "\r" x 3000],
    ['dashes', NO_DELIMITER => '-' x 3000],
    # The type of the whole request.
    map({ ["type $$_[0]", BOUNDARY => "--b\r\n$FIELD--b--\r\n", $$_[1]] }
        ['without boundary', 'multipart/form-data'],
        ['with an empty boundary', 'multipart/form-data; boundary='],
        ['with a quoted empty boundary', 'multipart/form-data; boundary=""'],
        ['with two boundaries', 'multipart/form-data; boundary=b; boundary=b'],
        ['with two boundaries, two letter cases',
            'multipart/form-data; boundary=b; Boundary=c'],
        ['with 71 characters', 'multipart/form-data; boundary=' . 'b' x 71],
        ['without a semicolon', 'multipart/form-data boundary=b'],
        ['with a comma', 'multipart/form-data, boundary=b'],
        ['with an unterminated quote', 'multipart/form-data; boundary="b'],
        ['with a boundary in pieces', 'multipart/form-data; boundary*0=b'],
        ['twice', 'multipart/form-data; boundary=b, text/plain'],
        ['with another boundary in a quoted parameter',
            'multipart/form-data; x="; boundary=b"']),
    # With an empty boundary this body would be a form.
    ['a body that fits an empty boundary', BOUNDARY =>
        "--\r\n$FIELD----\r\n", 'multipart/form-data'],
);

sub malformed { return @table }

1;
