# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Every promise of t/promises has proofs, and each proof says that it is one: no
# promise loses its last test without anybody noticing.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use UploadPool::Source;

my @labels = ((map { "P$_" } 1 .. 7), (map { "D$_" } 1 .. 9),
              (map { "T$_" } 1 .. 9), (map { "I$_" } 1 .. 7),
              (map { "S$_" } 1 .. 5), (map { "R$_" } 1 .. 9));
my $label = qr/[PDTISR][1-9]/;

my (@listed, %proof, @odd);
for my $line (grep { $_ ne '' && !/^#/ } lines('t/promises')) {
    if ($line =~ /^($label)  \S/) {
        push @listed, $1;
    }
    elsif ($line =~ /^    (t\/[\w.\/-]+): \S/ && @listed) {
        push @odd, "$listed[-1]: $1 twice" if $proof{ $listed[-1] }{$1}++;
    }
    else {
        push @odd, $line;
    }
}
none \@odd, 't/promises is a list of promises and their proofs';
is_deeply \@listed, \@labels, 'of each promise, in order';
none [grep { !$proof{$_} } @labels], 'each has a proof';

# What a file's comments call themselves: "# D4: ..." or "# D4, R6: ...".
sub claims
{
    my ($file) = @_;
    my %found;
    for (slurp($file) =~ m{^\s*(?:\#|/?\*|//) ($label(?:, $label)*):}mg) {
        $found{$_} = 1 for split /, /;
    }
    return \%found;
}

my @files = grep { !m{^t/(?:logs|pools)/} && -f }
    glob 't/*/*.t t/http/*/*.t t/http/*/*.[ch] t/http/*/*.js t/*/*.[ch] t/*/*.p[lm] t/*/*.js t/*/*.py t/*/run';
at_least('files that may be proofs', scalar @files, 150);
my %claims = map { $_ => claims($_) } @files;
my (@silent, @unlisted);
for my $promise (sort keys %proof) {
    push @silent, map { "$promise: $_" }
        grep { !$claims{$_} || !$claims{$_}{$promise} }
        sort keys %{ $proof{$promise} };
}
none \@silent, 'each proof is there and names its promise in a comment';
for my $file (@files) {
    push @unlisted, map { "$_: $file" }
        grep { !$proof{$_}{$file} } sort keys %{ $claims{$file} };
}
none \@unlisted, 'and who names one is on the list';
at_least('proofs', scalar map({ keys %$_ } values %proof), 60);

done_testing;
