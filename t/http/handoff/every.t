# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The same upload to every kind of application: each sees the client's method,
# URL and query, JSON of the right length instead of the body, the variables
# and headers; reads the files, moves them away, and the connection goes on.

use strict;
use warnings FATAL => 'all';
use Digest::SHA qw(sha256_hex sha1_hex);
use Encode ();
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my $prefork = var('mpm') eq 'prefork';

# URL, who answers.
my @applications = (
    ['/h/cgi/echo.pl', qr/^cgi$/],
    ['/h/cgi/echo.pl/path/info', qr/^cgi$/],
    ['/h/php/echo.php', $prefork ? qr/^php-apache2handler$/ : qr/^php-fpm/],
    ['/h/fpm/echo.php', qr/^php-fpm/],
    ['/h/fcgi/echo.php', qr/^php-fpm/],
    ['/h/lua/echo.lua', qr/^mod_lua$/],
    ['/h/luamap', qr/^mod_lua$/],
    ['/h/perl/x', qr/^mod_perl$/],
    ['/h/modperl/x', qr/^mod_perl$/],
    ['/h/wsgi/a', qr/^wsgi$/],
    ['/h/wsgidaemon/a', qr/^wsgi$/],
    ['/h/backend/a', qr/^backend$/],
    ['/h/balanced/a', qr/^backend$/],
    ['/h/vhost/echo.pl', qr/^cgi$/],
    ['/behind/echo.pl', qr/^cgi$/],
    ['/h/rewritten/a', qr/^cgi$/],
    ['/h/proxied/a', qr/^backend$/],
    ['/h/site/any/path', qr/^cgi$/],
    ['/h/site/php/any/path',
     $prefork ? qr/^php-apache2handler$/ : qr/^php-fpm/],
    ['/h/index/', qr/^cgi$/],
    ['/hd/site/any/path', qr/^cgi$/],
    ['/hd/index/', qr/^cgi$/],
    ['/h/action/hello.txt', qr/^cgi$/],
    ['/h/pass/echo.pl', qr/^cgi$/],
    ['/h/perdirproxy/a', qr/^backend$/],
    ['/h/perdir/a', qr/^cgi$/],
    ['/h/fallback/any/path', qr/^cgi$/],
    ['/h/views/echo', qr/^php-fpm/],
    ['/h/dav/echo.pl', qr/^cgi$/],
    ['/h/buffer/echo.pl', qr/^cgi$/],
    ['/h/extfilter/echo.pl', qr/^cgi$/],
    ['/h/kept/echo.pl', qr/^cgi$/],
    ['/h/security/echo.pl', qr/^cgi$/],
);

# A backend has no environment of ours: only what went over the wire.
sub is_remote
{
    return $_[0]
        =~ m{^/h/(?:backend|balanced|vhost|proxied|perdirproxy)/};
}

# Where an internal redirect made of the URL is the application's business.
sub keeps_query
{
    return $_[0] !~ m{^/h/pass/};
}

sub header
{
    my ($said, $name) = @_;
    my $headers = $said->{headers} || {};
    my ($found) = grep { lc eq lc $name } keys %$headers;
    return $headers->{$found} if defined $found;
    my $variable = uc $name =~ tr/-/_/r;
    $variable = "HTTP_$variable" unless $variable =~ /^CONTENT_/;
    return $said->{env}{$variable};
}

sub files
{
    my $one = random_bytes(120_003);
    my $two = "second\r\n--not the boundary\r\n" x 11;
    return ($one, $two);
}

sub check_request
{
    my ($name, $url, $id, $said, $length) = @_;
    my $env = $said->{env} || {};
    is $said->{method}, 'POST', "$name: method";
    like $said->{url}, qr/[?&]a=b&take/, "$name: query"
        if keeps_query($url);
    like $said->{url}, qr/^\Q$url\E\?/, "$name: URL"
        unless is_remote($url) || $url =~ m{^/behind};
    is header($said, 'Content-Type'), 'application/json',
        "$name: Content-Type";
    is header($said, 'Content-Length'), $said->{length},
        "$name: Content-Length";
    if (!is_remote($url)) {
        is $env->{UPLOAD_POOL_STATE}, 'done', "$name: UPLOAD_POOL_STATE";
        is $env->{UPLOAD_POOL_IDENTIFIER}, $id,
            "$name: UPLOAD_POOL_IDENTIFIER";
        is $env->{UPLOAD_POOL_FILES}, 2, "$name: UPLOAD_POOL_FILES";
        is $env->{UPLOAD_POOL_SIZE}, $length, "$name: UPLOAD_POOL_SIZE";
    }
    is $said->{surplus} || 0, 0, "$name: nothing behind the body";
    # mod_lua shows no headers.
    return if $said->{via} eq 'mod_lua';
    is header($said, 'Transfer-Encoding'), undef,
        "$name: no transfer coding";
    is header($said, 'X-Upload-Identifier'), $id,
        "$name: X-Upload-Identifier";
    is header($said, 'X-Upload-State'), 'done', "$name: X-Upload-State";
    like header($said, 'X-Upload-Content-Type'), qr{^multipart/form-data; },
        "$name: X-Upload-Content-Type";
    return;
}

