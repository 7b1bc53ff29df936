# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::PowerCut;

=head1 NAME

UploadPool::PowerCut - what a power cut could have left of a pool

=head1 SYNOPSIS

    my @log = UploadPool::PowerCut::read_log($file);    # of record.c
    my $disk = UploadPool::PowerCut->new($inode);       # of the pool
    for my $record (@log) {
        $disk->apply($record);
        $disk->each_state('', sub { my ($files) = @_; ... });
    }

=head1 DESCRIPTION

The file system is assumed to promise no more than POSIX does. Anything that was
not synced may be there or not, independently of everything else:

    data        none of it, all, the length alone (zeros), the first half, the
                second half behind zeros
    names       each change of a directory since it was synced, or not: all
                subsets of up to six, of more all prefixes and all but one
    rename      done or not, never half

fsync() of a file makes its data durable, not its name. A state is a hash of
paths below the pool to contents; directories are paths that end in a slash.

=cut

use strict;
use warnings FATAL => 'all';
use Digest::SHA qw(sha1_hex);

my $NAMES = 6;
my $MOST = 400;

sub read_log
{
    my ($file) = @_;
    open my $in, '<:raw', $file or die "$file: $!";
    my @log;
    while (defined(my $line = <$in>)) {
        chomp $line;
        my ($kind, @rest) = split / /, $line;
        my $bytes = '';
        if ($kind eq 'write' || $kind eq 'answer') {
            my $count = $rest[-1];
            read($in, $bytes, $count) == $count or die "$file ends early";
        }
        push @log, {kind => $kind, of => \@rest, bytes => $bytes};
    }
    return @log;
}

sub new
{
    my ($class, $root) = @_;
    return bless {root => $root, directories => {$root => {sure => {},
        since => []}}, files => {}, named => {$root => $root}, made => 0},
        $class;
}

# Inode numbers are used again, while a name that has not yet changed on the
# disk still means the old inode.
sub _fresh
{
    my ($self, $inode) = @_;
    return $self->{named}{$inode} = 'n' . ++$self->{made};
}

my %do = (
    mkdir => sub {
        my ($self, $directory, $inode, $name) = @_;
        my $made = $self->_fresh($inode);
        $self->{directories}{$made} = {sure => {}, since => []};
        $self->_change($directory, [set => $name, $made]);
    },
    create => sub {
        my ($self, $directory, $inode, $name) = @_;
        my $made = $self->_fresh($inode);
        $self->{files}{$made} = {sure => '', since => []};
        $self->_change($directory, [set => $name, $made]);
    },
    unlink => sub {
        my ($self, $directory, $name) = @_;
        $self->_change($directory, [unset => $name]);
    },
    rename => sub {
        my ($self, $directory, $old, $to, $name) = @_;
        die 'a rename into another directory' if $directory != $to;
        my $what = $self->_now($self->{named}{$directory})->{$old};
        $self->_change($directory, [move => $name, $what, $old]);
    },
    write => sub {
        my ($self, $inode, $at, undef, $bytes) = @_;
        push @{ $self->{files}{ $self->{named}{$inode} }{since} },
            [$at, $bytes];
    },
    truncate => sub {
        my ($self, $inode, $length) = @_;
        push @{ $self->{files}{ $self->{named}{$inode} }{since} }, [$length];
    },
    sync => sub {
        my ($self, $inode) = @_;
        my $what = $self->{named}{$inode};
        if (my $directory = $self->{directories}{$what}) {
            @{$directory}{qw(sure since)} = ($self->_now($what), []);
        }
        if (my $file = $self->{files}{$what}) {
            @{$file}{qw(sure since)} = (_written($file, 'all'), []);
        }
    },
    answer => sub { },
);

=head1 METHODS

=over

=item apply(RECORD)

One more change. Files that were there before the log are not known.

=item each_state(WHEN, SUB), now()

Calls SUB with every state that differs from all of before with the same WHEN;
the state if no power is cut.

=back

=cut

sub apply
{
    my ($self, $record) = @_;
    my $do = $do{ $record->{kind} } or die "no change: $record->{kind}";
    $do->($self, @{ $record->{of} }, $record->{bytes});
    return;
}

sub _change
{
    my ($self, $directory, $change) = @_;
    push @{ $self->{directories}{ $self->{named}{$directory} }{since} },
        $change;
    return;
}

sub _names
{
    my ($sure, @changes) = @_;
    my %names = %$sure;
    for my $change (@changes) {
        my ($kind, $name, $inode, $old) = @$change;
        if ($kind eq 'unset') {
            delete $names{$name};
            next;
        }
        $names{$name} = $inode;
        delete $names{$old}
            if $kind eq 'move' && ($names{$old} || '') eq $inode;
    }
    return \%names;
}

