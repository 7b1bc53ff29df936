# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadScan and UploadSniff in configurations: what is refused; .htaccess may
# only make them stricter.

use strict;
use warnings FATAL => 'all';
use Test::More;
use File::Path ();
use UploadPool::Test;
use UploadPool::Httpd;

my $httpd = UploadPool::Httpd->new;
for my $row (
    ['UploadScan /run/clamd.sock', qr/UploadScan takes clamd:unix:/],
    ['UploadScan clamd:', qr/UploadScan takes unix:\/path or host:port/],
    ['UploadScan clamd:unix:x', qr/UploadScan takes unix: and an absolute/],
    ['UploadScan clamd:unix:/' . 'x' x 200, qr/UploadScan has a path that is/],
    ['UploadScan clamd:127.0.0.1', qr/UploadScan takes unix:/],
    ['UploadScanTimeout 0', qr/UploadScanTimeout takes a time above 0/],
    ['UploadScanFailure ignore', qr/UploadScanFailure must be refuse or/],
    ['UploadSniff maybe', qr/UploadSniff must be On, Off or report/]) {
    my ($exit, $said) = $httpd->check("$row->[0]\n");
    isnt $exit, 0, "$row->[0]: refused";
    like $said, $row->[1], 'and told';
}
for my $good ('UploadScan clamd:unix:/nowhere/yet', 'UploadScan off',
              'UploadScan CLAMD:127.0.0.1:3310', 'UploadScan clamd:[::1]:3310',
              'UploadScanFailure Accept', 'UploadSniff Report',
              "UploadScanTimeout 500ms\nUploadScanFailure refuse",
              'UploadHandler clamd sniff accept spool') {
    my ($exit, $said) = $httpd->check("$good\n");
    is $exit, 0, $good or diag $said;
}

# --- .htaccess ----------------------------------------------------------------

my $pool = $httpd->make_pool('pool');
my $docs = $httpd->dir('htdocs');
my $common = "UploadPool \"$pool\"\nSetHandler upload-pool\n"
    . "AllowOverride Options\n";
sub site { return "<Directory \"$docs/$_[0]\">\n$common$_[1]\n</Directory>\n" }
File::Path::make_path(map { "$docs/$_" } qw(on report off accept refuse));
my $nobody = 'UploadScan clamd:unix:/nowhere/at/all';
$httpd->start(join '', site('on', 'UploadSniff On'),
    site('report', 'UploadSniff report'), site('off', ''),
    site('accept', "$nobody\nUploadScanFailure accept"),
    site('refuse', $nobody));

sub status_of
{
    my ($where, $htaccess, $type) = @_;
    spew("$docs/$where/.htaccess", "$htaccess\n");
    my $answer = upload("/$where/",
        [{name => 'f', filename => 'x', type => $type || 'image/png',
          content => '<html><body>x</body></html>'}],
        id => new_id(), accept => 'application/json', port => $httpd->port);
    return $answer->{status};
}
is status_of('off', ''), 200, 'nothing set, nothing compared';
is status_of('off', 'UploadSniff On'), 415, '.htaccess switches it on';
is status_of('off', 'UploadSniff On', 'text/html'), 200, 'and it compares';
is status_of('report', ''), 200, 'report';
is status_of('report', 'UploadSniff On'), 415, 'made stricter';
is status_of('report', 'UploadSniff Off'), 200, 'or, to no effect, weaker';
is status_of('on', ''), 415, 'On';
is status_of('on', "UploadSniff $_"), 415, "$_ in .htaccess changes nothing"
    for 'Off', 'report', 'On';
is status_of('on', 'UploadHandler spool'), 415, 'nor does another chain';
is status_of('on', 'UploadHandler spool sniff'), 415, 'or another order';
is status_of('refuse', ''), 503, 'no scanner, refused';
is status_of('refuse', 'UploadHandler spool'), 503, 'whatever the chain';
is status_of('refuse', 'UploadScanFailure refuse'), 503, 'said once more';
is status_of('refuse', "UploadScanFailure $_"), 500, "$_ is an error there"
    for 'accept', 'sometimes';
is status_of('accept', ''), 200, 'no scanner, accepted';
is status_of('accept', 'UploadScanFailure refuse'), 503, 'but not here';
is status_of('accept', 'UploadScan Off'), 500, 'UploadScan is not for .htaccess';
$httpd->stop;

done_testing;
