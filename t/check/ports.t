# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Two runs that start in the same second, before either has a server that
# listens, do not choose the same ports.
use strict;
use warnings FATAL => 'all';

use FindBin ();
use lib "$FindBin::Bin/../lib";
use Apache::UploadPool::TestRun ();
use IO::Socket::INET ();
use POSIX ();
use Test::More;

# Another run's answer: does it get that block?
sub another_gets
{
    my ($first) = @_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        POSIX::_exit(Apache::UploadPool::TestRun::reserve_block($first) ? 0 : 1);
    }
    waitpid $pid, 0;
    return $? == 0;
}

my $first = 20000 + 10 * ($$ % 1000);
my $tries = 0;
until (Apache::UploadPool::TestRun::reserve_block($first)) {
    die "no ten free ports\n" if ++$tries > 50;
    $first += 10;
}
ok !another_gets($first), 'a block that is taken, but on which nobody listens';
Apache::UploadPool::TestRun::reserve_block($first + 10);
ok another_gets($first), 'whoever goes on to the next leaves it';

my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1,
                                   LocalPort => $first + 3, ReuseAddr => 1);
ok $server, 'somebody listens in it';
ok !another_gets($first), 'so it is not free';
done_testing;
