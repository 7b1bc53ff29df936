# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# No circle of calls between files: who reads one file and those that it calls
# comes to an end.  Read off the compiled objects: a symbol that one needs and
# another defines is a call.  What is called through a pointer is not seen, and
# that is the way out where two things need each other.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use UploadPool::Source;

my $build = $ENV{UPOOL_BUILD} || 'build';

# Objects whose source is gone are of an older build.
my (%defines, %needs, %object);
for my $object (glob("$build/module/src/*/.libs/*.o"),
                glob("$build/low/src/tool/*.o")) {
    (my $source = $object) =~ s{^\Q$build\E/(?:module|low)/}{};
    $source =~ s{(?:/\.libs)?/([^/]+)\.o$}{/$1.c};
    $object{$source} = $object if -f $source;
}
for my $source (sort keys %object) {
    for (`nm $object{$source}`) {
        my ($type, $symbol) = /^\s*(?:[0-9a-f]+)?\s+(\w) (\S+)$/ or next;
        $defines{$symbol} = $source if $type =~ /[TDBR]/;
        push @{ $needs{$source} }, $symbol if $type eq 'U';
    }
}
my @missing = grep { m{^src/} && !$object{$_} } sources();
none \@missing, 'every source has been compiled';

my %calls;
my $calls = 0;
for my $source (keys %needs) {
    for my $symbol (@{ $needs{$source} }) {
        my $other = $defines{$symbol} or next;
        next if $other eq $source;
        push @{ $calls{$source}{$other} }, $symbol;
        $calls++;
    }
}
at_least('objects', scalar keys %object, 200);
at_least('calls between files', $calls, 1000);

is_deeply [circles({a => {b => 1}, b => {c => 1}, c => {b => 1}})], [['b', 'c']],
    'a circle is found';
is_deeply [circles({a => {b => 1, c => 1}, b => {c => 1}})], [],
    'and none where there is none';

my @found;
for my $circle (circles(\%calls)) {
    my %in = map { $_ => 1 } @$circle;
    for my $from (@$circle) {
        push @found, map { "$from -> $_: @{ $calls{$from}{$_} }" }
            grep { $in{$_} } sort keys %{ $calls{$from} };
    }
}
none \@found, 'no circle of calls between files';

done_testing;

# The strongly connected components of more than one node (Tarjan): each a
# sorted list of names.
sub circles
{
    my ($edges) = @_;
    my (%index, %low, %open, @stack, @found);
    my $next = 0;
    my $visit;
    $visit = sub {
        my ($node) = @_;
        $index{$node} = $low{$node} = $next++;
        push @stack, $node;
        $open{$node} = 1;
        for my $other (sort keys %{ $edges->{$node} || {} }) {
            if (!defined $index{$other}) {
                $visit->($other);
                $low{$node} = $low{$other} if $low{$other} < $low{$node};
            }
            elsif ($open{$other} && $index{$other} < $low{$node}) {
                $low{$node} = $index{$other};
            }
        }
        return if $low{$node} != $index{$node};
        my @circle;
        do {
            push @circle, pop @stack;
            delete $open{ $circle[-1] };
        } until $circle[-1] eq $node;
        push @found, [sort @circle] if @circle > 1;
    };
    defined $index{$_} or $visit->($_) for sort keys %$edges;
    undef $visit;
    return @found;
}