sub _now
{
    my ($self, $what) = @_;
    my $directory = $self->{directories}{$what};
    return _names($directory->{sure}, @{ $directory->{since} });
}

sub _put
{
    my ($text, $at, $bytes) = @_;
    $text .= "\0" x ($at - length $text) if $at > length $text;
    substr($text, $at, length $bytes) = $bytes;
    return $text;
}

# The part of a file that has reached the disk: how is none, all, zeros, first
# or second.
sub _written
{
    my ($file, $how) = @_;
    my $text = $file->{sure};
    return $text if $how eq 'none';
    my @since = @{ $file->{since} };
    my $half = @since / 2;
    for my $n (0 .. $#since) {
        my ($at, $bytes) = @{ $since[$n] };
        if (!defined $bytes) {
            $text = $at < length $text ? substr $text, 0, $at
                : _put($text, $at, '');
            next;
        }
        my $cut = length($bytes) >> 1;
        # One write may be torn; of several, whole ones are missing.
        my $is_first = $n < $half - 0.5;
        my $is_middle = $n >= $half - 0.5 && $n < $half + 0.5 && @since % 2;
        if ($how eq 'first') {
            last unless $is_first || $is_middle;
            $bytes = substr $bytes, 0, $cut if $is_middle;
        }
        elsif ($how eq 'zeros' || $how eq 'second' && $is_first) {
            $bytes = "\0" x length $bytes;
        }
        elsif ($how eq 'second' && $is_middle) {
            substr($bytes, 0, $cut) = "\0" x $cut;
        }
        $text = _put($text, $at, $bytes);
    }
    return $text;
}

# Every way that one directory may be.
sub _ways_of_directory
{
    my ($directory) = @_;
    my @since = @{ $directory->{since} };
    my @picks;
    if (@since <= $NAMES) {
        @picks = map {
            my $bits = $_;
            [grep { $bits >> $_ & 1 } 0 .. $#since];
        } 0 .. 2**@since - 1;
    }
    else {
        @picks = ((map { [0 .. $_ - 1] } 0 .. @since), (map {
            my $but = $_;
            [grep { $_ != $but } 0 .. $#since];
        } 0 .. $#since));
    }
    my %seen;
    return grep { !$seen{ join ',', map { "$_=$_[0]" } %$_ }++ }
        map { _names($directory->{sure}, @since[@$_]) } @picks;
}

sub _ways_of_file
{
    my ($file) = @_;
    return $file->{sure} unless @{ $file->{since} };
    my %seen;
    return grep { !$seen{$_}++ }
        map { _written($file, $_) } qw(none all zeros first second);
}

sub _states_of
{
    my ($names, $ways, $prefix) = @_;
    my @states = ({});
    for my $name (sort keys %$names) {
        my @these = @{ $ways->{ $names->{$name} } || [''] };
        @states = map {
            my $state = $_;
            map { +{%$state, "$prefix$name" => $_} } @these;
        } @states;
        splice @states, $MOST if @states > $MOST;
    }
    return @states;
}

sub each_state
{
    my ($self, $when, $sub) = @_;
    my %ways = map { $_ => [_ways_of_file($self->{files}{$_})] }
        keys %{ $self->{files} };
    my $root = $self->{directories}{ $self->{root} };
    for my $top (_ways_of_directory($root)) {
        my @states = ({});
        for my $name (sort keys %$top) {
            my $directory = $self->{directories}{ $top->{$name} } or next;
            my @these = map { _states_of($_, \%ways, "$name/") }
                _ways_of_directory($directory);
            @states = map {
                my $state = $_;
                map { +{%$state, "$name/" => '', %$_} } @these;
            } @states;
        }
        for my $state (@states) {
            my $key = sha1_hex(join "\0", $when, map {
                $_, length $state->{$_}, $state->{$_} } sort keys %$state);
            $sub->($state) unless $self->{seen}{$key}++;
        }
    }
    return;
}

sub now
{
    my ($self) = @_;
    my %state;
    my $top = $self->_now($self->{root});
    for my $name (keys %$top) {
        my $inode = $top->{$name};
        if ($self->{files}{$inode}) {
            $state{$name} = _written($self->{files}{$inode}, 'all');
            next;
        }
        $state{"$name/"} = '';
        my $names = $self->_now($inode);
        $state{"$name/$_"} = _written($self->{files}{ $names->{$_} }, 'all')
            for keys %$names;
    }
    return \%state;
}

1;
