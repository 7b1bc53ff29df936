# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Fault;

=head1 NAME

UploadPool::Fault - system calls that fail, in a separate server

=head1 SYNOPSIS

    my $fault = UploadPool::Fault->new($httpd, $pool);
    $httpd->start($config);
    $fault->arm(write => ENOSPC, at => 3);          # the third write, once
    $fault->arm(open => EIO, at => 1, count => 0);  # all, from the first on
    my $fired = $fault->disarm;
    $fault->room(bytes => 1 << 20, entries => 40);  # a small disk

=head1 DESCRIPTION

F<t/http/faults/shim.c> is loaded in front of the C library of each httpd that is
started after new; calls on anything below the pool are counted, and fail when
the test wants it. No restart is needed between two faults.

=over

=item new(HTTPD, DIRECTORY)

HTTPD is an L<UploadPool::Httpd> that is not running yet.

=item kinds()

The kinds of calls, in the shim's order: open is for files that should exist,
create for files that need not.

=item arm(KIND, ERROR, %OPTIONS)

C<at> (1) is the first call that fails, C<count> (1) how many in a row fail; 0:
that call and all later ones. With ERROR 0 a call does only a part of its work.

=item disarm()

Returns how many calls have failed since arm().

=item seen()

A hash with the number of calls of each kind since the last C<forget>.

=item below(DIRECTORY)

Another directory.

=item room(%LIMITS)

The C<bytes> and C<entries> that fit; undef: no limit. C<refused()> counts the
calls that found no room.

=back

=cut

use strict;
use warnings FATAL => 'all';
use Carp qw(croak);
use UploadPool::Test qw(spew var);

my @kinds = qw(open create make write read sync close rename unlink flock lock
               truncate stat list mode seek copy map space);
my %number = map { $kinds[$_] => $_ } 0 .. $#kinds;

# Places in the file: as drawn in shim.c.
my ($FIRED, $BYTES, $REFUSED, $SEEN, $BELOW, $SIZE)
    = (32, 40, 56, 64, 256, 256 + 4096);
my $LIMITS = 24;

my $library;

sub _build
{
    return $library if $library;
    my $to = var('t_logs') . '/fault.so';
    my @cc = ($ENV{CC} || 'cc', qw(-shared -fPIC -O2 -o), "$to.$$",
              var('top') . '/t/http/faults/shim.c', '-ldl');
    system(@cc) == 0 or croak "@cc: $?";
    rename "$to.$$", $to or croak "$to: $!";
    return $library = $to;
}

sub kinds { return @kinds }

sub new
{
    my ($class, $httpd, $below) = @_;
    my $file = $httpd->dir('fault');
    spew($file, "\0" x $SIZE);
    open my $control, '+<:raw', $file or croak "$file: $!";
    # The server maps it before its children become another user.
    chmod 0600, $file;
    my $self = bless {control => $control}, $class;
    $self->below($below);
    $self->disarm;
    $self->room;
    $httpd->{environment}{UPOOL_FAULT_CONTROL} = $file;
    # A sanitizer's runtime wants to be the first.
    $httpd->{preload} = join ' ', grep { defined } $ENV{UPOOL_PRELOAD}, _build();
    return $self;
}

sub _put
{
    my ($self, $at, $bytes) = @_;
    sysseek $self->{control}, $at, 0;
    (syswrite $self->{control}, $bytes) == length $bytes or croak "put: $!";
    return;
}

sub _get
{
    my ($self, $at, $count) = @_;
    sysseek $self->{control}, $at, 0;
    sysread $self->{control}, my $bytes, 8 * $count;
    my @numbers = unpack "q$count", $bytes;
    return wantarray ? @numbers : $numbers[0];
}

sub below { return $_[0]->_put($BELOW, pack 'a4096', $_[1]) }

sub arm
{
    my ($self, $kind, $error, %o) = @_;
    my ($at, $count) = map { defined $o{$_} ? $o{$_} : 1 } qw(at count);
    croak "no kind $kind" unless exists $number{$kind};
    $self->_put(4, pack 'lqqqq', $error, $at, $count, 0, 0);
    $self->_put(0, pack 'l', $number{$kind});
    return;
}

sub disarm
{
    my ($self) = @_;
    $self->_put(0, pack 'l', -1);
    return scalar $self->_get($FIRED, 1);
}

sub forget { return $_[0]->_put($SEEN, "\0" x (8 * $LIMITS)) }

sub seen
{
    my ($self) = @_;
    my @seen = $self->_get($SEEN, scalar @kinds);
    return map { $kinds[$_] => $seen[$_] } 0 .. $#kinds;
}

sub room
{
    my ($self, %o) = @_;
    $self->_put($BYTES, pack 'qqq',
                (map { defined $o{$_} ? $o{$_} : -1 } qw(bytes entries)), 0);
    return;
}

sub refused { return scalar $_[0]->_get($REFUSED, 1) }

1;
