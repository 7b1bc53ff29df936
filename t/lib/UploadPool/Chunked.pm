# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Chunked;

=head1 NAME

UploadPool::Chunked - clients that send a file in chunks

=head1 SYNOPSIS

    my $r = chunk('/chunked/echo.pl', 'hello', range => 'bytes 0-4/10');
    $r = chunk('/chunked/echo.pl', 'world', range => 'bytes 5-9/10',
               before => [upload_id => $r->{json}{upload_id}]);
    $r = complete('/chunked/echo.pl', upload_id => …, md5 => …);

=head1 FUNCTIONS

=over

=item chunk(URL, BYTES, %OPTIONS)

A form with the bytes as its file. C<range> is sent as Content-Range; C<before>
and C<after> are names and values of fields before and behind the file; C<name>,
C<filename>, C<type> are the part's; C<id> is the query's X-Progress-ID; C<user>
authenticates. Other options are those of UploadPool::Test::request().

=item raw(METHOD, URL, BYTES, %OPTIONS)

The bytes as the body; C<range>, C<id>, C<user> as above; C<disposition>.

=item complete(URL, FIELDS...)

POST URL/complete with fields as a query; C<as =E<gt> 'form'|'json'> among them
is their kind, C<user> and C<id> as above.

=item stored(ANSWER)

The bytes of the first file that the application was told of.

=back

=cut

use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use JSON::PP ();
use MIME::Base64 ();
use UploadPool::Test;

our @EXPORT = qw(chunk raw complete stored);

sub _headers
{
    my ($o) = @_;
    my ($range, $user, $more) = delete @{$o}{qw(range user headers)};
    return (
        defined $range ? ('Content-Range', $range) : (),
        defined $user
            ? ('Authorization', 'Basic '
               . MIME::Base64::encode_base64("$user:$user-secret", '')) : (),
        @{ $more || [] });
}

sub _url
{
    my ($url, $id) = @_;
    return defined $id
        ? $url . ($url =~ /\?/ ? '&' : '?') . "X-Progress-ID=$id" : $url;
}

sub _fields
{
    my @list = @{ $_[0] || [] };
    my @parts;
    while (my ($name, $value) = splice @list, 0, 2) {
        push @parts, {name => $name, value => $value};
    }
    return @parts;
}

sub chunk
{
    my ($url, $bytes, %o) = @_;
    my ($before, $after, $name, $filename, $type, $id)
        = delete @o{qw(before after name filename type id)};
    my ($body, $kind) = multipart([
        _fields($before),
        defined $bytes ? {
            name => $name || 'file', content => $bytes,
            filename => defined $filename ? $filename : 'photo.bin',
            type => $type || 'image/x-test',
        } : (),
        _fields($after),
    ]);
    my @headers = ('Content-Type', $kind, _headers(\%o));
    return request('POST', _url($url, $id), %o, headers => \@headers,
                   body => $body);
}

sub raw
{
    my ($method, $url, $bytes, %o) = @_;
    my ($id, $disposition) = delete @o{qw(id disposition)};
    my @headers = (_headers(\%o), defined $disposition
        ? ('Content-Disposition', $disposition) : ());
    return request($method, _url($url, $id), %o, headers => \@headers,
                   body => $bytes);
}

sub _escaped
{
    my ($text) = @_;
    $text =~ s/([^A-Za-z0-9_.-])/sprintf '%%%02X', ord $1/ge;
    return $text;
}

sub complete
{
    my ($url, %fields) = @_;
    my ($as, $id, $user) = delete @fields{qw(as id user)};
    my @list = map { $_ => $fields{$_} } sort keys %fields;
    my ($body, $type);
    if (($as || '') eq 'json') {
        ($body, $type) = (as_json(\%fields), 'application/json');
    }
    elsif (($as || '') eq 'form') {
        ($body, $type) = multipart([_fields(\@list)]);
    }
    else {
        $type = 'application/x-www-form-urlencoded';
        $body = join '&', map { _escaped($_) . '=' . _escaped($fields{$_}) }
            sort keys %fields;
    }
    return request('POST', _url("$url/complete", $id), body => $body,
                   headers => ['Content-Type', $type,
                               _headers({user => $user})]);
}

sub stored
{
    my ($r) = @_;
    my $path = (application($r) || {})->{files}[0]{path};
    return defined $path && -f $path ? slurp($path) : undef;
}

1;
