#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The demo's application. It reads a small JSON body where a form with files
# was sent, and shows it: as JSON to a program, as a page to a person.

use strict;
use warnings;
use JSON::PP ();

my $json = JSON::PP->new->canonical->utf8;
my $body = '';
if ($ENV{CONTENT_LENGTH}) {
    read STDIN, $body, $ENV{CONTENT_LENGTH};
}
my %seen = map { $_ => $ENV{$_} }
    grep { /^(?:UPLOAD_POOL_|HTTP_X_UPLOAD_|CONTENT_|REQUEST_)/ } keys %ENV;
my $done = ($ENV{UPLOAD_POOL_STATE} // '') eq 'done';
my $upload = $done ? $json->decode($body) : undef;

if (($ENV{HTTP_ACCEPT} // '') !~ m{text/html}) {
    print "Content-Type: application/json\r\n\r\n",
        $json->pretty->encode({environment => \%seen, body => $upload});
    exit;
}

sub html
{
    my ($text) = @_;
    my %entity = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;',
                  '"' => '&quot;');
    $text =~ s/([&<>"])/$entity{$1}/g;
    return $text;
}

my $files = '';
my $n = 0;
for my $file ($upload ? @{ $upload->{files} } : ()) {
    utf8::encode(my $name = $file->{filename});
    my $url = "$ENV{SCRIPT_NAME}/file?X-Progress-ID="
        . "$upload->{identifier}&n=" . $n++;
    $files .= sprintf '<li><a href="%s">%s</a> <small>%d bytes</small></li>',
        html($url), html($name), $file->{size};
}
my $text = $upload ? $json->pretty->encode($upload)
    : "No upload came with this request.\n";
my $env = join "\n", map { "$_=$seen{$_}" } sort keys %seen;

print "Content-Type: text/html; charset=utf-8\r\n\r\n";
printf <<'END', $files, html($text), html($env);
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What the application received</title>
<link rel="stylesheet" href="/demo.css">
</head>
<body>
<main>
<h1>What the application received</h1>
<p>You sent a form with files. The application, a small CGI program, was
started when everything was stored, and read this.</p>
<ul class="files">%s</ul>
<h2>Its body</h2>
<pre>%s</pre>
<h2>Its environment</h2>
<pre>%s</pre>
<p><a class="button" href="/">Another upload</a></p>
</main>
</body>
</html>
END
