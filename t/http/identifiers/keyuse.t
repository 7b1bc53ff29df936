# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadKeyUse: keys that sign identifiers, the hand-off to the application, or
# both.

use strict;
use warnings FATAL => 'all';
use Digest::SHA qw(hmac_sha256_hex);
use File::Path ();
use Test::More;
use UploadPool::Httpd;
use UploadPool::Several;
use UploadPool::Test;

my $mark = log_mark();
my $key = 'the only key of the ident suite, 38 b.';
my @parts = ({name => 'f', filename => 'f', content => 'hello'});

sub signature { return $_[0]{json}{env}{HTTP_X_UPLOAD_SIGNATURE} }

sub is_signed
{
    my ($r, $name) = @_;
    is $r->{status}, 200, "$name: taken" or diag $r->{body};
    is signature($r), 'sha256=' . hmac_sha256_hex($r->{json}{body} // '', $key),
        "$name: the hand-off is signed";
    return;
}

# handoff: identifiers are as without a key.
for my $url ('/ident-handoff/echo.pl', '/ident-key/echo.pl/handoff') {
    my $id = new_id();
    is_signed(upload($url, \@parts), "$url, handoff, no identifier");
    is_signed(upload($url, \@parts, id => $id), "$url, handoff, a bare one");
    is status($url, $id)->{state}, 'done', "$url: its status, by the bare one";
    is upload($url, \@parts, id => sign($key, $id))->{status}, 403,
        "$url, handoff, a signed one is refused, as without a key";
    my $minted = request('POST', "$url/new", body => '')->{json} || {};
    unlike $minted->{identifier} // ':', qr/:/, "$url: new ones are bare";
    is_signed(upload($url, \@parts, id => $minted->{identifier}),
        "$url, handoff, a minted one");
}
for my $way (ways()) {
    my $up = begin($way, '/ident-handoff/echo.pl', 'content');
    my $r = $up->{failed} || $up->{finish}->();
    is_signed($r, "handoff, $way");
    unlike $up->{id} // ':', qr/:/, "handoff, $way: a bare identifier";
}

# identifiers: nothing is signed for the application.
my $url = '/ident-only/echo.pl';
is upload($url, \@parts)->{status}, 403, 'identifiers: none is refused';
is upload($url, \@parts, id => new_id())->{status}, 403,
    'identifiers: a bare one is refused';
my $r = upload($url, \@parts, id => sign($key, new_id()));
is $r->{status}, 200, 'identifiers: a signed one is taken';
is signature($r), undef, 'identifiers: the hand-off is not signed';
is upload($url, \@parts, id => sign($key, new_id()), headers =>
    ['X-Upload-Signature', 'sha256=' . '0' x 64])->{json}{env}
    {HTTP_X_UPLOAD_SIGNATURE}, undef, 'nor does a client sign it';

# both is the default.
$url = '/ident-key/echo.pl';
is upload($url, \@parts)->{status}, 403, 'both: none is refused';
is_signed(upload($url, \@parts, id => sign($key, new_id())), 'both');

# In .htaccess, of its own keys alone.
my $httpd = UploadPool::Httpd->new;
my $fixed = $httpd->make_pool('fixed');
$httpd->make_pool('root');
$httpd->make_pool('root/shop');
my $docs = $httpd->dir('htdocs');
File::Path::make_path("$docs/own", "$docs/keyed");
my $root = $httpd->dir('pools/root');
$httpd->start("UploadPoolRoot \"$root\"\nSetHandler upload-pool\n"
    . "<Directory \"$docs\">\nAllowOverride All\n</Directory>\n"
    . "<Directory \"$docs/keyed\">\nUploadPool \"$fixed\"\n"
    . "UploadKey '$key'\n</Directory>\n");
my @port = (port => $httpd->port);
spew("$docs/own/.htaccess", "UploadPool shop\nUploadKey '$key'\n");
is upload('/own/x', \@parts, @port)->{status}, 403, '.htaccess: both';
spew("$docs/own/.htaccess",
     "UploadPool shop\nUploadKey '$key'\nUploadKeyUse handoff\n");
is upload('/own/x', \@parts, @port)->{status}, 200, '.htaccess: handoff';
spew("$docs/keyed/.htaccess", "UploadKeyUse handoff\n");
for my $id (undef, new_id(), sign($key, new_id())) {
    $r = upload('/keyed/x', \@parts, @port, defined $id ? (id => $id) : ());
    is $r->{status}, 500, '.htaccess: not of the keys of the server';
}
like $httpd->error_log, qr/UPL0127:.*UploadKeyUse in \.htaccess/,
    'the log tells why';
spew("$docs/keyed/.htaccess", '');
is upload('/keyed/x', \@parts, @port)->{status}, 403,
    'without it they hold';
spew("$docs/own/.htaccess", "UploadPool shop\nUploadKeyUse handoff\n");
is upload('/own/x', \@parts, @port)->{status}, 500,
    '.htaccess: without keys of its own it is a mistake';
$httpd->stop;
is crashes_since($mark), 0, 'no child died';

done_testing;
