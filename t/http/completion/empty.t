# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# A body without bytes is empty, however it is framed: by a length of 0, by
# chunks of which the first is the last, or as a stream of HTTP/2 without a
# length. An empty file is a file: by every protocol it arrives once, with its
# name, and its client is told so.

use strict;
use warnings FATAL => 'all';
use MIME::Base64 qw(encode_base64);
use Test::More;
use UploadPool::H2;
use UploadPool::Test;

my $mark = log_mark();
my $url = '/c/cgi/count.pl';
my $ran = pool('complete-ran') . '/log';
my $h2 = UploadPool::H2->new;

sub runs { my $count = () = -f $ran ? slurp($ran) =~ /\n/g : (); return $count }

# A request with that body, by each framing: the answer.
my %framing = (
    length => sub {
        my ($method, $to, $bytes, @headers) = @_;
        return request($method, $to, body => $bytes, headers => \@headers);
    },
    chunks => sub {
        my ($method, $to, $bytes, @headers) = @_;
        return request($method, $to, body => $bytes, chunked => 1000,
                       headers => \@headers);
    },
    'HTTP/2' => sub {
        my ($method, $to, $bytes, @headers) = @_;
        my %headers;
        while (my ($name, $value) = splice @headers, 0, 2) {
            $headers{ lc $name } = $value;
        }
        return $h2->request($method, $to, $bytes, \%headers);
    },
);
my @tus = ('Tus-Resumable', '1.0.0');
my @bytes = ('Content-Type', 'application/offset+octet-stream');
my @draft = ('Upload-Draft-Interop-Version', 8);
my @partial = ('Content-Type', 'application/partial-upload');

for my $how (sort keys %framing) {
    my $send = $framing{$how};

    # --- tus ------------------------------------------------------------------
    my $before = runs();
    my $r = $send->('POST', $url, '', @tus, 'Upload-Length', 5);
    is $r->{status}, 201, "$how: tus, a creation without bytes"
        or diag explain $r;
    my $at = $r->{headers}{location};
    $r = $send->('PATCH', $at, 'hello', @tus, @bytes, 'Upload-Offset', 0);
    is $r->{status}, 200, "$how: tus, all of it";
    my $first = $r->{body};
    $r = $send->('PATCH', $at, '', @tus, @bytes, 'Upload-Offset', 5);
    is_deeply [@{$r}{qw(status body)}], [200, $first],
        "$how: tus, the last PATCH again, without bytes" or diag explain $r;
    $r = $send->('PATCH', $at, '!', @tus, @bytes, 'Upload-Offset', 5);
    is $r->{status}, 413, "$how: tus, a byte more";
    is runs(), $before + 1, "$how: tus, it ran once";
    my @parts;
    for my $bytes ('one', 'two') {
        $r = $send->('POST', $url, $bytes, @tus, @bytes, 'Upload-Length', 3,
                     'Upload-Concat', 'partial');
        push @parts, $r->{headers}{location};
    }
    $r = $send->('POST', $url, '', @tus, 'Upload-Concat', "final;@parts");
    is $r->{status}, 201, "$how: tus, a final upload" or diag explain $r;
    is runs(), $before + 2, "$how: tus, it ran";
    $r = $send->('POST', $url, 'x', @tus, 'Upload-Length', 5);
    is $r->{status}, 415, "$how: tus, a creation with bytes of no type";

    # --- IETF -----------------------------------------------------------------
    $before = runs();
    $r = $send->('POST', $url, 'hello', @draft, 'Upload-Complete', '?0');
    is $r->{status}, 201, "$how: resumable, a beginning";
    $at = $r->{headers}{location};
    my @end = (@draft, @partial, 'Upload-Offset', 5, 'Upload-Complete', '?1');
    $r = $send->('PATCH', $at, '', @end);
    is $r->{status}, 200, "$how: resumable, its end" or diag explain $r;
    $first = $r->{body};
    $r = $send->('PATCH', $at, '', @end);
    is_deeply [@{$r}{qw(status body)}], [200, $first],
        "$how: resumable, its end again" or diag explain $r;
    $r = $send->('PATCH', $at, '!', @end);
    is $r->{status}, 400, "$how: resumable, a byte more";
    is runs(), $before + 1, "$how: resumable, it ran once";

    # --- FilePond -------------------------------------------------------------
    $before = runs();
    my ($form, $type) = multipart([{name => 'pond', value => '{}'}]);
    $r = $send->('POST', $url, $form, 'Content-Type', $type, 'Upload-Length', 5);
    is $r->{status}, 200, "$how: FilePond, its form";
    $at = "$url?patch=$r->{body}";
    my @pond = (@bytes, 'Upload-Length', 5, 'Upload-Name', 'pond.txt');
    $r = $send->('PATCH', $at, 'hello', @pond, 'Upload-Offset', 0);
    is $r->{status}, 200, "$how: FilePond, all of it";
    $first = $r->{body};
    $r = $send->('PATCH', $at, '', @pond, 'Upload-Offset', 5);
    is_deeply [@{$r}{qw(status body)}], [200, $first],
        "$how: FilePond, the last PATCH again, without bytes"
        or diag explain $r;
    $r = $send->('PATCH', $at, '!', @pond, 'Upload-Offset', 5);
    is $r->{status}, 409, "$how: FilePond, a byte more";
    is runs(), $before + 1, "$how: FilePond, it ran once";

    # --- Raw pieces -----------------------------------------------------------
    my $id = new_id();
    $r = $send->('PUT', "$url?X-Progress-ID=$id", 'hel', 'Content-Range',
                 'bytes 0-2/5');
    is $r->{status}, 200, "$how: a piece";
    $r = $send->('PUT', "$url?X-Progress-ID=$id", '', 'Content-Range',
                 'bytes */5');
    is_deeply [$r->{status}, $r->{json}{offset}], [200, 3],
        "$how: how far is it?" or diag explain $r;
    $r = $send->('PUT', "$url?X-Progress-ID=$id", '!', 'Content-Range',
                 'bytes */5');
    is $r->{status}, 400, "$how: with a byte";
}

