# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# While packages are installed something moves on the screen, and an apt-get that
# fails is seen to.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Temp ();
use Test::More;
use UploadPool::Source;

my $dir = File::Temp::tempdir('upool-packages.XXXXXX', TMPDIR => 1, CLEANUP => 1);

# An apt-get of our own, which goes on when what it said was read.
sub apt
{
    my ($code) = @_;
    open my $out, '>', "$dir/apt-get" or die "apt-get: $!";
    print $out <<"END";
#!/bin/sh
echo "arguments: \$*"
for said in dlstatus:1:0.0000:x dlstatus:1:47.5:x pmstatus:a:3.1:x \\
    pmstatus:dpkg-exec:50.0000:Running pmstatus:b:100.0:x; do
    echo "\$said" >&3
    sleep 1.1
done
exit $code
END
    close $out or die "apt-get: $!";
    chmod 0755, "$dir/apt-get";
    my $said = `. t/lib/packages.sh; PATH=$dir:\$PATH
        upool_apt $dir/log install -y some; echo "code \$?"`;
    return [split /\n/, $said];
}

is_deeply [grep { /^code/ } @{ apt(7) }], ['code 7'], 'a failure is one';
unlink "$dir/log";
my $said = apt(0);
is pop @$said, 'code 0', 'a success';
# How often it looks is a matter of time; that it ends with the last is not.
my %step = map { $_ => 1 } 'fetching 0 %', 'fetching 40 %', 'installing 0 %',
    'installing 50 %', 'installing 100 %';
none [grep { !$step{$_} } @$said], 'steps, each in its words';
cmp_ok scalar @$said, '>=', 1, 'and something moves';
like slurp("$dir/log"), qr/^arguments: -qq -o APT::Status-Fd=3 install -y some$/m,
    'what apt-get says is in the log';
ok !-e "$dir/log.status", 'nothing else is left';

done_testing;
