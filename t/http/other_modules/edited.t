# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# mod_sed in front of the parser, as the manual describes it: mod_sed ends every
# body with a line feed and edits files as text, so a piece of a file that it
# changed in length is refused, and never done.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Httpd;
use UploadPool::Test;

my $httpd = UploadPool::Httpd->new(first => ['sed']);
my @port = (port => $httpd->port);
my $pool = $httpd->make_pool('edited');
$httpd->start("<Location /upload>\nUploadPool $pool\n"
    . "UploadProtocol multipart tus\nSetHandler upload-pool\n"
    . "SetInputFilter Sed\nInputSed \"s/monkey/ape/g\"\n</Location>\n");

my %patch = (
    "ends with a line\n" => [200, 'done'],
    'does not end with a line' => [413, 'error'],
    "a monkey\n" => [400, 'error'],
);
for my $content (sort keys %patch) {
    my ($status, $state) = @{ $patch{$content} };
    my $name = $content =~ s/\n//r;
    my $id = new_id();
    my @tus = ('Tus-Resumable', '1.0.0');
    my $r = request('POST', "/upload?X-Progress-ID=$id", body => '', @port,
                    headers => [@tus, 'Upload-Length', length $content]);
    is $r->{status}, 201, "$name: begins";
    $r = request('PATCH', "/upload/$id", body => $content, @port,
        headers => [@tus, 'Upload-Offset', 0,
                    'Content-Type', 'application/offset+octet-stream']);
    is $r->{status}, $status, "$name: $status" or diag $r->{body};
    $r = request('GET', "/upload/status?X-Progress-ID=$id", @port);
    is $r->{json}{state} eq 'done', $state eq 'done', "$name: is it done"
        or diag $r->{body};
}
my $r = upload('/upload', [{name => 'f', filename => 'a.txt',
                            content => "a monkey\n"}], id => new_id(), @port);
is $r->{status}, 200, 'a form is taken';
my ($file) = grep { slurp($_) =~ /\Aan? (?:monkey|ape)\n\z/ } glob "$pool/*/*.bin";
is slurp($file), "a ape\n", 'with a file that mod_sed has edited';
$httpd->stop;

done_testing;
