#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# An application that fails as long as the file ../apps/fails is there; then it
# is echo.pl.

use strict;
use warnings;
use FindBin;

if (-e "$FindBin::Bin/../apps/fails") {
    # What is left unread would break the answer off.
    1 while sysread STDIN, my $body, 65536;
    print "Status: 500\nContent-Type: text/plain\n\nnot today\n";
    exit;
}
exec "$FindBin::Bin/echo.pl" or die "echo.pl: $!";
