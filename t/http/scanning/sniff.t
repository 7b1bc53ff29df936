# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadSniff: files that are not what they are declared as.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Chunked;
use UploadPool::Clamd;
use UploadPool::Refuse;
use UploadPool::Test;

my $mark = log_mark();
my @pool = (pool => 'scan');
my %bytes = (
    png => "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\6\0\0\0",
    pdf => "%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n",
    html => "<!DOCTYPE html><html><body><script>alert(1)</script></body></html>",
    svg => '<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
    xml => '<?xml version="1.0"?><a/>',
    text => "hello, world\n",
    json => '{"a": 1}',
    unknown => "\x80\x01\x02\xff\xfe\x00\x13\x99\xa0\x03",
    program => "MZ\x90" . "\0" x 57 . "\x40\0\0\0PE\0\0\x64\x86" . "\0" x 200,
    empty => '',
    byte => 'x',
);
my %found = (png => 'image/png', pdf => 'application/pdf', html => 'text/html',
             svg => 'image/svg+xml', xml => 'text/xml', text => 'text/plain',
             json => 'text/plain');

sub file
{
    my ($what, $type, $more, $name) = @_;
    return {name => 'f', filename => $name // 'x', type => $type,
            content => $bytes{$what} . ($more // '')};
}

my @good = (
    [png => 'image/png'], [pdf => 'application/pdf'], [html => 'text/html'],
    [svg => 'image/svg+xml'], [xml => 'application/xml'],
    [text => 'text/plain'], [text => 'text/csv'], [json => 'application/json'],
    [png => 'application/octet-stream'], [png => undef], [text => undef],
    [unknown => 'application/octet-stream'], [unknown => 'application/x-mine'],
    [unknown => undef], [empty => 'image/png'], [byte => 'text/plain'],
    [png => 'IMAGE/PNG; x=y'], [html => 'text/plain'], [html => undef],
    [html => 'application/octet-stream'], [svg => 'text/plain'],
    [xml => 'text/plain'], [unknown => 'text/plain'],
    [unknown => 'image/x-dds'], [html => 'text/markdown', 'README.md'],
    [xml => undef, 'x.plist'],
);
my @bad = (
    [html => 'image/png'], [svg => 'image/png'], [html => 'application/pdf'],
    [html => 'text/plain', 'x.html'], [svg => 'application/x-mine', 'x.svg'],
    [html => undef, 'photo.jpeg'], [text => 'image/png'],
    [pdf => 'image/png'], [unknown => 'image/png'],
    [unknown => 'application/octet-stream', 'x.PNG'],
    [unknown => 'application/pdf'], [png => 'text/plain'],
    [png => 'image/jpeg'], [program => 'image/png'], [program => 'text/plain'],
);
sub named { return "$_[0] as " . ($_[1] // 'nothing') }

for my $where ('sniff', 'sniff-inline', 'sniff-report') {
    for my $row (@good, $where eq 'sniff-report' ? @bad : ()) {
        my ($what, $type, $name) = @$row;
        my $since = log_mark();
        my $answer = upload("/scan/$where/echo.pl", [file($what, $type, '', $name)],
                            id => new_id());
        is $answer->{status}, 200, "$where: " . named(@$row) . ' is taken';
        is application($answer)->{files}[0]{'sniffed-content-type'},
            $found{$what}, 'and known as what it is' unless $what eq 'program';
        my @told = grep { /UPL0037/ } split /\n/, error_log_since($since);
        my $bad = grep { $_ == $row } @bad;
        is scalar @told, $bad, $bad ? 'the log tells' : 'nothing to tell';
        like $told[0], qr/upload_pool:info.*declared, .* found: rule [a-z-]+/,
            'what, and by which rule' if $bad;
    }
}
for my $where ('sniff', 'sniff-inline') {
    for my $row (@bad) {
        my ($body, $type) = multipart([part('t', 'v'),
                                       file(@$row[0, 1], '', $row->[2])]);
        my $answer = refused("$where: " . named(@$row),
            "/scan/$where/count.pl", $body, $type, @pool, status => 415,
            reason => 'SNIFFED');
        is $answer->{json}{error}, 'Content of a file does not match its type',
            'in these words' if $answer->{json};
    }
}

# The first 2 KiB decide, however they come.
for my $way ('bytes', 'chunks') {
    for my $more ('', ' ' x 5000) {
        taken("png, $way", '/scan/sniff/count.pl',
              multipart([file('png', 'image/png', $more)]), way => $way);
        refused("html as png, $way", '/scan/sniff/count.pl',
                multipart([file('html', 'image/png', $more)]), way => $way,
                @pool, status => 415, reason => 'SNIFFED');
    }
}
refused('the second file', '/scan/sniff/count.pl',
        multipart([file('png', 'image/png'), file('html', 'image/png')]),
        @pool, status => 415, reason => 'SNIFFED');
my $since = log_mark();
upload('/scan/sniff-report/echo.pl', [file('html', 'image/png', '', "\x1b[31m")],
       id => new_id());
unlike error_log_since($since), qr/\x1b/, 'no client text in the log';

# Where the first bytes do not tell, the file does, wherever it is kept and
# however it comes.
my $cover = "ID3\4\0\0\0\0\x2e\x70" . "\1" x 6000;
my $frames = ("\xff\xfb\x90\0" . "\0" x 413) x 3;
my $entry = pack 'A4v5V3v2', "PK\3\4", 10, 0, 0, 0, 0, 0, 6000, 6000, 1, 0;
my $central = pack 'A4v6V3v5V2', "PK\1\2", 798, 10, 0, 0, 0, 0, 0, 6000, 6000,
    1, 0, 0, 0, 0, 0, 0;
my $archive = "${entry}a" . "\xee" x 6000 . "${central}a"
    . pack 'A4v4V2v', "PK\5\6", 0, 0, 1, 1, 47, 6031, 0;
my $late = "\0\1\2\3\r\n" . "\xee" x 600 . "%PDF-1.4\n\x80" . ' ' x 6000;
my @whole = (
    [$cover . $frames, 'audio/mpeg', 200], [$archive, 'application/zip', 200],
    [$archive, 'application/epub+zip', 200], [$archive, 'image/png', 415],
    ["$late\n%%EOF\n", 'application/pdf', 200], [$late, 'application/pdf', 415],
    [$cover . $bytes{html}, 'audio/mpeg', 415]);
for my $row (@whole) {
    my ($content, $type, $status) = @$row;
    my $file = {name => 'f', filename => 'x', type => $type,
                content => $content};
    for my $where ('sniff', 'sniff-inline') {
        my $answer = upload("/scan/$where/echo.pl", [$file], id => new_id());
        is $answer->{status}, $status, "$where: a whole file as $type";
    }
    my $end = length($content) - 1;
    my $answer = raw('POST', '/scan/sniff-pieces/echo.pl', $content,
        range => "bytes 0-$end/" . length $content, id => new_id(),
        disposition => 'attachment; filename="x"',
        headers => ['Content-Type', $type]);
    is $answer->{status}, $status, "in pieces: a whole file as $type";
}

# Sniffed before it is scanned.
my $clamd = UploadPool::Clamd->new;
my $virus = $UploadPool::Clamd::PATTERN;
refused('both wrong', '/scan/sniff-both/count.pl',
        multipart([{%{ file('html', 'image/png', $virus) }}]), @pool,
        status => 415, reason => 'SNIFFED');
refused('the right type, but a virus', '/scan/sniff-both/count.pl',
        multipart([file('text', 'text/plain', $virus)]), @pool,
        status => 422, reason => 'VIRUS');
taken('neither', '/scan/sniff-both/count.pl',
      multipart([file('text', 'text/plain')]));

# But the kept answers of what came in pieces, and what tells of it.
is_deeply [grep { !m{/(?:answer\.json|run|resumable\.json)$} } strays('scan')], [],
    'nothing is left in the pool';
is crashes_since($mark), 0, 'no child crashed';
done_testing;
