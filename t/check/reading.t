# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# "How bodies are read", a page of the manual: every rule with the number that the parsers have.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use UploadPool::Source;

my $section = slurp('conf/manual/bodies') =~ s/\s+/ /gr;

sub constant
{
    my ($file, $name) = @_;
    my ($value) = slurp($file) =~ /^\s*#define $name (\d+)$/m
        or BAIL_OUT("$file has no $name");
    return $value;
}

sub size
{
    my ($n) = @_;
    return $n % 1048576 == 0 ? $n / 1048576 . 'M'
        : $n % 1024 == 0 ? $n / 1024 . 'K' : $n;
}

my ($parts, $field, $fields, $header) =
    slurp('src/upload/limits.h') =~ /UPOOL_UNLIMITED, UPOOL_UNLIMITED, (\d+), (\d+), (\d+), (\d+)/
    or BAIL_OUT('no default limits');
my $padding = constant('src/upload/parts.c', 'PADDING_LIMIT') / 1024;
for my $told (
    'has 1 to ' . constant('src/parse/multipart.h', 'UPOOL_BOUNDARY_MAX')
        . ' characters',
    "up to $padding KiB of each", "up to $padding KiB of blanks",
    'Up to ' . constant('src/parse/multipart.h', 'UPOOL_MULTIPART_LINES_MAX')
        . ' lines',
    'up to ' . constant('src/upload/parts.c', 'HEADERS_FACTOR')
        . ' times that',
    'more than ' . constant('src/parse/part.h', 'UPOOL_PART_PARAMS_MAX'),
    "up to $parts parts", 'a field up to ' . size($field),
    'together up to ' . size($fields), 'headers up to ' . size($header),
    'up to ' . constant('src/parse/names.h', 'UPOOL_SAFE_NAME_MAX') . ' bytes')
{
    ok index($section, $told) >= 0, $told;
}

# Whatever the parsers refuse a part for is told of: a new reason asks for a
# new sentence.
my %told = (
    'Content-Disposition does not parse' => 'must parse',
    'Content-Disposition is not form-data' => 'and it is form-data',
    'a NUL or bare CR in a header' => 'no NUL, no bare CR',
    'a header line without CRLF' => 'lines that end with CRLF',
    'a header line without a name' => 'with a name and ":"',
    'a name in pieces or encoded' => 'no name*, no filename*0',
    'a quote after a backslash in a Windows path' => 'in one of those',
    'no Content-Disposition' => 'Content-Disposition: exactly one',
    'no name' => 'Exactly one name',
    'two Content-Disposition' => 'Content-Disposition: exactly one',
    'two Content-Transfer-Encoding' => 'Two of these headers: 400.',
    'two Content-Type' => 'Two such headers: 400. The same',
    'two filename*' => 'one filename*',
    'two filenames' => 'at most one filename',
    'two names' => 'Exactly one name',
);
my %reason = map { $_ => 1 } slurp('src/parse/part.c') =~ /bad\(&?r, "([^"]+)"\)/g;
is_deeply [sort keys %reason], [sort keys %told], 'reasons of the parser';
for my $reason (sort keys %told) {
    ok index($section, $told{$reason}) >= 0, "told: $reason";
}

done_testing;
