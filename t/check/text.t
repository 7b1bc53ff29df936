# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# What every text file has in common: licence header, line ends, no notes to
# oneself, nothing of the machine it was written on.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::Bin/../lib";
use Cwd ();
use File::Find ();
use Test::More;
use UploadPool::Source;

my @files;
File::Find::find({no_chdir => 1, wanted => sub {
    if (-d && m{^\./(?:\.git|build|\.libs|t/(?:logs|pools|fuzz/corpus
        |unit/vectors|unit/types/first|conf/tls)|.*node_modules)$}x) {
        $File::Find::prune = 1;
        return;
    }
    return unless -f && !-l;
    push @files, substr $_, 2;
}}, '.');
# What a build or a run leaves.
@files = sort grep { !m{\.(?:lo|la|o|slo|so)$|^t/conf/.*\.conf$|vars\.json$
    |apache_test_config|mime\.types$|^t/htdocs/}x } @files;

my $here = Cwd::cwd();
my (@no_licence, @long, @tabs, @blank, @notes, @slashes, @own);
for my $file (@files) {
    my $text = slurp($file);
    next if $text =~ /\0/;
    my $code = $file =~ /\.(?:c|h|pl|pm|t|sh|js|php|lua|wsgi|in|cgi|py)$/
        || $file =~ m{^t/(?:TEST|run)$|Makefile|/run$};
    push @no_licence, $file
        if $code && substr($text, 0, 400)
            !~ /SPDX-License-Identifier: Apache-2\.0/ && $file ne '.ci/run';
    # A key file's blanks are what its test is about.
    push @blank, $file
        if $text =~ /[ \t]+$/m && $file !~ /^LICENSE$|\.keys$/;
    push @own, $file if $text =~ m{\Q$here\E/} && length $here > 5;
    next unless $file =~ /\.[ch]$/;
    # Tables stand as they were typed; they may be wider.
    (my $judged = $text) =~ s{/\* clang-format off \*/.*?/\* clang-format on \*/}
        {(my $blank = $&) =~ s/[^\n]//g; $blank}gse;
    my @line = split /\n/, $judged;
    for my $n (0 .. $#line) {
        (my $shown = $line[$n]) =~ s/[\x80-\xbf]//g;
        push @long, "$file:" . ($n + 1) if length $shown > 80;
    }
    push @tabs, $file if $text =~ /\t/;
    push @notes, $file if $text =~ /\b(?:TODO|FIXME|XXX)\b/;
    push @slashes, $file if bare($text) =~ m{//};
}
at_least('files', scalar @files, 100);
none \@no_licence, 'code begins with its licence';
none \@blank, 'no blanks at the end of a line';
none \@own, 'no path of this machine';
none \@tabs, 'no tabs in C';
none \@notes, 'no notes to oneself';
none \@slashes, 'only /* */ comments';
none \@long, '80 columns in C';

done_testing;
