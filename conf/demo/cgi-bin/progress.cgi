#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The second frame of the form without JavaScript: how far its upload is, once
# a second anew.

use strict;
use warnings;
use HTTP::Tiny ();
use JSON::PP ();

my ($id) = ($ENV{QUERY_STRING} // '')
    =~ /^X-Progress-ID=([A-Za-z0-9:-]{1,140})$/;
my $status = {state => 'starting'};
if ($id) {
    my $told = HTTP::Tiny->new(timeout => 5)->get(
        "http://127.0.0.1:$ENV{SERVER_PORT}/upload/status?X-Progress-ID=$id");
    $status = JSON::PP::decode_json($told->{content}) if $told->{success};
}

sub megabytes
{
    return sprintf '%.1f MiB', $_[0] / 1048576;
}

my $state = $status->{state};
my ($received, $size) = map { $status->{$_} || 0 } qw(received size);
my $share = $state eq 'done' ? 1 : $size ? $received / $size : 0;
my $text = $state eq 'uploading'
    ? sprintf('%s of %s, %d %%', megabytes($received),
              $size ? megabytes($size) : 'an unknown size', 100 * $share)
    : $state eq 'done' ? 'Done: ' . megabytes($received)
    : $state eq 'error' ? 'The upload failed.'
    : 'Nothing has arrived yet.';
my $ends = $state eq 'done' || $state eq 'error';

print "Content-Type: text/html; charset=utf-8\r\n",
    "Cache-Control: no-store\r\n\r\n";
printf <<'END', $ends ? '' : '<meta http-equiv="refresh" content="1">',
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
%s
<title>Progress</title>
<link rel="stylesheet" href="/demo.css">
</head>
<body class="frame">
<p id="state" role="status">%s</p>
<progress max="1" value="%.4f" aria-label="Your upload"></progress>
</body>
</html>
END
    $text, $share;
