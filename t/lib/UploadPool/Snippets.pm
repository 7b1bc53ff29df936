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

our @EXPORT = qw(snippet_keys start_node start_behind make_far
                 seen);

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
    return start_behind($port,
        {PORT => $port, UPLOADS_DIR => $directory,
         UPLOADS_KEY => var('t_conf') . '/site/snippets.keys'},
        'node', var('top') . '/conf/snippets/node/server.js');
}

=item start_behind(PORT, ENVIRONMENT, COMMAND...)

The same with any server that will listen there. Returns a function that says
what it has written to standard error so far.

=cut

sub start_behind
{
    my ($port, $env, @command) = @_;
    my $log = var('t_logs') . "/behind-$$-$port";
    defined(my $pid = fork) or croak "fork: $!";
    if ($pid == 0) {
        my ($uid, $gid) = (getpwnam var('user'))[2, 3];
        open STDERR, '>', $log or POSIX::_exit(126);
        if ($> == 0) {
            $) = "$gid $gid";
            ($(, $<, $>) = ($gid, $uid, $uid);
        }
        @ENV{keys %$env} = values %$env;
        open STDOUT, '>&', \*STDERR;
        exec { $command[0] } @command or POSIX::_exit(127);
    }
    push @nodes, $pid;
    return sub { slurp($log) } if wait_for(sub {
        IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port);
    });
    croak "$command[0] does not answer on port $port: " . slurp($log);
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
