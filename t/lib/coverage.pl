#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# What the tests reach: lines and branches of each room of src/, from the
# counters of objects that were compiled with --coverage.
#
#   coverage.pl prepare OBJECTS COUNTERS
#       makes the directory COUNTERS, for GCOV_PREFIX, with a counter file for
#       every object below OBJECTS that anybody may write: httpd's children are
#       not who started it, and whoever comes first would own the file.
#   coverage.pl judge COUNTERS FLOORS RESULT
#       two tests for each room, in TAP, against FLOORS (ROOM LINES BRANCHES,
#       in percent). RESULT.info is for genhtml, RESULT.missing says in words
#       what nobody reached.
#
# gcov's text is read here, and not lcov's, because it is the same in every
# release of the compiler, and lcov's numbers, names and options are not.

use strict;
use warnings FATAL => 'all';
use Cwd ();
use File::Basename qw(basename dirname);
use File::Copy ();
use File::Find ();
use File::Path ();

# Above the floor by this much: it can be raised.
use constant SLACK => 1.0;

my %do = (prepare => \&prepare, judge => \&judge);
my $what = $do{ shift @ARGV || '' } or die "coverage.pl prepare | judge\n";
exit $what->(@ARGV);

sub files_below
{
    my ($dir, $ending) = @_;
    my @found;
    File::Find::find({no_chdir => 1, wanted => sub {
        push @found, $_ if /\Q$ending\E$/;
    }}, $dir);
    @found = sort @found;
    return @found;
}

# Runs add to the counters that are there. A counter file that is empty counts
# as none; a copy of the notes lies beside it, where gcov looks.
sub prepare
{
    my ($objects, $counters) = @_;
    $objects = Cwd::abs_path($objects) or die "no such directory\n";
    File::Path::remove_tree($counters);
    umask 0;
    my @notes = grep { m{/src/|/mod_\w+\.gcno$} } files_below($objects, '.gcno');
    die "$objects was not compiled with --coverage\n" unless @notes;
    for my $note (@notes) {
        my $place = $counters . dirname($note);
        File::Path::make_path($place);
        my $name = basename($note, '.gcno');
        File::Copy::copy($note, $place) or die "$note: $!\n";
        open my $new, '>', "$place/$name.gcda"
            or die "$place/$name.gcda: $!\n";
        close $new;
    }
    return 0;
}

# --- Reading ----------------------------------------------------------------
# {FILE}{lines}{NUMBER} and {FILE}{branches}{NUMBER}[n] = how often;
# {FILE}{functions}{NAME} = [how often, its first line].

sub counted
{
    my ($counters) = @_;
    # Code that never ran has no counter: gcov counts 0 for it. Tests that count
    # themselves have no notes, and are not looked at.
    unlink grep { -z } files_below($counters, '.gcda');
    my @data = files_below($counters, '.gcno');
    die "$counters was not prepared\n" unless @data;
    my %count;
    while (my @some = splice @data, 0, 50) {
        open my $from, '-|', 'gcov', '--stdout', '--branch-probabilities',
            '--branch-counts', @some or die "gcov: $!\n";
        read_report($from, \%count);
        close $from or die "gcov fails\n";
    }
    return \%count;
}

sub read_report
{
    my ($from, $count) = @_;
    my ($file, $line, $branch, $called);
    while (<$from>) {
        if (/^\s+-:\s+0:Source:(.*)/) {
            my $source = $1;
            $source =~ s{^\Q${\Cwd::getcwd()}\E/}{};
            $file = $source =~ m{^(?:src/|include/|mod_\w+\.c$)}
                ? ($count->{$source} ||= {}) : undef;
        }
        elsif (!$file) {
            next;
        }
        elsif (/^function (\S+) called (\d+)/) {
            $called = [$1, $2];
        }
        elsif (/^\s*([^:\s]+):\s*(\d+):/) {
            my $times = $1;
            ($line, $branch) = ($2, 0);
            next if $line == 0;
            if ($called) {
                my ($name, $often) = @$called;
                ($file->{functions}{$name} ||= [0, $line])->[0] += $often;
                $called = undef;
            }
            next if $times eq '-';
            $file->{lines}{$line} += $times =~ /^(\d+)/ ? $1 : 0;
        }
        elsif (/^branch\s+\d+ (?:taken (\d+)|never executed)/) {
            $file->{branches}{$line}[$branch++] += $1 || 0;
        }
    }
    return;
}

# --- Saying -----------------------------------------------------------------

sub room_of
{
    my ($file) = @_;
    return $file =~ m{^src/(\w+)/} ? $1 : 'top';
}

