# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Files that are served: whatever their names and contents, a browser saves them
# and does not run them, also when they are sent by sendfile.

use strict;
use warnings FATAL => 'all';
use utf8;
use Test::More;
use UploadPool::Test;

my $mark = log_mark();

sub put
{
    my ($url, $name, $content, $type) = @_;
    utf8::encode(my $bytes = $name);
    my $id = new_id();
    is upload($url, [{name => 'f', filename => $bytes, content => $content,
                      type => $type || 'text/html'}], id => $id)->{status},
        200, 'a file';
    return "$url/file?X-Progress-ID=$id";
}

sub get { my ($where, @headers) = @_;
          return request('GET', $where, headers => [@headers]) }

# --- Names in Content-Disposition ---------------------------------------------

my $script = '<html><script>alert(1)</script>';
my @names = (
    # sent, filename="", filename*
    ['plain.txt', 'plain.txt', 'plain.txt'],
    ['größe.txt', 'gr__e.txt', 'gr%C3%B6%C3%9Fe.txt'],
    ['фото.jpg', '____.jpg', '%D1%84%D0%BE%D1%82%D0%BE.jpg'],
    ['日本.pdf', '__.pdf', '%E6%97%A5%E6%9C%AC.pdf'],
    ["\x{20000}.txt", '_.txt', '%F0%A0%80%80.txt'],
    ["a\"b'c%d.txt", 'abcd.txt', 'abcd.txt'],
    ["a%0d%0aX-Evil: 1.txt", 'a_X-Evil_1.txt', 'a_X-Evil_1.txt'],
    ["a\r\nX-Evil: 1\r\n\r\n$script", 'a_X-Evil_1_htmlscriptalert1_script',
     'a_X-Evil_1_htmlscriptalert1_script'],
    ['"; filename="evil.html', 'filenameevil.html', 'filenameevil.html'],
    ["x\x{2028}\x{85}X-Evil: 1", 'x_X-Evil_1', 'x_X-Evil_1'],
    ["ä" x 300 . '.html', '_' x 125 . '.html', '%C3%A4' x 125 . '.html'],
);
for my $row (@names) {
    my ($name, $ascii, $encoded) = @$row;
    my $shown = substr($name, 0, 20) =~ s/([^ -~])/sprintf '{%x}', ord $1/ger;
    my $r = get(put('/policy-serve', $name, $script));
    is $r->{headers}{'content-disposition'},
        "attachment; filename=\"$ascii\"; filename*=UTF-8''$encoded",
        "$shown: both forms";
    is $r->{body}, $script, 'the file';
    unlike $r->{head}, qr/^x-evil/im, 'no header of its own';
}

# --- Nothing runs -----------------------------------------------------------------

# T4: A file that is given back runs nowhere.
my %evil = ('x.html' => 'text/html', 'x.svg' => 'image/svg+xml',
            'x.js' => 'text/javascript', 'x.php' => 'application/x-httpd-php',
            'x.xhtml' => 'application/xhtml+xml', '.htaccess' => 'text/plain',
            'x.pdf' => 'application/pdf', 'x.shtml' => 'text/html');
for my $url ('/policy-serve', '/policy-sendfile', '/policy-typed') {
    for my $name (sort keys %evil) {
        my $where = put($url, $name, "<?php echo 1; ?>$script", $evil{$name});
        for my $try ([], ['Accept', 'text/html'], ['Range', 'bytes=0-99999']) {
            my $r = get($where, @$try);
            my $h = $r->{headers};
            my %got = map { $_ => $h->{$_} } qw(content-type
                x-content-type-options content-security-policy);
            is_deeply \%got, {'content-type' => 'application/octet-stream',
                'x-content-type-options' => 'nosniff',
                'content-security-policy' => 'sandbox'},
                "$url, $name: the type is ours" . ($try->[0] ? ", $try->[0]" : '');
            like $h->{'content-disposition'}, qr/^attachment;/, 'saved, not shown';
            is $r->{body}, "<?php echo 1; ?>$script", 'not run';
        }
    }
}
# An answer that has no body says so too.
my $where = put('/policy-serve', 'x.html', $script);
my $etag = get($where)->{headers}{etag};
my $r = get($where, 'If-None-Match', $etag);
is $r->{status}, 304, 'not modified';
is $r->{body}, '', 'no body';
isnt lc($r->{headers}{'content-type'} || ''), 'text/html', 'and no type';
for my $method (qw(PUT PATCH OPTIONS)) {
    unlike request($method, $where)->{body}, qr/alert/, "$method gives no file";
}

# --- Ranges, and large files by sendfile -----------------------------------------

