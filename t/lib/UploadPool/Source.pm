# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Source;

=head1 NAME

UploadPool::Source - reading the project's C files, for the guards of t/check

=head1 DESCRIPTION

A guard reads text with patterns. A pattern that no longer matches would always
pass, so every guard also says how many matches it expects at least
(C<at_least>).

=cut

use strict;
use warnings FATAL => 'all';
use Cwd ();
use Exporter 'import';
use File::Basename ();
use Test::More;

our @EXPORT = qw(slurp lines bare functions prototypes at_least none room_of
                 sources headers top);

# The guards are run from anywhere and look at the project's own files.
my $top = Cwd::abs_path(File::Basename::dirname(__FILE__) . '/../../..');
chdir $top or die "$top: $!";

sub top { return $top }

sub slurp
{
    my ($file) = @_;
    open my $in, '<:raw', $file or die "$file: $!";
    local $/;
    my $text = <$in>;
    return defined $text ? $text : '';
}

sub lines { return split /\n/, slurp($_[0]) }

sub sources { return (sort(glob 'src/*/*.c'), glob 'mod_*.c') }
sub headers { return sort(glob('src/*/*.h'), glob 'include/*.h') }

sub room_of
{
    my ($file) = @_;
    return $file =~ m{^src/(\w+)/} ? $1 : $file =~ m{^include/} ? 'include'
        : 'top';
}

# Comments and the insides of strings become blanks; lines stay lines.
sub bare
{
    my ($text) = @_;
    $text =~ s{(/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)+')}{
        my $found = $1;
        my $keep = $found =~ m{^/\*} ? '' : substr $found, 0, 1;
        (my $blank = $found) =~ s/[^\n]/ /g;
        $keep ? $keep . (' ' x (length($found) - 2)) . $keep : $blank
    }gse;
    return $text;
}

# Function definitions: name, first line, number of lines, bare text. Counts on
# the formatter: the braces of a function stand in the first column.
sub functions
{
    my ($file) = @_;
    my @line = split /\n/, bare(slurp($file));
    my @found;
    for my $open (grep { $line[$_] eq '{' } 0 .. $#line) {
        my $start = $open;
        $start-- while $start > 0 && $line[$start - 1] =~ /\S/
            && $line[$start - 1] !~ /[;}]\s*$|^#/;
        my $head = join ' ', @line[$start .. $open - 1];
        my ($name) = $head =~ /(\w+)\s*\(/ or next;
        my $close = $open;
        $close++ until $close > $#line || $line[$close] =~ /^\}/;
        push @found, {file => $file, name => $name, line => $start + 1,
                      lines => $close - $start + 1, head => $head,
                      text => join "\n", @line[$open .. $close - 1]};
    }
    return @found;
}

# Prototypes of a header: name, line, whether a comment stands right before.
# One comment serves a group without a blank line between.
sub prototypes
{
    my ($file) = @_;
    my $text = slurp($file);
    my @plain = split /\n/, $text;
    # A continued macro is one preprocessor line.
    (my $joined = bare($text)) =~ s/\\\n/ \n#/g;
    my @line = split /\n/, $joined;
    my (@found, $statement, $begin);
    my $depth = 0;
    for my $n (0 .. $#line) {
        my $line = $line[$n];
        next if $line =~ /^\s*#/;
        $begin = $n if !defined $statement && $line =~ /\S/;
        $statement = (defined $statement ? "$statement " : '') . $line
            if $line =~ /\S/ || defined $statement;
        next unless defined $statement;
        $depth += () = $line =~ /[({]/g;
        $depth -= () = $line =~ /[)}]/g;
        next if $depth > 0 || $line !~ /[;}]\s*$/;
        if ($statement !~ /^\s*(?:typedef|struct|enum|union)\b[^(]*\{/
            && $statement !~ /^\s*typedef\b|\(\*\s*\w+\)\s*\(/
            && $statement =~ /^\s*[\w\s*]+?\b(\w+)\s*\(.*\)[^=]*;\s*$/s
            && $1 ne 'APLOG_USE_MODULE') {
            push @found, {name => $1, line => $begin + 1, file => $file,
                          documented => documented(\@plain, $begin)};
        }
        undef $statement;
    }
    return @found;
}

sub documented
{
    my ($plain, $at) = @_;
    $at--;
    # Further lines of the same group.
    $at-- while $at >= 0 && $plain->[$at] =~ /;\s*$/
        || $at >= 0 && $plain->[$at] =~ /^\s+\S/
        && $plain->[$at] !~ m{\*/\s*$};
    return 0 if $at < 0;
    return 1 if $plain->[$at] =~ m{\*/\s*$};
    # The first line of a prototype of the group, which goes on below.
    return $plain->[$at] =~ /^[a-z].*,\s*$/ ? documented($plain, $at) : 0;
}

# Passes when the list is empty; otherwise all of it is shown.
sub none
{
    my ($list, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return ok(!@$list, $name) || diag map { "  $_\n" } @$list;
}

sub at_least
{
    my ($what, $found, $floor) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return cmp_ok $found, '>=', $floor, "$what: $found found, $floor at least";
}

1;
