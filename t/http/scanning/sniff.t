# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadSniff: files that are not what they are declared as.

use strict;
use warnings FATAL => 'all';
use Test::More;
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
    empty => '',
    byte => 'x',
);
my %found = (png => 'image/png', pdf => 'application/pdf', html => 'text/html',
             svg => 'image/svg+xml', xml => 'text/xml', text => 'text/plain',
             json => 'text/plain');

sub file
{
    my ($what, $type, $more) = @_;
    return {name => 'f', filename => 'x', type => $type,
            content => $bytes{$what} . ($more // '')};
}

my @good = (
    [png => 'image/png'], [pdf => 'application/pdf'], [html => 'text/html'],
    [svg => 'image/svg+xml'], [xml => 'application/xml'],
    [text => 'text/plain'], [text => 'text/csv'], [json => 'application/json'],
    [png => 'application/octet-stream'], [png => undef], [text => undef],
    [unknown => 'application/octet-stream'], [unknown => 'application/x-mine'],
    [unknown => undef], [empty => 'image/png'], [byte => 'text/plain'],
    [png => 'IMAGE/PNG; x=y'],
);
my @bad = (
    [html => 'image/png'], [svg => 'image/png'], [html => 'application/pdf'],
    [html => 'text/plain'], [html => 'application/octet-stream'],
    [html => undef], [svg => 'application/octet-stream'], [svg => 'text/plain'],
    [xml => 'text/plain'], [text => 'image/png'], [pdf => 'image/png'],
    [unknown => 'image/png'], [unknown => 'text/plain'],
    [unknown => 'application/pdf'], [png => 'text/plain'],
    [png => 'image/jpeg'],
);
sub named { return "$_[0] as " . ($_[1] // 'nothing') }

for my $where ('sniff', 'sniff-inline', 'sniff-report') {
    for my $row (@good, $where eq 'sniff-report' ? @bad : ()) {
        my ($what, $type) = @$row;
        my $since = log_mark();
        my $answer = upload("/scan/$where/echo.pl", [file($what, $type)],
                            id => new_id());
        is $answer->{status}, 200, "$where: " . named(@$row) . ' is taken';
        is application($answer)->{files}[0]{'sniffed-content-type'},
            $found{$what}, 'and known as what it is';
        my @told = grep { /UPL0037/ } split /\n/, error_log_since($since);
        my $bad = grep { $_ == $row } @bad;
        is scalar @told, $bad, $bad ? 'the log tells' : 'nothing to tell';
        like $told[0], qr/upload_pool:info.*declared, .* found/, 'what' if $bad;
    }
}
for my $where ('sniff', 'sniff-inline') {
    for my $row (@bad) {
        my ($body, $type) = multipart([part('t', 'v'), file(@$row)]);
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
upload('/scan/sniff-report/echo.pl', [file('html', "x/\x1b[31m")],
       id => new_id());
unlike error_log_since($since), qr/\x1b/, 'no client text in the log';

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

is_deeply [strays('scan')], [], 'nothing is left in the pool';
is crashes_since($mark), 0, 'no child crashed';
done_testing;
