# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# What a form can hold and how the application is told: order, repetition,
# emptiness, names of all kinds, types and parameters.

use strict;
use warnings FATAL => 'all';
use utf8;
use Test::More;
use MIME::Base64 qw(encode_base64);
use UploadPool::Test;

my $mark = log_mark();

sub bytes { my ($text) = @_; utf8::encode($text); return $text }

# Uploads the parts, checks that the application ran, gives its JSON.
sub seen
{
    my ($name, $parts, %o) = @_;
    my $r = upload('/form/echo.pl', $parts, id => new_id(), %o);
    is $r->{status}, 200, "$name: 200" or diag $r->{body};
    return application($r) || {};
}

sub one_file
{
    my ($name, $part, %o) = @_;
    my $seen = seen($name, [$part], %o);
    is scalar @{ $seen->{files} || [] }, 1, "$name: one file";
    return $seen->{files}[0] || {};
}

# --- Several of them, in any order ------------------------------------------

my @mixed = (
    {name => 'b', filename => 'one.txt', content => '1', type => 'text/plain'},
    {name => 'f', value => 'first'},
    {name => 'a', filename => 'two.txt', content => '22'},
    {name => 'f', value => ''},
    {name => 'b', filename => 'one.txt', content => '333'},
    {name => 'e', value => "line\r\nline\r\n"},
    {name => 'f', value => 'first'},
);
my $seen = seen('mixed', \@mixed);
is_deeply [map { [@{$_}{qw(field filename size)}] } @{ $seen->{files} }],
    [['b', 'one.txt', 1], ['a', 'two.txt', 2], ['b', 'one.txt', 3]],
    'files in the order sent, repeated names kept';
is_deeply $seen->{fields},
    [{name => 'f', value => 'first'}, {name => 'f', value => ''},
     {name => 'e', value => "line\r\nline\r\n"},
     {name => 'f', value => 'first'}], 'fields in the order sent';
is join('|', map { slurp($_->{path}) } @{ $seen->{files} }), '1|22|333',
    'each file has its own bytes';
my %paths = map { $_->{path} => 1 } @{ $seen->{files} };
is scalar keys %paths, 3, 'and its own path';
is $seen->{filename}, 'one.txt', 'the first file names the upload';
is $seen->{'content-type'}, 'text/plain', 'and gives its type';

my @turned = reverse @mixed;
$seen = seen('reversed', \@turned);
is_deeply [map { $_->{size} } @{ $seen->{files} }], [3, 2, 1], 'reversed';

$seen = seen('fields only', [{name => 'x', value => 'y'}]);
is_deeply $seen->{files}, [], 'a form without a file has an empty list';
is_deeply $seen->{fields}, [{name => 'x', value => 'y'}], 'and its field';

# --- Nothing chosen ---------------------------------------------------------

$seen = seen('empty input', [
    {name => 'file', filename => '', content => ''},
    {name => 'x', value => 'y'}]);
is_deeply $seen->{files}, [], 'an empty file input is no file';
is_deeply $seen->{fields}, [{name => 'x', value => 'y'}], 'and no field';

my $file = one_file('unnamed content',
                    {name => 'file', filename => '', content => 'abc'});
is $file->{filename}, '', 'a file without a name but with content is kept';
is $file->{'safe-filename'}, 'file', 'and gets a safe name';
is slurp($file->{path}), 'abc', 'and its bytes';

$file = one_file('empty file', {name => 'f', filename => 'e.txt',
                                content => ''});
is $file->{size}, 0, 'a named empty file is a file';
is -s $file->{path}, 0, 'of no bytes';

# --- Content that looks like structure --------------------------------------

my $line = '------UploadPoolTest7MA4YWxkTrZu0gW';
for my $content ("\r\n", "\r\n\r\n", "\r\n--", "-$line", "x$line",
                 "\r$line--", "a\r\n----", "\0" x 10, "\r\n" x 20,
                 "x\r\n" . substr($line, 0, -1), "\r" x 30) {
    my $show = $content;
    $show =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ge;
    $file = one_file("content $show", {name => 'f', filename => 'f',
                                       content => $content});
    is slurp($file->{path} || '/dev/null'), $content, "bytes of $show";
}

# Other parsers would take this for a delimiter; the module does not.
for my $content ("\n$line\n", "\r\n\r\n$line\n", $line, "$line\r\n",
                 "a\r\n${line}b") {
    is upload('/form/echo.pl', [{name => 'f', filename => 'f',
                                 content => $content}])->{status}, 400,
        'an ambiguous delimiter is refused';
}

# --- Names ------------------------------------------------------------------

