# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Client certificates that only a location asks for: mod_ssl keeps the body in
# memory meanwhile, up to SSLRenegBufferSize. The virtual host asks before there
# is a body.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Httpd;
use UploadPool::Test;

my $httpd = UploadPool::Httpd->new(modules => ['ssl', 'socache_shmcb']);
my $port = $httpd->port;
my $dir = $httpd->dir('htdocs');
system("cd $dir && openssl req -x509 -newkey rsa:2048 -nodes -days 2 "
    . "-subj /CN=localhost -keyout key.pem -out cert.pem 2>/dev/null") == 0
    or BAIL_OUT('no certificate');
my $pool = $httpd->make_pool('certificates');
spew("$dir/small", 'x' x 50_000);
spew("$dir/large", 'x' x 300_000);

my $place = "UploadPool $pool\nSetHandler upload-pool\n";
my $asks = "SSLVerifyClient require\nSSLVerifyDepth 1\n";
my $tls = "SSLEngine On\nSSLCertificateFile $dir/cert.pem\n"
    . "SSLCertificateKeyFile $dir/key.pem\nSSLCACertificateFile $dir/cert.pem\n"
    . "SSLSessionCache none\n";

sub sent
{
    my ($url, $file, $version) = @_;
    return `curl -sk --tls-max $version --cert $dir/cert.pem \\
        --key $dir/key.pem -o /dev/null -w '%{http_code}' \\
        -H 'Accept: application/json' -F file=\@$dir/$file \\
        https://127.0.0.1:$port/$url`;
}

$httpd->start("$tls<Location /asks>\n$place$asks</Location>\n"
    . "<Location /more>\n$place${asks}SSLRenegBufferSize 1048576\n</Location>\n");
for my $version ('1.2', '1.3') {
    is sent('asks', 'small', $version), 200,
        "TLS $version, the location asks: a small form";
    is sent('asks', 'large', $version), 413,
        "TLS $version, the location asks: a large one";
    is sent('more', 'large', $version), 200,
        "TLS $version, with SSLRenegBufferSize";
}
$httpd->stop;
$httpd->start("$tls$asks<Location /upload>\n$place</Location>\n");
for my $version ('1.2', '1.3') {
    is sent('upload', 'large', $version), 200,
        "TLS $version, the virtual host asks";
}
$httpd->stop;

done_testing;
