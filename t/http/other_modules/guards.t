# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Modules that a server has for all its locations, in a server of their own:
# mod_evasive, which turns away clients that ask too often, and mod_dumpio,
# which looks at every byte.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Httpd;
use UploadPool::Neighbours;
use UploadPool::Several;
use UploadPool::Test;

my $libexec = var('libexecdir');

sub server
{
    my ($module, @lines) = @_;
    my $httpd = UploadPool::Httpd->new;
    my $pool = $httpd->make_pool('guarded');
    my ($name) = $module =~ /^mod_(\w+)\.so$/;
    return $httpd->start(join "\n", "LoadModule ${name}_module $libexec/$module",
        @lines, '<Location /up>', " UploadPool \"$pool\"",
        ' UploadProtocol multipart chunked tus resumable',
        ' SetHandler upload-pool', '</Location>', '');
}

my @file = {name => 'f', filename => 'f', content => 'x' x 3000};

# --- mod_evasive ------------------------------------------------------------

# Before version 2 the names of file and module had a number, and loading the
# module was enough to enable it.
my ($evasive) = grep { -f "$libexec/$_" } qw(mod_evasive.so mod_evasive20.so)
    or die "mod_evasive is missing in $libexec\n";
my @evasive = ('DOSHashTableSize 3097', 'DOSPageCount 3', 'DOSPageInterval 1',
               'DOSSiteCount 1000', 'DOSSiteInterval 1', 'DOSBlockingPeriod 1');
unshift @evasive, 'DOSEnabled true' if $evasive eq 'mod_evasive.so';
{
    my $httpd = server($evasive, @evasive);
    my @to = (port => $httpd->port);
    my $up = begin('tus', '/up', 'y' x 2000, to => {@to});
    my $id = new_id();
    # Each process has its own count of the requests within a second, so they
    # are sent together.
    my $turned = wait_for(sub {
        my $c = connect_raw(@to);
        $c->send("GET /up/status?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n\r\n"
                 x 10);
        my $refused = grep { $c->answer->{status} == 403 } 1 .. 10;
        $c->close;
        return $refused;
    });
    ok $turned, 'evasive: who polls too often is turned away';
    my $refused = 0;
    ok wait_for(sub {
        my $r = upload('/up', \@file, id => $id, @to);
        $refused++ if $r->{status} == 403;
        select undef, undef, undef, 2.5 if $r->{status} == 403;
        $r->{status} == 200;
    }), 'evasive: and may upload later';
    my $r;
    wait_for(sub {
        $r = $up->{finish}->(@to);
        select undef, undef, undef, 2.5 if $r->{status} == 403;
        $r->{status} != 403;
    });
    is $r->{status}, 200, 'evasive: an upload in several requests goes on';
    is $r->{json}{received}, 2000, 'evasive: where it was';
    unlike $httpd->error_log, qr/exit signal/, 'evasive: no child died';
    $httpd->stop;
    # As the manual says.
    $httpd = server($evasive, @evasive, 'DOSWhitelist 127.0.0.*');
    my $other = 0;
    for (1 .. 40) {
        my $s = status('/up', $id, port => $httpd->port);
        $other++ unless ($s->{state} || '') eq 'starting';
    }
    is $other, 0, 'evasive: not who stands in its list';
    $httpd->stop;
}

# --- mod_dumpio -------------------------------------------------------------

{
    my $httpd = server('mod_dumpio.so', 'DumpIOInput On', 'DumpIOOutput On',
                       'LogLevel info upload_pool:debug dumpio:trace7');
    my @to = (port => $httpd->port);
    my $marker = 'dumped-' . new_id();
    for my $chunked (0, 1) {
        my ($r, $id, $c) = trickle('/up', @to, chunked => $chunked,
            content => "$marker-$chunked" x 100,
            headers => ['Accept', 'application/json']);
        is $r->{status}, 200, "dumpio, slow, $chunked: status";
        is $r->{json}{state}, 'done', "dumpio, slow, $chunked: done";
        $c->close;
        like $httpd->error_log, qr/dumpio_in.*\Q$marker-$chunked\E/s,
            "dumpio, slow, $chunked: it has seen it";
    }
    for my $way (ways()) {
        my $up = begin($way, '/up', 'z' x 2000, to => {@to});
        my $r = $up->{finish}->(@to);
        like $r->{status}, qr/^20[014]$/, "dumpio, $way";
    }
    unlike $httpd->error_log, qr/exit signal/, 'dumpio: no child died';
    $httpd->stop;
}

done_testing;
