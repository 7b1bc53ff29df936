# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# conf/examples/in-front: haproxy.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::InFront;
use UploadPool::Test;

my $mark = log_mark();
{
    my $front = UploadPool::InFront->new('haproxy');
    passes($front);
}
bears_silence('haproxy');
ends_silence('haproxy');
is crashes_since($mark), 0, 'no child died';

done_testing;
