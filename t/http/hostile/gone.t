# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# D7, R1: clients of every protocol of several requests that close, reset or
# fall silent, each after every fifteenth of the body: the upload is never done, the
# offset is what has arrived, and from there the upload resumes and ends with the
# right bytes. t/http/refusals/gone.t does the same for forms.

use strict;
use warnings FATAL => 'all';
use Digest::MD5 qw(md5_hex);
use Test::More;
use UploadPool::Test;
use UploadPool::Tus ();
use UploadPool::Ietf ();
use UploadPool::Chunked ();

my $mark = log_mark();
my $url = '/hostile/gone';
# Without CR and LF: the parser holds back bytes that may begin a delimiter.
my $content = random_bytes(40_000) =~ tr/\r\n/x/r;
my $length = length $content;

sub file_of
{
    my ($id) = @_;
    my ($file) = glob pool('hostile') . "/$id/0-*.bin";
    return defined $file && -e $file ? slurp($file) : '';
}

sub patch_head
{
    my ($at, $lines) = @_;
    return "PATCH $at HTTP/1.1\r\nHost: x\r\n${lines}"
        . "Content-Length: $length\r\n\r\n";
}

# Each: an upload is created; its identifier and URL, the request that is to be
# broken (head, body, where in the body the content begins); its offset; and how
# the rest is sent, which gives the status of the end.
my %kinds = (
    tus => {
        begin => sub {
            my $at = UploadPool::Tus::create($url, length => $length)
                ->{headers}{location};
            return {at => $at, head => patch_head($at,
                "Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
                . "Content-Type: application/offset+octet-stream\r\n"),
                body => $content, skip => 0};
        },
        ask => sub { head_text($_[0]{at}, 'Tus-Resumable: 1.0.0') },
        rest => sub { UploadPool::Tus::append($_[0]{at}, $_[1],
            substr $content, $_[1])->{status} },
    },
    ietf => {
        begin => sub {
            my $at = UploadPool::Ietf::location_of(UploadPool::Ietf::create(
                $url, '', complete => 0, of => $length));
            return {at => $at, head => patch_head($at,
                "Upload-Draft-Interop-Version: 8\r\nUpload-Offset: 0\r\n"
                . "Upload-Complete: ?1\r\n"
                . "Content-Type: application/partial-upload\r\n"),
                body => $content, skip => 0};
        },
        ask => sub { head_text($_[0]{at},
                               'Upload-Draft-Interop-Version: 8') },
        rest => sub { UploadPool::Ietf::append($_[0]{at}, $_[1],
            substr $content, $_[1])->{status} },
    },
    'a chunk as it is' => {
        begin => sub {
            my $id = new_id();
            return {at => "$url/$id", body => $content, skip => 0,
                head => "PUT $url?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
                . 'Content-Range: bytes 0-' . ($length - 1) . "/$length\r\n"
                . "Content-Length: $length\r\n\r\n"};
        },
        ask => \&chunk_ask,
        rest => sub {
            my ($u, $from) = @_;
            return UploadPool::Chunked::raw('PUT', $url,
                substr($content, $from), id => $u->{id},
                range => "bytes $from-" . ($length - 1) . "/$length")
                ->{status};
        },
    },
    'a chunk in a form' => {
        begin => sub {
            my $id = new_id();
            my ($body, $type) = multipart([
                {name => 'a', value => 'b'},
                {name => 'file', filename => 'a', content => $content}]);
            return {at => "$url/$id", body => $body,
                skip => index($body, $content),
                head => "POST $url?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
                . 'Content-Range: bytes 0-' . ($length - 1) . "/$length\r\n"
                . "Content-Type: $type\r\nContent-Length: "
                . length($body) . "\r\n\r\n"};
        },
        ask => \&chunk_ask,
        rest => sub {
            my ($u, $from) = @_;
            return UploadPool::Chunked::chunk($url, substr($content, $from),
                $from ? (before => [upload_id => $u->{id}]) : (id => $u->{id}),
                range => "bytes $from-" . ($length - 1) . "/$length")
                ->{status};
        },
        end => \&chunk_end,
    },
);

sub head_text
{
    my ($at, $line) = @_;
    return "HEAD $at HTTP/1.1\r\nHost: x\r\n$line\r\n\r\n";
}

sub chunk_ask
{
    my ($u) = @_;
    return "PUT $url?X-Progress-ID=$u->{id} HTTP/1.1\r\nHost: x\r\n"
        . "Content-Range: bytes */$length\r\nContent-Length: 0\r\n\r\n";
}

# An upload whose first chunk never brought a byte is unknown.
sub offset_of
{
    my ($r) = @_;
    my $offset = $r->{headers}{'upload-offset'};
    return defined $offset ? $offset : $r->{status} == 404 ? 0
        : $r->{json}{offset};
}

sub chunk_end
{
    my ($u) = @_;
    return UploadPool::Chunked::complete($url, upload_id => $u->{id},
        md5 => md5_hex($content))->{status};
}

for my $kind (sort keys %kinds) {
    my $k = $kinds{$kind};
    for my $how (qw(close reset silence)) {
        # All at the same time.
        my @broken = map {
            my $u = $k->{begin}->();
            ($u->{id}) = $u->{at} =~ m{([^/]+)$};
            # At most all but the last byte.
            $u->{sent} = int $_ * (length($u->{body}) - 1) / 14;
            $u->{came} = $u->{sent} - $u->{skip};
            $u->{came} = 0 if $u->{came} < 0;
            $u->{came} = $length if $u->{came} > $length;
            $u->{c} = connect_raw();
            $u->{c}->send($u->{head} . substr $u->{body}, 0, $u->{sent});
            $u;
        } 0 .. 14;
        # Bytes that a reset overtakes are never received.
        for my $u (@broken) {
            wait_for(sub { length file_of($u->{id}) == $u->{came} });
            $u->{done} = -e pool('hostile') . "/$u->{id}/metadata.json" ? 1 : 0;
            $u->{c}->$how unless $how eq 'silence';
        }
        # Whoever is still there has to go, all at the same time again.
        for my $u (@broken) {
            $u->{asks} = connect_raw();
            $u->{asks}->send($k->{ask}->($u));
        }
        my $head = $k->{ask}->($broken[0]) =~ /^HEAD/ ? 1 : 0;
        $_->{told} = $_->{asks}->answer(head => $head) for @broken;
        for my $u (@broken) {
            my $offset = offset_of($u->{told});
            my $right = file_of($u->{id}) eq substr $content, 0, $u->{came};
            my $status = $offset == $length ? 200 : $k->{rest}->($u, $offset);
            $status = $k->{end}->($u) if $k->{end} && $status == 200;
            my %got = (offset => $offset, right => $right, status => $status,
                done => $u->{done},
                whole => file_of($u->{id}) eq $content,
                state => status($url, $u->{id})->{state});
            is_deeply \%got, {offset => $u->{came}, right => 1, status => 200,
                done => 0, whole => 1, state => 'done'},
                "$kind, $how after $u->{sent}: what came is there, and it "
                . 'goes on' or diag explain \%got;
            $u->{c}->close if $how eq 'silence';
        }
    }
}

is crashes_since($mark), 0, 'no child died';
done_testing;
