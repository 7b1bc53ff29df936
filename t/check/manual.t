# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The pages of the manual are those that their sources make now; they are valid,
# and every link between them leads somewhere.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Path ();
use Test::More;
use UploadPool::Source;

my $fresh = top() . '/build/manual/mod';
File::Path::remove_tree($fresh);
File::Path::make_path($fresh);
my $said = `$^X conf/manual/make.pl $fresh 2>&1`;
is "$?: $said", '0: ', 'the pages can be made';

my @made = map { s{.*/}{}r } sort glob "$fresh/*.html";
my @kept = map { s{.*/}{}r } sort glob 'conf/manual/mod/*.html';
at_least('pages', scalar @kept, 9);
is_deeply \@kept, \@made, 'no page is missing, none is left over';
my @stale = grep { slurp("$fresh/$_") ne slurp("conf/manual/mod/$_") }
    grep { -f "$fresh/$_" } @kept;
none \@stale, 'they say what their sources say'
    or diag 'make -f Makefile.apxs manual';

# --- The README -----------------------------------------------------------------

my $readme = slurp('README');
my @title = slurp('conf/manual/howto') =~ /^# (\w.*)/mg;
my ($listed) = $readme =~ /^# Tasks\n.*?\n\n((?:    [^\n]*\n)+)/ms;
is_deeply [map { s/^ +//r } split /\n/, $listed // ''], \@title,
    'the README lists every task';
my ($contents) = $readme =~ /^    sh t\/run.*?\n\n((?:    [^\n]*\n)+)\n\n/ms;
my @heading = map { /^    (\w.*?)(?:  .*)?$/ ? split /, /, $1 : () }
    split /\n/, $contents // '';
at_least('headings in the contents', scalar @heading, 12);
none [grep { $readme !~ /^# \Q$_\E$/m } @heading],
    'what the contents name is a section';
my ($index) = $readme =~ /^# Directives\n\n(.*?)^## Reference$/ms;
(my $of_pages = slurp('conf/manual/pages')) =~ s/\A.*?(?=^== )//ms;
my @order = map { /^== \w+: (.*)/ ? $1 : /^-- (\w+)/ ? $1 : () }
    split /\n/, $of_pages;
is_deeply [map { /^    / ? split : /\S/ ? $_ : () } split /\n/, $index // ''],
    \@order, 'its index has every directive, in the order of the manual';
my @named = $readme =~ m{(?<![\w/.])((?:src|conf|include|t)/[\w./-]*\w)}g;
at_least('paths', scalar @named, 30);
none [grep { !-e && !/\bNAME\b/ && !glob "$_*" } @named], 'every path in it is there';

# --- Form ---------------------------------------------------------------------

for my $page (@kept) {
    my $file = "conf/manual/mod/$page";
    $said = `xmllint --nonet --noout $file 2>&1`;
    is "$?: $said", '0: ', "$page: well-formed";
    $said = `tidy -e -q $file 2>&1`;
    is "$?: $said", '0: ', "$page: valid HTML";
}

my $style = slurp('conf/manual/style/css/manual.css');
my (%id, @link, %class);
for my $page (@kept) {
    my $html = slurp("conf/manual/mod/$page");
    $id{$page}{$1}++ while $html =~ /\bid="([^"]+)"/g;
    push @link, map { [$page, $_] } $html =~ /\bhref="([^"]+)"/g;
    $class{$_} = 1 for map { split } $html =~ /\bclass="([^"]+)"/g;
}
none [map { my $page = $_; grep { $id{$page}{$_} > 1 } sort keys %{ $id{$page} } }
      sort keys %id], 'no identifier twice in a page';
my (@lost, $inner);
for (@link) {
    my ($page, $to) = @$_;
    next if $to =~ /^https?:/;
    $inner++;
    my ($file, $anchor) = $to =~ /^([^#]*)(?:#(.*))?$/;
    $file = $page if $file eq '';
    push @lost, "$page: $to"
        unless $file =~ /^\.\./ ? -f "conf/manual/mod/$file"
            : $id{$file} && (!defined $anchor || $id{$file}{$anchor});
}
at_least('links', $inner, 300);
none \@lost, 'every link between the pages leads somewhere';

# What httpd's stylesheet knows, so that the pages look right among its own.
my %known = map { $_ => 1 } qw(menu apache module directive directive-section
    section top example prettyprint lang-config lang-sh lang-code directives
    seealso qref descr bordered header);
none [grep { !$known{$_} } sort keys %class], "only classes of httpd's manual";
like $style, qr/prefers-color-scheme: dark/, 'the own stylesheet: light and dark';
like $style, qr/\@media \(max-width/, '… and for a narrow window';

done_testing;