my @names = (
    # as sent (raw disposition value), filename, safe-filename
    ['filename="a b.txt"', 'a b.txt', 'a_b.txt'],
    ['filename=plain.txt', 'plain.txt', 'plain.txt'],
    ['filename="../../etc/passwd"', '../../etc/passwd', 'etc_passwd'],
    ['filename="C:\\dir\\x.txt"', 'C:\\dir\\x.txt', undef],
    ['filename="a%22b.txt"', 'a"b.txt', 'ab.txt'],
    ['filename="a%0D%0Ab.txt"', "a\r\nb.txt", undef],
    ['filename="100%25.txt"', '100%25.txt', '10025.txt'],
    ['filename="a\\"b.txt"', 'a"b.txt', 'ab.txt'],
    ['filename="a\\\\b.txt"', 'a\\b.txt', undef],
    ['filename=".htaccess"', '.htaccess', 'htaccess'],
    ['filename="..."', '...', 'file'],
    ['filename="' . bytes('Übergrößenträger.txt') . '"',
     'Übergrößenträger.txt', 'Ubergroentrager.txt'],
    ['filename="' . bytes('日本語') . '"', '日本語', 'file'],
    ["filename=\"caf\xe9.txt\"", "caf\x{fffd}.txt", 'caf.txt'],
    ["filename=\"\xff\xfe\"", "\x{fffd}\x{fffd}", 'file'],
    ["filename*=UTF-8''%e2%82%ac%20rates.txt", '€ rates.txt', 'rates.txt'],
    ["filename*=iso-8859-1'en'%a3%20rates.txt", '£ rates.txt', 'rates.txt'],
    ["filename=\"plain.txt\"; filename*=koi8-r''%c1", 'plain.txt',
        'plain.txt'],
    ["filename=\"plain.txt\"; filename*=utf-8''", 'plain.txt', 'plain.txt'],
    ["filename=\"plain.txt\"; filename*=utf-8''%c3%a4.txt", 'ä.txt',
     'a.txt'],
    ["filename*=utf-8''%c3%a4.txt; filename=\"plain.txt\"", 'ä.txt',
     'a.txt'],
    ['filename="<script>alert(1)</script>.html"',
     '<script>alert(1)</script>.html', 'scriptalert1_script.html'],
    ['filename="' . bytes("a\x{2028}b") . '"', "a\x{2028}b", undef],
    ['filename="' . 'x' x 300 . '.txt"', 'x' x 300 . '.txt', undef],
);
for my $row (@names) {
    my ($sent, $name, $safe) = @$row;
    $file = one_file(substr($sent, 0, 40), {
        disposition => "form-data; name=\"f\"; $sent", content => 'x',
        type => 'text/plain'});
    is $file->{filename}, $name, 'filename';
    is $file->{'safe-filename'}, $safe, 'safe-filename' if defined $safe;
    like $file->{'safe-filename'}, qr{\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}\z},
        'safe-filename is safe';
}

$seen = seen('field names', [
    {disposition => 'form-data; name="a%22b"', value => '1'},
    {disposition => "form-data; name=\"\xe4\"", value => '2'},
    {disposition => 'form-data; name=""', value => '3'},
    {disposition => 'form-data; name="' . bytes('größe') . '"',
     value => bytes('große Werte €')},
    {disposition => 'form-data; name="path"', value => '/etc/passwd'},
    # P6: Names are data.
    {disposition => 'form-data; name="__proto__"', value => '4'},
    {disposition => 'Form-Data; NAME=unquoted', value => '5'},
]);
is_deeply $seen->{fields}, [
    {name => 'a"b', value => '1'}, {name => "\x{fffd}", value => '2'},
    {name => '', value => '3'}, {name => 'größe', value => 'große Werte €'},
    {name => 'path', value => '/etc/passwd'},
    {name => '__proto__', value => '4'}, {name => 'unquoted', value => '5'}],
    'names of fields';

# --- Values that are no text ------------------------------------------------

my $all = join '', map { chr } 0 .. 255;
$seen = seen('binary field', [{name => 'b', value => $all},
                              {name => 'n', value => "a\0b"},
                              {name => 's', value => "\xed\xa0\x80"}]);
is_deeply $seen->{fields}, [
    {name => 'b', value => encode_base64($all, ''), encoding => 'base64'},
    {name => 'n', value => "a\0b"},
    {name => 's', value => encode_base64("\xed\xa0\x80", ''),
     encoding => 'base64'}], 'a value that is no UTF-8 is kept as base64';

# --- Types ------------------------------------------------------------------

my @types = (
    ['text/plain; charset=ISO-8859-1', 'text/plain', 'ISO-8859-1',
     {charset => 'ISO-8859-1'}],
    ['Text/HTML;Charset="utf-8"; Q=x', 'text/html', 'utf-8',
     {charset => 'utf-8', q => 'x'}],
    ['image/png', 'image/png', undef, {}],
    ['multipart/mixed; boundary=inner', 'multipart/mixed', undef,
     {boundary => 'inner'}],
    [undef, undef, undef, {}],
);
for my $row (@types) {
    my ($sent, $type, $charset, $params) = @$row;
    my $name = defined $sent ? $sent : 'no type';
    $file = one_file($name, {name => 'f', filename => 'f', content => 'x',
                             type => $sent});
    is $file->{'content-type'}, $type, "$name: content-type";
    is $file->{charset}, $charset, "$name: charset";
    is_deeply $file->{params}, $params, "$name: params";
}
$seen = seen('unknown part headers', [
    {name => 'f', value => 'v', headers => ['X-Anything: goes',
     'Content-Length: 1', 'Content-Transfer-Encoding: 8bit']}]);
is $seen->{fields}[0]{value}, 'v', 'other part headers mean nothing';

# --- Boundaries and what surrounds the parts --------------------------------

for my $boundary ('x', '-', '----', 'a' x 70, "'()+_,-./:=?", 'a b') {
    my ($body) = multipart([{name => 'f', filename => 'f', content => 'x'}],
                           boundary => $boundary);
    my $r = request('POST', '/form/echo.pl?X-Progress-ID=' . new_id(),
        body => $body, headers => ['Content-Type',
            "multipart/form-data; boundary=\"$boundary\""]);
    is $r->{status}, 200, "boundary $boundary" or diag $r->{body};
}
my ($body, $type) = multipart([{name => 'f', value => 'v'}]);
$body =~ s/^/preamble\r\nof two lines\r\n/;
my $r = request('POST', '/form/echo.pl', body => "${body}epilogue\r\nhere",
                headers => ['Content-Type', $type]);
is_deeply application($r)->{fields}, [{name => 'f', value => 'v'}],
    'preamble and epilogue are passed over';
like application($r)->{identifier}, qr/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]+$/,
    'without a key an upload needs no identifier';

is crashes_since($mark), 0, 'no child died';
done_testing;