my $bytes = random_bytes(100_000) x 30;
my $size = length $bytes;
for my $url ('/policy-serve', '/policy-sendfile') {
    my $where = put($url, 'large.bin', $bytes);
    my $r = get($where);
    my ($etag, $date) = @{ $r->{headers} }{qw(etag last-modified)};
    ok $r->{body} eq $bytes, "$url: all of it";
    is $r->{headers}{'content-length'}, $size, 'its length';
    my %range = ('0-0' => [0, 1], '0-99999' => [0, 100_000],
        '2999990-' => [2_999_990, 10], '-7' => [$size - 7, 7],
        '1000000-1999999' => [1_000_000, 1_000_000],
        '-9999999' => [0, $size], '10-9999999' => [10, $size - 10]);
    for my $range (sort keys %range) {
        my ($at, $len) = @{ $range{$range} };
        $r = get($where, 'Range', "bytes=$range");
        is $r->{status}, $len == $size ? $r->{status} : 206, "bytes=$range";
        ok $r->{body} eq substr($bytes, $at, $len), 'its bytes';
        is $r->{headers}{'content-range'} // 'none',
            $r->{status} == 206 ? "bytes $at-" . ($at + $len - 1) . "/$size"
            : 'none', 'where they are';
    }
    $r = get($where, 'Range', 'bytes=0-1,1000000-1000001,-2');
    is $r->{status}, 206, 'three ranges';
    my ($boundary) = $r->{headers}{'content-type'}
        =~ m{^multipart/byteranges; boundary=(\S+)$};
    my @parts = split /\r\n--\Q$boundary\E(?:--)?\r\n/, $r->{body};
    is scalar @parts, 4, 'as parts';
    like $parts[$_], qr{^Content-type: application/octet-stream\r$}im,
        'each of our type' for 1 .. 3;
    is substr($parts[2], -2), substr($bytes, 1_000_000, 2), 'their bytes';
    for my $range ("$size-", '9999999-99999999') {
        $r = get($where, 'Range', "bytes=$range");
        is $r->{status}, 416, "bytes=$range: behind the end";
        ok length $r->{body} < 1000, 'and none of its bytes';
    }
    is get($where, 'Range', $_)->{status}, 200, "\"$_\" is no range"
        for 'bytes=x', 'bytes=5-1', 'lines=0-1', 'bytes=';
    is length get($where, 'Range', 'bytes=0-1', 'If-Range', $_)->{body}, 2,
        'If-Range holds' for $etag;
    is length get($where, 'Range', 'bytes=0-1', 'If-Range', $_)->{body}, $size,
        "If-Range $_ does not hold"
        for '"other"', "W/$etag", 'Fri, 02 Jan 1970 00:00:00 GMT';
    is get($where, 'If-None-Match', $_)->{status}, 304, 'If-None-Match holds'
        for $etag, "\"x\", $etag", '*', "W/$etag";
    is get($where, 'If-None-Match', '"x"', 'If-Modified-Since', $date)
        ->{status}, 200, 'If-None-Match counts before If-Modified-Since';
    is get($where, 'If-Modified-Since', $date)->{status}, 304,
        'If-Modified-Since';
    is get($where, 'If-Unmodified-Since', 'Fri, 02 Jan 1970 00:00:00 GMT')
        ->{status}, 412, 'If-Unmodified-Since';
    is get($where, 'If-Match', $etag)->{status}, 200, 'If-Match holds';
    is get($where, 'If-Match', '"x"')->{status}, 412, 'If-Match does not';
    my $c = connect_raw();
    $c->send("HEAD $where HTTP/1.1\r\nHost: x\r\n\r\n"
        . "HEAD $where HTTP/1.1\r\nHost: x\r\nRange: bytes=0-9\r\n\r\n"
        . "GET $where HTTP/1.1\r\nHost: x\r\nRange: bytes=0-9\r\n\r\n");
    is $c->answer(head => 1)->{headers}{'content-length'}, $size, 'HEAD';
    is $c->answer(head => 1)->{status} =~ /^20[06]$/, 1, 'HEAD with a range';
    is $c->answer->{body}, substr($bytes, 0, 10), 'and GET behind them';
    $c->close;
    $r = curl('--http2-prior-knowledge', base() . $where);
    ok $r->{body} eq $bytes, 'HTTP/2: all of it';
    $r = curl('--http2-prior-knowledge', '-r', '5-9', base() . $where);
    is $r->{body}, substr($bytes, 5, 5), 'HTTP/2: a range';
}

is crashes_since($mark), 0, 'no child died';
done_testing;
