# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# T3, T7: whatever the module opens below a pool is opened from a descriptor,
# follows no link, goes to no child, and waits for nobody; what it makes is new.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use UploadPool::Source;

my @files = glob 'src/store/*.c';
at_least('files of the store', scalar @files, 25);
my %text = map { $_ => bare(slurp($_)) } @files;

# --- One way to open ------------------------------------------------------------

my %own = map { $_->{name} => $_->{text} } functions('src/store/descriptor.c');
like $own{upool_fd_open} // '', qr/flags \|= (?=[^;]*O_CLOEXEC)(?=[^;]*O_NOFOLLOW)/,
    'upool_fd_open() adds O_CLOEXEC and O_NOFOLLOW';
like $own{upool_fd_directory} // '', qr/upool_fd_open\([^;]*O_DIRECTORY/,
    'and is what opens directories';
my @otherwise;
for my $file (@files) {
    (my $code = $text{$file}) =~ s/upool_\w+\s*\(/UPOOL(/g;
    $code =~ s/\bopenat\(// if $file =~ /descriptor\.c$/;
    push @otherwise, "$file: $1" while $code =~ /\b((?:open|openat|openat2|creat|
        fopen|freopen|opendir|mkstemp|mkostemp|mkdtemp|tmpfile|shm_open|dup|dup2|
        apr_file_open|apr_file_mktemp|apr_dir_open|apr_file_dup|pipe|socket)\s*\()/gx;
}
none \@otherwise, 'nothing is opened but by it';

# --- By names without a path ------------------------------------------------------

my @paths;
for my $file (@files) {
    push @paths, "$file: $1" while $text{$file} =~ /(?<![\w>.])((?:stat|lstat|access|
        chmod|chown|lchown|rename|unlink|rmdir|mkdir|link|symlink|truncate|mkfifo|
        mknod|utime|utimes|remove|realpath|chdir|apr_stat|apr_file_rename|
        apr_file_remove|apr_dir_make|apr_file_perms_set)\s*\()/gx;
}
none \@paths, 'nor anything done by a path';
my ($looks, @follows) = (0);
for my $file (@files) {
    for ($text{$file} =~ /\bfstatat\(([^;{]*?)\)\s*(?:[<=!;)&|?]|\n)/gs) {
        $looks++;
        push @follows, "$file: $_" unless /AT_SYMLINK_NOFOLLOW/;
    }
}
at_least('looks at names', $looks, 8);
none \@follows, 'a look at a name sees the link, not what it leads to';

# --- New, or looked at ------------------------------------------------------------

# Opened in place, by several at a time: each is a regular file, and its own.
my %in_place = map { $_ => 1 } qw(farm.c lock.c ledger.c run.c
                                    takeover.c);
my (@old, @waits, %seen);
my $opens = 0;
for my $file (@files) {
    my ($name) = $file =~ m{([^/]+)$};
    for ($text{$file} =~ /\b((?:upool_fd_(?:open|own)|open_run)\([^;]*?\))[;)\s]*(?:\n|;)/gs) {
        $opens++;
        next unless /O_(?:RD|WR)/;
        if (/O_CREAT/ && !/O_EXCL/) {
            $seen{$name} = 1;
            push @old, "$file: $_" unless $in_place{$name};
        }
        push @waits, "$file: $_"
            unless /O_NONBLOCK|O_EXCL|O_DIRECTORY|upool_fd_own|open_run/;
    }
}
at_least('opens', $opens, 15);
none \@old, 'a new file is one that was not there (O_EXCL)';
is_deeply [sort keys %seen], [sort keys %in_place],
    'but for those that several write in place';
none \@waits, 'no open waits for the other end of a FIFO';
for my $name (sort keys %in_place) {
    like $text{"src/store/$name"}, qr/upool_fd_own\(|S_ISREG\(/,
        "$name: what is written in place is a regular file";
}
like $own{upool_fd_own} // '', qr/S_ISREG\(.*st_nlink > 1/s,
    'under no other name';

done_testing;
