# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Manual;

=head1 NAME

UploadPool::Manual - what the manual prints, to be run unchanged

=head1 SYNOPSIS

    for my $task (howto()) {            # title, blocks
        my @config = grep { $_->{kind} eq 'config' } @{ $task->{blocks} };
    }

=head1 DESCRIPTION

A block is indented text; its C<kind> is C<session> (commands behind C<$>, and
what they print, typed by its C<user>: C<reader> or, where the text before it
says so, C<application>), C<file> (a first line that names one: C<name>) or C<config>.
sessions(TEXT) gives the commands of a session, each with what it prints.
said_to(USER, COMMAND) runs a command as that user. like_printed(SAID, PRINTED)
compares, with any white space for white space and
anything for "…". symptoms(FILE) gives the entries of that page.

=cut

use strict;
use warnings FATAL => 'all';
use utf8;
use Exporter 'import';

our @EXPORT = qw(howto blocks commands like_printed symptoms said_to);

sub blocks
{
    my ($text) = @_;
    my @found;
    while ($text =~ /\G(.*?)^(    [^\n]*\n(?:(?:    [^\n]*)?\n)*)/gms) {
        my ($before, $block) = ($1, $2);
        $block =~ s/^ {4}//mg;
        $block =~ s/\s+\z/\n/;
        if ($block =~ /\A\$ /) {
            push @found, {kind => 'session', text => $block, user =>
                $before =~ /application's\s+user/ ? 'application' : 'reader'};
        }
        elsif ($block =~ m{\A(?:#|//|<\?php //) (\S+\.(?:php|py|pl|js|htaccess))\n}) {
            push @found, {kind => 'file', name => $1, text => $block};
        }
        else {
            push @found, {kind => 'config', text => $block};
        }
    }
    return @found;
}

# The tasks of the page. Each part of a task counts as a task.
sub howto
{
    my ($file) = @_;
    open my $in, '<:encoding(UTF-8)', $file or die "$file: $!";
    local $/;
    my (undef, @task) = split /^#{1,2} (?=\S)/m, scalar <$in>;
    return grep { @{ $_->{blocks} } } map {
        my ($title, $text) = /\A([^\n]*)\n(.*)\z/s;
        { title => $title, blocks => [blocks($text)] };
    } @task;
}

# The entries of the page "When it does not work": a list of {title, seen, log,
# remedy, block}, each a text in one line but for the block, which may be
# missing.
sub symptoms
{
    my ($file) = @_;
    open my $in, '<:encoding(UTF-8)', $file or die "$file: $!";
    local $/;
    my (undef, @entry) = split /^## /m, scalar(<$in>) =~ s/^# .*\n//mgr;
    return map {
        my ($title, $text) = /\A([^\n]*)\n(.*)\z/s;
        my ($block) = $text =~ /^((?: {4}\S.*\n)+)/m;
        my %of = (title => $title,
                  block => defined $block ? $block =~ s/^ {4}//mgr : undef);
        while ($text =~ /^(Seen|Log|Remedy) +(.*\n(?: {10}.*\n)*)/mg) {
            my ($what, $said) = (lc $1, $2);
            $of{$what} = $said =~ s/\s+/ /gr =~ s/ \z//r;
        }
        \%of;
    } @entry;
}

sub commands
{
    my ($session) = @_;
    my (undef, @part) = split /^\$ /m, $session;
    return map {
        my @line = split /\n/;
        my @command = shift @line;
        # A command goes on after a backslash, and until its loop is done.
        push @command, shift @line
            while @line && ($command[-1] =~ /\\$/
                            || "@command" =~ /; do\b/ && "@command" !~ /\bdone$/);
        [join("\n", @command), join("\n", @line)];
    } @part;
}

# The output of a command that an ordinary user runs, "nobody" or another, but
# never root, in a directory of that user's own.
sub said_to
{
    my ($name, $command) = @_;
    my ($uid, $gid) = (getpwnam $name)[2, 3] or die "no user $name";
    my $pid = open(my $out, '-|') // die "fork: $!";
    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT;
        open STDIN, '<', '/dev/null';
        if ($> == 0) {
            $) = "$gid $gid";
            $( = $gid;
            ($<, $>) = ($uid, $uid);
            die "still root" if $> == 0 || $< == 0;
        }
        exec 'sh', '-c', $command;
        exit 127;
    }
    my $said = do { local $/; <$out> } // '';
    close $out;
    return $said;
}

sub like_printed
{
    my ($said, $printed) = @_;
    $_ = s/\s+/ /gr =~ s/^ | $//gr for $said, $printed;
    my $pattern = join '.*', map { quotemeta } split /\s?…\s?/, $printed, -1;
    return $said =~ /\A$pattern\z/s;
}

1;
