# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The OWASP Core Rule Set before uploads in several requests, and the lines that
# the manual gives against its verdicts: with these lines all uploads get
# through, and elsewhere the rules apply as before.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Httpd;
use UploadPool::Manual;
use UploadPool::Test;

my $httpd = UploadPool::Httpd->new(first => ['unique_id', 'security2']);
my @port = (port => $httpd->port);
my $pool = $httpd->make_pool('crs');
my ($text) = slurp(var('top') . '/conf/manual/modules')
    =~ /^# The OWASP Core Rule Set\n(.*?)^# /ms;
my ($lines) = map { $_->{text} } blocks($text);
ok $lines, 'the manual has lines for it' or BAIL_OUT('no lines');

sub configured
{
    my ($exclusion) = @_;
    my $data = $httpd->dir('logs');
    return "SecRuleEngine On\nSecRequestBodyAccess On\n"
        . "SecRequestBodyLimit 134217728\nSecDataDir \"$data\"\n"
        . "SecTmpDir \"$data\"\nSecAuditEngine Off\n"
        . $exclusion . "Include /usr/share/modsecurity-crs/owasp-crs.load\n"
        . "<Location /upload>\nUploadPool $pool\n"
        . "UploadProtocol multipart chunked tus resumable\n"
        . "SetHandler upload-pool\n</Location>\n";
}

sub sent
{
    my ($method, $url, $body, @headers) = @_;
    return request($method, $url, body => $body, @port,
        headers => ['Host', 'uploads.example.com', 'Accept', 'application/json',
                    'User-Agent', 'a client', @headers]);
}

# Uploads of each kind of client, to the end: the status of the last answer.
my %way = (
    'a form' => sub {
        my ($body, $type) = multipart([
            {name => 'file', filename => 'a.bin', content => random_bytes(5000)}]);
        return sent('POST', '/upload', $body, 'Content-Type', $type);
    },
    tus => sub {
        my $id = new_id();
        my @tus = ('Tus-Resumable', '1.0.0');
        my $r = sent('POST', "/upload?X-Progress-ID=$id", '', @tus,
                     'Upload-Length', 5);
        return $r if $r->{status} >= 400;
        return sent('PATCH', "/upload/$id", 'hello', @tus, 'Upload-Offset', 0,
                    'Content-Type', 'application/offset+octet-stream');
    },
    'the end of a tus upload' => sub {
        my $id = new_id();
        my @tus = ('Tus-Resumable', '1.0.0');
        my $r = sent('POST', "/upload?X-Progress-ID=$id", '', @tus,
                     'Upload-Length', 5);
        return $r if $r->{status} >= 400;
        return sent('DELETE', "/upload/$id", '', @tus);
    },
    "the IETF's" => sub {
        return sent('POST', '/upload', random_bytes(500),
            'Upload-Complete', '?1', 'Upload-Draft-Interop-Version', 8,
            'Content-Type', 'video/mp4');
    },
    'a raw piece' => sub {
        return sent('PUT', '/upload?X-Progress-ID=' . new_id(), 'hello',
            'Content-Range', 'bytes 0-4/5', 'Content-Type', 'video/mp4');
    },
);
my $attack = sub {
    return sent('GET', '/?x=%3Cscript%3Ealert(1)%3C/script%3E', undef);
};

$httpd->start(configured(''));
is $attack->()->{status}, 403, 'the rules are at work';
is $way{'a form'}->()->{status}, 200, 'a form passes them';
is $way{$_}->()->{status}, 403, "$_ does not"
    for grep { $_ ne 'a form' } sort keys %way;
$httpd->stop;

$httpd->start(configured($lines));
is $attack->()->{status}, 403, 'with the lines of the manual: at work elsewhere';
for my $name (sort keys %way) {
    my $r = $way{$name}->();
    like $r->{status}, qr/^20[0-4]$/, "$name passes" or diag $r->{body};
}
$httpd->stop;

done_testing;
