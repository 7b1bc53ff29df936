# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# What "make install DESTDIR=..." installs; httpd starts with it.

use strict;
use warnings FATAL => 'all';
use Test::More;
use File::Path ();
use UploadPool::Test;
use UploadPool::Httpd;

my $httpd = UploadPool::Httpd->new;
my $top = var('top');
my $dest = $httpd->dir('dest');
my $copy = $httpd->dir('copy');

sub apxs
{
    my ($what) = @_;
    chomp(my $value = `@{[$ENV{APXS} || 'apxs']} -q $what`);
    return $value;
}

# The existing build is installed unchanged (-o): this is not about compiling.
File::Path::make_path($copy);
my $built = $ENV{UPOOL_TOOL} || "$top/build/upload-pool";
is system("cd '$top' && cp -a Makefile.apxs mod_upload_pool.* .libs src include"
          . " conf '$copy/' && mkdir '$copy/build' && cp -a '$built'"
          . " '$copy/build/'"), 0, 'a copy of the sources and the module';
my $install = "cd '$copy' && make -f Makefile.apxs -o .libs/mod_upload_pool.so"
    . " -o build/upload-pool install DESTDIR='$dest' 2>&1";
my $said = `$install`;
is $?, 0, 'make install' or diag $said;

my ($modules, $etc, $include) = map { $dest . apxs($_) }
    qw(LIBEXECDIR SYSCONFDIR INCLUDEDIR);
my $so = "$modules/mod_upload_pool.so";
ok -f $so, 'the module';
ok -s $so && (stat $so)[2] & 0400, 'can be read';
my $tool = $dest . apxs('bindir') . '/upload-pool';
is `$tool --version 2>&1`, `$built --version`, 'the tool';
ok -s $dest . apxs('mandir') . '/man1/upload-pool.1', 'and its manual page';
my @headers = map { s{.*/}{}r } glob "$top/include/*.h";
cmp_ok scalar @headers, '>', 0, 'there are public headers';
ok -f "$include/$_", "the header $_" for @headers;
my $debian = -d apxs('SYSCONFDIR') . '/mods-available';
my %file = map { $_ => "$etc/mods-available/upload_pool.$_" } qw(load conf);
for my $name (sort keys %file) {
    is -f $file{$name} ? 1 : 0, $debian ? 1 : 0,
        'the file of a2enmod: ' . $name . ($debian ? '' : ' only on Debian');
}
my $symbols = `nm -D --defined-only '$so'`;
is_deeply [$symbols =~ / [A-Z] (\w+)$/mg], ['upload_pool_module'],
    'the module record is all that it exports';

# httpd with the installed module.
$httpd->{modules} =~ s{^LoadModule upload_pool_module .*}
                      {LoadModule upload_pool_module $so}m;
my $conf = slurp("$top/conf/upload_pool.conf");
is_deeply [grep { !/^\s*(?:#|$|<\/?IfModule)/ } split /\n/, $conf], [],
    'conf/upload_pool.conf sets nothing by itself';
my ($exit, $told) = $httpd->check($conf);
is $exit, 0, 'httpd takes it' or diag $told;
unlike $told, qr/UPL/, 'and has nothing to say';

# The shipped examples, their paths led to places of the test's own.
my $pool = $httpd->make_pool('pool');
$httpd->make_pool("pool/$_") for qw(shop anna);
spew($httpd->dir('key'), 'k' x 64 . "\n");
chmod 0600, $httpd->dir('key');
my $group = getgrgid((UploadPool::Httpd::owner())[1]);
# An example names the modules that it needs in its lines with a2enmod, which
# enables the ones that these need in turn.
my %behind = (proxy_http => ['proxy'], proxy_fcgi => ['proxy'],
              proxy_balancer => [qw(proxy slotmem_shm)]);
sub modules_of
{
    my ($text) = @_;
    my @named = map { split } $text =~ /^# *a2enmod (.*)$/mg;
    return map { $_, @{ $behind{$_} || [] } } @named;
}
my @examples = glob "$top/conf/examples/*.conf";
cmp_ok scalar @examples, '>=', 4, 'there are examples';
for my $file (@examples) {
    my $text = slurp($file);
    $text =~ s{/var/lib/upload_pools?\b}{$pool}g;
    $text =~ s{/etc/apache2/upload[_-]\w+\.key}{@{[$httpd->dir('key')]}}g;
    $text =~ s{^(\s*UploadFileGroup) .*}{$1 $group}m;
    $text =~ s{/srv/customers}{@{[$httpd->dir('htdocs')]}}g;
    my $site = UploadPool::Httpd->new(modules => [modules_of($text)]);
    $site->{modules} =~ s{^LoadModule upload_pool_module .*}
                         {LoadModule upload_pool_module $so}m;
    ($exit, $told) = $site->check($text);
    my ($name) = $file =~ m{([^/]+)$};
    is $exit, 0, "$name: httpd takes it" or diag $told;
    unlike $told, qr/UPL0007|:error\]/, "$name: without a complaint";
}

# It works.
$httpd->start("<Location /up>\nSetHandler upload-pool\nUploadPool \"$pool\"\n"
              . "</Location>\n");
my $r = upload('/up', [{name => 'f', filename => 'a', content => 'content'}],
               id => new_id(), accept => 'application/json',
               port => $httpd->port);
is $r->{status}, 200, 'the installed module takes an upload';
is $r->{json}{state}, 'done', 'and says so';

# A second installation replaces the module and keeps what was configured.
if ($debian) {
    spew($file{conf}, "# mine\n");
    $said = `$install`;
    is $?, 0, 'make install again' or diag $said;
    is slurp($file{conf}), "# mine\n", 'the administrator\'s file stays';
}
else {
    ok !-e $file{conf}, 'no file of a2enmod elsewhere';
}

done_testing;
