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
use APR::Const -compile => qw(BLOCK_READ NONBLOCK_READ SUCCESS);
use Apache2::Const -compile => qw(:input_mode);

my %mode = (lines => Apache2::Const::MODE_GETLINE,
            whole => Apache2::Const::MODE_EXHAUSTIVE,
            looking => Apache2::Const::MODE_SPECULATIVE,
            bytes => Apache2::Const::MODE_READBYTES,
            crlf => Apache2::Const::MODE_EATCRLF,
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

# The same without waiting: all is there, so that nothing else is told.
sub at_once
{
    my ($r, $mode, $most) = @_;
    my $bb = APR::Brigade->new($r->pool, $r->connection->bucket_alloc);
    my $rc = $r->input_filters->get_brigade($bb, $mode{$mode},
        APR::Const::NONBLOCK_READ, $most);
    # About the connection: whether there is something on it does not matter.
    return ('', 0) if $mode eq 'crlf';
    die "$mode: $rc" if $rc != APR::Const::SUCCESS;
    my $last = $bb->last;
    my $ends = $last && $last->is_eos;
    $bb->flatten(my $bytes);
    $bb->destroy;
    return ($bytes, $ends);
}

# Bytes, with looks at the connection in between, as ap_read_request() has them.
sub with_crlf
{
    my ($r, $most) = @_;
    at_once($r, 'crlf', 0);
    return once($r, 'bytes', $most);
}

# Behind the end there is nothing but the end, however it is asked for.
sub is_over
{
    my ($r) = @_;
    for my $mode (qw(bytes lines whole looking)) {
        for my $how (\&once, \&at_once) {
            my ($bytes, $ends) = $how->($r, $mode, 9);
            die "$mode, behind the end: '$bytes'" if length $bytes || !$ends;
        }
    }
    return;
}

my %how = (
    'waitless' => sub { at_once($_[0], 'bytes', 9) },
    'waitlesslines' => sub { at_once($_[0], 'lines', 9) },
    'waitlesswhole' => sub { at_once($_[0], 'whole', 9) },
    'crlf' => sub { with_crlf($_[0], 9) },
);

# Everything, by that mode; where it takes nothing away, by bytes, of which each
# must be what was seen.
sub read_by
{
    my ($r, $mode) = @_;
    my $all = '';
    once($r, 'begin', 0);
    for (1 .. 100_000) {
        my ($seen) = $mode eq 'looking' ? once($r, 'looking', 9) : ();
        my ($bytes, $ends) = $how{$mode} ? $how{$mode}->($r)
            : once($r, $mode eq 'looking' ? 'bytes' : $mode, 9);
        die "looked at '$seen', got '$bytes'" if defined $seen
            && $seen ne $bytes;
        $all .= $bytes;
        next unless $ends;
        is_over($r);
        return $all;
    }
    die 'no end';
}

1;
