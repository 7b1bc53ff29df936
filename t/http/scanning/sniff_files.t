# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadSniff: the ordinary files of t/unit/types/generated.tsv that exist in
# full pass as three clients declare them, and are refused under a wrong label
# that matters.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my $types = var('top') . '/t/unit/types';
my $octets = 'application/octet-stream';
my (@rows, %whole);
for (split /\n/, slurp("$types/generated.tsv")) {
    next if /^#/;
    my ($name, @declared) = (split /\t/)[0 .. 3];
    my $content = slurp("$types/first/$name");
    next if length $content >= 2048;
    $whole{$name} = $content;
    push @rows, [$name, { map { ($_ eq '-' ? $octets : $_) => 1 } @declared }];
}

sub status_of
{
    my ($name, $type) = @_;
    return upload('/scan/sniff/count.pl', [{name => 'f', filename => $name,
        type => $type, content => $whole{$name}}], id => new_id())->{status};
}

for my $row (@rows) {
    my ($name, $declared) = @$row;
    is status_of($name, $_), 200, "$name as $_" for sort keys %$declared;
}
cmp_ok scalar @rows, '>=', 20, 'so many files';
is status_of($_->[0], $_->[1]), 415, "$_->[0] as $_->[1] is refused"
    for ['own.otf', 'application/zip'], ['own.otf', 'image/png'],
        ['enczip.zip', 'application/pdf'], ['s.asc', 'image/png'],
        ['lo.slk', 'video/mp4'], ['enc.avif', 'video/webm'];

is crashes_since($mark), 0, 'no child died';

done_testing;
