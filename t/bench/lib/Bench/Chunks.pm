# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package Bench::Chunks;

# One upload in many requests, against the same bytes in one form.

use strict;
use warnings FATAL => 'all';
use Exporter 'import';

use Bench::Httpd;
use Bench::Options;
use Bench::Peers;
use Bench::Process;
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

sub section_chunks
{
    my $gib = bytes_of($opt{chunks}) / 2**30;
    my $pool = httpd('chunks', pool_conf('UploadReadSize 64K',
        '<Location /ram>', 'UploadProtocol multipart chunked tus resumable',
        '</Location>')) or return;
    my @rows = ({ name => 'one POST', server => $pool,
        run => sub { load('post', $pool, '/ram', '-s', $opt{chunks}) } });
    push @rows, rows_of('tus', 'tus', $pool, '/ram');
    push @rows, rows_of('resumable', 'resumable', $pool, '/ram');
    push @rows, rows_of('chunked', 'range', $pool,
        '/ram?X-Progress-ID=chunks-%c');
    push @rows, rows_of('tus-node-server', 'tus', start_tus_server(), '/files')
        if is_wanted('tus-node-server', find_node());
    my %row = map { $_->{name} => $_ } @rows;
    my $all = rounds(sub {
        my $r = $row{$_[0]};
        empty_pools();
        my $before = cpu(@{ $r->{server}{pids} });
        my $result = $r->{run}->();
        return { cpu => cpu(@{ $r->{server}{pids} }) - $before,
            wall => $result->{seconds} };
    }, map { $_->{name} } @rows);
    table("$opt{chunks} in chunks of $chunk on $opt{ram}",
        ['CPU s/GiB', 'MB/s'], [map { my $runs = $all->{$_->{name}};
        [$_->{name}, sprintf('%.3f', median(map { $_->{cpu} / $gib } @$runs)),
            sprintf('%.0f', median(map { $gib * 2**30 / $_->{wall} / 1e6 }
            @$runs))] } @rows], 'one POST');
    my %stopped;
    stop($_) for grep { !$stopped{$_}++ } map { @{ $_->{server}{pids} } } @rows;
    empty_pools();
    return;
}

1;
