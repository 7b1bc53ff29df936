#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The demo's application. A GET brings a form that needs no JavaScript. A POST
# it reads as a small JSON body where files were sent, and shows it: as JSON to
# a program, as a page to a person.

use strict;
use warnings;
use JSON::PP ();

my $json = JSON::PP->new->canonical->utf8;

sub html
{
    my ($text) = @_;
    my %entity = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;',
                  '"' => '&quot;');
    $text =~ s/([&<>"])/$entity{$1}/g;
    return $text;
}

sub page
{
    my ($class, $title, $body) = @_;
    print "Content-Type: text/html; charset=utf-8\r\n",
        "Cache-Control: no-store\r\n\r\n", <<"END";
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/demo.css">
</head>
<body class="$class">
$body
</body>
</html>
END
}

# The answer goes into a frame, so that the page and its other frame stay.
sub form
{
    my $id = html($ENV{UPLOAD_POOL_NEW_IDENTIFIER} // '');
    page('alone', 'mod_upload_pool, without JavaScript', <<"END");
<header class="top">
<img src="/icon.svg" alt="" width="40" height="40">
<div>
<h1>mod_upload_pool</h1>
<p class="lead">A plain form. Below it the server tells how far it is.</p>
</div>
</header>
<main>
<form class="plain" method="post" enctype="multipart/form-data"
 action="/upload?X-Progress-ID=$id" target="answer">
<label class="text">Title
<input type="text" name="title" value="Holiday" maxlength="200"></label>
<label class="text">Files
<input type="file" name="file" id="file" multiple required></label>
<button class="main" type="submit">Upload</button>
</form>
<iframe name="progress" title="Progress"
 src="/progress?X-Progress-ID=$id"></iframe>
<iframe name="answer" title="What the application received"></iframe>
</main>
<footer><p><a href="/upload">Another upload</a></p></footer>
END
}

sub files
{
    my ($upload) = @_;
    my $files = '';
    my $n = 0;
    for my $file ($upload ? @{ $upload->{files} } : ()) {
        utf8::encode(my $name = $file->{filename});
        my $url = "$ENV{SCRIPT_NAME}/file?X-Progress-ID="
            . "$upload->{identifier}&n=" . $n++;
        $files .= sprintf
            '<li><a href="%s">%s</a> <small>%d bytes</small></li>',
            html($url), html($name), $file->{size};
    }
    return $files;
}

sub received
{
    my ($upload, $seen) = @_;
    my $files = files($upload);
    my $text = html($upload ? $json->pretty->encode($upload)
        : "No upload came with this request.\n");
    my $env = html(join "\n", map { "$_=$seen->{$_}" } sort keys %$seen);
    page('frame', 'What the application received', <<"END");
<main>
<h1>What the application received</h1>
<p>The application, a small CGI program, was started when everything was
stored, and read this.</p>
<ul class="files">$files</ul>
<h2>Its body</h2>
<pre tabindex="0" aria-label="The body">$text</pre>
<h2>Its environment</h2>
<pre tabindex="0" aria-label="The environment">$env</pre>
</main>
END
}

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
}
elsif ($ENV{REQUEST_METHOD} eq 'GET') {
    form();
}
else {
    received($upload, \%seen);
}
