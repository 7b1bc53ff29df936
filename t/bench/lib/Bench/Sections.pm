# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package Bench::Sections;

# What the table is made of, section by section: files of three sizes, content,
# the child's memory.

use strict;
use warnings FATAL => 'all';
use Exporter 'import';

use Bench::Httpd;
use Bench::Options;
use Bench::Peers;
use Bench::Process;
use Bench::Report;
use File::Path ();
use Time::HiRes ();

our @EXPORT = qw(peer once start_peers stop_peers empty_pools section_big
    section_small section_middle section_content section_memory);
our @KEEPERS = qw(pool floor php nginx dav py node);

my (%peer, @peers);

sub peer
{
    my ($name, $server, $method, $path) = @_;
    return if !$server;
    $peer{$name} = { %$server, name => $name, method => $method,
        path => $path };
    push @peers, $name;
    return;
}

sub start_peers
{
    my ($cores) = @_;
    return if @peers;
    peer('floor', httpd('floor', floor_conf()), 'post', '/%P');
    peer('upload_pool', httpd('pool', pool_conf()), 'post', '/%P');
    peer('upload_pool, 8K', httpd('pool8', pool_conf('UploadReadSize 0')),
        'post', '/%P');
    peer('mod_dav PUT', httpd('dav', dav_conf()), 'put', '/%P/f%n')
        if is_wanted('mod_dav PUT', -e modules() . '/mod_dav.so');
    peer('nginx to file', start_nginx('nginx', 0), 'post', '/%P')
        if is_wanted('nginx to file', nginx_program());
    peer('mod_php', start_modphp(), 'post', '/%P/up.php')
        if is_wanted('mod_php', php_module());
    peer('php-fpm', start_fpm(), 'post', '/%P/up.php')
        if is_wanted('php-fpm', fpm_program());
    for my $name (qw(flask django)) {
        peer($name, start_python($name, $cores, 8), 'post', '/%P')
            if is_wanted($name, has_python($name));
    }
    return;
}

sub stop_peers
{
    my %seen;
    for my $name (@peers) {
        stop($_) for grep { !$seen{$_}++ } @{ $peer{$name}{pids} };
    }
    (%peer, @peers) = ();
    return;
}

# Every peer keeps its files, as an application would; they must not be in the
# way of the next run.
sub empty_pools
{
    for my $kept (map { ("$opt{fast}/$_", "$opt{dir}/data/$_") } @KEEPERS) {
        File::Path::remove_tree($kept, { keep_root => 1 });
    }
    return;
}

# One run: seconds of CPU and of the wall, and how many requests.
sub once
{
    my ($name, $place, @options) = @_;
    my $p = $peer{$name};
    (my $path = $p->{path}) =~ s/%P/$place/;
    empty_pools();
    my $before = cpu(@{ $p->{pids} });
    my $r = load($p->{method}, $p, $path, @options);
    return { cpu => cpu(@{ $p->{pids} }) - $before, wall => $r->{seconds},
        n => $r->{requests}, p99 => $r->{p99} };
}

sub section_big
{
    my $bytes = bytes_of($opt{big});
    my $gib = $bytes / 2**30;
    once($_, 'ram', '-s', '16m') for @peers;
    my $all = rounds(sub { once($_[0], 'ram', '-s', $opt{big}) }, @peers);
    table("One file of $opt{big} on $opt{ram}", ['CPU s/GiB', 'MB/s'], [map {
        my $runs = $all->{$_};
        [$_, sprintf('%.3f', median(map { $_->{cpu} / $gib } @$runs)),
            sprintf('%.0f', median(map { $bytes / $_->{wall} / 1e6 }
            @$runs))] } @peers], 'floor', 'upload_pool', 'mod_dav PUT');
    return;
}

sub many
{
    my ($size, $n, $connections) = @_;
    my @options = ('-s', $size, '-c', $connections);
    once($_, 'disk', @options, '-n', 4 * $connections) for @peers;
    my $all = rounds(sub { once($_[0], 'disk', @options, '-n', $n) }, @peers);
    table("Files of $size, $connections connections, $n files, on $opt{disk}",
        ['CPU us/req', 'req/s', 'p99 ms'], [map {
        my $runs = $all->{$_};
        [$_, sprintf('%.0f', median(map { $_->{cpu} * 1e6 / $_->{n} } @$runs)),
            sprintf('%.0f', median(map { $_->{n} / $_->{wall} } @$runs)),
            sprintf('%.2f', median(map { $_->{p99} * 1e3 } @$runs))] } @peers],
        'floor', 'upload_pool');
    return;
}

sub section_small { return many('64k', $opt{small}, 16) }
sub section_middle { return many('1m', $opt{middle}, 4) }

sub section_content
{
    my @patterns = qw(random text cr crlf near);
    my $gib = bytes_of($opt{content}) / 2**30;
    for my $name (grep { /^(?:upload_pool|mod_php)$/ } @peers) {
        my $all = rounds(sub {
            once($name, 'ram', '-s', $opt{content}, '-p', $_[0]) }, @patterns);
        table("$name, one file of $opt{content} by content", ['CPU s/GiB'],
            [map { my $runs = $all->{$_};
                [$_, sprintf('%.3f', median(map { $_->{cpu} / $gib } @$runs))]
            } @patterns], 'random');
    }
    return;
}

# What the child holds for itself while a large file passes.
sub section_memory
{
    my $server = httpd('memory', pool_conf(), thread_mpm(25)) or return;
    my ($pid) = @{ $server->{pids} };
    load('post', $server, '/ram', '-s', '64m');
    empty_pools();
    my $before = own_memory($pid);
    my $most = $before;
    my $sender = fork // die "fork: $!";
    if (!$sender) {
        open STDOUT, '>', '/dev/null';
        exec "$opt{dir}/load", 'post', $server->{port}, '/ram', '-s',
            $opt{memory} or POSIX::_exit(127);
    }
    while (waitpid($sender, POSIX::WNOHANG()) == 0) {
        my $now = own_memory($pid);
        $most = $now if $now > $most;
        Time::HiRes::sleep(0.05);
    }
    die "*** upload of $opt{memory} failed\n" if $?;
    my $after = own_memory($pid);
    $most = $after if $after > $most;
    table("Memory of the child while $opt{memory} pass, KiB",
        ['before', 'most', 'after', 'growth'],
        [['upload_pool', $before, $most, $after, $most - $before]]);
    stop($pid);
    empty_pools();
    return;
}

1;
