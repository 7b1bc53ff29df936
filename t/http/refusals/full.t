# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# D4: on a full disk an upload gets 507, nothing of it is left, and the next
# small upload works. The disk has 1 MiB.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Disk;
use UploadPool::Httpd;
use UploadPool::Refuse;
use UploadPool::Test;

# D4: A full disk is 507.
my $mark = log_mark();
my $httpd = UploadPool::Httpd->new;
my $disk = UploadPool::Disk->new($httpd, 'full', bytes => 1 << 20,
                                 entries => 39);
my $dir = $disk->dir;

my $cgi = var('cgibin');
my $ran = pool('refuse-ran');
$httpd->start("ScriptAlias /refuse/full/ \"$cgi/\"\n"
    . "<Directory \"$cgi\">\nOptions ExecCGI\n</Directory>\n"
    . "<Location /refuse/full/>\nUploadPool \"$dir\"\n"
    . "SetEnv UPOOL_RAN \"$ran\"\n</Location>\n");
my $url = '/refuse/full/count.pl';
my @port = (port => $httpd->port);

sub data_files { return grep { /\.bin$/ } pool_files($dir) }

# Uploads to the server with the full disk; its answer, the state and its log.
sub try_upload
{
    my ($bytes, $way) = @_;
    my $log = length $httpd->error_log;
    my $id = new_id();
    my $before = () = runs();
    my ($r) = send_upload($url, multipart([part('f', 'x' x $bytes, 'x')]),
                          id => $id, way => $way, @port);
    my $now = () = runs();
    my $said = substr $httpd->error_log, $log;
    return {status => $r->{status}, state => status($url, $id, @port)->{state},
            ran => $now - $before, text => $r->{json} && $r->{json}{error},
            tags => join(' ', $said =~ /UPL(01\d\d):/g), id => $id};
}

my $text = 'Not enough space to store the upload';
for my $way ('whole', 'chunks') {
    my $got = try_upload(2_000_000, $way);
    is_deeply [@{$got}{qw(status state ran text tags)}],
        [507, 'error', 0, $text, '0129'], "twice the disk, $way"
        or diag explain($got), $httpd->error_log;
    is_deeply [data_files()], [], "$way: nothing is left";
    $got = try_upload(1000, $way);
    is_deeply [@{$got}{qw(status state ran)}], [200, 'done', 1],
        "$way: then a small one works";
    request('DELETE', "$url?X-Progress-ID=$got->{id}", @port);
    is_deeply [data_files()], [], "$way: it goes";
}

# Several files, the last of which does not fit.
{
    my $id = new_id();
    my ($r) = send_upload($url, multipart([
        map { part("f$_", 'y' x 400_000, "$_.bin") } 1 .. 4]), id => $id, @port);
    is $r->{status}, 507, 'the third of four files does not fit';
    is_deeply [data_files()], [], 'the first two are gone too';
    is status($url, $id, @port)->{state}, 'error', 'state';
}

# A complete upload stays when its replacement does not fit.
{
    my $id = new_id();
    my ($first) = send_upload($url, multipart([part('f', 'old', 'x')]),
                              id => $id, @port);
    is $first->{status}, 200, 'a small upload';
    my @files = data_files();
    my ($r) = send_upload($url, multipart([part('f', 'n' x 2_000_000, 'x')]),
                          id => $id, @port);
    is $r->{status}, 507, 'its replacement does not fit';
    is_deeply [data_files()], \@files, 'the old file is there';
    is slurp("$dir/$files[0]"), 'old', 'and is what it was';
    request('DELETE', "$url?X-Progress-ID=$id", @port);
}

# Two uploads at a time: there is room for only one.
{
    my @body = multipart([part('f', 'z' x 700_000, 'x')]);
    my @pair = map { my $id = new_id();
        my $c = connect_raw(@port);
        $c->send(post_head($url, $body[1], $id, 'json') . 'Content-Length: '
                 . length($body[0]) . "\r\n\r\n" . substr $body[0], 0, 500_000);
        [$c, $id] } 1 .. 2;
    $_->[0]->send(substr $body[0], 500_000) for @pair;
    my @status = sort map { $_->[0]->answer->{status} } @pair;
    ok $status[0] == 507 || $status[1] == 507, "two at a time: @status";
    my $done = grep { $_ == 200 } @status;
    is scalar(data_files()), $done, 'the files of those that are done, if any';
    request('DELETE', "$url?X-Progress-ID=$_->[1]", @port) for @pair;
    is_deeply [data_files()], [], 'and they go';
}

# Full before the start: of bytes, then of inodes.
for my $of (qw(fill crowd)) {
    $disk->$of;
    my $got = try_upload(1000, 'whole');
    is $got->{status}, 507, "$of: full before the start"
        or diag $httpd->error_log;
    is $got->{ran}, 0, "$of: the application did not run";
    $disk->free;
    is_deeply [data_files()], [], "$of: nothing is left";
}
{
    my $got = try_upload(1000, 'whole');
    is_deeply [@{$got}{qw(status state ran)}], [200, 'done', 1],
        'with space again all is well' or diag explain($got);
}
is scalar(() = $httpd->error_log =~ /exit signal/g), 0, 'no child died';
is crashes_since($mark), 0, 'nor one of the other server';

done_testing;
