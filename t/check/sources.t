# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Nothing is forgotten: every source is built, every test is run, every corpus
# belongs to a target, and what a header exports is used by a test.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Find ();
use Test::More;
use UploadPool::Source;

my $make = 'make -s -f Makefile.apxs --no-print-directory';

chomp(my @listed = `$make print-sources`);
my @there = sources();
at_least('sources', scalar @there, 30);
is_deeply [sort @listed], [sort @there],
    'Makefile.apxs finds every source, and no other';
my %seen;
none [grep { $seen{$_}++ } @listed], 'and each once';

# A file is found by its base name alone.
my %rooms_of;
for my $file (sources(), headers()) {
    $rooms_of{$2}{$1} = 1 if $file =~ m{^src/(\w+)/(\w+)\.[ch]$};
}
at_least('base names', scalar keys %rooms_of, 100);
none [grep { keys %{ $rooms_of{$_} } > 1 } sort keys %rooms_of],
    'no base name stands in two rooms';

my @units = sort glob 't/unit/*_test.c';
my $plan = `$make -n unit 2>&1`;
at_least('unit tests', scalar @units, 10);
none [grep { m{/(\w+)\.c$} && $plan !~ m{unit/\Q$1\E\b} } @units],
    'every t/unit/*_test.c is run';
none [grep { !m{/(?:parse|ident|store|progress|upload|handlers|tool)_} } @units],
    'and named after its room';

my @suites = glob 't/http/*/*.t t/check/*.t t/tool/*.t';
my @all;
File::Find::find({no_chdir => 1, wanted => sub {
    push @all, $_ if /\.t$/ && !m{^t/(?:logs|pools)/};
}}, 't');
is_deeply [sort @all], [sort @suites],
    'every suite lies where t/TEST and "make check" look for it';
my %theme = map { m{^t/http/(\w+)/} ? ($1 => 1) : () } @suites;
my @sites = map { m{([^/]+)\.conf\.in$} ? $1 : () } glob 't/conf/site/*.conf.in';
none [grep { !/^(\w+?)(?:-\w+)?$/ || !$theme{$1} } @sites],
    'every t/conf/site/SUITE[-x].conf.in has its suite';

# --- Corpora and vectors ----------------------------------------------------

my @targets = map { m{fuzz_(\w+)\.c$} ? $1 : () } glob 't/fuzz/fuzz_*.c';
my @corpora = map { m{([^/]+)$} ? $1 : () } grep { -d } glob 't/fuzz/corpus/*';
at_least('fuzz targets', scalar @targets, 5);
is_deeply [sort @corpora], [sort @targets],
    'each fuzz target has a corpus, each corpus a target';
none [grep { !(() = glob "t/fuzz/corpus/$_/*") } @corpora],
    'no corpus is empty';
my @vectors = grep { -f } glob 't/unit/vectors/*';
at_least('vectors', scalar @vectors, 20);
none [grep { !/\.mp$/ } @vectors],
    'every vector has the name that the runner looks for';

# --- Exported names ---------------------------------------------------------

my $tests = join "\n", map { slurp($_) }
    glob 't/unit/*.[ch] t/fuzz/*.c t/bench/*.c';
my %includers;
for my $file (sources(), headers()) {
    my $own = room_of($file);
    $includers{"src/$_"}{$own} = 1
        for slurp($file) =~ m{^\s*#\s*include\s+"(\w+/\w+\.h)"}mg;
}
my (@untested, $names);
for my $room (qw(parse ident store progress upload handlers)) {
    for my $header (glob "src/$room/*.h") {
        # What stays within its room is reached through the room's own.
        next unless grep { $_ ne $room } keys %{ $includers{$header} };
        for my $proto (prototypes($header)) {
            $names++;
            push @untested, "$header: $proto->{name}"
                unless $tests =~ /\b$proto->{name}\b/;
        }
    }
}
at_least('exported functions', $names, 60);
none \@untested, 'each is used by a unit test or a fuzz target';

# --- No code for the tests alone --------------------------------------------
# A function in a header is called by another file than its own; or within its
# own, where a test needs it by itself.

my %code = map { $_ => bare(slurp($_)) } sources(), headers();
my (@for_nobody, $public);
for my $header (grep { m{^src/} } headers()) {
    for my $proto (prototypes($header)) {
        my $name = $proto->{name};
        my ($elsewhere, $within) = (0, 0);
        for my $file (grep { $_ ne $header } keys %code) {
            my $uses = () = $code{$file} =~ /\b$name\b/g;
            my $defined = $code{$file} =~ /^\w[^;={}]*\b$name\([^;{]*\)\n\{/m;
            $defined ? ($within = $uses - 1) : ($elsewhere += $uses);
        }
        $public++;
        push @for_nobody, "$header: $name"
            unless $elsewhere || $within && $tests =~ /\b$name\b/;
    }
}
at_least('functions in headers', $public, 200);
none \@for_nobody, 'none is there for the tests alone, or need not be public';

done_testing;
