# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The complexity of a function stops at 30. The lengths are a report (prove -v
# shows it), for the eye of the reviewer.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use UploadPool::Source;

my $stop = 30;
my @all = map { functions($_) } sources();
for my $f (@all) {
    my $decisions = () = $f->{text} =~ /\b(?:if|for|while|case)\b|&&|\|\||\?/g;
    $f->{complexity} = 1 + $decisions;
}
at_least('functions', scalar @all, 150);
none [map { "$_->{file}:$_->{line} $_->{name} $_->{complexity}" }
           grep { $_->{complexity} > $stop } @all],
    "no function is more complex than $stop";

my @length = sort { $a <=> $b } map { $_->{lines} } @all;
note sprintf 'functions: %d, median %d lines, p90 %d, longest %d',
    scalar @all, $length[@length / 2], $length[@length * 0.9], $length[-1]
    if @length;
note 'over 60 lines:';
note "  $_->{lines} $_->{file}:$_->{line} $_->{name}"
    for grep { $_->{lines} > 60 } sort { $b->{lines} <=> $a->{lines} } @all;
note 'complexity over 15:';
note "  $_->{complexity} $_->{file}:$_->{line} $_->{name}"
    for grep { $_->{complexity} > 15 }
        sort { $b->{complexity} <=> $a->{complexity} } @all;
note 'files over 600 lines:';
for my $file (sources(), headers()) {
    my $lines = () = lines($file);
    note "  $lines $file" if $lines > 600;
}

done_testing;
