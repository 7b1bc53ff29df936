# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Several;

=head1 NAME

UploadPool::Several - one file in several requests, by each protocol

=head1 SYNOPSIS

    for my $way (ways()) {
        my $up = begin($way, '/complete/echo.pl?x=1', 'content');
        my $r = $up->{finish}->();
        is application($r)->{size}, 7;
        is $up->{again}->()->{body}, $r->{body}, 'and again';
    }

=head1 FUNCTIONS

=over

=item ways()

tus, resumable, raw (bodies with Content-Range), chunked (forms, and
U/complete).

=item patient()

Those in which a client may ask again for the answer that it has lost: all but
chunked, whose clients are told that it is complete.

=item begin(WAY, URL, BYTES, %OPTIONS)

Creates an upload of BYTES and sends all of it except what completes it. Options:
C<filename>, C<type>, C<headers> of all requests, C<to> (further options of request() for
all, such as C<port>), C<id> (in X-Progress-ID of the first). Returns a hash:

    way, url      of the upload, as the client was told
    id            with its signature
    finish        a sub: sends what completes it, and returns the answer
    again         a sub: what a client sends that did not get that answer
    resume        a sub: what a client does that has lost count: asks for the
                  offset, and sends all from there; the last answer
    last, repeat  what finish and again send: method, URL, body, headers
    failed        the first answer that was no success

The options of these subs are those of request() in L<UploadPool::Test>. If the
first request failed, they return its answer.

=back

=cut

use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use Digest::MD5 qw(md5_hex);
use MIME::Base64 qw(encode_base64);
use UploadPool::Test;

our @EXPORT = qw(ways patient begin);

my %begin = (tus => \&_tus, resumable => \&_resumable, raw => \&_raw,
             chunked => \&_chunked);

sub ways { return qw(tus resumable raw chunked) }

sub patient { return grep { $_ ne 'chunked' } ways() }

sub begin
{
    my ($way, $url, $bytes, %o) = @_;
    my %up = (way => $way, bytes => $bytes, filename => 'a.bin',
              type => 'application/octet-stream', headers => [], to => {}, %o);
    push @{$up{first}}, 'X-Progress-ID', $o{id} if defined $o{id};
    $begin{$way}->(\%up, $url);
    $up{finish} = sub { return _send(\%up, 'last', @_) };
    $up{again} = sub { return _send(\%up, 'repeat', @_) };
    $up{resume} = sub { return _resume(\%up, @_) };
    return \%up;
}

sub _send
{
    my ($up, $which, %o) = @_;
    return $up->{failed} unless $up->{$which};
    my ($method, $url, $body, @headers) = @{$up->{$which}};
    return request($method, $url, body => $body, %{$up->{to}}, %o, headers =>
                   [@headers, @{$up->{headers}}, @{$o{headers} || []}]);
}

# Asks for the offset and sends the rest. Where all bytes are there and
# U/complete is due, there is nothing to ask.
sub _resume
{
    my ($up, %o) = @_;
    return _send($up, 'last', %o) unless $up->{ask};
    my $told = _send($up, 'ask', %o);
    my $offset = $told->{json} ? $told->{json}{offset}
        : $told->{headers}{'upload-offset'};
    return $told unless defined $offset;
    $up->{rest} = $up->{from}->($offset);
    return _send($up, 'rest', %o);
}

# 1: the answer is not the expected one, and is kept in $up->{failed}.
sub _failed
{
    my ($up, $answer, $status) = @_;
    return 0 if $answer->{status} == $status;
    $up->{failed} = $answer;
    return 1;
}

