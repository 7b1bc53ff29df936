# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Bucket;

=head1 NAME

UploadPool::Bucket - pools and buckets made without a server, and the tool

=head1 DESCRIPTION

Makes what the module would have left in a pool, for tests of programs that look
at a pool.

=cut

use strict;
use warnings FATAL => 'all';
use Digest::SHA ();
use Exporter 'import';
use File::Temp ();
use JSON::PP ();

our @EXPORT = qw(pool bucket incomplete orphan spew slurp tool json stored);

my $made = 0;

# A pool that goes with the test.
sub pool
{
    my $dir = File::Temp::tempdir('upool-tool-XXXXXX', TMPDIR => 1,
                                  CLEANUP => 1);
    mkdir "$dir/pool", 0700 or die "$dir/pool: $!";
    return "$dir/pool";
}

sub spew
{
    my ($file, $bytes) = @_;
    open my $out, '>:raw', $file or die "$file: $!";
    print {$out} $bytes or die "$file: $!";
    close $out or die "$file: $!";
    return;
}

sub slurp
{
    my ($file) = @_;
    open my $in, '<:raw', $file or die "$file: $!";
    local $/;
    return scalar <$in>;
}

# A name as the store makes them.
sub stored
{
    my ($n) = @_;
    return sprintf '%d-%032x.bin', $n || 0, ++$made;
}

sub encode { return JSON::PP->new->utf8->canonical->encode($_[0]) }

sub file_of
{
    my ($bytes, %more) = @_;
    return {field => 'file', filename => 'photo.jpg',
            'safe-filename' => 'photo.jpg', 'content-type' => 'image/jpeg',
            charset => undef, params => {}, size => length $bytes,
            stored => stored(),
            digests => {'sha-256' => Digest::SHA::sha256_hex($bytes)}, %more};
}

# A complete upload of one file; returns the path of the file. age: seconds
# since it was touched; others replace members of the record or of its file.
sub bucket
{
    my ($pool, $id, $bytes, %more) = @_;
    my $when = (time - (delete $more{age} || 0)) * 1_000_000;
    my $name = delete $more{filename};
    my $file = file_of($bytes, defined $name ? (filename => $name) : (),
                       %{ delete $more{file} || {} });
    mkdir "$pool/$id", 0700 or die "$pool/$id: $!";
    spew("$pool/$id/$file->{stored}", $bytes);
    spew("$pool/$id/metadata.json", encode(
        {version => 1, identifier => $id, state => 'done',
         filename => $file->{filename}, 'content-type' => 'image/jpeg',
         size => length($bytes) + 200, received => length($bytes) + 200,
         error => undef, owner => undef, created => $when, updated => $when,
         files => [$file], %more}));
    return "$pool/$id/$file->{stored}";
}

# One of several requests of which the first bytes have come.
sub incomplete
{
    my ($pool, $id, $length, $bytes) = @_;
    my $file = file_of('', digests => {}, filename => 'film.mkv');
    mkdir "$pool/$id", 0700 or die "$pool/$id: $!";
    spew("$pool/$id/$file->{stored}", $bytes);
    spew("$pool/$id/resumable.json", encode(
        {version => 1, identifier => $id, protocol => 'tus', owner => undef,
         created => time * 1_000_000, length => $length, file => $file,
         uri => '/upload', args => undef, fields => [], metadata => undef,
         concat => undef, good => undef, ranges => undef, midstates => []}));
    return "$pool/$id/$file->{stored}";
}

# A file that no record names, last written age seconds ago.
sub orphan
{
    my ($pool, $id, $bytes, $age) = @_;
    my $path = "$pool/$id/" . stored(7);
    spew($path, $bytes);
    utime time - $age, time - $age, $path or die "$path: $!";
    return $path;
}

# Runs the tool: its exit status, what it printed, what it complained about.
sub tool
{
    my @args = @_;
    my $program = $ENV{UPOOL_TOOL} || 'build/upload-pool';
    my $input = ref $args[-1] ? ${ pop @args } : '';
    my $dir = File::Temp::tempdir('upool-tool-XXXXXX', TMPDIR => 1,
                                  CLEANUP => 1);
    spew("$dir/in", $input);
    my $pid = fork;
    die "fork: $!" unless defined $pid;
    if (!$pid) {
        open STDIN, '<', "$dir/in" or die;
        open STDOUT, '>', "$dir/out" or die;
        open STDERR, '>', "$dir/err" or die;
        exec $program, @args or die "$program: $!";
    }
    waitpid $pid, 0;
    return ($? & 127 ? "signal $?" : $? >> 8, slurp("$dir/out"),
            slurp("$dir/err"));
}

# The same with --json: exit status and the object.
sub json
{
    my ($exit, $out) = tool('--json', @_);
    return ($exit, JSON::PP->new->utf8->decode($out));
}

1;
