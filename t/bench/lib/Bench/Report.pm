# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package Bench::Report;

# Rounds of measurements, medians and the tables.

use strict;
use warnings FATAL => 'all';
use Exporter 'import';

use Bench::Options;

our @EXPORT = qw(load median rounds table generate);

# A generator's line of name=value.
sub generate
{
    my ($p, @command) = @_;
    open my $out, '-|', @command or die "$command[0]: $!";
    my $line = <$out> // '';
    close $out;
    my %result = $line =~ /(\w+)=(\S+)/g;
    die "*** $p->{name}: $line\n" if !%result || $result{failed};
    return \%result;
}

sub load
{
    my ($method, $p, $path, @options) = @_;
    return generate($p, "$opt{dir}/load", $method, $p->{port}, $path, @options);
}

sub median
{
    my @sorted = sort { $a <=> $b } @_;
    my $middle = int @sorted / 2;
    return @sorted % 2 ? $sorted[$middle]
        : ($sorted[$middle - 1] + $sorted[$middle]) / 2;
}

# Peers in turn, so that a slow moment hits all alike, and each round begins
# with another: a virtual machine may have to get its memory back first, and
# the one who comes first pays.
sub rounds
{
    my ($one, @names) = @_;
    my %all;
    for (1 .. $opt{reps}) {
        push @{ $all{$_} }, $one->($_) for @names;
        push @names, shift @names;
    }
    return \%all;
}

# name, figures of it, ratio of the first figure to each reference.
sub table
{
    my ($title, $columns, $rows, @references) = @_;
    my %first = map { $_->[0] => $_->[1] } @$rows;
    print "\n$title\n";
    printf '  %-22s', '';
    printf ' %12s', $_ for @$columns;
    printf ' %12s', "/ $_" for @references;
    print "\n";
    for my $row (@$rows) {
        my ($name, @figures) = @$row;
        printf '  %-22s', $name;
        printf ' %12s', $_ for @figures;
        printf ' %12s', $first{$_} && $first{$_} > 0
            ? sprintf('%.2f', $figures[0] / $first{$_}) : '-' for @references;
        print "\n";
    }
    return;
}

1;
