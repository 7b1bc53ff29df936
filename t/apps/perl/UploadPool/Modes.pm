# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# A body as a module of httpd may read it: by the modes of its input filters.

package UploadPool::Modes;

use strict;
use warnings;
use Apache2::Connection ();
use Apache2::Filter ();
use Apache2::RequestRec ();
use APR::Brigade ();
use APR::Bucket ();
use APR::Const -compile => qw(BLOCK_READ SUCCESS);
use Apache2::Const -compile => qw(:input_mode);

my %mode = (lines => Apache2::Const::MODE_GETLINE,
            whole => Apache2::Const::MODE_EXHAUSTIVE,
            looking => Apache2::Const::MODE_SPECULATIVE,
            bytes => Apache2::Const::MODE_READBYTES,
            begin => Apache2::Const::MODE_INIT);

# What one call gives, and whether that was the end.
sub once
{
    my ($r, $mode, $most) = @_;
    my $bb = APR::Brigade->new($r->pool, $r->connection->bucket_alloc);
    $r->input_filters->get_brigade($bb, $mode{$mode},
                                   APR::Const::BLOCK_READ, $most);
    my $last = $bb->last;
    my $ends = $last && $last->is_eos;
    $bb->flatten(my $bytes);
    $bb->destroy;
    return ($bytes, $ends);
}

# Everything, by that mode; where it takes nothing away, by bytes, of which each
# must be what was seen.
sub read_by
{
    my ($r, $mode) = @_;
    my $all = '';
    once($r, 'begin', 0);
    for (1 .. 100_000) {
        my ($seen) = $mode eq 'looking' ? once($r, 'looking', 9) : ();
        my ($bytes, $ends) = once($r, $mode eq 'looking' ? 'bytes' : $mode, 9);
        die "looked at '$seen', got '$bytes'" if defined $seen
            && $seen ne $bytes;
        $all .= $bytes;
        return $all if $ends;
    }
    die 'no end';
}

1;
