# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# A piece whose upload cannot be looked at, since the pool's disk fails for a
# moment: it is refused, and nobody is told that the upload has ended. It goes on
# where it was.

use strict;
use warnings FATAL => 'all';
use Errno qw(EIO);
use Test::More;
use UploadPool::Fault;
use UploadPool::Flows;
use UploadPool::Httpd;
use UploadPool::Test;

my $httpd = UploadPool::Httpd->new;
my $pool = $httpd->make_pool('piece');
my $fault = UploadPool::Fault->new($httpd, $pool);
$httpd->start(<<"END");
UploadSweepInterval 1h
<Location /plain>
    SetHandler upload-pool
    UploadPool "$pool"
    UploadProtocol multipart chunked tus resumable
    UploadServe On
</Location>
END

for my $name (qw(chunked tus ietf)) {
    for my $kind (qw(read open stat)) {
        my ($ended, $stuck, $hit) = ('', '', 0);
        for my $at (1 .. 12) {
            my $up = flow($name, '/plain', $httpd->port, $pool);
            my @steps = @{ $up->{steps} };
            $up->{prepare}->();
            shift(@steps)->() for $name eq 'tus' ? (1, 2) : 1;
            $fault->arm($kind, EIO, at => $at, count => 0);
            my $answer = shift(@steps)->();
            next unless $fault->disarm && $answer->{status} >= 500;
            $hit++;
            my $now = status('/plain', $up->{id}, port => $httpd->port);
            $ended .= " $at: $now->{state}"
                if $now->{state} !~ /^(?:uploading|done)$/;
            my $on = $up->{resume}->();
            $stuck .= " $at: $on->{status}" if $on->{status} != 200;
        }
        cmp_ok $hit, '>', 0, "$name, $kind: is refused";
        is $ended, '', "$name, $kind: it has not ended";
        is $stuck, '', "$name, $kind: it goes on";
    }
}
$httpd->stop;
done_testing;
