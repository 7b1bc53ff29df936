# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The RPM package has what the Debian package has, under the name and version
# that the sources say, and lists each file that it installs.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use UploadPool::Source;

my $spec = slurp('conf/rpm/mod_upload_pool.spec');

# --- What goes in, by its name in the source ------------------------------------

# A file of debhelper's, whose lines begin with a source; the word "mod" of
# dh_apache2 stands before it.
my @deb = map { s/^mod //r =~ s/\s.*//sr }
    map { split /\n/, slurp($_) }
    grep { /\.(?:install|docs|examples|manpages|apache2)\z/ }
    glob 'conf/debian/libapache2-mod-upload-pool.*';
at_least('sources of the Debian package', scalar @deb, 10);

my ($install) = $spec =~ /^%install\n(.*?)^%files$/ms;
my @rpm = map {
    my @word = grep { !/^-|^%|^>|^\d+$/ } split;
    shift(@word) eq 'sed' ? grep { m{^conf/} } @word : @word;
} grep { /^(?:install|cp|sed) / && !/^install -d/ } split /\n/, $install // '';
is_deeply [sort @rpm], [sort @deb], 'the RPM package has the same';
none [grep { !m{^(?:build|\.libs)/} && !(() = glob) } @rpm],
    'each of them is there';

# --- What is listed -------------------------------------------------------------

my @installed = map { m{%\{buildroot\}(\S+)} ? $1 : () } split /\n/, $install;
my ($files) = $spec =~ /^%files\n(.*)\z/ms;
my @listed = map { /(%\{\w+\}\S*)\s*$/ ? $1 : () } split /\n/, $files;
at_least('lines of %files', scalar @listed, 8);
none [grep {
    my $path = $_;
    !grep {
        my $wanted = quotemeta($_) =~ s/\\\*/.*/gr;
        $path =~ m{^$wanted(?:/|\z)} || m{^\Q$path\E/?[^/]*\z}
    } @listed, '%{_httpd_modconfdir}/10-upload_pool.conf'
} @installed], 'what is installed is listed';
like $files, qr/^%attr\(0700,apache,apache\) %dir \S+upload_pool$/m,
    'the pool belongs to the server alone';

# --- Name and version -------------------------------------------------------------

my ($version) = slurp('conf/manual/make.pl') =~ /^my \$version = '([\d.]+)'/m;
like $spec, qr/^Version: +\Q$version\E$/m, 'the version of the manual';
like slurp('conf/debian/changelog'), qr/^libapache2-mod-upload-pool \(\Q$version\E\)/,
    'and of the Debian package';
my ($said) = slurp('conf/debian/control') =~ /^Description: .*?\n( mod_.*)\z/ms;
my $told = join ' ', map { /^ \.$/ ? () : s/^ //r } split /\n/, $said;
my ($description) = $spec =~ /^%description\n(.*?)^%prep$/ms;
$description =~ s/\s+/ /g;
$told =~ s/\.\s*\z//;
like $description, qr/^\Q$told\E/, 'it is described in the same words';

done_testing;
