# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# "httpd -t" accepts every shipped configuration, as it is and with every
# commented directive switched on, and those that the manual prints.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::Bin/../lib";
use Cwd ();
use File::Path ();
use File::Temp ();
use Test::More;
use UploadPool::Manual;
use UploadPool::Source;

# Where the server's user can get to, wherever the source lies.
my $scratch = File::Temp::tempdir('upool-examples.XXXXXX', TMPDIR => 1,
                                  CLEANUP => 1);
chmod 0755, $scratch;
File::Path::make_path(map { "$scratch/$_" } qw(pool/shop pool/anna htdocs logs));
chmod 0700, "$scratch/pool", "$scratch/pool/shop";
my $user = $> == 0 ? 'nobody' : getpwuid $>;
my ($uid, $gid) = (getpwnam $user)[2, 3];
chown $uid, $gid, "$scratch/pool", "$scratch/pool/shop" if $> == 0;
open my $key, '>', "$scratch/key" or die $!;
print $key 'k' x 64, "\n";
close $key;
chmod 0600, "$scratch/key";

chomp(my $modules = `apxs -q LIBEXECDIR`);
chomp(my $sbin = `apxs -q SBINDIR`);
chomp(my $program = `apxs -q PROGNAME`);
my $so = Cwd::abs_path($ENV{UPOOL_SO} || '.libs/mod_upload_pool.so');

# What a site has beside the file under test; its paths lead to the scratch.
sub accepts
{
    my ($name, $text) = @_;
    $text =~ s{/var/lib/upload_pools?\b}{$scratch/pool}g;
    $text =~ s{/etc/apache2/upload(?:_pool|-anna)\.key}{$scratch/key}g;
    $text =~ s{(UploadFileGroup) anna}{"$1 " . getgrgid $gid}ge;
    $text =~ s{/srv/customers}{$scratch/htdocs}g;
    $text =~ s{/etc/apache2/upload\.users}{$scratch/users}g;
    my $load = join '', map { "LoadModule ${_}_module $modules/mod_$_.so\n" }
        grep { -f "$modules/mod_$_.so" }
        qw(mpm_event authz_core alias headers proxy proxy_http reqtimeout cgid
           dir env setenvif authz_host slotmem_shm proxy_balancer
           lbmethod_bybusyness socache_redis rewrite remoteip auth_basic
           authn_core authn_file authz_user);
    my $group = getgrgid $gid;
    my $file = "$scratch/$name.conf";
    open my $out, '>', $file or die "$file: $!";
    print $out $load, "LoadModule upload_pool_module $so\n",
        "ServerName localhost\nListen 127.0.0.1:8080\nUser $user\n",
        "Group $group\nServerRoot $scratch\nDefaultRuntimeDir $scratch/logs\n",
        "PidFile $scratch/logs/pid\nErrorLog $scratch/logs/error_log\n",
        "DocumentRoot $scratch/htdocs\n$text";
    close $out or die "$file: $!";
    my $said = `$sbin/$program -t -f $file 2>&1`;
    my $good = $? == 0 && $said =~ /Syntax OK/;
    ok $good, "$name is accepted" or diag $said;
    return $good;
}

my @examples = (sort(glob 'conf/examples/*.conf'),
                'conf/examples/in-front/httpd.conf');
at_least('examples', scalar @examples, 4);
accepts($_ =~ s{.*/|\.conf$}{}gr, slurp($_)) for @examples;

my @page = map { /^-- (\w+)\n(.*)\z/s ? [$1, $2] : () }
    split /^(?=(?:--|==) )/m, slurp('conf/manual/pages');
at_least('examples of the manual', scalar @page, 45);
for (@page) {
    my ($name, $text) = @$_;
    $text =~ s/^Compatibility:.*\n//;
    accepts("manual-$name", $text);
}

my @task = howto('conf/manual/howto');
at_least('tasks', scalar @task, 17);
for (@task) {
    my @config = map { $_->{text} }
        grep { $_->{kind} eq 'config' } @{ $_->{blocks} };
    ok @config > 0, "$_->{title}: has a configuration";
    accepts($_->{title} =~ s/\W+/-/gr, join '', @config);
}

my $conf = slurp('conf/upload_pool.conf');
accepts('upload_pool', $conf);
# Switched on: all but what excludes another, in a context that may have them.
(my $all = $conf) =~ s/^(\s*)#((?:Upload[A-Z]|LimitReq|RequestRead)\w+ )/$1$2/mg;
$all =~ s/^(\s*UploadPool) off/$1 $scratch\/pool/m;
$all =~ s/^\s*UploadURL .*\n//m;
accepts('upload_pool-all', $all);
my $load = slurp('conf/upload_pool.load');
like $load, qr{^LoadModule upload_pool_module /usr/lib/apache2/modules/mod_upload_pool\.so$}m,
    'upload_pool.load names the module where Debian keeps them';

done_testing;
