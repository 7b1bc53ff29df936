# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# tus 1.0.0, "Creation" and "Creation With Upload", and what becomes of the
# metadata.

use strict;
use warnings FATAL => 'all';
use Test::More;
use MIME::Base64 qw(encode_base64);
use UploadPool::Test;
use UploadPool::Tus;

my $mark = log_mark();
my $at = '/tus/echo.pl';

sub complete
{
    my ($where, $content, %o) = @_;
    my $made = create($where, length => length $content, %o);
    return $made if $made->{status} != 201;
    return append($made->{headers}{location}, 0, $content);
}

# --- POST --------------------------------------------------------------------

my $r = create($at, length => 100);
is $r->{status}, 201, 'POST: 201 Created';
like $r->{headers}{location}, qr{^/tus/echo\.pl/[A-Za-z0-9-]+$},
    'POST: Location, a path alone';
is $r->{body}, '', 'POST: no body';
is offset($r->{headers}{location}), 0, 'POST: an implicit offset of 0';
is status($at, $r->{headers}{location} =~ m{([^/]+)$})->{state}, 'uploading',
    'POST: pollers see it';
for my $case (['neither length nor deferral'],
              ['both', length => 5, defer => 1],
              ['both, and 0', length => 0, defer => 1]) {
    my ($name, @how) = @$case;
    is create($at, @how)->{status}, 400, "POST: $name";
}
is create($at, defer => $_)->{status}, 400, "Upload-Defer-Length: not '$_'"
    for '0', '2', 'true', '', '1, 1', '-1';

# --- A length that comes late ------------------------------------------------

# R7: Lengths that come late, and none.
my $url = create($at, defer => 1)->{headers}{location};
my $head = head($url);
is $head->{headers}{'upload-defer-length'}, 1, 'HEAD: Upload-Defer-Length: 1';
ok !exists $head->{headers}{'upload-length'}, 'HEAD: no Upload-Length';
is append($url, 0, 'hel')->{status}, 204, 'bytes before the length is known';
is head($url)->{headers}{'upload-defer-length'}, 1,
    'HEAD: as long as it is not known';
is append($url, 0, 'lo', length => 5)->{status}, 409,
    'a length with a wrong offset';
is head($url)->{headers}{'upload-defer-length'}, 1, 'changes nothing';
is append($url, 3, '', length => 2)->{status}, 400,
    'a length below what is there';
is append($url, 3, 'lo', length => 4)->{status}, 413,
    'a length below what is coming';
is append($url, 3, 'lo', length => $_)->{status}, 400, "no length: '$_'"
    for '-1', 'x', '5,5', '';
$url = create($at, defer => 1)->{headers}{location};
is append($url, 0, 'hel', length => 5)->{status}, 204, 'with a PATCH';
$head = head($url);
is $head->{headers}{'upload-length'}, 5, 'then HEAD has Upload-Length';
ok !exists $head->{headers}{'upload-defer-length'},
    'and no Upload-Defer-Length';
is append($url, 3, 'lo', length => 6)->{status}, 400,
    '"Once set the length MUST NOT be changed"';
is offset($url), 3, 'nor was anything taken then';
$r = append($url, 3, 'lo', length => 5);
is application($r)->{size}, 5, 'said again it is no change';
$url = create($at, defer => 1)->{headers}{location};
append($url, 0, 'hello');
$r = append($url, 5, '', length => 5);
is application($r)->{size}, 5, 'a PATCH of no bytes that tells the length';
$url = create($at, length => 5)->{headers}{location};
is append($url, 0, 'hello', length => 7)->{status}, 400,
    'a length that is known already is not changed either';
is offset($url), 0, 'nothing of that is kept';

# --- Length 0, and over the limits -------------------------------------------

$r = create($at, length => 0, metadata => [filename => 'empty.txt']);
is $r->{status}, 201, 'length 0: 201, and the answer of the application';
is application($r)->{files}[0]{filename}, 'empty.txt', 'it has run';
is application($r)->{files}[0]{size}, 0, 'the file is empty';
like $r->{headers}{location}, qr{^/tus/echo\.pl/[A-Za-z0-9-]+$},
    'and there is a Location';
