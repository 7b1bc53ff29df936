# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Stream;

=head1 NAME

UploadPool::Stream - a client that watches an upload by server-sent events

=head1 SYNOPSIS

    my $stream = UploadPool::Stream->new('/up', $id);
    while (my $event = $stream->next) { … $event->{data}{state} … }
    is $stream->{status}, 200;

=head1 METHODS

=over

=item new(URL, ID, %OPTIONS)

Asks for URL/status?X-Progress-ID=ID&stream and reads the head of the answer.
Options: those of connect_raw() in L<UploadPool::Test>, C<headers> (lines),
C<query> (instead of "stream").

=item next()

The next event: C<event>, C<data> (decoded), C<id>, and what came before it:
C<retry>, C<comments>. Undef at the end.

=item close(), reset()

Closes or resets the connection.

=back

=cut

use strict;
use warnings FATAL => 'all';
use UploadPool::Test;

sub new
{
    my ($class, $url, $id, %o) = @_;
    my $c = connect_raw(%o);
    my $query = exists $o{query} ? $o{query} : 'stream';
    $c->send("GET $url/status?X-Progress-ID=$id&$query HTTP/1.1\r\n"
             . "Host: localhost\r\n" . join('', map { "$_\r\n" } @{ $o{headers} || [] }) . "\r\n");
    my $head = $c->interim;
    my $coding = $head->{headers}{'transfer-encoding'} || '';
    return bless {c => $c, %$head, comments => 0, text => '',
                  chunked => scalar($coding =~ /chunked/i)}, $class;
}

# The server's own answer ends by closing; a proxy may send it in chunks.
sub _line
{
    my ($self) = @_;
    return $self->{c}->_upto("\n") unless $self->{chunked};
    while (index($self->{text}, "\n") < 0) {
        my $size = hex(($self->{c}->_upto("\r\n") // '0') =~ s/\s+\z//r);
        return undef if $size == 0;
        $self->{text} .= $self->{c}->_exactly($size);
        $self->{c}->_exactly(2);
    }
    return $self->{text} =~ s/\A(.*?\n)//s ? $1 : undef;
}

sub next
{
    my ($self) = @_;
    my %event;
    while (defined(my $line = $self->_line)) {
        chomp $line;
        if ($line eq '') {
            return {%event} if exists $event{data};
        }
        elsif ($line =~ /^:/) {
            $self->{comments}++;
        }
        elsif ($line =~ /^(retry|event|id): (.*)$/) {
            $event{$1} = $2;
        }
        elsif ($line =~ /^data: (.*)$/) {
            $event{data} = UploadPool::Test::decode_json_text($1);
        }
        else {
            die "not an event: $line";
        }
    }
    return undef;
}

sub close { return $_[0]{c}->close }
sub reset { return $_[0]{c}->reset }

1;
