# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# mod_rewrite in .htaccess, mod_dir and mod_negotiation: a request that becomes
# another one, in every way that an upload can come in. More, for forms, is in
# t/http/handoff/redirects.t.
#
# S5: the upload is taken in once, or not at all, and the connection goes on.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Neighbours;
use UploadPool::Several;
use UploadPool::Test;

my $mark = log_mark();
my $top = pool('neighbours-site');

# A directory with an .htaccess of these lines, below which anything is asked.
sub site
{
    my ($name, @lines) = @_;
    mkdir "$top/$name" or die "$name: $!";
    chmod 0755, "$top/$name";
    spew("$top/$name/.htaccess", join "\n", @lines, '');
    return "/n-site/$name";
}

my @rewrite = ('RewriteEngine On', 'RewriteBase /');

# --- From one URL to another ------------------------------------------------

my %through = (
    'L' => [@rewrite, 'RewriteRule . /n/kept/echo.lua [L]'],
    'END' => [@rewrite, 'RewriteRule . /n/kept/echo.lua [END]'],
    'to another pool' => [@rewrite, 'RewriteRule . /n-owned/echo.lua [END]'],
    'to no pool' => [@rewrite, 'RewriteRule . /lua/echo.lua [END]'],
    'twice' => [@rewrite, 'RewriteCond %{ENV:REDIRECT_STATUS} ^$',
                'RewriteRule . /n-site/second/x [L]'],
    'P' => [@rewrite, 'RewriteRule . http://127.0.0.1:' . var('backendport')
            . '/x [P]'],
    'to fcgi' => [@rewrite, 'RewriteRule . /fpm/echo.php [END]'],
    'FallbackResource' => ['FallbackResource /n/kept/echo.lua'],
);
site('second', @rewrite, 'RewriteRule . /lua/echo.lua [END]');
my $n = 0;
for my $name (sort keys %through) {
    my $url = site('s' . ++$n, @{ $through{$name} }) . '/any/path';
    goes_through($name, $url);
}
# The directory's own page, by a redirect within httpd that keeps the request.
{
    my $url = site('index', 'DirectoryIndex nothere.html echo.lua');
    symlink var('top') . '/t/apps/lua/echo.lua', "$top/index/echo.lua";
    goes_through('DirectoryIndex', "$url/");
    goes_through('MultiViews', "$url/echo");
}
# Into a pool from a place that has none: there a thread waits.
{
    my $url = '/n-nopool/into/x';
    mkdir "$top/into";
    chmod 0755, "$top/into";
    spew("$top/into/.htaccess", join "\n", @rewrite,
         'RewriteRule . /n/kept/echo.lua [END]', '');
    goes_through('into a pool', $url, only => qr/form|slow|HTTP/);
}

# --- Nowhere ----------------------------------------------------------------

my ($body, $type) = multipart([{name => 'f', filename => 'f',
                                content => 'x' x 5000}]);
my %nowhere = (
    F => [403, @rewrite, 'RewriteRule . - [F]'],
    G => [410, @rewrite, 'RewriteRule . - [G]'],
    R => [302, @rewrite, 'RewriteRule . http://localhost/elsewhere [R,L]'],
    307 => [307, @rewrite, 'RewriteRule . http://localhost/elsewhere [R=307,L]'],
    401 => [401, 'AuthType Basic', 'AuthName x', 'AuthUserFile /nonexistent',
            'Require valid-user'],
    denied => [403, 'Require all denied'],
    Redirect => [302, 'Redirect /n-site http://localhost/elsewhere'],
    mistake => [500, 'NoSuchDirective'],
    # A loop ends only after the upload was taken in: the application, were it
    # one, could not be reached.
    loop => [500, @rewrite, 'RewriteRule ^(.*)$ /n-site/loop/x$1 [L]'],
);
empty_pool('neighbours');
for my $name (sort keys %nowhere) {
    my ($status, @lines) = @{ $nowhere{$name} };
    my $url = site($name, @lines) . '/any/path';
    for my $how ([], [700]) {
        my $to = join ', ', $name, @$how ? 'chunked' : ();
        my $id = new_id();
        my $c = connect_raw();
        $c->send("POST $url?X-Progress-ID=$id HTTP/1.1\r\nHost: localhost\r\n"
            . "Content-Type: $type\r\n" . (@$how
                ? "Transfer-Encoding: chunked\r\n\r\n" . chunked($body, @$how)
                : 'Content-Length: ' . length($body) . "\r\n\r\n$body"));
        is $c->answer->{status}, $status, "$to: $status";
        $c->send("GET /hello.txt HTTP/1.1\r\nHost: localhost\r\n\r\n");
        like $c->answer->{status}, qr/^(?:0|200)$/, "$to: one answer";
        $c->close;
        ok wait_for(sub { !grep { /^\Q$id\E/ } pool_files('neighbours') }),
            "$to: nothing in the pool";
        my $made = request('POST', $url, body => '', headers =>
            ['Tus-Resumable', '1.0.0', 'Upload-Length', 5]);
        like $made->{status}, qr/^(?:$status|201)$/, "$to: tus";
    }
}

# A rule that drops the query drops the identifier that stands there, not the
# one in the header.
{
    my $id = new_id();
    my @file = {name => 'f', filename => 'f', content => 'x'};
    my $r = upload('/n-dropped/x', \@file, id => $id);
    isnt application($r)->{identifier}, $id, 'QSD: another identifier';
    $r = upload('/n-dropped/x', \@file, id_header => $id);
    is application($r)->{identifier}, $id, 'QSD: not with the header';
}
is crashes_since($mark), 0, 'no child died';

done_testing;
