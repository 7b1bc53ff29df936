# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# No <IfModule> hides what an example needs: a server without the module would
# start, and not do what the example says. It may stand around what only takes
# back something that the module does by itself.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Find ();
use Test::More;
use UploadPool::Source;

my %may = (
    # Its limit is the one to be raised; without it there is none.
    reqtimeout_module => qr/^RequestReadTimeout /,
    # conf-available is read also where the module is disabled (a2dismod).
    upload_pool_module => qr/./,
);

my @file;
File::Find::find({no_chdir => 1, wanted => sub {
    push @file, $_ if -f && !m{^conf/manual/mod/|^conf/debian/|\.(?:js|css|svg)\z};
}}, 'conf', 'README');
at_least('files', scalar @file, 40);

my (@hidden, $seen);
for my $file (sort @file) {
    my $text = slurp($file);
    while ($text =~ m{^[ #]*<IfModule "?!?(\w+)"?>\n(.*?)^[ #]*</IfModule>}gms) {
        my ($module, $inner) = ($1, $2);
        $seen++;
        my @line = grep { /\S/ } map { s/^[ #]+//r } split /\n/, $inner;
        my $may = $may{$module};
        push @hidden, "$file: <IfModule $module> around $_"
            for grep { !$may || !/$may/ } @line;
        push @hidden, "$file: the whole of it is in <IfModule $module>"
            if $module eq 'upload_pool_module'
            && $file ne 'conf/upload_pool.conf';
    }
}
at_least('sections', $seen // 0, 3);
none \@hidden, 'no example hides what it needs';

done_testing;
