# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Snippets;

=head1 NAME

UploadPool::Snippets - what the suites of conf/snippets have in common

=cut

use strict;
use warnings FATAL => 'all';
use Exporter 'import';

use Carp qw(croak);
use File::Path ();
use IO::Socket::INET;
use POSIX ();
use UploadPool::Test;

our @EXPORT = qw(snippet_keys start_node make_far seen);

my (@nodes, @made);

=head1 FUNCTIONS

=over

=item snippet_keys()

The secrets of t/conf/site/snippets.keys.

=cut

sub snippet_keys
{
    return grep { /^[^#]/ } split /\n/,
        slurp(var('t_conf') . '/site/snippets.keys');
}

=item make_far(DIRECTORY)

Makes it, for the server's user, and removes it in the end. Returns it.

=cut

sub make_far
{
    my ($directory) = @_;
    croak "$directory is no name of ours"
        unless $directory =~ m{^/dev/shm/upload-pool\.\d+$};
    File::Path::remove_tree($directory);
    mkdir $directory, 0700 or croak "$directory: $!";
    push @made, $directory;
    my ($uid, $gid) = (getpwnam var('user'))[2, 3];
    chown $uid, $gid, $directory;
    return $directory;
}

=item start_node(PORT, DIRECTORY)

conf/snippets/node/server.js, as the server's user, until the test ends.

=cut

sub start_node
{
    my ($port, $directory) = @_;
    my $server = var('top') . '/conf/snippets/node/server.js';
    defined(my $pid = fork) or croak "fork: $!";
    if ($pid == 0) {
        my ($uid, $gid) = (getpwnam var('user'))[2, 3];
        if ($> == 0) {
            $) = "$gid $gid";
            ($(, $<, $>) = ($gid, $uid, $uid);
        }
        @ENV{qw(PORT UPLOADS_KEY UPLOADS_DIR)}
            = ($port, var('t_conf') . '/site/snippets.keys', $directory);
        open STDOUT, '>&', \*STDERR;
        exec 'node', $server or POSIX::_exit(127);
    }
    push @nodes, $pid;
    return if wait_for(sub {
        IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port);
    });
    croak "node does not answer on port $port";
}

=item seen(KEY)

An upload with one file, and the request that an application saw of it: C<body>
and C<headers>.

=back

=cut

sub seen
{
    my ($key) = @_;
    my $r = upload('/snippets-seen/echo.pl', [
        {name => 'file', filename => 'a.txt', content => 'signed'},
    ], id => sign($key, new_id()));
    my $env = $r->{json}{env} or croak "no echo: $r->{body}";
    my %header = map {
        my $name = join '-', map { ucfirst lc } split /_/, $_;
        ($name => $env->{"HTTP_\U$_"});
    } qw(x_upload_signature x_upload_identifier x_upload_state);
    $header{'Content-Type'} = 'application/json';
    return {body => $r->{json}{body}, headers => \%header};
}

END {
    local $?;
    for my $pid (@nodes) {
        kill 'TERM', $pid;
        waitpid $pid, 0;
    }
    File::Path::remove_tree($_) for @made;
}

1;
