# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Memory;

=head1 NAME

UploadPool::Memory - the memory of a server's children, as the kernel counts it

=cut

use strict;
use warnings FATAL => 'all';
use Exporter qw(import);
use UploadPool::Test qw(children slurp spew);

our @EXPORT_OK = qw(growth);

sub _kib
{
    my ($pid, $what) = @_;
    my ($n) = slurp("/proc/$pid/status") =~ /^$what:\s+(\d+) kB/m;
    return $n;
}

=head1 FUNCTIONS

=over

=item growth(HTTPD, SUB)

The KiB by which the peak of a child of HTTPD (an L<UploadPool::Httpd>) rose
while SUB ran, in the child where it rose most.

=back

=cut

sub growth
{
    my ($httpd, $sub) = @_;
    my %before;
    for my $pid (children($httpd->pid)) {
        spew("/proc/$pid/clear_refs", "5\n");
        $before{$pid} = _kib($pid, 'VmRSS');
    }
    $sub->();
    my @grown = sort { $b <=> $a } map {
        -e "/proc/$_" ? _kib($_, 'VmHWM') - $before{$_} : 0 } keys %before;
    return $grown[0];
}

1;
