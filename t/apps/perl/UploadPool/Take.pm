# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# What an application does with an upload: reads the JSON, opens every file at
# its path, moves it away. Here to the directory "taken" beside the pool.

package UploadPool::Take;

use strict;
use warnings;
use Digest::SHA ();
use JSON::PP ();

# Returns a list of {alg, hex, to}, in the order of the JSON.
sub take
{
    my ($json) = @_;
    my @taken;
    for my $file (@{ JSON::PP->new->utf8->decode($json)->{files} }) {
        my $digest = Digest::SHA->new(256)->addfile($file->{path}, 'b');
        my $to = $file->{path} =~ s{/[^/]*/[^/]*/([^/]*)$}{/taken/$1}r;
        next unless rename $file->{path}, $to;
        push @taken, {alg => 'sha-256', hex => $digest->hexdigest, to => $to};
    }
    return \@taken;
}

1;
