# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The URL of an upload belongs to the protocol of that upload: a client that asks
# there for progress or capabilities, or ends the upload, is answered, whether or
# not its request names the protocol's version (proxies strip it, the final
# standard has none). A request to the URL of no upload passes to the
# application, whatever it looks like.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Httpd;
use UploadPool::Several;
use UploadPool::Test;

my $mark = log_mark();
my $url = '/c/cgi/echo.pl';
my %versions = (
    tus => [[], ['Tus-Resumable', '1.0.0']],
    resumable => [[], ['Upload-Draft-Interop-Version', 8]],
);

for my $way (sort keys %versions) {
    # Any identifier that the client may bring, too.
    for my $id (undef, new_id()) {
        for my $version (@{ $versions{$way} }) {
            my $name = "$way, " . ($version->[0] || 'no version')
                . ($id ? ', an identifier of its own' : '');
            my $up = begin($way, $url, 'hello', $id ? (id => $id) : ());
            my @said = (headers => $version);
            for my $method (qw(HEAD GET)) {
                my $r = request($method, $up->{url}, @said);
                like $r->{status}, qr/^20[04]$/, "$name: $method";
                is $r->{body}, '', "$name: $method, not the application's";
                ok defined $r->{headers}{'upload-offset'},
                    "$name: $method, how far it is";
            }
            my $r = request('OPTIONS', $up->{url}, @said);
            is $r->{status}, 204, "$name: OPTIONS";
            ok $r->{headers}{$way eq 'tus' ? 'tus-version' : 'accept-patch'},
                "$name: OPTIONS, what it can";
            $r = request('DELETE', $up->{url}, @said);
            is $r->{status}, 204, "$name: DELETE" or diag explain $r;
            ok !-e pool('complete') . "/$up->{id}", "$name: it is gone";
            $r = request('GET', $up->{url});
            is $r->{json}{method}, 'GET', "$name: and then the application's";
        }
    }
}

# --- What is not ours --------------------------------------------------------

for my $method (qw(OPTIONS PUT DELETE GET POST)) {
    # (FilePond's DELETE is a short text.)
    is request($method, "$url/some-thing", body => $method eq 'GET' ? undef : 'x',
               headers => ['Content-Type', 'text/html'])->{json}{method}, $method,
        "$method of the application's";
}
my $options = request('OPTIONS', $url);
is $options->{json}{method}, 'OPTIONS', 'OPTIONS reaches the application';
is $options->{headers}{'tus-version'}, '1.0.0', 'with what tus clients look for';
ok $options->{headers}{'upload-limit'}, 'and those of the standard';
my $json = '{"page": 1}';
my $r = request('POST', $url, body => $json, headers =>
    ['Content-Type', 'application/json', 'Content-Range', 'items 0-9/50']);
is_deeply [@{ $r->{json} }{qw(method body)}], ['POST', $json],
    'Content-Range of another unit' or diag explain $r;
$r = request('PUT', $url, body => $json, headers =>
    ['Content-Type', 'application/json', 'Content-Range', 'rows 0-9/50']);
is $r->{json}{body}, $json, 'by PUT';
$r = request('post', $url, body => $json, headers =>
    ['Content-Type', 'application/json', 'Upload-Complete', '?1']);
ok !$r->{headers}{'upload-complete'}, 'a method that is none of ours passes';
is request('HEAD', "$url/unknown")->{headers}{'upload-offset'}, undef,
    'HEAD of no upload';

# mod_dav puts parts of files.
my $httpd = UploadPool::Httpd->new(modules => [qw(dav dav_fs)]);
my $pool = $httpd->make_pool('dav');
my $dir = $httpd->make_pool('files');
my $locks = $httpd->make_pool("locks");
my @there = (port => $httpd->port);
$httpd->start(<<"END");
DavLockDB "$locks/db"
Alias /files "$dir"
<Location /files>
    Dav On
    UploadPool "$pool"
    UploadProtocol multipart chunked tus resumable
</Location>
END
is request('PUT', '/files/a.bin', body => '0123456789', @there)->{status}, 201,
    'WebDAV: a file';
$r = request('PUT', '/files/a.bin', body => 'abc', @there,
             headers => ['Content-Range', 'bytes 3-5/10']);
like $r->{status}, qr/^20[04]$/, 'WebDAV: a part of it' or diag explain $r;
is request('GET', '/files/a.bin', @there)->{body}, '012abc6789',
    'WebDAV: is where it belongs';
my $id = new_id();
$r = request('PUT', "/files/a.bin?X-Progress-ID=$id", body => 'abc', @there,
             headers => ['Content-Range', 'bytes 0-2/10']);
is $r->{json}{offset}, 3, 'WebDAV: what names an upload is one';
like request('OPTIONS', '/files/', @there)->{headers}{dav} // '', qr/\b1\b/,
    'WebDAV: OPTIONS';

# --- Expired -----------------------------------------------------------------

my $old = UploadPool::Httpd->new(port => $httpd->port);
$httpd->stop;
my $brief = $old->make_pool('brief');
$old->start(<<"END");
UploadSweepInterval 2s
<Location /u>
    SetHandler upload-pool
    UploadPool "$brief"
    UploadProtocol tus resumable
    UploadExpires 2s
</Location>
END
for my $way (qw(tus resumable)) {
    my $up = begin($way, '/u', 'hello', to => {@there});
    my @version = @{ $versions{$way}[1] };
    my %seen;
    ok wait_for(sub {
        my $status = request('HEAD', $up->{url}, headers => [@version], @there)
            ->{status};
        $seen{$status}++;
        $status == 404;
    }), "$way: unknown, when the sweep has been" or diag explain \%seen;
    ok !grep({ !/^(?:20[04]|410|404)$/ } keys %seen), "$way: and expired before"
        or diag explain \%seen;
}
is crashes_since($mark), 0, 'no child died';

done_testing;
