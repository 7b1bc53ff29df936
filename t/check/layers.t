# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The rooms of src/ and who may see whom: by include, and by what the compiled
# objects need. Without this the parser would know httpd within a year.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use UploadPool::Source;

my $build = $ENV{UPOOL_BUILD} || 'build';
my $iso = join '|', qw(assert ctype errno inttypes limits signal stdarg stdbool
                       stddef stdint string);
my $apr = qr{ap[ru]_?\w*};
my $posix = qr{(?:fcntl|unistd|dirent|sys/\w+)};

# Angle includes that a room may use beside its own rooms.
my %room = (
    parse    => {sees => [], angle => qr{^(?:$iso|emmintrin)\.h$}},
    ident    => {sees => [qw(parse)],
                 angle => qr{^(?:$iso|stdlib|$apr|openssl/\w+)\.h$}},
    store    => {sees => [qw(parse)],
                 angle => qr{^(?:$iso|stdlib|stdio|$apr|$posix|jansson)\.h$}},
    progress => {sees => [qw(parse)],
                 angle => qr{^(?:$iso|stdlib|$apr|$posix)\.h$}},
    upload   => {sees => [qw(parse ident store progress include)],
                 angle => qr{^(?:$iso|stdlib|$apr|jansson)\.h$}},
    handlers => {sees => [qw(parse store upload include)],
                 angle => qr{^(?:$iso|stdlib|$apr)\.h$}},
    config   => {sees => [qw(parse ident store progress upload handlers
                             include)],
                 angle => qr{.}},
    httpd    => {sees => [qw(parse ident store progress upload handlers config
                             include)],
                 angle => qr{.}},
    proto    => {sees => [qw(parse ident store progress upload handlers config
                             httpd include)],
                 angle => qr{.}},
    front    => {sees => [qw(parse ident store progress upload handlers config
                             httpd proto include)],
                 angle => qr{.}},
    tool     => {sees => [qw(parse ident store progress upload)],
                 angle => qr{^(?:$iso|stdlib|stdio|locale|langinfo|wchar|pwd|grp
                             |$apr|$posix|jansson)\.h$}x},
    include  => {sees => [], angle => qr{.}},
    top      => {sees => [qw(parse ident store progress upload handlers config
                             httpd proto front include)], angle => qr{.}},
);
# And the tool, which knows nothing of httpd either.
my @below_httpd = qw(parse ident store progress upload handlers tool);

my (%edge, @wrong_room, @wrong_angle, @not_first, @unknown);
my ($quoted, $angled) = (0, 0);
for my $file (sources(), headers()) {
    my $own = room_of($file);
    my $rule = $room{$own} or push(@unknown, $file), next;
    my @includes = slurp($file) =~ /^\s*#\s*include\s+([<"][^>"]+[>"])/mg;
    for my $include (@includes) {
        my $name = substr $include, 1, -1;
        if ($include =~ /^</) {
            $angled++;
            my $digest = $file =~ m{^src/upload/(?:digester|midway)\.c$}
                && $name =~ m{^openssl/};
            my $magic = $file eq 'src/handlers/magic.c' && $name eq 'magic.h';
            push @wrong_angle, "$file: <$name>"
                unless $digest || $magic || $name =~ $rule->{angle};
            next;
        }
        $quoted++;
        my $path = $name =~ m{/} ? "src/$name" : "include/$name";
        my $target = room_of($path);
        push @{ $edge{$file} }, $path;
        push @wrong_room, "$file: \"$name\""
            unless -f $path
            && ($target eq $own || grep { $_ eq $target } @{ $rule->{sees} });
    }
    if ($file =~ m{^src/(.+)\.c$} && -f "src/$1.h") {
        push @not_first, $file
            unless @includes && $includes[0] eq "\"$1.h\"";
    }
}
at_least('quoted includes', $quoted, 60);
at_least('angle includes', $angled, 60);
none \@unknown, 'every file lies in a known room';
none \@wrong_room, 'no include of a room that may not be seen';
none \@wrong_angle, 'no system header that the room may not use';
none \@not_first, 'each .c includes its own header first';

# How a body is read is nothing to those who answer: rq->body is opaque to them.
my @readers = grep { grep { $_ eq 'src/httpd/body.h' } @{ $edge{$_} } }
    sort keys %edge;
at_least('readers of bodies', scalar @readers, 5);
none [grep { room_of($_) ne 'httpd' } @readers],
    'the reading of a body is seen in httpd/ alone';

# --- No cycle ---------------------------------------------------------------

