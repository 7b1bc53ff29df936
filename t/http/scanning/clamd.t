# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# A real clamd with one signature of our own: clean files pass, a virus in any of
# them ends the upload, and nothing of it stays; without a scanner no file
# passes, unless the administrator allows it.

use strict;
use warnings FATAL => 'all';
use Test::More;
use MIME::Base64 ();
use UploadPool::Clamd;
use UploadPool::Refuse;
use UploadPool::Test;

my $mark = log_mark();
my $clamd = UploadPool::Clamd->new;
my $virus = "before $UploadPool::Clamd::PATTERN after";
my $found = "Upload refused: virus found ($UploadPool::Clamd::NAME.UNOFFICIAL)";
my @pool = (pool => 'scan');

sub one { return multipart([part('t', 'v'), part('f', $_[0], 'x.txt')]) }

# --- Clean files ---------------------------------------------------------------

for my $where ('unix', 'tcp', 'spool', 'last', 'accept', 'inline') {
    for my $size (0, 1, 65_536, 700_000) {
        my $bytes = random_bytes($size);
        my $answer = upload("/scan/$where/echo.pl",
            [{name => 'f', filename => 'x', content => $bytes}], id => new_id());
        is $answer->{status}, 200, "$where: $size clean bytes are taken";
        my $file = application($answer)->{files}[0];
        is $file->{size}, $size, 'whole';
        ok !exists $file->{notes}, 'without a note';
        ok $file->{path} ? slurp($file->{path}) eq $bytes
            : MIME::Base64::decode_base64($file->{content}) eq $bytes,
            'and as they were';
    }
}
for my $way ('chunks', 'bytes') {
    taken("clean, $way", '/scan/unix/count.pl', one('nothing special'),
          way => $way);
}
my $both = upload('/scan/unix/echo.pl', [
    map { +{name => 'f', filename => "x$_", content => "clean $_"} } 1 .. 5],
    id => new_id());
is scalar @{ application($both)->{files} }, 5, 'five clean files in one upload';

# --- A virus --------------------------------------------------------------------

for my $where ('unix', 'tcp', 'spool', 'last', 'accept', 'inline') {
    for my $way ('whole', 'chunks', 'bytes') {
        my $answer = refused("$where: a virus, $way", "/scan/$where/count.pl",
            one($virus), way => $way, @pool, status => 422, reason => 'VIRUS');
        is $answer->{json}{error}, $found, 'with its name' if $answer->{json};
    }
}
my $id = new_id();
refused('its name', '/scan/unix/count.pl', one($virus), @pool, id => $id,
        how => 'json', status => 422, reason => 'VIRUS');
is status('/scan/unix/count.pl', $id)->{error}, $found, 'is in the state';
refused('the second file of three', '/scan/unix/count.pl',
    multipart([part('a', 'clean', 'a'), part('b', $virus, 'b'),
               part('c', 'clean', 'c')]),
    @pool, status => 422, reason => 'VIRUS');
refused('over the border of two chunks', '/scan/unix/count.pl',
    one('x' x (65_536 - 20) . $virus), @pool, status => 422, reason => 'VIRUS');
refused('at the end of a long file', '/scan/unix/count.pl',
    one('x' x 900_000 . $virus), @pool, status => 422, reason => 'VIRUS');
taken('without a scan', '/scan/off/count.pl', one($virus));
taken('in a form field', '/scan/unix/count.pl', multipart([part('t', $virus)]));

# A clean upload stays when an infected one comes under its identifier.
$id = new_id();
taken('a clean one', '/scan/unix/count.pl', one('first'), id => $id);
refused('an infected one of that name', '/scan/unix/count.pl', one($virus),
        @pool, id => $id, status => 422, reason => 'VIRUS', kept => 1,
        state => 'error');

# --- No verdict -------------------------------------------------------------------

my $too_long = 'x' x ($UploadPool::Clamd::STREAM_MAX + 1);
for my $where ('unix', 'tcp', 'accept') {
    my $answer = refused("$where: above StreamMaxLength",
        "/scan/$where/count.pl", one($too_long), @pool, how => 'json',
        status => 503, reason => 'SCANNER');
    is $answer->{json}{error}, 'Upload could not be scanned', 'in these words';
}
taken('exactly StreamMaxLength', '/scan/unix/count.pl',
      one(substr $too_long, 1));