is offset($r->{headers}{location}), 0, 'HEAD of it';
for my $case (['/tus-small/echo.pl', 4096], ['/tus-file/echo.pl', 3072]) {
    my ($where, $max) = @$case;
    is create($where, length => $max + 1)->{status}, 413,
        "$where: 413 over Tus-Max-Size";
    is complete($where, 'x' x $max)->{status}, 200, "$where: just as long";
    $url = create($where, defer => 1)->{headers}{location};
    is append($url, 0, 'x' x 2000)->{status}, 204, "$where: length to come";
    is append($url, 2000, 'x' x ($max - 1999))->{status}, 413,
        "$where: bytes over it, announced";
    is append($url, 2000, 'x' x 8000, chunked => 999)->{status}, 413,
        "$where: bytes over it, unannounced";
    is append($url, offset($url), '', length => $max + 1)->{status}, 413,
        "$where: a length over it, late";
    is create($where, defer => 1, body => 'x' x ($max + 1))->{status}, 413,
        "$where: with the POST";
}

# --- Creation With Upload ----------------------------------------------------

$r = create($at, length => 100, body => 'hello');
is $r->{status}, 201, 'with upload: 201';
is $r->{headers}{'upload-offset'}, 5, 'with upload: Upload-Offset';
$url = $r->{headers}{location};
is offset($url), 5, 'with upload: HEAD';
is append($url, 5, 'x' x 95)->{status}, 200, 'with upload: and go on';
$r = create($at, length => 5, body => 'hello', metadata => [filename => 'a']);
is $r->{status}, 201, 'with all of it: 201';
is application($r)->{files}[0]{size}, 5, 'the application has run';
is $r->{headers}{'upload-offset'}, 5, 'Upload-Offset';
is offset($r->{headers}{location}), 5, 'HEAD at its Location';
$r = create($at, defer => 1, body => 'hel', chunked => 2);
is $r->{headers}{'upload-offset'}, 3, 'in chunks, length deferred';
is append($r->{headers}{location}, 3, 'lo', length => 5)->{status}, 200,
    'to its end';
is create($at, length => 5, body => 'hello', headers => ['Content-Type', $_])
    ->{status}, 415, "a body of type '$_'"
    for 'text/plain', 'application/x-www-form-urlencoded';
is tus('POST', $at, ['Upload-Length', 5], body => 'hello')->{status}, 415,
    'a body of no type';
is create($at, length => 4, body => 'hello')->{status}, 413,
    'a body that is longer than the length';
my $c = connect_raw();
$c->send("POST $at HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\n"
         . "Content-Type: $BYTES\r\nUpload-Length: 5\r\nContent-Length: 5\r\n"
         . "Expect: 100-continue\r\nConnection: close\r\n\r\n");
is $c->interim->{status}, 100, 'Expect: 100-continue is answered';
$c->send('hello');
is $c->answer->{status}, 201, 'and then the request';
$c = connect_raw();
$c->send("POST $at HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\n"
         . "Content-Type: $BYTES\r\nUpload-Length: 4\r\nContent-Length: 5\r\n"
         . "Expect: 100-continue\r\nConnection: close\r\n\r\n");
$r = $c->answer;
is $r->{status}, 413, 'what is refused is refused';
is scalar @{ $r->{interim} }, 0, 'before the client sends it';

# --- Upload-Metadata ---------------------------------------------------------

my $said = 'filename ' . encode_base64('photo.jpg', '') . ',is_confidential';
$url = create($at, length => 1, metadata => $said)->{headers}{location};
is head($url)->{headers}{'upload-metadata'}, $said, 'HEAD: as specified';
$r = append($url, 0, 'x');
is application($r)->{files}[0]{filename}, 'photo.jpg', 'filename';
is_deeply application($r)->{fields},
    [{name => 'is_confidential', value => ''}], 'other keys are fields';
is head($url)->{headers}{'upload-metadata'}, $said, 'HEAD: when complete';
$url = create($at, length => 1)->{headers}{location};
ok !exists head($url)->{headers}{'upload-metadata'}, 'HEAD: none was given';

