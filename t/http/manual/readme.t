# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The first example of the README, which the manual repeats: its six lines, its
# requests, and what they print, without an application and with one. Only path,
# port and the bytes around the file are the test's.

use strict;
use warnings FATAL => 'all';
use utf8;
use JSON::PP ();
use Test::More;
use UploadPool::Httpd;
use UploadPool::Manual;
use UploadPool::Test;

my $readme = slurp(var('top') . '/README');
utf8::decode($readme);
my ($section) = $readme =~ /^# The first example\n(.*?)^# /ms;
my @block = blocks($section);
is join(' ', map { $_->{kind} } @block), 'config session session session',
    'a configuration and three requests';
my $config = $block[0]{text};
is scalar(split /\n/, $config), 6, 'six lines';

my $httpd = UploadPool::Httpd->new;
my $pool = $httpd->make_pool('pool');
$config =~ s{/var/lib/upload_pool\b}{$pool}g;
my $cgi = $httpd->dir('app.cgi');
spew($cgi, "#!/bin/sh\necho 'Content-Type: application/json'\necho\ncat\n");
chmod 0755, $cgi;
$httpd->start($config);
my $photo = $httpd->dir('photo.jpg');
spew($photo, random_bytes(123_210));

# Keys in their order, so that a reader finds what he sees.
sub keys_of { return join ' ', $_[0] =~ /"([\w-]+)":/g }

sub compared
{
    my ($json, $path) = @_;
    $json =~ s/…/0/g;
    my $upload = JSON::PP->new->decode($json);
    is $upload->{size}, $upload->{received}, 'all of it was received';
    cmp_ok delete $upload->{size}, '>', 123_210, 'and more than the file';
    delete $upload->{received};
    for my $file (@{ $upload->{files} || [] }) {
        like $file->{path}, qr{^\Q$path\E/my-upload-1/0-[0-9a-f]+\.bin$}, 'path';
        delete $file->{path};
    }
    $upload->{expires} = 'later' if exists $upload->{expires};
    return $upload;
}

sub shown
{
    my ($block) = @_;
    my ($command, $printed) = @{ (commands($block->{text}))[0] };
    my $port = $httpd->port;
    $command =~ s{http://localhost/}{http://127.0.0.1:$port/};
    my $said = said_to('games',
        "cd @{[$httpd->dir('')]} && { $command; } 2>/dev/null");
    utf8::decode($said);
    is keys_of($said), keys_of($printed), 'the same keys, in order';
    is_deeply compared($said, $pool), compared($printed, '/var/lib/upload_pool'),
        'and the same values';
    return;
}

shown($_) for @block[1, 2];
like request('GET', '/upload', port => $httpd->port)->{body}, qr/<form /,
    'a form for a browser';
$httpd->stop;
$config =~ s/^ +SetHandler upload-pool\n//m or fail 'the line to leave out';
$httpd->start("${config}ScriptAlias /upload $cgi\n");
shown($block[3]);

done_testing;
