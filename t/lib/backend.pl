#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# backend.pl PORT: an HTTP server that answers every request with JSON of
# what it received: the application behind mod_proxy. Core Perl alone, a
# process per connection. "?status=N" answers with that status, "?sleep=S"
# answers late, "?drop" closes without an answer, "?take" takes the files
# (UploadPool::Take), "?claim" claims the upload, "?count" says how long a body
# is and keeps nothing of it.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../apps/perl";
use IO::Socket::INET;
use JSON::PP ();
use MIME::Base64 ();
use UploadPool::Take ();

$SIG{CHLD} = 'IGNORE';
my $listener = IO::Socket::INET->new(
    LocalAddr => '127.0.0.1', LocalPort => $ARGV[0], Listen => 64,
    ReuseAddr => 1) or die "port $ARGV[0]: $@";
while (1) {
    my $socket = $listener->accept or next;
    my $pid = fork;
    next if $pid;
    serve($socket);
    exit 0;
}

sub serve
{
    my ($socket) = @_;
    binmode $socket;
    1 while one($socket);
    return;
}

sub one
{
    my ($socket) = @_;
    my $line = <$socket>;
    return 0 unless defined $line && $line =~ /^(\S+) (\S+) HTTP/;
    my ($method, $url) = ($1, $2);
    my (%header, @names);
    while (defined($line = <$socket>) && $line !~ /^\r?\n$/) {
        next unless $line =~ /^([^:]+):\s*(.*?)\r?\n$/;
        push @names, $1;
        my ($name, $value) = (lc $1, $2);
        utf8::decode($value);
        $header{$name} = join ', ', grep { defined } $header{$name}, $value;
    }
    my ($body, $length) = ('', 0);
    if ($url =~ /[?&]count\b/) {
        my $left = $header{'content-length'} || 0;
        while ($left > 0 && (my $n = read $socket, my $piece,
                             $left < 65536 ? $left : 65536)) {
            $length += $n;
            $left -= $n;
        }
    }
    else {
        $body = read_body($socket, \%header);
        $length = length $body;
    }
    return 0 if $url =~ /[?&]drop\b/;
    select undef, undef, undef, $1 if $url =~ /[?&]sleep=([\d.]+)/;
    my $status = $url =~ /[?&]status=(\d+)/ ? $1 : 200;
    my $answer = JSON::PP->new->canonical->utf8->encode({
        via => 'backend', method => $method, url => $url,
        headers => \%header, length => $length,
        $url =~ /[?&]take\b/ ? (taken => UploadPool::Take::take($body)) : (),
        text($body)});
    my $claim = $url =~ /[?&]claim\b/
        ? "X-Upload-Claim: $header{'x-upload-identifier'}\r\n" : '';
    printf $socket "HTTP/1.1 %d Backend\r\nContent-Type: application/json\r\n"
        . "${claim}Content-Length: %d\r\n\r\n%s", $status, length $answer,
        $answer;
    $socket->flush;
    return ($header{connection} || '') !~ /close/i;
}

sub read_body
{
    my ($socket, $header) = @_;
    my $body = '';
    if (($header->{'transfer-encoding'} || '') =~ /chunked/i) {
        while (defined(my $line = <$socket>)) {
            my $length = hex +($line =~ /^([0-9a-fA-F]+)/)[0];
            read $socket, my $chunk, $length + 2;
            last if $length == 0;
            $body .= substr $chunk, 0, $length;
        }
    }
    elsif ($header->{'content-length'}) {
        read $socket, $body, $header->{'content-length'};
    }
    return $body;
}

sub text
{
    my ($bytes) = @_;
    my $copy = $bytes;
    return utf8::decode($copy)
        ? (body => $copy)
        : (body_base64 => MIME::Base64::encode_base64($bytes, ''));
}
