# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# What is particular to requests that go from one URL to another on their way:
# front controllers, DirectoryIndex, Action, UploadPass, ErrorDocument.

use strict;
use warnings FATAL => 'all';
use JSON::PP ();
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my @parts = ({name => 'file', filename => 'a.txt', content => 'hello'},
             {name => 'text', value => 'world'});

# The names are the plain ones at the end of every way.
my %way = (
    '/h/site/any/path' => '/h/site/index.cgi',
    '/h/site/php/x' => '/h/site/index.php',
    '/h/index/' => '/h/index/index.cgi',
    '/h/action/hello.txt' => '/cgi/echo.pl',
    '/h/pass/echo.pl' => '/cgi/echo.pl',
    '/h/rewritten/x' => '/h/cgi/echo.pl',
    '/h/cgi/echo.pl' => '/h/cgi/echo.pl',
);
for my $url (sort keys %way) {
    my $id = new_id();
    my $r = upload("$url?a=b", \@parts, id => $id);
    my $env = $r->{json}{env} || {};
    is $env->{SCRIPT_NAME}, $way{$url}, "$url: the program";
    like $env->{REQUEST_URI}, qr/^\Q$url\E\?a=b&/, "$url: REQUEST_URI";
    is $env->{UPLOAD_POOL_IDENTIFIER}, $id, "$url: identifier";
    my $post_to = $url =~ m{^/h/rewritten} ? '/h/cgi/echo.pl/x' : $url;
    is $env->{UPLOAD_POOL_URL}, $post_to, "$url: UPLOAD_POOL_URL";

    my $page = request('GET', "$url?a=b");
    next if $url =~ m{^/h/pass};
    is $page->{json}{env}{UPLOAD_POOL_URL}, $post_to,
        "$url: UPLOAD_POOL_URL of the page with the form";
    is $page->{json}{env}{UPLOAD_POOL_STATE}, undef, "$url: no upload";
}

# The endpoints are the module's, whatever the rewriting makes of them.
my $id = new_id();
is upload('/h/site/any/path', \@parts, id => $id)->{status}, 200, 'upload';
is status('/h/site/any/path', $id)->{state}, 'done',
    'status under a front controller';
is request('GET', "/h/site/any/path?status&X-Progress-ID=$id")->{json}{state},
    'done', 'status as a word of the query';
is status('/h/index', $id)->{state}, 'done', 'status of a directory';
is status('/h/action/hello.txt', $id)->{state}, 'done',
    'status under an Action';
is_deeply request('DELETE', "/h/site/any/path?X-Progress-ID=$id")->{json},
    {success => JSON::PP::true()}, 'clear';
is status('/h/site/any/path', $id)->{state}, 'starting', 'cleared';

# --- ErrorDocument ----------------------------------------------------------

my @large = ({name => 'file', filename => 'a', content => 'x' x 9000});
my ($small_body, $type) = multipart(\@parts);
my $broken = substr $small_body, 0, -20;
for my $how (['length'], ['chunked', chunked => 512]) {
    my ($name, @how) = @$how;
    my $r = upload('/h/errors/echo.pl', \@large, @how);
    is $r->{status}, 413, "too large, $name: status";
    is $r->{json}{env}{QUERY_STRING}, 'document=413',
        "too large, $name: the document";
    is $r->{json}{env}{REQUEST_METHOD}, 'GET', "too large, $name: method";
    is $r->{json}{env}{REDIRECT_STATUS}, 413,
        "too large, $name: REDIRECT_STATUS";
    is $r->{json}{env}{UPLOAD_POOL_STATE}, undef, "too large, $name: state";
    unlike $r->{json}{body} // '', qr/Content-Disposition/,
        "too large, $name: not one byte of the form";
    $r = request('POST', '/h/errors/echo.pl', body => $broken, @how,
                 headers => ['Content-Type', $type]);
    is $r->{status}, 400, "malformed, $name: status";
    is $r->{json}{env}{QUERY_STRING}, 'document=400',
        "malformed, $name: a document in a pool";
    unlike $r->{json}{body} // '', qr/Content-Disposition/,
        "malformed, $name: not one byte of the form";
    $r = upload('/h/errors/echo.pl', \@large, @how,
                accept => 'application/json');
    is $r->{status}, 413, "too large, $name, JSON: status";
    is $r->{json}{state}, 'error', "too large, $name, JSON: no document";
    $r = upload('/h/errors/nothere.pl', \@parts, @how);
    is $r->{status}, 404, "no such program, $name: status";
    is $r->{json}{env}{QUERY_STRING}, 'document=404',
        "no such program, $name: the document";
    is $r->{json}{body} // '', '', "no such program, $name: gets no body";
}

# And the connection is right after a document.
my $c = connect_raw();
$c->send("POST /h/errors/nothere.pl HTTP/1.1\r\nHost: localhost\r\n"
    . "Content-Type: $type\r\nContent-Length: " . length($small_body)
    . "\r\n\r\n$small_body");
is $c->answer->{status}, 404, 'an ErrorDocument on a connection';
$c->send("GET /h/cgi/echo.pl?next HTTP/1.1\r\nHost: localhost\r\n\r\n");
is $c->answer->{json}{env}{QUERY_STRING}, 'next', 'and the next request';
$c->close;
is crashes_since($mark), 0, 'no child died';

done_testing;
