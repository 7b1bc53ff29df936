#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The main probe of what an application sees: method, URL, every environment
# variable and the body, as JSON. Reads CONTENT_LENGTH bytes as a CGI program
# should, then looks whether more came ("surplus"). "?status=N" answers with
# that status; "?unread" does not read the body, "?part=N" only N bytes of it,
# "?pieces" a few bytes a time, "?count" all of it to say how long it is; "?take"
# takes the files (UploadPool::Take); "?fds" lists the open descriptors;
# "?sleep=S" answers late; "?claim[=TEXT]" claims the upload; "?die" ends without
# an answer.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../apps/perl";
use JSON::PP ();
use MIME::Base64 ();
use UploadPool::Take ();

my $query = $ENV{QUERY_STRING} // '';
my %said = (via => 'cgi', method => $ENV{REQUEST_METHOD},
            url => $ENV{REQUEST_URI}, env => {%ENV});

binmode STDIN;
if ($query =~ /(?:^|&)count\b/) {
    $said{length} = 0;
    while (my $n = sysread STDIN, my $piece, 65536) {
        $said{length} += $n;
    }
}
elsif ($query !~ /(?:^|&)unread\b/) {
    my ($body, $want) = ('', $ENV{CONTENT_LENGTH} || 0);
    my $part = $query =~ /(?:^|&)part=(\d+)/ ? $1 : undef;
    my $most = $query =~ /(?:^|&)pieces\b/ ? 7 : 65536;
    $want = $part if defined $part && $part < $want;
    while (length $body < $want) {
        my $left = $want - length $body;
        sysread(STDIN, $body, $left < $most ? $left : $most, length $body)
            or last;
    }
    my $surplus = '';
    sysread STDIN, $surplus, 65536
        if $ENV{REQUEST_METHOD} ne 'GET' && !defined $part;
    $said{surplus} = length $surplus;
    $said{length} = length $body;
    $said{taken} = UploadPool::Take::take($body)
        if $query =~ /(?:^|&)take\b/;
    my $copy = $body;
    if (utf8::decode($copy)) {
        $said{body} = $copy;
    }
    else {
        $said{body_base64} = MIME::Base64::encode_base64($body, '');
    }
}
if ($query =~ /(?:^|&)fds\b/) {
    my %open;
    for my $fd (glob '/proc/self/fd/*') {
        my $target = readlink $fd;
        $open{ ($fd =~ m{(\d+)$})[0] } = $target if defined $target;
    }
    $said{fds} = \%open;
}
select undef, undef, undef, $1 if $query =~ /(?:^|&)sleep=([\d.]+)/;
# CGI values are bytes; JSON wants text.
for my $value (values %{ $said{env} }, $said{url}) {
    utf8::decode($value);
}
exit 1 if $query =~ /(?:^|&)die\b/;
if ($query =~ /(?:^|&)claim(?:=([^&]*))?/) {
    my $claim = $1 // $ENV{UPLOAD_POOL_IDENTIFIER} // '';
    $claim =~ s/%([0-9a-fA-F]{2})/chr hex $1/ge;
    print "X-Upload-Claim: $claim\n";
}
print "Status: $1\n" if $query =~ /(?:^|&)status=(\d+)/;
print "Content-Type: application/json\n\n";
print JSON::PP->new->canonical->utf8->encode(\%said);
