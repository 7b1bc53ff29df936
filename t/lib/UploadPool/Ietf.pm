# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Ietf;

=head1 NAME

UploadPool::Ietf - a client of Resumable Uploads for HTTP

=head1 SYNOPSIS

    my $r = create('/ietf/echo.pl', 'first half', complete => 0, of => 20);
    my $at = $r->{headers}{location};
    $r = append($at, 10, 'second one', complete => 1);
    is application($r)->{size}, 20;

=head1 FUNCTIONS

=over

=item create(URL, BYTES, %OPTIONS)

C<complete> (1), C<of> (Upload-Length), C<interop> (8; undef: none),
C<method>, C<filename>, C<type>, and those of UploadPool::Test's request.

=item append(URL, OFFSET, BYTES, %OPTIONS)

A PATCH; the same options, and C<type>, which is application/partial-upload.
OFFSET undef: no Upload-Offset.

=item state_of(URL, %OPTIONS)

A HEAD; C<method>, C<interop>.

=item state_is(URL, OFFSET, COMPLETE, NAME)

Two assertions on state_of(URL).

=item problem(ANSWER)

The last part of the type of a problem document; '' for about:blank, undef if
the answer is not a problem document.

=item location_of(ANSWER)

The Location of the first 104, or of the final answer.

=back

=cut

use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use Test::More;
use UploadPool::Test;

our @EXPORT = qw(create append state_of state_is problem location_of);

sub _common
{
    my ($o) = @_;
    my $interop = exists $o->{interop} ? delete $o->{interop} : 8;
    my @headers;
    push @headers, 'Upload-Draft-Interop-Version', $interop
        if defined $interop;
    my $complete = exists $o->{complete} ? delete $o->{complete} : 1;
    if (defined $complete) {
        push @headers, ($interop // '') eq '3'
            ? ('Upload-Incomplete', $complete ? '?0' : '?1')
            : ('Upload-Complete', $complete ? '?1' : '?0');
    }
    my $length = delete $o->{of};
    push @headers, 'Upload-Length', $length if defined $length;
    my $type = delete $o->{type};
    push @headers, 'Content-Type', $type if defined $type;
    my $name = delete $o->{filename};
    push @headers, 'Content-Disposition', qq(inline; filename="$name")
        if defined $name;
    return [@headers, @{ delete $o->{headers} || [] }];
}

sub create
{
    my ($url, $bytes, %o) = @_;
    my $headers = _common(\%o);
    return request(delete $o{method} || 'POST', $url, %o, body => $bytes,
                   headers => $headers);
}

sub append
{
    my ($url, $offset, $bytes, %o) = @_;
    $o{type} = 'application/partial-upload' unless exists $o{type};
    my $headers = _common(\%o);
    push @$headers, 'Upload-Offset', $offset if defined $offset;
    return request(delete $o{method} || 'PATCH', $url, %o, body => $bytes,
                   headers => $headers);
}

sub state_of
{
    my ($url, %o) = @_;
    $o{complete} = undef;
    my $headers = _common(\%o);
    return request(delete $o{method} || 'HEAD', $url, %o,
                   headers => $headers);
}

sub state_is
{
    my ($url, $offset, $complete, $name) = @_;
    my $r = state_of($url);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is $r->{headers}{'upload-offset'}, $offset, "$name: offset";
    is $r->{headers}{'upload-complete'}, $complete ? '?1' : '?0',
        "$name: completeness";
    return $r;
}

sub problem
{
    my ($r) = @_;
    return undef
        unless ($r->{headers}{'content-type'} || '')
            =~ m{^application/problem\+json\b} && $r->{json};
    my $type = $r->{json}{type};
    return '' if $type eq 'about:blank';
    $type =~ s{^https://iana\.org/assignments/http-problem-types#}{}
        or return "unexpected $type";
    return $type;
}

sub location_of
{
    my ($r) = @_;
    for my $answer (@{ $r->{interim} || [] }, $r) {
        my $location = $answer->{headers}{location};
        return $location if defined $location;
    }
    return undef;
}

1;