sub told
{
    my (@pairs) = @_;
    my $all = application(complete($at, 'x', metadata => \@pairs));
    my $file = $all->{files}[0];
    return [@{$file}{qw(filename safe-filename content-type field)},
            map { ["$_->{name}", $_->{value}, $_->{encoding} || ()] }
            @{ $all->{fields} }];
}

is_deeply told(filename => 'a b.txt', filetype => 'text/plain'),
    ['a b.txt', 'a_b.txt', 'text/plain', 'file'], 'filename and filetype';
is_deeply told(name => 'n.bin', type => 'a/b'), ['n.bin', 'n.bin', 'a/b', 'file'],
    'name and type';
is_deeply told(name => 'x.y', filetype => 'a/b', type => 'a/b',
               filename => 'x.y', relativePath => 'null'),
    ['x.y', 'x.y', 'a/b', 'file', ['relativePath', 'null']],
    'both, as Uppy sends them';
is_deeply told(name => 'John', filename => 'x.y', type => 'passport'),
    ['x.y', 'x.y', undef, 'file', ['name', 'John'], ['type', 'passport']],
    'what is not the file\'s name or type is a field';
is_deeply told(filename => "../../etc/passwd\0.txt"),
    ["../../etc/passwd\x{fffd}.txt", told(filename =>
     "../../etc/passwd\xef\xbf\xbd.txt")->[1], undef, 'file'],
    'a hostile name is a name';
is_deeply [@{ told(filename => "\xff\xc3\xa9") }[0]], ["\x{fffd}\x{e9}"],
    'a name that is not UTF-8';
is told(filename => 'a', filetype => "text/html\r\nX-Evil: 1")->[2], undef,
    'a type that cannot be a header is none';
is_deeply told(filename => 'a', raw => "\xff\x00", "\xc3\xa9" => "\xc3\xa9"),
    ['a', 'a', undef, 'file', ['raw', encode_base64("\xff\0", ''), 'base64'],
     ["\x{e9}", "\x{e9}"]], 'values that are no text, keys that are UTF-8';
is_deeply told(filename => '', name => 'n'), ['n', 'n', undef, 'file'],
    'an empty filename gives way to name';
is create('/tus-small/echo.pl', length => 1,
          metadata => [note => 'x' x 1025])->{status}, 413,
    'UploadMaxFieldSize holds for a value';
is create('/tus-small/echo.pl', length => 1,
          metadata => [note => 'x' x 1024])->{status}, 201, 'up to it';
is complete('/tus-text/echo.pl', 'x', metadata => [filename => 'a.txt'])
    ->{status}, 200, 'UploadAllow: allowed';
for my $name ('a.exe', 'a.php.txt', 'txt', '') {
    is create('/tus-text/echo.pl', length => 1, metadata => [filename => $name])
        ->{status}, 415, "UploadAllow: not '$name'";
}
is create('/tus-text/echo.pl', length => 1)->{status}, 415,
    'UploadAllow: not one without a name';
is create($at, length => 1, metadata => $_)->{status}, 400,
    "Upload-Metadata: not '$_'"
    for ',', 'a,', ',a', 'a,,b', 'a  Zg==', 'a Zg=',
    'a Z', 'a !', 'a Zg== Zg==', 'a Zg==,a Zm8=', 'a,b,a', "\xff Zg==",
    'a Zg-_', join(',', map { "k$_" } 1 .. 300);
is create($at, length => 1, metadata => '')->{status}, 201,
    'Upload-Metadata: nothing is nothing';
is create($at, length => 1, headers => ['Upload-Metadata', 'a Zg==',
                                        'Upload-Metadata', 'b Zg=='])
    ->{status}, 201, 'two lines of it are one list';
is create($at, length => 1, headers => ['Upload-Metadata', 'a Zg==',
                                        'Upload-Metadata', 'a Zg=='])
    ->{status}, 400, 'in which a key comes once';

is crashes_since($mark), 0, 'no child died';

done_testing;
