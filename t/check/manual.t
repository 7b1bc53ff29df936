# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The pages of the manual are those that their sources make now; they are valid,
# every link between them leads somewhere, and the README leads to them.

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

# --- The README, and the sources ------------------------------------------------

my $readme = slurp('README');
cmp_ok scalar(split /\n/, $readme), '<=', 600, 'the README has 600 lines at most';
my @title = slurp('conf/manual/howto') =~ /^# (\w.*)/mg;
my @list = map { [map { s/^ +//r } split /\n/] }
    $readme =~ /^# The manual\n.*?\n\n((?:    [^\n]*\n)+)\n.*?\n\n((?:    [^\n]*\n)+)/ms;
is_deeply $list[1], \@title, 'the README lists every task';
(my $of_pages = slurp('conf/manual/pages')) =~ s/\A.*?(?=^== )//ms;
my %page = $of_pages =~ /^== upload_pool_(\w+): (.*)/mg;
is_deeply $list[0], [map { sprintf '%-12s %s', $_, $page{$_} }
                     $of_pages =~ /^== upload_pool_(\w+):/mg],
    'and every page, in the order of the manual';
is_deeply [sort map { "upload_pool_$_.html" } keys %page],
    [grep { $_ ne 'mod_upload_pool.html' } @kept], 'each is made';
my @text = grep { -f && !/\.(?:pl|html)$/ && !m{/(?:pages|directives)$} }
    glob 'conf/manual/*';
at_least('texts', scalar @text, 12);
none [grep { !$page{s{.*/}{}r} } @text], 'no text is without a page';
my @leads = $readme =~ m{\b(\w+\.html)\b}g;
at_least('pages that the first screen leads to', scalar @leads, 5);
none [grep { !-f "conf/manual/mod/$_" } @leads], 'and they are there';
my $everything = join "\n", $readme, map { slurp($_) } @text,
    'conf/manual/pages', 'conf/manual/directives';
my @named = $everything =~ m{(?<![\w/.])((?:src|conf|include|t)/[\w./-]*\w)}g;
at_least('paths', scalar @named, 40);
none [grep { !-e && !/\bNAME\b/ && !glob "$_*" } @named],
    'every path in these is there';
# A title in quotes behind "see" has to be one.
my %titled = map { $_ => 1 } values %page,
    map { slurp($_) =~ /^##? (\w.*)/mg } @text;
my @see = map { s/\s+/ /gr } $everything =~ /\b[Ss]ee\s+"([^"]+)"/g;
at_least('references', scalar @see, 5);
none [grep { !$titled{$_} } @see], 'and what they refer to is there';

# --- The index ------------------------------------------------------------------

my $module = slurp('conf/manual/mod/mod_upload_pool.html');
my @indexed = map { m{>(Upload\w+)</a></code></td><td class="descr">[^<]{10}} }
    split /\n/, $module;
is_deeply \@indexed, [$of_pages =~ /^-- (\w+)/mg],
    'the index has a line of every directive, in the order of the pages';
like $module, qr/a bare number is\s+megabytes/, 'and says what sizes are';

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

none [grep { slurp("conf/manual/mod/$_") =~ /<(?:img|iframe|script\s|link[^>]*https?:)/ }
      @kept], 'no page needs anything but its stylesheet';
unlike $style, qr/\@import|url\(/, 'which needs nothing either';
none [grep { slurp("conf/manual/mod/$_") !~ /<script>/ } @kept],
    'each can be searched';

# What httpd's stylesheet knows, so that the pages look right among its own.
my %known = map { $_ => 1 } qw(menu apache module directive directive-section
    section top example prettyprint lang-config lang-sh lang-code directives
    seealso qref descr bordered header);
none [grep { !$known{$_} } sort keys %class], "only classes of httpd's manual";
like $style, qr/prefers-color-scheme: dark/, 'the own stylesheet: light and dark';
like $style, qr/\@media \(max-width/, '… and for a narrow window';

done_testing;
