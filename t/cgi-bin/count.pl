#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# A small application that leaves a trace: each run adds a line "METHOD URL
# LENGTH-OF-BODY" to $UPOOL_RAN/log (SetEnv), so that a suite sees whether it
# ran at all. Answers in plain text with the body that it got.

use strict;
use warnings;

binmode STDIN;
my $body = do { local $/; <STDIN> };
$body = '' unless defined $body;
open my $out, '>>', "$ENV{UPOOL_RAN}/log" or die "log: $!";
syswrite $out, sprintf "%s %s %d\n", $ENV{REQUEST_METHOD}, $ENV{REQUEST_URI},
    length $body;
close $out;
print "Content-Type: text/plain\n\n$body";
