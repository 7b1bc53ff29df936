#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# A page for mod_include: says what its variables are and includes the probe.
# "?unread" leaves the body to whom it may concern.

use strict;
use warnings;

my $length = 0;
if (($ENV{QUERY_STRING} // '') !~ /(?:^|&)unread\b/) {
    read STDIN, my $body, $ENV{CONTENT_LENGTH} || 0;
    $length = length($body // '');
}
print "Content-Type: text/html\n\n",
    qq(state=<!--#echo var="UPLOAD_POOL_STATE" --> read=$length\n),
    qq(<!--#include virtual="/cgi/echo.pl?outside" -->\n),
    qq(<!--#include virtual="/h/cgi/echo.pl?inside" -->\n);
