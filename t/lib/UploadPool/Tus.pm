# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Tus;

=head1 NAME

UploadPool::Tus - what the suites of the tus protocol are written with

=head1 SYNOPSIS

    my $made = create('/tus/echo.pl', length => 5);
    my $url = $made->{headers}{location};
    my $r = append($url, 0, 'hello');
    is head($url)->{headers}{'upload-offset'}, 5;

=head1 FUNCTIONS

=over

=item tus(METHOD, URL, \@HEADERS, %OPTIONS)

A request with Tus-Resumable, unless HEADERS has it (undef as its value leaves
it out). OPTIONS are those of request() in L<UploadPool::Test>.

=item create(URL, %OPTIONS)

POST: C<length>, C<defer>, C<concat>, C<metadata> (hash or text), C<body> (with
its media type), C<headers>; others as above.

=item append(URL, OFFSET, BYTES, %OPTIONS)

PATCH: C<headers>, C<length> (Upload-Length), others as above.

=item head(URL, %OPTIONS), offset(URL)

HEAD; offset returns the offset in the answer, undef without one.

=item metadata(KEY => VALUE, ...)

Upload-Metadata, in that order.

=item checksum(ALGORITHM, BYTES)

Upload-Checksum.

=item begin_patch(URL, OFFSET, LENGTH, BYTES)

A connection on which a PATCH of LENGTH bytes has begun with BYTES.

=item stored(URL)

The bytes in the pool "tus", '' without any.

=back

=cut

use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use Digest::MD5 ();
use Digest::SHA ();
use MIME::Base64 qw(encode_base64);
use UploadPool::Test;

our @EXPORT = qw(tus create append head offset metadata checksum begin_patch
                 stored $BYTES);
our $BYTES = 'application/offset+octet-stream';

sub tus
{
    my ($method, $url, $headers, %o) = @_;
    my @headers = @{ $headers || [] };
    my $given = grep { lc $_ eq 'tus-resumable' }
        map { $headers[2 * $_] } 0 .. @headers / 2 - 1;
    unshift @headers, 'Tus-Resumable', '1.0.0' unless $given;
    my @sent;
    while (my ($name, $value) = splice @headers, 0, 2) {
        push @sent, $name, $value if defined $value;
    }
    my %auth = map { $_ => delete $o{$_} } grep { exists $o{$_} } qw(user);
    push @sent, 'Authorization',
        'Basic ' . encode_base64("$auth{user}:$auth{user}-secret", '') if $auth{user};
    return _head($url, \@sent, %o) if $method eq 'HEAD';
    return request($method, $url, %o, headers => \@sent);
}

# The length of an answer to HEAD is not that of a body.
sub _head
{
    my ($url, $headers, %o) = @_;
    my $c = connect_raw(%o);
    my $lines = '';
    my @headers = @$headers;
    while (my ($name, $value) = splice @headers, 0, 2) {
        $lines .= "$name: $value\r\n";
    }
    $c->send("HEAD $url HTTP/1.1\r\nHost: localhost\r\n${lines}"
             . "Connection: close\r\n\r\n");
    my $answer = $c->answer(head => 1);
    $c->close;
    return $answer;
}

sub metadata
{
    my (@pairs) = @_;
    my @said;
    while (my ($key, $value) = splice @pairs, 0, 2) {
        push @said, defined $value
            ? $key . ' ' . encode_base64($value, '') : $key;
    }
    return join ',', @said;
}

sub create
{
    my ($url, %o) = @_;
    my @headers = @{ delete $o{headers} || [] };
    my ($length, $defer, $concat, $metadata)
        = delete @o{qw(length defer concat metadata)};
    push @headers, 'Upload-Length', $length if defined $length;
    push @headers, 'Upload-Defer-Length', $defer if defined $defer;
    push @headers, 'Upload-Concat', $concat if defined $concat;
    push @headers, 'Upload-Metadata',
        ref $metadata ? metadata(@$metadata) : $metadata if defined $metadata;
    push @headers, 'Content-Type', $BYTES
        if defined $o{body} && !grep { /^content-type$/i } @headers;
    return tus('POST', $url, \@headers, body => '', %o);
}

sub append
{
    my ($url, $offset, $bytes, %o) = @_;
    my @headers = @{ delete $o{headers} || [] };
    my $length = delete $o{length};
    push @headers, 'Upload-Offset', $offset if defined $offset;
    push @headers, 'Upload-Length', $length if defined $length;
    push @headers, 'Content-Type', $BYTES
        unless grep { /^content-type$/i } @headers;
    return tus('PATCH', $url, \@headers, body => $bytes, %o);
}

sub head
{
    my ($url, %o) = @_;
    my $headers = delete $o{headers};
    return tus('HEAD', $url, $headers, %o);
}

sub offset { return head(@_)->{headers}{'upload-offset'} }

my %digest = (md5 => \&Digest::MD5::md5, sha1 => \&Digest::SHA::sha1,
              sha256 => \&Digest::SHA::sha256);

sub checksum
{
    my ($algorithm, $bytes) = @_;
    return "$algorithm " . encode_base64($digest{$algorithm}->($bytes), '');
}

sub begin_patch
{
    my ($url, $offset, $length, $bytes) = @_;
    my $c = connect_raw();
    $c->send("PATCH $url HTTP/1.1\r\nHost: localhost\r\n"
             . "Tus-Resumable: 1.0.0\r\nContent-Type: $BYTES\r\n"
             . "Upload-Offset: $offset\r\nContent-Length: $length\r\n\r\n"
             . $bytes);
    return $c;
}

sub stored
{
    my ($url) = @_;
    my ($id) = $url =~ m{([^/]+)$};
    my ($file) = glob pool('tus') . "/$id/0-*";
    return defined $file && -e $file ? slurp($file) : '';
}

1;
