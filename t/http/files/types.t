# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The same text gives the same type, whatever protocol it comes by; a text that
# cannot be read gives no type, and is no reason for a refusal.

use strict;
use warnings FATAL => 'all';
use Test::More;
use MIME::Base64 ();
use UploadPool::Test;
use UploadPool::Chunked;

my $mark = log_mark();
my $url = '/types/echo.pl';
my $dz = 0;
my %by = (
    form => sub {
        return upload($url, [{name => 'f', filename => 'x', type => $_[0],
                              content => 'bytes'}], id => new_id());
    },
    'a form with Content-Range' => sub {
        return chunk($url, 'bytes', range => 'bytes 0-4/5', type => $_[0],
                     id => new_id());
    },
    'a library' => sub {
        return chunk($url, 'bytes', type => $_[0], before => [
            dzuuid => new_id(), dzchunkindex => 0, dzchunkbyteoffset => 0,
            dzchunksize => 5, dztotalfilesize => 5, dztotalchunkcount => 1]);
    },
    'a raw body' => sub {
        return raw('PUT', $url, 'bytes', range => 'bytes 0-4/5',
                   id => new_id(), headers => ['Content-Type', $_[0]]);
    },
    tus => sub {
        return request('POST', $url, body => 'bytes', headers => [
            'Tus-Resumable' => '1.0.0', 'Upload-Length' => 5,
            'Content-Type' => 'application/offset+octet-stream',
            'Upload-Metadata' => 'filename eA==,filetype '
                . MIME::Base64::encode_base64($_[0], '')]);
    },
    resumable => sub {
        return request('POST', $url, body => 'bytes', headers => [
            'Upload-Draft-Interop-Version' => 8, 'Upload-Complete' => '?1',
            'Content-Type' => $_[0]]);
    },
);
for my $row (
    ['image/jpeg', 'image/jpeg'],
    ['Text/Plain; Charset="UTF-8"', 'text/plain', 'UTF-8'],
    ['video/webm;codecs="vp8,opus"', 'video/webm'],
    ['video/webm;codecs=vp8,opus'], ['image/jpeg; name=a b.jpg'],
    ['text/plain; charset='], ['text/plain; charset=a; charset=b'],
    ['text/plain, text/html'], ['image/'], ['/x']) {
    my ($text, $type, $charset) = @$row;
    for my $way (sort keys %by) {
        my $answer = $by{$way}->($text);
        like $answer->{status}, qr/^20[01]$/, "$way: $text is taken";
        my $file = (application($answer) || {})->{files}[0];
        is_deeply [@{ $file || {} }{qw(content-type charset)}],
            [$type, $charset], $type ? "as $type" : 'as no type';
    }
}

is crashes_since($mark), 0, 'no child crashed';
done_testing;
