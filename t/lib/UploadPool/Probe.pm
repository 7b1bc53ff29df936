# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Probe;

=head1 NAME

UploadPool::Probe - what the handlers of t/c-modules/mod_upload_probe.c say

=head1 SYNOPSIS

    my ($id, $answer) = send_files('/handler-chain/', 'stop.new_file.probe-a',
                                   ['one.txt', 'content'], ['two.txt', '']);
    is_deeply [events($id)], ['probe-a raw 123', …];

=cut

use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use UploadPool::Test;

our @EXPORT = qw(send_files events files left_in);

# Uploads [NAME, CONTENT, TYPE], each as a field "file", under a new identifier,
# with the rules for the probes. Returns the identifier and the answer.
sub send_files
{
    my ($url, $rules, @files) = @_;
    my %o = @files && ref $files[-1] eq 'HASH' ? %{ pop @files } : ();
    my $id = $o{id} || new_id();
    my @parts = map { {name => 'file', filename => $_->[0],
                       content => $_->[1], type => $_->[2]} } @files;
    $url .= '?probe=' . join ',', ref $rules ? @$rules : $rules if $rules;
    my $answer = upload($url, \@parts, accept => 'application/json', %o,
                        id => $id);
    return ($id, $answer);
}

# What the probes wrote about an upload, in order, without the identifier. The
# number of pieces that the body came in, which varies, is left out unless
# "pieces" is given.
sub events
{
    my ($id, $pieces) = @_;
    my $file = pool('handler-probe') . '/events';
    return unless -f $file;
    my @found = map { /^\Q$id\E (.*)/ ? $1 : () } split /\n/, slurp($file);
    s/ calls=\d+ largest=\d+// for $pieces ? () : @found;
    return @found;
}

# The files that the application saw.
sub files
{
    my ($answer) = @_;
    my $seen = application($answer) || {};
    return @{ $seen->{files} || [] };
}

# The files of an upload that lie in the pool.
sub left_in
{
    my ($id, $pool) = @_;
    # The file "lock" stays as long as the bucket. "run", which says that the
    # application runs, may go only a moment after the answer has come.
    return grep { !/^(?:lock|run)$/ }
        map { m{^\Q$id\E/(.*)} ? $1 : () } pool_files($pool || 'handler');
}

1;
