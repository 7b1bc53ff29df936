# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Through;

# Input filters of mod_perl that hand on what they read: one that reads bytes,
# and one that passes brigades.

use strict;
use warnings;
use base qw(Apache2::Filter);

use APR::Brigade ();
use APR::Const -compile => qw(SUCCESS);
use Apache2::Const -compile => qw(OK);

sub handler : FilterRequestHandler
{
    my ($f) = @_;
    while ($f->read(my $bytes, 1000)) {
        $f->print($bytes);
    }
    return Apache2::Const::OK;
}

sub brigades : FilterRequestHandler
{
    my ($f, $bb, $mode, $block, $bytes) = @_;
    my $rv = $f->next->get_brigade($bb, $mode, $block, $bytes);
    return $rv == APR::Const::SUCCESS ? Apache2::Const::OK : $rv;
}

1;