sub check_body
{
    my ($name, $url, $id, $said, $sent) = @_;
    my $seen = decode_json_text(Encode::encode('UTF-8', $said->{body} // ''))
        || {};
    is $seen->{identifier}, $id, "$name: identifier";
    is $seen->{state}, 'done', "$name: state";
    is_deeply $seen->{fields}, [
        {name => 'title', value => "H\x{f6}lle"},
        {name => 'title', value => "two\r\nlines"},
    ], "$name: fields";
    my @files = @{ $seen->{files} || [] };
    is_deeply [map { @$_{qw(field filename safe-filename size)} } @files],
        ['one', 'big "one".bin', 'big_one.bin', length $sent->[0],
         'two', '../../etc/passwd', 'etc_passwd', length $sent->[1]],
        "$name: files";
    is $said->{env}{UPLOAD_POOL_PATH}, $files[0]{path},
        "$name: UPLOAD_POOL_PATH" unless is_remote($url);
    my @taken = @{ $said->{taken} || [] };
    is scalar @taken, 2, "$name: both files were moved away";
    for my $n (0 .. $#taken) {
        my $hex = $taken[$n]{alg} eq 'sha-1' ? sha1_hex($sent->[$n])
            : sha256_hex($sent->[$n]);
        is $taken[$n]{hex}, $hex, "$name: what it read of file $n";
        is $files[$n]{digests}{ $taken[$n]{alg} }, $hex,
            "$name: digest of file $n";
        ok -f $taken[$n]{to} && !-e $files[$n]{path},
            "$name: file $n is elsewhere";
        unlink $taken[$n]{to};
    }
    return;
}

sub check_one
{
    my ($url, $via, $how, @how) = @_;
    my $name = "$url, $how";
    my @sent = files();
    my $id = new_id();
    my ($body, $type) = multipart([
        {name => 'title', value => Encode::encode('UTF-8', "H\x{f6}lle")},
        {name => 'one', filename => 'big "one".bin', content => $sent[0]},
        {name => 'title', value => "two\r\nlines"},
        {name => 'two', filename => '../../etc/passwd', content => $sent[1]},
    ]);
    my $c = connect_raw();
    my $framing = @how ? 'Transfer-Encoding: chunked'
        : 'Content-Length: ' . length $body;
    $c->send("POST $url?a=b&take&X-Progress-ID=$id HTTP/1.1\r\n"
        . "Host: localhost\r\nContent-Type: $type\r\n$framing\r\n"
        . "X-Upload-Identifier: forged\r\n\r\n"
        . (@how ? chunked($body, @how) : $body));
    my $r = $c->answer;
    is $r->{status}, 200, "$name: status"
        or diag $r->{head} // $r->{error}, $r->{body} // '';
    my $said = $r->{json} || {env => {}, via => ''};
    like $said->{via}, $via, "$name: who answered";
    check_request($name, $url, $id, $said, length $body);
    check_body($name, $url, $id, $said, \@sent);

    # The connection goes on, and the state does not depend on the files.
    $c->send("GET $url?b=c HTTP/1.1\r\nHost: localhost\r\n\r\n");
    my $second = $c->answer;
    is $second->{status}, 200, "$name: the next request of the connection";
    is $second->{json}{method}, 'GET', "$name: is what it is";
    ok !exists $second->{json}{env}{UPLOAD_POOL_STATE},
        "$name: and no upload";
    is status('/h/cgi/echo.pl', $id)->{state}, 'done',
        "$name: still done afterwards";
    $c->close;
    return $said;
}

empty_pool('handlers/taken');
for my $application (@applications) {
    my ($url, $via) = @$application;
    my $said = check_one($url, $via, 'length');
    if ($said->{via} =~ /^php/) {
        is $said->{files}, 0, "$url: \$_FILES is empty";
        is $said->{post}, 0, "$url: \$_POST is empty";
    }
    is $said->{mode}, 'handlers', "$url: the daemon process"
        if $url =~ /wsgidaemon/;
    is $said->{mode}, 'embedded', "$url: embedded" if $url =~ m{wsgi/};
    check_one($url, $via, 'chunked', 4099);
}

is_deeply [pool_files('handlers/taken')], [], 'nothing was left over';
is crashes_since($mark), 0, 'no child died';
unlike error_log_since($mark), qr/UPL0\d\d\d: .*refused/, 'nothing refused';

done_testing;
