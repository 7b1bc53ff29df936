# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadPassAs form with a large file, of 512 MiB or, with UPOOL_LONG=yes, of 4
# GiB: the peak of a child's memory, as the kernel counts it, grows by less than
# 2 MiB while the child hands the file on. (A fault that took 24 MiB for 4 GiB
# did not show with 256 MiB: a file cut between two pages is not mapped, and
# each try costs memory.)

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Httpd;
use UploadPool::Memory qw(growth);
use UploadPool::Test;

my $MIB = 1 << 20;
my $size = (var_long() ? 4096 : 512) * $MIB;

my $httpd = UploadPool::Httpd->new(modules => ['proxy', 'proxy_http', 'request']);
my $dir = $httpd->make_pool('large');
my $cgi = var('top') . '/t/cgi-bin';
my $backend = var('backendport');
my %site = ('/mapped' => '', '/files' => "EnableSendfile On\n",
            '/read' => "EnableMMAP Off\n",
            '/kept' => "KeptBodySize 1048576\n");
$httpd->start(join '',
    "LimitRequestBody 0\n",
    map({ "ScriptAlias $_/cgi/ \"$cgi/\"\n"
          . "ProxyPass $_/backend/ http://127.0.0.1:$backend/\n"
          . "<Location $_>\nUploadPool \"$dir\"\nUploadPassAs form\n"
          . "UploadProtocol tus\n$site{$_}</Location>\n" } sort keys %site));
my @port = (port => $httpd->port);

sub var_long { return ($ENV{UPOOL_LONG} // 'no') eq 'yes' }

# An upload by tus of which the last byte is missing; the rest is a hole.
sub prepared
{
    my ($url) = @_;
    my $made = request('POST', $url, @port, body => '', headers => [
        'Tus-Resumable', '1.0.0', 'Upload-Length', $size,
        'Upload-Metadata', 'filename YS5iaW4=']);
    my ($id) = ($made->{headers}{location} // '') =~ m{/([^/]+)$};
    my ($file) = glob "$dir/$id/0-*.bin";
    truncate $file, $size - 1 or die "truncate $file: $!";
    return $made->{headers}{location};
}

sub finish
{
    my ($at) = @_;
    return request('PATCH', $at, @port, timeout => 300, body => 'z', headers => [
        'Tus-Resumable', '1.0.0', 'Upload-Offset', $size - 1,
        'Content-Type', 'application/offset+octet-stream']);
}

for my $site (sort keys %site) {
    for my $to ('cgi/echo.pl?count', 'backend/?count') {
        next if $site eq '/kept' && $to =~ /backend/;
        my ($grown, $r);
        # A child that is new takes memory for the first time.
        for (1 .. 8) {
            my $at = prepared("$site/$to");
            $grown = growth($httpd, sub { $r = finish($at) });
            last if $grown < 2048 || $r->{status} != 200;
        }
        is $r->{status}, 200, "$site, $to: status" or diag $r->{body};
        cmp_ok $r->{json}{length} // 0, '>', $size, "$site, $to: all of it";
        cmp_ok $grown, '<', 2048, "$site, $to: memory grows by less than 2 MiB"
            or diag "$grown KiB";
        diag "$site, $to: $grown KiB" if $ENV{UPOOL_TELL};
    }
}
$httpd->stop;
done_testing;
