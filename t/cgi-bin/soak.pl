#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The application of the soak: writes down each of its runs in $UPOOL_RAN/log,
# a line when it begins (B) and one when it has read everything (E):
#
#     E PID IDENTIFIER SHA-256,... NAME=VALUE;...
#
# the digests of the files that it was handed, read where they are, and the
# fields, in order. Says the same to its client. What is no upload is told where
# to upload, and under which identifier.

use strict;
use warnings;
use Digest::SHA qw(sha256_hex);

binmode STDIN;
my $id = $ENV{UPLOAD_POOL_IDENTIFIER};
if (($ENV{UPLOAD_POOL_STATE} // '') ne 'done') {
    print "Content-Type: text/plain\n\n", $ENV{UPLOAD_POOL_URL} // '', ' ',
        $ENV{UPLOAD_POOL_NEW_IDENTIFIER} // '';
    exit;
}
open my $log, '>>', "$ENV{UPOOL_RAN}/log" or die "log: $!";
syswrite $log, "B $$ $id\n";
my ($left, $body) = ($ENV{CONTENT_LENGTH}, '');
while ($left > 0) {
    my $got = read STDIN, $body, $left, length $body or last;
    $left -= $got;
}
# Cut short: its server is gone.
exit 1 if $left;
my (@sums, @fields);
my $type = $ENV{CONTENT_TYPE};
if ($type =~ m{^multipart/form-data; boundary="?([^";]+)}) {
    form($1);
}
else {
    object();
}
my $said = join ' ', $id, join(',', @sums), join(';', @fields);
syswrite $log, "E $$ $said\n";
print "Content-Type: text/plain\n\nran $said";

sub form
{
    my ($boundary) = @_;
    my @parts = split /(?:^|\r\n)--\Q$boundary\E(?:\r\n|--\r\n$)/, $body;
    shift @parts;
    for my $part (@parts) {
        my ($head, $bytes) = split /\r\n\r\n/, $part, 2;
        my ($name) = $head =~ /\bname="([^"]*)"/;
        if ($head !~ /\bfilename="([^"]*)"/) {
            push @fields, "$name=$bytes";
        }
        elsif ($1 ne '') {
            push @sums, sha256_hex($bytes);
        }
    }
    return;
}

sub object
{
    require JSON::PP;
    my $upload = JSON::PP->new->utf8->decode($body);
    for my $file (@{ $upload->{files} }) {
        # One that was cleared meanwhile is there until this has answered.
        push @sums, eval { Digest::SHA->new(256)->addfile($file->{path})
                               ->hexdigest } // "unreadable-$!";
    }
    push @fields, map { "$_->{name}=$_->{value}" } @{ $upload->{fields} };
    return;
}
