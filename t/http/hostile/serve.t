# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The context's pages go through a filter that runs what is in them; a stored
# file does not.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my $url = '/attack/inside/ssi.pl';
my $id = new_id();
my $evil = qq(<!--#printenv -->\n<!--#exec cmd="id" -->\n)
    . qq(<!--#include virtual="/cgi/echo.pl" -->\n);

is upload($url, [{name => 'f', filename => 'evil.shtml', type => 'text/html',
                  content => $evil}], id => $id)->{status}, 200, 'an upload';
my $file = request('GET', "$url/file?X-Progress-ID=$id");
is $file->{status}, 200, 'and back';
is $file->{body}, $evil, 'as it was';
is $file->{headers}{'content-length'}, length $evil, 'with its length';
is $file->{headers}{'x-administrator'}, 'here', 'and what mod_headers adds';
$file = request('GET', "$url/file?X-Progress-ID=$id",
                headers => ['Range', 'bytes=4-12']);
is $file->{body}, substr($evil, 4, 9), 'ranges count its own bytes';
is crashes_since($mark), 0, 'no child crashed';
done_testing;
