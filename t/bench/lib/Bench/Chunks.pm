# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package Bench::Chunks;

# One upload in many requests, against the same bytes in one form.

use strict;
use warnings FATAL => 'all';
use Exporter 'import';

use Bench::Httpd;
use Bench::Options;
use Bench::Process;
use Bench::Programs;
use Bench::Report;
use Bench::Sections qw(empty_pools);

our @EXPORT = qw(section_chunks);

my $chunk = '1m';

sub chunks
{
    my ($mode, $server, $path, $size, $connections) = @_;
    return generate($server, "$opt{dir}/chunks", $mode, $server->{port}, $path,
        '-s', $size, '-k', $chunk, '-c', $connections);
}

# 1 when the server makes one file of two chunks; what it lacks is told aloud.
sub speaks
{
    my ($name, $mode, $server, $path) = @_;
    my $done = eval { chunks($mode, $server, $path, '2m', 1) };
    my @whole = grep { -s == 2**21 } map { glob "$opt{fast}/$_" }
        qw(pool/*/*.bin node/*);
    empty_pools();
    return 1 if $done && @whole == 1;
    note("*** $name: no file of two chunks, its rows are missing: ",
        $@ || scalar(@whole) . ' files');
    return 0;
}

sub rows_of
{
    my ($name, $mode, $server, $path) = @_;
    return if !$server || !speaks($name, $mode, $server, $path);
    return map { my $n = $_; { name => "$name, $n conn.", server => $server,
        run => sub { chunks($mode, $server, $path . ($mode ne 'range' ? ''
            : '-' . ++$opt{serial}), $opt{chunks}, $n) } } } 1, 8;
}

# A build's rows: one form, and the same bytes in pieces by each protocol.
sub rows_of_build
{
    my ($build) = @_;
    my ($name) = @$build;
    (my $file = "chunks-$name") =~ tr/ /-/;
    my $pool = httpd($file, with_build($build, '<Location /ram>',
        'UploadProtocol multipart chunked tus resumable', '</Location>'))
        or return;
    my $prefix = $name eq 'upload_pool' ? '' : "$name, ";
    return ({ name => "${prefix}one POST", server => $pool,
        run => sub { load('post', $pool, '/ram', '-s', $opt{chunks}) } },
        rows_of("${prefix}tus", 'tus', $pool, '/ram'),
        rows_of("${prefix}resumable", 'resumable', $pool, '/ram'),
        rows_of("${prefix}chunked", 'range', $pool,
            '/ram?X-Progress-ID=chunks-%c'));
}

sub section_chunks
{
    my $gib = bytes_of($opt{chunks}) / 2**30;
    my @rows = map { rows_of_build($_) } builds();
    push @rows, rows_of('tus-node-server', 'tus', start_node('tus'), '/files')
        if is_wanted('tus-node-server', find_node('@tus/server'));
    return if !@rows;
    my %row = map { $_->{name} => $_ } @rows;
    my @names = map { $_->{name} } @rows;
    for my $piece (qw(1m 64k)) {
        $chunk = $piece;
        my $all = rounds(sub {
            my $r = $row{$_[0]};
            empty_pools();
            my $before = cpu(@{ $r->{server}{pids} });
            my $result = $r->{run}->();
            return { cpu => cpu(@{ $r->{server}{pids} }) - $before,
                wall => $result->{seconds} };
        }, @names);
        compare("$opt{chunks} in chunks of $piece on $opt{ram}", [
            ['CPU s/GiB', '%.3f', sub { $_[0]{cpu} / $gib }],
            ['MB/s', '%.0f', sub { $gib * 2**30 / $_[0]{wall} / 1e6 }],
        ], $all, \@names, 'one POST', "at $opt{commit}, one POST");
    }
    my %stopped;
    stop($_) for grep { !$stopped{$_}++ } map { @{ $_->{server}{pids} } } @rows;
    empty_pools();
    return;
}

1;