refused('much above it', '/scan/unix/count.pl', one($too_long x 8), @pool,
        status => 503, reason => 'SCANNER');

# Clients that go away while their file is scanned leave clamd in peace.
for (1 .. 5) {
    my ($body, $type) = one('x' x 400_000);
    my $head = post_head('/scan/unix/count.pl', $type, new_id(), 'json')
        . 'Content-Length: ' . length($body) . "\r\n\r\n";
    raw_request($head . substr($body, 0, 300_000), abort => 'rst');
}
taken('after clients that went away', '/scan/unix/count.pl', one('clean'));

sub absent
{
    my ($name, $where, $line) = @_;
    my $refused = refused("$name, refuse", "/scan/$where/count.pl",
        one('clean'), @pool, status => 503, reason => 'SCANNER');
    my $since = log_mark();
    my $answer = upload("/scan/$where-accept/echo.pl",
        [{name => 'f', filename => 'x', content => 'clean'}], id => new_id());
    is $answer->{status}, 200, "$name, accept: taken";
    is_deeply application($answer)->{files}[0]{notes}, {scan => 'failed'},
        'the application is told';
    my @told = grep { /UPL0036/ } split /\n/, error_log_since($since);
    is scalar @told, 1, 'the log has a line';
    like $told[0], qr/upload_pool:warn.*$line/, 'of why';
    return;
}
absent('nobody there', 'nobody', qr/no connection to the scanner at unix:/);

$clamd->stop;
for my $where ('unix', 'tcp', 'inline') {
    refused("$where: scanner stopped", "/scan/$where/count.pl", one('clean'),
            @pool, status => 503, reason => 'SCANNER');
}
taken('scanner stopped, accept', '/scan/accept/count.pl', one('clean'));
taken('no file, nothing to scan', '/scan/unix/count.pl',
      multipart([part('t', 'v')]));
$clamd = UploadPool::Clamd->new;
taken('scanner back', '/scan/unix/count.pl', one('clean'));
refused('and awake', '/scan/unix/count.pl', one($virus), @pool, status => 422,
        reason => 'VIRUS');
$clamd->stop;

# --- Scanners of another kind ------------------------------------------------------

sub until_the_end
{
    my ($socket, $then) = @_;
    my $all = '';
    while (sysread $socket, $all, 65536, length $all) {
        last if $then && $all =~ /\0\0\0\0\z/;
    }
    return;
}

{
    my $silent = UploadPool::Clamd->fake(sub { until_the_end($_[0]) });
    absent('silence', 'fake', qr/no answer from the scanner/);
}
for my $row (['an error', "stream: broken ERROR\0"],
             ['garbage', "220 mail.example ESMTP\r\n"],
             ['half an answer', 'stream: O'],
             ['without its end', 'stream: OK'],
             ['more than an answer', "stream: OK\0stream: OK\0"],
             ['too much', 'x' x 100_000]) {
    my ($name, $says) = @$row;
    my $other = UploadPool::Clamd->fake(sub {
        until_the_end($_[0], 1);
        syswrite $_[0], $says;
    });
    refused("$name, $_", "/scan/$_/count.pl", one('clean'), @pool,
            status => 503, reason => 'SCANNER') for 'fake', 'fake-accept';
}
{
    my $liar = UploadPool::Clamd->fake(sub {
        until_the_end($_[0], 1);
        syswrite $_[0], "stream: <b>\r\nx" . 'y' x 200 . " FOUND\0";
    });
    my $answer = refused('a name that is none', '/scan/fake/count.pl',
        one('clean'), @pool, how => 'json', status => 422, reason => 'VIRUS');
    is $answer->{json}{error}, 'Upload refused: virus found (<b>__x'
        . 'y' x 94 . ')', 'is made printable, and short';
}

is_deeply [strays('scan')], [], 'nothing is left in the pool';
is crashes_since($mark), 0, 'no child crashed';
done_testing;
