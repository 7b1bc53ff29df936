# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Lists that the manual repeats for readers: the groups of files, the extensions
# that servers run.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use UploadPool::Source;

my ($allow) = slurp('conf/manual/directives') =~ /^(### UploadAllow\n.*?)^### /ms
    or BAIL_OUT('the reference tells of no UploadAllow');

my %suffixes;
my $kinds = slurp('src/handlers/kinds.c');
while ($kinds =~ /((?:"[a-z0-9 ]+"\s*)+),\s+
                  (IMAGES|AUDIO|VIDEO|DOCUMENTS|ARCHIVES),/gx) {
    my ($words, $group) = ($1, $2);
    push @{ $suffixes{ lc $group } }, $words =~ /(\w+)/g;
}
is join(' ', sort keys %suffixes), 'archives audio documents images video',
    'groups in the table';
for my $group (sort keys %suffixes) {
    my ($told) = $allow =~ /^ {13}$group +([a-z0-9\n ]+?)(?:;|^ {13}\w)/ms;
    is join(' ', sort split ' ', $told // ''),
        join(' ', sort @{ $suffixes{$group} }), "$group, as the reference has it";
    my %times;
    is_deeply [grep { $times{$_}++ } map { @$_ } values %suffixes], [],
        'no extension is of two groups' if $group eq 'archives';
}

my ($run) = slurp('src/upload/extensions.c') =~ /\brun\[\] = \{(.*?)\}/s;
my @run = ($run // '') =~ /"(\w+)"/g;
cmp_ok scalar @run, '>', 20, 'extensions that servers run';
my ($told) = $allow =~ /IIS'\):\n(.*?)\n\n/s;
is join(' ', sort split ' ', $told // ''), join(' ', sort @run),
    'as the reference has them';

my ($chunks) = slurp('conf/manual/protocol')
    =~ /^(# Files in chunks\n.*?)^# /ms;
my ($strangers) = slurp('src/parse/family.c') =~ /strangers\[\w+\] = \{(.*?)\n\};/s;
my @parameters = $strangers =~ /\{ "([\w-]+)", /g;
cmp_ok scalar @parameters, '>', 10, 'parameters of pieces that are refused';
is_deeply [grep { $chunks !~ /(?<![\w-])\Q$_\E(?![\w-])/ } @parameters], [],
    'are all told';

done_testing;
