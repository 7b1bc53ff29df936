# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# What becomes of a file's name, and of the type that the client says it has;
# files that travel in the JSON.

use strict;
use warnings FATAL => 'all';
use utf8;
use MIME::Base64 ();
use Test::More;
use UploadPool::Test;

my $mark = log_mark();

# One file of that name and type; what the application is told of it.
sub told
{
    my ($url, $name, %o) = @_;
    utf8::encode(my $bytes = $name);
    my $r = upload("$url/echo.pl", [{name => 'f', filename => $bytes,
        type => exists $o{type} ? $o{type} : 'text/plain',
        content => defined $o{content} ? $o{content} : 'x'}], id => new_id());
    is $r->{status}, 200, 'taken';
    return application($r)->{files}[0];
}

sub printable { return $_[0] =~ s/([^ -~])/sprintf '{%x}', ord $1/ger }

# --- UploadNames ------------------------------------------------------------------

# Name; ascii, as secure_filename's documentation and tests have it; utf8.
my @names = (
    ['My cool movie.mov', 'My_cool_movie.mov', 'My_cool_movie.mov'],
    ['../../../etc/passwd', 'etc_passwd', 'etc_passwd'],
    ["i contain cool \x{fc}ml\x{e4}uts.txt", 'i_contain_cool_umlauts.txt',
     "i_contain_cool_\x{fc}ml\x{e4}uts.txt"],
    ['__filename__', 'filename__' =~ s/_+$//r, 'filename'],
    ['foo$&^*)bar', 'foobar', 'foobar'],
    ['.htaccess', 'htaccess', 'htaccess'],
    ['..', 'file', 'file'],
    ['con.txt', '_con.txt', '_con.txt'],
    ['C:\\fakepath\\a.txt', 'C_fakepath_a.txt', 'C_fakepath_a.txt'],
    ['a:b.txt', 'ab.txt', 'ab.txt'],
    ['größe €.txt', 'groe_.txt', 'größe_.txt'],
    ['фото отпуск.jpg', 'jpg', 'фото_отпуск.jpg'],
    ['日本語.pdf', 'pdf', '日本語.pdf'],
    ['١٢٣.txt', 'txt', '١٢٣.txt'],
    ["photo\x{202e}gpj.exe", 'photogpj.exe', 'photogpj.exe'],
    ["a\x{200b}\x{feff}b.txt", 'ab.txt', 'ab.txt'],
    ["a\x{ff0f}b\x{ff3c}c\x{ff1a}d.txt", undef, 'abcd.txt'],
    ["\x{1f600}.png", 'png', 'png'],
    ["COM\x{b9}.txt", undef, 'COM.txt'],
    ["a\x{3000}b.txt", 'a_b.txt', 'a_b.txt'],
    ['é' x 200 . '.jpeg', 'e' x 200 . '.jpeg', 'é' x 125 . '.jpeg'],
    ['日' x 100, 'file', '日' x 85],
);
for my $row (@names) {
    my ($name, $ascii, $utf8) = @$row;
    my $shown = printable(substr $name, 0, 30);
    my $file = told('/policy/plain', $name);
    is $file->{filename}, $name, "$shown: told as it was sent";
    is $file->{'safe-filename'}, $ascii, "$shown: ascii" if defined $ascii;
    like $file->{'safe-filename'}, qr/^[A-Za-z0-9_.-]{1,255}$/,
        "$shown: nothing but ASCII";
    $file = told('/policy/utf8', $name);
    is $file->{filename}, $name, "$shown: utf8: told as it was sent";
    is $file->{'safe-filename'}, $utf8, "$shown: utf8";
}
# Bytes that are no UTF-8.
for my $url ('/policy/plain', '/policy/utf8') {
    my $r = upload("$url/echo.pl", [{name => 'f', filename => "a\xff\xe9b.txt",
                                     content => 'x'}], id => new_id());
    is application($r)->{files}[0]{'safe-filename'}, 'ab.txt', "$url: bad bytes";
}

# --- Types -----------------------------------------------------------------------

my @types = (
    ['text/plain; charset=UTF-8', 'text/plain', 'UTF-8', {charset => 'UTF-8'}],
    ['TEXT/Html;Charset="iso-8859-1"; level=1', 'text/html', 'iso-8859-1',
     {charset => 'iso-8859-1', level => '1'}],
    ['text/x; a="b c"; d="e\\"f"', 'text/x', undef, {a => 'b c', d => 'e"f'}],
    ['image/png', 'image/png', undef, {}],
    [undef, undef, undef, {}],
);
for my $url ('/policy/plain', '/policy/inline') {
    for my $row (@types) {
        my ($type, $main, $charset, $params) = @$row;
        my $file = told($url, 'a.txt', type => $type);
        my $shown = "$url: " . ($type // 'no type');
        is $file->{'content-type'}, $main, "$shown: content-type";
        is $file->{charset}, $charset, "$shown: charset";
        is_deeply $file->{params}, $params, "$shown: parameters";
    }
}

# --- UploadInline ------------------------------------------------------------------

for my $size (0, 1, 1023, 1024) {
    my $bytes = random_bytes($size);
    my $file = told('/policy/inline', 'a.bin', content => $bytes);
    ok MIME::Base64::decode_base64($file->{content}) eq $bytes,
        "$size bytes travel in the JSON";
    is $file->{size}, $size, 'their size';
    ok !exists $file->{path}, 'and lie nowhere';
}
my $file = told('/policy/inline', 'a.bin', content => 'y' x 1025);
ok !exists $file->{content}, 'one more byte';
is slurp($file->{path}), 'y' x 1025, 'and it lies in the pool';

is crashes_since($mark), 0, 'no child died';
done_testing;
