#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Receives uploads, as a CGI program and as it is under ModPerl::Registry:
#
#     <Location "/cgi-bin/upload.cgi">
#         UploadPool /var/lib/upload_pool
#         UploadKeyFile /etc/apache2/upload_pool.key
#         UploadKeep claimed
#         SetEnv UPLOADS_KEY /etc/myapp/upload_pool.key
#         SetEnv UPLOADS_DIR /srv/uploads
#         # For Registry:
#         SetHandler perl-script
#         PerlResponseHandler ModPerl::Registry
#         PerlOptions +ParseHeaders
#     </Location>

use strict;
use warnings;

BEGIN { unshift @INC, __FILE__ =~ m{^(.*)/} ? $1 : '.' }
use Uploads ();

my ($status, $headers, $text) = Uploads::answer(\%ENV, sub {
    my $got = 0;
    while ($got < $_[1]) {
        read STDIN, $_[0], $_[1] - $got, $got or last;
        $got = length $_[0];
    }
});
my @headers = ('Status' => $status, @$headers);
while (my ($name, $value) = splice @headers, 0, 2) {
    print "$name: $value\r\n";
}
print "\r\n$text";
