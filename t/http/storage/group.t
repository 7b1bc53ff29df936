# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadFileGroup with UploadFileMode: an application of another user can read
# the files.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;
use UploadPool::Httpd;

my $httpd = UploadPool::Httpd->new;
my $pool = $httpd->make_pool('g');
my $gid = (getpwnam var('user'))[3];
my $group = getgrgid $gid;
# New entries would belong to another group: that of the pool.
my $other = getgrnam 'daemon';
if ($> == 0) {
    chown -1, $other, $pool or die "chown: $!";
    chmod 02710, $pool or die "chmod: $!";
}
my $config = <<"END";
<Location /g>
    SetHandler upload-pool
    UploadPool "$pool"
    UploadFileMode %s
    UploadFileGroup %s
</Location>
END
my @there = (port => $httpd->port);

sub put
{
    my ($id) = @_;
    return upload('/g', [{name => 'f', filename => 'f', content => 'hello'}],
                  id => $id, @there)->{status};
}

sub mode { return sprintf '%04o', (stat $_[0])[2] & 07777 }

for my $text ($group, $gid) {
    $httpd->start(sprintf $config, '0640', $text);
    my $id = new_id();
    is put($id), 200, "group $text";
    my ($file) = glob "$pool/$id/*.bin";
    is +(stat $file)[5], $gid, 'the file belongs to it';
    is mode($file), '0640', 'and it may read';
    is +(stat "$pool/$id")[5], $gid, 'the bucket too';
    is mode("$pool/$id") =~ s{^.}{0}r, '0710', 'and be passed';
    is put($id), 200, 'replaced';
    ($file) = glob "$pool/$id/*.bin";
    is +(stat $file)[5], $gid, 'the new file belongs to it';
    $httpd->stop;
}

# Only root may give files to a group that he is not of.
my ($not_mine) = grep { my $g = getgrnam $_; defined $g && $g != $gid }
    qw(root shadow);
$httpd->start(sprintf $config, '0640', $not_mine);
my $id = new_id();
is put($id), 500, 'a group that the server is not of: 500';
like $httpd->error_log, qr/500: .*cannot be given to its group/,
    'the log says why';
is_deeply [glob "$pool/$id/*.bin"], [], 'nothing is stored';
$httpd->stop;

my ($exit, $said) = $httpd->check(sprintf $config, '0640', 'no-such-group');
isnt $exit, 0, 'no such group: no start';
like $said, qr/UploadFileGroup takes the name or the number of a group/,
    'and httpd -t says so';
for my $bad ('-1', '4294967295', '""', '99999999999999999999') {
    ($exit, $said) = $httpd->check(sprintf $config, '0640', $bad);
    isnt $exit, 0, "$bad: no group";
}
for my $case (['UploadQuota', qr/pool or owner and a size/],
              ['UploadQuota 5G', qr/pool or owner and a size/],
              ['UploadQuota server 5G', qr/pool or owner and a size/],
              ['UploadQuota pool', qr/pool or owner and a size/],
              ['UploadQuota pool x', qr/takes a size/],
              ['UploadQuota pool 1G pool 2G', qr/says the same twice/],
              ['UploadQuota pool 1G owner', qr/pool or owner and a size/],
              ['UploadQuota pool 1G owner 1G pool 1G', qr/pool or owner/],
              ['UploadFreeSpace x', qr/takes a size/],
              ['UploadRate 5MB', qr/takes a size/],
              ['UploadKeep sometimes', qr/always or claimed/]) {
    my ($line, $want) = @$case;
    ($exit, $said) = $httpd->check("$line\n");
    ok $exit && $said =~ /UploadQuota|UploadFree|UploadRate|UploadKeep/
        && $said =~ $want, "refused: $line" or diag $said;
}
for my $line ('UploadQuota pool 1G owner 100M', 'UploadQuota OWNER 1G pool 5T',
              'UploadQuota pool 0', 'UploadFreeSpace 1G', 'UploadRate 500K',
              'UploadRate 0', 'UploadKeep Claimed', 'UploadKeep always') {
    ($exit, $said) = $httpd->check("$line\n");
    is $exit, 0, "accepted: $line" or diag $said;
}

done_testing;
