# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# conf/examples/in-front: nginx.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::InFront;
use UploadPool::Test;

my $mark = log_mark();
{
    my $front = UploadPool::InFront->new('nginx');
    passes($front);
}
bears_silence('nginx');
ends_silence('nginx');
is crashes_since($mark), 0, 'no child died';

done_testing;