# --- A file of no bytes -------------------------------------------------------

$url = '/c/auto/echo.pl';
my $name = encode_base64('empty.txt', '');
my %empty = (
    'a form' => sub {
        my ($send) = @_;
        my ($form, $type) = multipart([{name => 'f', filename => 'empty.txt',
                                        content => ''}]);
        return $send->('POST', $url, $form, 'Content-Type', $type);
    },
    'a form with bytes 0--1/0' => sub {
        my ($send) = @_;
        my ($form, $type) = multipart([{name => 'f', filename => 'empty.txt',
                                        content => ''}]);
        return $send->('POST', "$url?X-Progress-ID=" . new_id(), $form,
            'Content-Type', $type, 'Content-Range', 'bytes 0--1/0');
    },
    'raw bytes 0--1/0' => sub {
        my ($send) = @_;
        return $send->('POST', "$url?X-Progress-ID=" . new_id(), '',
            'Content-Disposition', 'attachment; filename="empty.txt"',
            'Content-Type', 'text/plain', 'Content-Range', 'bytes 0--1/0');
    },
    tus => sub {
        my ($send) = @_;
        return $send->('POST', $url, '', @tus, 'Upload-Length', 0,
                       'Upload-Metadata', "filename $name");
    },
    'tus with its bytes' => sub {
        my ($send) = @_;
        return $send->('POST', $url, '', @tus, @bytes, 'Upload-Length', 0,
                       'Upload-Metadata', "filename $name");
    },
    'resumable' => sub {
        my ($send) = @_;
        return $send->('POST', $url, '', @draft, 'Upload-Complete', '?1',
            'Content-Disposition', 'inline; filename="empty.txt"');
    },
    # tus-js-client's last word.
    'resumable, draft 03, not complete' => sub {
        my ($send) = @_;
        return $send->('POST', $url, '', 'Upload-Draft-Interop-Version', 5,
            'Upload-Complete', '?0', 'Upload-Length', 0, 'Upload-Metadata',
            "filename $name");
    },
    'resumable, draft 05, not complete' => sub {
        my ($send) = @_;
        return $send->('POST', $url, '', 'Upload-Draft-Interop-Version', 6,
            'Upload-Complete', '?0', 'Upload-Length', 0, 'Upload-Metadata',
            "filename $name");
    },
);
for my $how (sort keys %framing) {
    for my $kind (sort keys %empty) {
        my $r = $empty{$kind}->($framing{$how});
        my $told = application($r) || {};
        like $r->{status}, qr/^20[01]$/, "$how: an empty file by $kind";
        is_deeply [map { [@{$_}{qw(filename size)}] } @{ $told->{files} || [] }],
            [['empty.txt', 0]], "$how: $kind: it arrives with its name"
            or diag explain $r;
    }
}
is crashes_since($mark), 0, 'no child died';

done_testing;
