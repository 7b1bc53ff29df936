#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Answers with the first file of an upload, and leaves it where it is.

use strict;
use warnings;

open my $in, '<:raw', $ENV{UPLOAD_POOL_PATH} or die "open: $!";
local $/;
print "Content-Type: text/plain\n\n", <$in>;
