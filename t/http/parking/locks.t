# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# S2: while an upload waits for its client it holds nothing that another needs:
# its only locks are those in its own bucket. Uploads of all protocols hang at
# the same time, parked and on threads, and everything else goes on: other
# uploads, quotas, sweeps, clearing.

use strict;
use warnings FATAL => 'all';
use File::Find ();
use Test::More;
use UploadPool::Httpd;
use UploadPool::Test;

my $httpd = UploadPool::Httpd->new(children => 3);
my $pool = $httpd->make_pool('locks');
my $port = $httpd->port;
my @there = (port => $port);
$httpd->start(<<"END");
UploadSweepInterval 1s
<Location />
    SetHandler upload-pool
    UploadPool "$pool"
    UploadProtocol multipart chunked tus resumable
    UploadChunkedAuto On
    UploadQuota pool 10000000B
    UploadDigest sha-256
</Location>
<Location /held>
    UploadPark Off
</Location>
END

my ($form, $type) = multipart([{name => 'f', filename => 'f',
                                content => 'x' x 9000}]);
my %request = (
    form => ["POST", '', $form, "Content-Type: $type\r\n"],
    chunk => ['POST', '', $form, "Content-Type: $type\r\n"
              . "Content-Range: bytes 0-8999/20000\r\n"],
    raw => ['POST', '', 'x' x 9000, "Content-Range: bytes 0-8999/20000\r\n"],
    tus => ['POST', '', 'x' x 9000, "Tus-Resumable: 1.0.0\r\n"
            . "Upload-Length: 20000\r\n"
            . "Content-Type: application/offset+octet-stream\r\n"],
    resumable => ['POST', '', 'x' x 9000,
                  "Upload-Draft-Interop-Version: 8\r\nUpload-Complete: ?1\r\n"],
);
my (%hung, %id);
# As many as prefork has processes to spare for.
my @places = var('mpm') eq 'prefork' ? ('') : ('', '/held');
for my $place (@places) {
    for my $kind (sort keys %request) {
        my ($method, $where, $bytes, $headers) = @{ $request{$kind} };
        my $name = "$kind$place";
        $id{$name} = new_id();
        my $c = connect_raw(@there);
        $c->send("$method $place/$where?X-Progress-ID=$id{$name} HTTP/1.1\r\n"
            . "Host: x\r\nAccept: application/json\r\n${headers}"
            . 'Content-Length: ' . length($bytes) . "\r\n\r\n"
            . substr $bytes, 0, 5000);
        $hung{$name} = $c;
    }
}
sub received { return status('/', $id{$_[0]}, @there)->{received} || 0 }
for my $name (sort keys %hung) {
    ok wait_for(sub { received($name) >= 4000 }), "$name hangs";
}

# --- What is locked -----------------------------------------------------------

sub locked
{
    my %file;
    no warnings 'File::Find';
    File::Find::find({no_chdir => 1, wanted => sub {
        my ($device, $inode) = lstat or return;
        $file{sprintf '%02x:%02x:%d', $device >> 8 & 0xfff,
              $device & 0xff | $device >> 12 & 0xfff00, $inode} = $_;
    }}, $pool);
    return map { /^\d+: \S+ +\S+ +\S+ +-?\d+ (\S+) / && $file{$1} || () }
        split /\n/, slurp('/proc/locks');
}

my @locked = locked();
cmp_ok scalar @locked, '>=', scalar keys %hung, 'each holds a lock';
my %of = map { $id{$_} => $_ } keys %id;
# The sweep, too, locks what it looks at, for a moment.
my @elsewhere;
wait_for(sub {
    @elsewhere = grep { !m{^\Q$pool\E/([^/]+)(?:/|$)} || !$of{$1} } locked();
    return !@elsewhere;
});
is_deeply \@elsewhere, [], 'in its own bucket, and nowhere else';

# --- Others go on -------------------------------------------------------------

for my $kind (sort keys %request) {
    my ($method, $where, $bytes, $headers) = @{ $request{$kind} };
    my $r = request($method, "/$where?X-Progress-ID=" . new_id(), @there,
        body => $bytes, headers => [map { /^(.*?): (.*)/ ? ($1, $2) : () }
                                    split /\r\n/, $headers]);
    like $r->{status}, qr/^20[01]$/, "another $kind is taken";
}
my $old = "$pool/" . new_id();
mkdir $old, 0700 or die "$old: $!";
chown UploadPool::Httpd::owner(), $old if $> == 0;
utime 1, 1, $old;
ok wait_for(sub { !-d $old }), 'the sweep goes on';
is_deeply [grep { !-d "$pool/$_" } values %id], [], 'and leaves those alone';
for my $name (sort keys %hung) {
    is request('DELETE', "/?X-Progress-ID=$id{$name}", @there)->{status}, 200,
        "$name is cleared while it hangs";
    like $hung{$name}->answer->{status}, qr/^4\d\d$/, "$name learns of it";
    $hung{$name}->close;
}
ok wait_for(sub { !grep { /\Q$_\E/ } locked() }), "$_: nothing is locked"
    for values %id;
$httpd->stop;
unlike $httpd->error_log, qr/exit signal/, 'no child died';
done_testing;