my (%state, @cycle);
sub walk
{
    my ($file, @path) = @_;
    return if ($state{$file} || '') eq 'done';
    if (($state{$file} || '') eq 'open') {
        push @cycle, join ' -> ', @path, $file;
        return;
    }
    $state{$file} = 'open';
    walk($_, @path, $file) for @{ $edge{$file} || [] };
    $state{$file} = 'done';
    return;
}
walk($_) for sort keys %edge;
none \@cycle, 'the include graph has no cycle';

# --- Each header compiles alone ---------------------------------------------

chomp(my $httpd = `apxs -q INCLUDEDIR`);
my $flags = `apr-1-config --includes --cppflags; apu-1-config --includes`;
$flags =~ s/\s+/ /g;
my @needs_help;
my @headers = headers();
for my $header (@headers) {
    my $high = room_of($header) =~ /^(?:config|httpd|proto|front|include)$/;
    my $extra = $high ? "-I$httpd" : '';
    my $out = `gcc -std=gnu99 -Wall -Wextra -Werror -Wno-unused-function \\
        -fsyntax-only -x c -Isrc -Iinclude $flags $extra $header 2>&1`;
    # A header as main file is warned about for its pragma and statics only.
    push @needs_help, "$header: $out" if $? != 0;
}
at_least('headers', scalar @headers, 20);
none \@needs_help, 'each header compiles alone';

# --- What the objects need --------------------------------------------------

my (%defines, %needs);
for my $room (@below_httpd) {
    for my $object (glob "$build/low/src/$room/*.o") {
        (my $source = $object) =~ s{^\Q$build\E/low/(.*)\.o$}{$1.c};
        next unless -f $source;
        for (`nm $object`) {
            my ($type, $symbol) = /^\s*(?:[0-9a-f]+)?\s+(\w) (\S+)$/ or next;
            $defines{$symbol} = $room if $type =~ /[TDBR]/;
            push @{ $needs{$room}{$symbol} }, $object if $type eq 'U';
        }
    }
}
my @parse_needs = grep {
    !/^(?:mem|str|bcmp$|__|_GLOBAL_)/ && ($defines{$_} || '') ne 'parse'
} sort keys %{ $needs{parse} };
none \@parse_needs, 'parse/ needs mem* and str* alone';
my (@server, @foreign);
for my $room (@below_httpd) {
    for my $symbol (sort keys %{ $needs{$room} }) {
        push @server, "$room: $symbol" if $symbol =~ /^ap_/;
        my $home = $defines{$symbol} or next;
        push @foreign, "$room: $symbol of $home"
            unless $home eq $room
            || grep { $_ eq $home } @{ $room{$room}{sees} };
    }
}
at_least('symbols needed below httpd/',
         scalar(map { keys %$_ } values %needs), 80);
none \@server, 'nothing below httpd/ needs a symbol of the server';
none \@foreign, 'no symbol of a room that may not be seen';

my $so = $ENV{UPOOL_SO} || '.libs/mod_upload_pool.so';
my @exported = grep { !/^_(?:init|fini)$/ }
    map { / [A-Z] (\S+)$/ ? $1 : () } `nm -D --defined-only $so`;
is_deeply \@exported, ['upload_pool_module'],
    'the module exports its record alone';

# --- Calls that belong to one place, or to none ------------------------------

my $files = qr/\b(?:open|openat|creat|fopen|rename|renameat|unlink|unlinkat
    |mkdir|mkdirat|rmdir|apr_file_open|apr_file_mktemp|apr_file_rename
    |apr_file_remove|apr_dir_(?:make|remove|open)\w*)\s*\(/x;
my $never = qr/\b(?:sprintf|vsprintf|strcpy|strcat|strtok|sscanf|atoi|atol
    |alloca|gets|getenv|time|rand|srand|random)\s*\(/x;
my (@file_calls, @banned, %shm, %strtoi);
for my $file (sources(), headers()) {
    my $text = bare(slurp($file));
    my $room = room_of($file);
    push @banned, "$file: $1" while $text =~ /($never)/g;
    $shm{$file} = 1 if $text =~ /\bapr_shm_\w+\s*\(|\bshm_open\s*\(|\bmmap\s*\(/;
    $strtoi{$file} = 1 if $text =~ /\bapr_strtoi64\s*\(/;
    next if $room eq 'store';
    # These read the key file, which is configuration and no upload.
    next if $file =~ m{^src/(?:httpd/secrets|tool/open)\.c$};
    push @file_calls, "$file: $1" while $text =~ /($files)/g;
}
none \@banned, 'no banned function';
none \@file_calls, 'files are opened, renamed, removed in store/ only';
ok keys %shm <= 1 && !grep({ !m{^src/httpd/} } keys %shm),
    'shared memory in one file of httpd/' or diag join ' ', sort keys %shm;
ok keys %strtoi <= 1, 'apr_strtoi64 in one wrapper at most'
    or diag join ' ', sort keys %strtoi;

done_testing;
