# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Requests that are redirected internally from one URL to another: front
# controllers, DirectoryIndex, Action, UploadPass, ErrorDocument.

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

# S5: A detour is the same request.
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

# --- A refusal on a connection that goes on ---------------------------------

$c = connect_raw();
for my $n (1, 2) {
    $c->send("POST /h/signed/echo.pl?X-Progress-ID=unsigned HTTP/1.1\r\n"
        . "Host: localhost\r\nContent-Type: $type\r\nContent-Length: "
        . length($small_body) . "\r\n\r\n$small_body");
    my $r = $c->answer;
    is $r->{status}, 403, "unsigned, $n: status";
    is $r->{json}{env}{QUERY_STRING}, 'document=403', "unsigned, $n: document";
    is $r->{json}{length}, 0, "unsigned, $n: it finds an empty body";
}
$c->send("GET /h/cgi/echo.pl?next HTTP/1.1\r\nHost: localhost\r\n\r\n");
is $c->answer->{json}{env}{QUERY_STRING}, 'next', 'unsigned: the connection';
$c->close;
for my $option ('--http2-prior-knowledge', '--http1.1') {
    my $r = curl($option, '-F', 'text=a', '-F', 'file=@' . __FILE__,
                 base() . '/h/signed/echo.pl?X-Progress-ID=unsigned');
    is $r->{status}, 403, "unsigned, $option: status";
    is $r->{json}{length}, 0, "unsigned, $option: an empty body";
}

# mod_dir sends a directory's client on to the slash.
$c = connect_raw();
$id = new_id();
$c->send("POST /h/site?X-Progress-ID=$id HTTP/1.1\r\nHost: localhost\r\n"
    . "Content-Type: $type\r\nContent-Length: " . length($small_body)
    . "\r\n\r\n$small_body");
is $c->answer->{status}, 404, 'no slash, no alias';
$c->send("POST /hd/index?X-Progress-ID=$id HTTP/1.1\r\nHost: localhost\r\n"
    . "Content-Type: $type\r\nContent-Length: " . length($small_body)
    . "\r\n\r\n$small_body");
is $c->answer->{status}, 404, 'no slash, no alias, in a directory';
$c->send("GET /h/cgi/echo.pl?next HTTP/1.1\r\nHost: localhost\r\n\r\n");
is $c->answer->{json}{env}{QUERY_STRING}, 'next', 'no slash: the connection';
$c->close;

# --- UploadCleanup at the end of every way ----------------------------------

empty_pool('handlers/cleaned');
for my $url (qw(/hc/cgi/echo.pl /hc/site/any/path /hc/action/hello.txt
                /hc/fpm/echo.php /hc/backend/a)) {
    for my $code (404, 500) {
        $id = new_id();
        my $r = upload("$url?status=$code", \@parts, id => $id);
        is $r->{status}, $code, "cleanup, $url: $code";
        # It is removed when the answer is out.
        ok wait_for(sub {
            !grep { /^\Q$id/ } pool_files('handlers/cleaned')
        }), "cleanup, $url: $code removes the upload";
    }
    $id = new_id();
    is upload($url, \@parts, id => $id)->{status}, 200,
        "cleanup, $url: 200";
    ok scalar(grep { /^\Q$id/ } pool_files('handlers/cleaned')),
        "cleanup, $url: 200 keeps it";
}
$id = new_id();
is upload('/hc/backend/a?drop', \@parts, id => $id)->{status}, 502,
    'cleanup: a backend that closes without an answer';
ok wait_for(sub {
    !grep { /^\Q$id/ } pool_files('handlers/cleaned')
}), 'cleanup: 502 removes the upload';
for my $code (404, 500) {
    $id = new_id();
    my $r = upload("/hc/override/a?status=$code", \@parts, id => $id);
    is $r->{status}, $code, "ProxyErrorOverride, $code: status";
    is $r->{json}{env}{QUERY_STRING}, "document=$code",
        "ProxyErrorOverride, $code: the document";
    unlike $r->{json}{body} // '', qr/Content-Disposition/,
        "ProxyErrorOverride, $code: nothing of the form";
    ok wait_for(sub {
        !grep { /^\Q$id/ } pool_files('handlers/cleaned')
    }), "ProxyErrorOverride, $code: removes the upload";
}
is crashes_since($mark), 0, 'no child died';

done_testing;
