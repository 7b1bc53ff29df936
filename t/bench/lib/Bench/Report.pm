# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package Bench::Report;

# Rounds of measurements, medians and the tables.

use strict;
use warnings FATAL => 'all';
use Exporter 'import';

use Bench::Options;

our @EXPORT = qw(load median rounds table compare generate);

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

# A row for each name of rounds(): the median of each figure, a title, a format
# and what takes it from a run; and what the first figure is of that of a
# reference, taken round by round. Two medians of a machine with other work may
# come from different moments; the two runs of a round follow each other.
sub compare
{
    my ($title, $figures, $all, $names, @references) = @_;
    my $first = $figures->[0][2];
    @references = grep { $all->{$_} } @references;
    print "\n$title\n";
    printf '  %-22s', '';
    printf ' %12s', $_ for (map { $_->[0] } @$figures), map { "/ $_" }
        @references;
    print "\n";
    for my $name (@$names) {
        my @runs = @{ $all->{$name} };
        printf '  %-22s', $name;
        for my $figure (@$figures) {
            my ($heading, $format, $take) = @$figure;
            printf ' %*s', width($heading), sprintf $format,
                median(map { $take->($_) } @runs);
        }
        for my $reference (@references) {
            my @ratios = map { my $of = $first->($all->{$reference}[$_]);
                $of > 0 ? $first->($runs[$_]) / $of : () } 0 .. $#runs;
            printf ' %*s', width("/ $reference"),
                @ratios ? sprintf('%.2f', median(@ratios)) : '-';
        }
        print "\n";
    }
    return;
}

sub width { my ($heading) = @_; return length $heading > 12 ? length $heading
    : 12 }

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