sub branches_of
{
    my ($file) = @_;
    return map { @$_ } values %{ $file->{branches} };
}

# {ROOM}{lines} and {ROOM}{branches} = [reached, there are].
sub sums
{
    my ($count) = @_;
    my %sum;
    for my $name (keys %$count) {
        my $room = $sum{ room_of($name) } ||= {};
        my %all = (lines => [values %{ $count->{$name}{lines} }],
                   branches => [branches_of($count->{$name})]);
        for my $kind (keys %all) {
            $room->{$kind}[0] += grep { $_ > 0 } @{ $all{$kind} };
            $room->{$kind}[1] += @{ $all{$kind} };
        }
    }
    return \%sum;
}

sub floors
{
    my ($file) = @_;
    my %floor;
    open my $in, '<', $file or die "$file: $!\n";
    while (<$in>) {
        next if /^\s*(?:#|$)/;
        /^(\w+)\s+([\d.]+)\s+([\d.]+)$/ or die "$file: $_";
        $floor{$1} = {lines => $2, branches => $3};
    }
    return \%floor;
}

sub judge
{
    my ($counters, $floors, $result) = @_;
    my $count = counted($counters);
    my ($sum, $floor) = (sums($count), floors($floors));
    my ($tests, $bad) = (0, 0);
    for my $room (sort { $a cmp $b } keys %{ { %$sum, %$floor } }) {
        for my $kind (qw(lines branches)) {
            my ($reached, $all) = @{ $sum->{$room}{$kind} || [0, 0] };
            my $percent = $all ? int(1000 * $reached / $all) / 10 : 0;
            my $least = $floor->{$room}{$kind};
            my $ok = defined $least && $percent >= $least;
            $bad++ unless $ok;
            printf "%sok %d - %s: %s %.1f %% (%d of %d), the floor is %s\n",
                $ok ? '' : 'not ', ++$tests, $room, $kind, $percent, $reached,
                $all, $least // 'missing';
            print "# raise the floor: $room $kind $percent\n"
                if $ok && $percent >= $least + SLACK;
        }
    }
    print "1..$tests\n";
    write_info($count, "$result.info");
    write_missing($count, "$result.missing");
    return $bad ? 1 : 0;
}

# The format of lcov's tracefiles.
sub write_info
{
    my ($count, $to) = @_;
    open my $out, '>', $to or die "$to: $!\n";
    my $top = Cwd::getcwd();
    for my $name (sort keys %$count) {
        my $file = $count->{$name};
        print $out "TN:\nSF:$top/$name\n";
        for my $function (sort keys %{ $file->{functions} }) {
            my ($often, $line) = @{ $file->{functions}{$function} };
            print $out "FN:$line,$function\nFNDA:$often,$function\n";
        }
        for my $line (sort { $a <=> $b } keys %{ $file->{branches} }) {
            my $branch = $file->{branches}{$line};
            my $reached = grep { $_ } @$branch;
            print $out map { "BRDA:$line,0,$_,"
                . ($reached ? $branch->[$_] : '-') . "\n" } 0 .. $#$branch;
        }
        print $out map { "DA:$_,$file->{lines}{$_}\n" }
            sort { $a <=> $b } keys %{ $file->{lines} };
        print $out "end_of_record\n";
    }
    close $out or die "$to: $!\n";
    return;
}

# FILE:LINE: "function" nobody called, "line" nobody reached, or "branch" that
# only ever went one way; with the text of the line.
sub write_missing
{
    my ($count, $to) = @_;
    open my $out, '>', $to or die "$to: $!\n";
    for my $name (sort keys %$count) {
        my $file = $count->{$name};
        my @text = source_lines($name);
        my %said;
        for my $function (values %{ $file->{functions} }) {
            $said{ $function->[1] } = 'function' unless $function->[0];
        }
        for my $line (keys %{ $file->{lines} }) {
            $said{$line} ||= 'line' unless $file->{lines}{$line};
        }
        for my $line (keys %{ $file->{branches} }) {
            my @branch = @{ $file->{branches}{$line} };
            my $never = grep { !$_ } @branch;
            $said{$line} ||= "branch $never/" . @branch if $never;
        }
        print $out map { "$name:$_: $said{$_}: " . ($text[$_ - 1] // '') . "\n" }
            sort { $a <=> $b } keys %said;
    }
    close $out or die "$to: $!\n";
    return;
}

sub source_lines
{
    my ($name) = @_;
    open my $in, '<', $name or return;
    chomp(my @line = <$in>);
    return @line;
}
