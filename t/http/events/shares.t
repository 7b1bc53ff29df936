# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadWatchers with several virtual hosts: the clients of one leave something
# to those of the others.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;
use UploadPool::Httpd;
use UploadPool::Stream;

my $httpd = UploadPool::Httpd->new;
my $port = $httpd->port;
my $dir = $httpd->make_pool('shares');
my $hosts = join '', map { <<"CONF" } qw(anna bert);
<VirtualHost 127.0.0.1:$port>
    ServerName $_.example.org
    <Location /up>
        UploadPool "$dir"
        SetHandler upload-pool
    </Location>
</VirtualHost>
CONF

sub watch
{
    my ($name) = @_;
    my $stream = UploadPool::Stream->new("http://$name.example.org/up",
                                         new_id(), port => $port);
    $stream->next if $stream->{status} == 200;
    return $stream;
}

$httpd->start("UploadWatchers 4 4\n$hosts");
my @anna = map { watch('anna') } 1 .. 4;
is_deeply [map { $_->{status} } @anna], [200, 200, 200, 503],
    'one host has three quarters of the places';
my @bert = map { watch('bert') } 1 .. 2;
is_deeply [map { $_->{status} } @bert], [200, 503], 'another has the rest';
$_->close for @anna;
my @more;
ok wait_for(sub {
    my $stream = watch('bert');
    push @more, $stream if $stream->{status} == 200;
    return @more == 2;
}), 'and as much as the first where that one goes';
is watch('bert')->{status}, 503, 'but no more either';
$_->close for @bert, @more;
$httpd->stop;
unlike $httpd->error_log, qr/exit signal/, 'no child died';
done_testing;
