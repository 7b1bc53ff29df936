# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# mod_dav over the same URLs: which module handles which request. This module
# handles POST, and requests that name an upload; mod_dav handles everything
# else. More is in t/http/handoff.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Neighbours;
use UploadPool::Several;
use UploadPool::Test;

my $mark = log_mark();
my @tus = ('Tus-Resumable', '1.0.0');

for my $url ('/n-dav/a.bin', '/n-dav/') {
    goes_through("dav, $url", $url);
    my $content = random_bytes(3000);
    my $up = begin('tus', $url, $content);
    my $r = request('OPTIONS', $up->{url}, headers => [@tus]);
    is $r->{headers}{'tus-version'}, '1.0.0', "$url: OPTIONS of tus";
    $r = request('OPTIONS', $url);
    like $r->{headers}{dav} // '', qr/\b1\b/, "$url: OPTIONS of WebDAV";
    is $r->{headers}{'tus-version'}, '1.0.0',
        "$url: which may be one of tus, too";
    $r = request('OPTIONS', '/n-dav/', headers => []);
    like $r->{headers}{allow} // '', qr/PROPFIND/, "$url: of what is there";
    $r = request('DELETE', $up->{url}, headers => [@tus]);
    is $r->{status}, 204, "$url: DELETE of an upload";
    $r = request('HEAD', $up->{url}, headers => [@tus]);
    like $r->{status}, qr/^4(?:04|10)$/, "$url: it is gone";
}
# Behind the name of a file lies another's, and so does an upload.
my $content = random_bytes(3000);
is request('PUT', '/n-dav/a.bin', body => $content)->{status}, 201, 'PUT';
goes_through('dav, of a file that is there', '/n-dav/a.bin');
is request('GET', '/n-dav/a.bin')->{body}, $content, 'which no upload changes';
my $up = begin('tus', '/n-dav/a.bin', $content);
$up->{finish}->();
is request('PROPFIND', '/n-dav/a.bin', headers => ['Depth', 0])->{status}, 207,
    'PROPFIND';
is request('MKCOL', '/n-dav/dir')->{status}, 201, 'MKCOL';
is request('MOVE', '/n-dav/a.bin', headers =>
           ['Destination', base() . '/n-dav/dir/b.bin'])->{status}, 201, 'MOVE';
is request('PUT', '/n-dav/dir/c.bin', body => $content, chunked => 500)
    ->{status}, 201, 'PUT in chunks';
is request('GET', '/n-dav/dir/b.bin')->{body}, $content, 'GET';
is request('DELETE', '/n-dav/dir/')->{status}, 204, 'DELETE of a collection';
is request('LOCK', '/n-dav/l', headers => ['Content-Type', 'text/xml'],
    body => '<?xml version="1.0"?><lockinfo xmlns="DAV:"><lockscope>'
    . '<exclusive/></lockscope><locktype><write/></locktype></lockinfo>')
    ->{status}, 200, 'LOCK';
is crashes_since($mark), 0, 'no child died';

done_testing;
