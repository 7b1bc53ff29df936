#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Answers with the first file of an upload, and leaves it where it is. The input
# is read first: mod_cgid may lose the answer of one that leaves it unread.

use strict;
use warnings;

open my $in, '<:raw', $ENV{UPLOAD_POOL_PATH} or die "open: $!";
local $/;
<STDIN>;
print "Content-Type: text/plain\n\n", <$in>;
