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
use Bench::Programs;
use Bench::Report;
use File::Path ();
use Time::HiRes ();

our @EXPORT = qw(peer once start_peers stop_peers empty_pools section_big
    section_tiny section_small section_middle section_content section_memory);
our @KEEPERS = qw(pool floor php nginx dav py node go);

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
    for my $build (builds()) {
        (my $file = "pool-$build->[0]") =~ tr/ /-/;
        peer($build->[0], httpd($file, with_build($build)), 'post', '/%P');
    }
    peer('upload_pool, 8K', httpd('pool8', pool_conf('UploadReadSize 0')),
        'post', '/%P') if is_wanted('upload_pool, 8K', 1);
    peer('mod_dav PUT', httpd('dav', dav_conf()), 'put', '/%P/f%n')
        if is_wanted('mod_dav PUT', -e modules() . '/mod_dav.so');
    if (is_wanted('nginx to file', nginx_program())) {
        my $nginx = start_nginx('nginx', 0);
        peer('nginx to file', $nginx, 'post', '/%P');
        peer('nginx-upload-module', $nginx, 'post', '/parsed-%P')
            if is_wanted('nginx-upload-module', nginx_upload());
    }
    peer('mod_php', start_modphp(), 'post', '/%P/up.php')
        if is_wanted('mod_php', php_module());
    peer('php-fpm', start_fpm(), 'post', '/%P/up.php')
        if is_wanted('php-fpm', fpm_program());
    peer('go', start_go(), 'post', '/%P') if is_wanted('go', go_program());
    peer('busboy', start_node('busboy'), 'post', '/%P')
        if is_wanted('busboy', find_node('busboy'));
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

# Where files go, and the name of it.
sub places
{
    return (['ram', $opt{ram}], $opt{disk} eq $opt{ram} ? ()
        : ['disk', $opt{disk}]);
}

# Those of @against that are there, the floor and this module before all.
sub references { return ('floor', 'upload_pool', "at $opt{commit}", @_) }

sub section_big
{
    my $bytes = bytes_of($opt{big});
    for my $place (places()) {
        once($_, $place->[0], '-s', '16m') for @peers;
        my $all = rounds(sub { once($_[0], $place->[0], '-s', $opt{big}) },
            @peers);
        compare("One file of $opt{big} on $place->[1]", [
            ['CPU s/GiB', '%.3f', sub { $_[0]{cpu} * 2**30 / $bytes }],
            ['MB/s', '%.0f', sub { $bytes / $_[0]{wall} / 1e6 }],
        ], $all, \@peers, references('mod_dav PUT'));
    }
    return;
}

sub many
{
    my ($size, $n, $connections) = @_;
    my @options = ('-s', $size, '-c', $connections);
    for my $place (places()) {
        once($_, $place->[0], @options, '-n', 4 * $connections) for @peers;
        my $all = rounds(sub { once($_[0], $place->[0], @options, '-n', $n) },
            @peers);
        compare("Files of $size, $connections connections, $n files, on "
            . $place->[1], [
            ['CPU us/req', '%.0f', sub { $_[0]{cpu} * 1e6 / $_[0]{n} }],
            ['req/s', '%.0f', sub { $_[0]{n} / $_[0]{wall} }],
            ['p99 ms', '%.2f', sub { $_[0]{p99} * 1e3 }],
        ], $all, \@peers, references());
    }
    return;
}

sub section_tiny { return many('4k', $opt{small}, 16) }
sub section_small { return many('64k', $opt{small}, 16) }
sub section_middle { return many('1m', $opt{middle}, 4) }

sub section_content
{
    my @patterns = qw(random text cr crlf near);
    my $gib = bytes_of($opt{content}) / 2**30;
    for my $name (grep { /^(?:upload_pool|mod_php)$/ } @peers) {
        my $all = rounds(sub {
            once($name, 'ram', '-s', $opt{content}, '-p', $_[0]) }, @patterns);
        compare("$name, one file of $opt{content} by content",
            [['CPU s/GiB', '%.3f', sub { $_[0]{cpu} / $gib }]], $all,
            \@patterns, 'random');
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
