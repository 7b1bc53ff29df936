#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The main probe of what an application sees: method, URL, every environment
# variable and the body, as JSON. Reads CONTENT_LENGTH bytes as a CGI program
# should, then looks whether more came ("surplus"). "?status=N" answers with
# that status; "?unread" does not read the body; "?fds" lists the open
# descriptors; "?sleep=S" answers late.

use strict;
use warnings;
use JSON::PP ();
use MIME::Base64 ();

my $query = $ENV{QUERY_STRING} // '';
my %said = (via => 'cgi', method => $ENV{REQUEST_METHOD},
            url => $ENV{REQUEST_URI}, env => {%ENV});

binmode STDIN;
unless ($query =~ /(?:^|&)unread\b/) {
    my ($body, $want) = ('', $ENV{CONTENT_LENGTH} || 0);
    while (length $body < $want) {
        read(STDIN, $body, $want - length $body, length $body) or last;
    }
    my $surplus = '';
    read STDIN, $surplus, 65536 if $ENV{REQUEST_METHOD} ne 'GET';
    $said{surplus} = length $surplus;
    $said{length} = length $body;
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
print "Status: $1\n" if $query =~ /(?:^|&)status=(\d+)/;
print "Content-Type: application/json\n\n";
print JSON::PP->new->canonical->utf8->encode(\%said);
