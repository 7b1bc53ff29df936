# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Applications that read the JSON in small pieces, a part of it, or nothing:
# the next request of the connection is understood all the same.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my @parts = ({name => 'file', filename => 'a.bin', content => 'x' x 40_000},
             {name => 'text', value => 'y' x 20_000});
my ($body, $type) = multipart(\@parts);

sub post
{
    my ($c, $url, @how) = @_;
    my $id = new_id();
    $c->send("POST $url&X-Progress-ID=$id HTTP/1.1\r\nHost: localhost\r\n"
        . "Content-Type: $type\r\n"
        . (@how ? "Transfer-Encoding: chunked\r\n\r\n" . chunked($body, @how)
           : 'Content-Length: ' . length($body) . "\r\n\r\n$body"));
    return $id;
}

my %modes = (
    '/h/php/echo.php' => [qw(unread part=10)],
    '/h/fpm/echo.php' => [qw(unread part=10)],
    '/h/perl/x' => [qw(unread part=10 pieces)],
    '/h/wsgi/a' => [qw(unread part=10 pieces)],
    '/h/wsgidaemon/a' => [qw(unread part=10 pieces)],
    '/h/lua/echo.lua' => [qw(unread)],
    '/h/site/php/any/path' => [qw(unread part=10)],
);
# mod_cgid talks to its programs through a socket: one that ends with unread
# bytes resets it, and httpd then cuts the answer, whatever stands in front.
my @cgi = qw(/h/cgi/echo.pl /h/site/any/path /h/index/ /h/action/hello.txt
    /h/vhost/echo.pl /h/kept/echo.pl /h/security/echo.pl /h/buffer/echo.pl);
$modes{$_} = var('mpm') eq 'prefork' ? [qw(unread part=10 pieces)] : ['pieces']
    for @cgi;
for my $url (sort keys %modes) {
    for my $mode (@{ $modes{$url} }) {
        my $c = connect_raw();
        for my $how ([], [777]) {
            my $name = "$url?$mode" . (@$how ? ', chunked' : '');
            my $id = post($c, "$url?$mode", @$how);
            my $r = $c->answer;
            is $r->{status}, 200, "$name: status"
                or diag $r->{head} // $r->{error}, $r->{body} // '';
            my $said = $r->{json} || {};
            my $want = $mode =~ /=(\d+)/ ? $1 : 0;
            if ($mode eq 'pieces') {
                is application($r)->{identifier}, $id, "$name: the JSON";
            }
            else {
                is $said->{length} || 0, $want, "$name: bytes read";
            }
            $c->send("GET $url?next HTTP/1.1\r\nHost: localhost\r\n\r\n");
            my $next = $c->answer;
            is $next->{status}, 200, "$name: the next request";
            is $next->{json}{method}, 'GET', "$name: is the next request";
        }
        $c->close;
    }
}

# Two at once on one connection: the second waits in the server's buffer.
for my $url (sort keys %modes) {
    my $c = connect_raw();
    post($c, "$url?$modes{$url}[0]");
    my $second = post($c, "$url?x=y");
    is $c->answer->{status}, 200, "$url: pipelined, the first";
    is application($c->answer)->{identifier}, $second,
        "$url: pipelined, the second";
    $c->close;
}
# S5: in the ways that httpd has for its modules, and beyond the end.
for my $by (qw(bytes lines whole looking waitless waitlesslines waitlesswhole
               crlf)) {
    my $c = connect_raw();
    for my $how ([], [777]) {
        my $name = "by $by" . (@$how ? ', chunked' : '');
        my $id = post($c, "/h/perl/x?by=$by", @$how);
        my $r = $c->answer;
        is $r->{status}, 200, "$name: status";
        my $json = application($r);
        is $json->{identifier}, $id, "$name: the JSON";
        is $json->{files}[0]{size}, 40_000, "$name: all of it";
    }
    $c->close;
}

# A filter that reads in front of the module gets nothing: the bytes of the
# upload have passed no limit by then. The upload is taken in all the same.
for my $how ([], [777]) {
    my $c = connect_raw();
    my $at = log_mark();
    my $id = post($c, '/h/cgi/echo.pl?probe-reads-first', @$how);
    my $r = $c->answer;
    my $name = 'read too early' . (@$how ? ', chunked' : '');
    is $r->{headers}{'x-probe-read'}, '20014, 0 bytes', "$name: an error";
    is $r->{status}, 200, "$name: status";
    is application($r)->{identifier}, $id, "$name: nothing was lost";
    is scalar(() = error_log_since($at) =~ /UPL0028: /g), 1,
        "$name: one line in the log";
    $c->close;
}
is crashes_since($mark), 0, 'no child died';

done_testing;