sub _place
{
    my ($up, $answer) = @_;
    # A proxy may have added a host to Location, which is this server's.
    $up->{url} = $answer->{headers}{location} =~ s{^https?://[^/]+}{}r;
    ($up->{id}) = $up->{url} =~ m{/([^/]+)$};
    return;
}

sub _tus
{
    my ($up, $url) = @_;
    my @version = ('Tus-Resumable', '1.0.0');
    my $length = length $up->{bytes};
    my $made = request('POST', $url, body => '', %{$up->{to}}, headers => [
        @version, 'Upload-Length', $length, 'Upload-Metadata',
        'filename ' . encode_base64($up->{filename}, '') . ',filetype '
        . encode_base64($up->{type}, ''), @{$up->{first} || []},
        @{$up->{headers}}]);
    return if _failed($up, $made, 201);
    _place($up, $made);
    my @patch = (@version, 'Content-Type', 'application/offset+octet-stream');
    my $half = int $length / 2;
    my $sent = request('PATCH', $up->{url}, %{$up->{to}},
                       body => substr($up->{bytes}, 0, $half),
                       headers => [@patch, 'Upload-Offset', 0, @{$up->{headers}}]);
    return if _failed($up, $sent, 204);
    $up->{ask} = ['HEAD', $up->{url}, '', @version];
    $up->{from} = sub {
        return ['PATCH', $up->{url}, substr($up->{bytes}, $_[0]), @patch,
                'Upload-Offset', $_[0]];
    };
    $up->{last} = $up->{from}->($half);
    $up->{repeat} = $up->{from}->($length);
    return;
}

sub _resumable
{
    my ($up, $url) = @_;
    my @version = ('Upload-Draft-Interop-Version', '8');
    my $length = length $up->{bytes};
    my $half = int $length / 2;
    my $made = request('POST', $url, body => substr($up->{bytes}, 0, $half),
        %{$up->{to}}, headers => [@version, 'Upload-Complete', '?0', 'Upload-Length', $length,
            'Content-Type', $up->{type}, 'Content-Disposition',
            qq(attachment; filename="$up->{filename}"), @{$up->{first} || []},
            @{$up->{headers}}]);
    return if _failed($up, $made, 201);
    _place($up, $made);
    my @patch = (@version, 'Content-Type', 'application/partial-upload');
    $up->{ask} = ['HEAD', $up->{url}, '', @version];
    $up->{from} = sub {
        return ['PATCH', $up->{url}, substr($up->{bytes}, $_[0]), @patch,
                'Upload-Offset', $_[0], 'Upload-Complete', '?1'];
    };
    $up->{last} = $up->{from}->($half);
    $up->{repeat} = $up->{from}->($length);
    return;
}

sub _raw
{
    my ($up, $url) = @_;
    my $length = length $up->{bytes};
    my $half = int $length / 2;
    my @headers = ('Content-Type', $up->{type}, 'Content-Disposition',
                   qq(attachment; filename="$up->{filename}"));
    my $r = request('POST', $url, body => substr($up->{bytes}, 0, $half),
        %{$up->{to}}, headers => [@headers, 'Content-Range',
            'bytes 0-' . ($half - 1) . "/$length", @{$up->{first} || []},
            @{$up->{headers}}]);
    return if _failed($up, $r, 200);
    $up->{id} = $r->{json}{upload_id};
    push @headers, 'X-Progress-ID', $up->{id};
    $up->{ask} = ['POST', $url, '', @headers, 'Content-Range', "bytes */$length"];
    # Where all bytes are there, the client asks for the answer by sending the
    # last piece once more, since a range cannot be empty.
    $up->{from} = sub {
        my $at = $_[0] < $length ? $_[0] : $half;
        return ['POST', $url, substr($up->{bytes}, $at), @headers,
                'Content-Range', "bytes $at-" . ($length - 1) . "/$length"];
    };
    $up->{last} = $up->{repeat} = $up->{from}->($half);
    return;
}

sub _chunked
{
    my ($up, $url) = @_;
    my $length = length $up->{bytes};
    my $half = int $length / 2;
    my $at = 0;
    for my $piece (grep { length } substr($up->{bytes}, 0, $half),
                   substr($up->{bytes}, $half)) {
        my $end = $at + length($piece) - 1;
        my @id = defined $up->{id} && $at
            ? {name => 'upload_id', value => $up->{id}} : ();
        my $r = upload($url, [@id, {name => 'file', content => $piece,
            filename => $up->{filename}, type => $up->{type}}],
            %{$up->{to}}, headers => ['Content-Range', "bytes $at-$end/$length",
                        $at ? () : @{$up->{first} || []}, @{$up->{headers}}]);
        return if _failed($up, $r, 200);
        $up->{id} = $r->{json}{upload_id};
        $at = $end + 1;
    }
    my $path = $url =~ s/\?.*//r;
    $up->{url} = "$path/$up->{id}";
    $up->{last} = ['POST', "$path/complete",
                   "upload_id=$up->{id}&md5=" . md5_hex($up->{bytes}),
                   'Content-Type', 'application/x-www-form-urlencoded'];
    $up->{repeat} = $up->{last};
    return;
}

1;
