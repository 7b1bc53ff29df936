# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Upload handlers of another module: called in the order of UploadHandler, with
# the bytes that earlier handlers let pass; which handler keeps a file, and what
# the application is told about it.

use strict;
use warnings FATAL => 'all';
use Test::More;
use Digest::SHA ();
use MIME::Base64 qw(decode_base64);
use UploadPool::Ietf ();
use UploadPool::Test;
use UploadPool::Tus ();
use UploadPool::Probe;

my $mark = log_mark();
my $text = "Some text\n" x 150;

# --- Order ------------------------------------------------------------------

my ($id, $r) = send_files('/handler-chain/', undef, ['one.txt', $text],
                          ['empty.txt', '']);
is $r->{status}, 200, 'a chain of probes and spool' or diag $r->{body};
my @said = events($id);
like shift @said, qr/^probe-a raw \d{4}$/, 'the announced length';
is_deeply [map { s/ raw \d+$/ raw/r } @said], [
    'probe-b raw', 'probe-c raw',
    (map { "$_ new 0 file one.txt" } qw(probe-a probe-b probe-c)),
    'probe-a complete 0 size=1500 kept=nobody',
    'probe-b complete 0 size=1500 kept=nobody',
    'probe-c complete 0 size=1500 kept=stored',
    (map { "$_ new 1 file empty.txt" } qw(probe-a probe-b probe-c)),
    'probe-a complete 1 size=0 kept=nobody',
    'probe-b complete 1 size=0 kept=nobody',
    'probe-c complete 1 size=0 kept=stored',
    'probe-a done', 'probe-b done', 'probe-c done',
], 'every function, in the order of two lines of UploadHandler';
my @files = files($r);
is scalar @files, 2, 'two files';
is slurp($files[0]{path}), $text, 'stored by spool';
is_deeply $files[0]{notes}, {map { ("probe-$_" => 'was here') } qw(a b c)},
    'with the notes of the handlers';
is -s $files[1]{path}, 0, 'an empty file too';

my $log = error_log_since($mark);
for my $name (qw(probe-a probe-b spool probe-c)) {
    like $log, qr/UPL0024: upload \S+: handler $name saw 1500 bytes in \d+ calls/,
        "the debug log has the account of $name";
}

($id, $r) = send_files('/handler-chain/', undef, ['one.txt', $text],
                       {chunked => 100});
like +(events($id))[0], qr/^probe-a raw -1$/, 'an unknown length is -1';
is slurp((files($r))[0]{path}), $text, 'its bytes';

# --- Without UploadHandler, and with nothing that keeps ----------------------

($id, $r) = send_files('/handler-default/', undef, ['one.txt', $text]);
is_deeply [events($id)], [], 'no probe where none is named';
ok !exists((files($r))[0]{notes}), 'no notes where nobody made one';
($id, $r) = send_files('/handler-bare/', undef, ['one.txt', $text]);
is $r->{status}, 200, 'a chain that keeps nothing';
is_deeply [files($r)], [], 'leaves no files';
is_deeply [left_in($id)], ['metadata.json'], 'and stores none';
is application($r)->{state}, 'done', 'the upload is done all the same';

# --- Changed bytes ----------------------------------------------------------

for my $case (['/handler-hash/', $text, 'before the change: what was sent'],
              ['/handler-hash-behind/', uc $text, 'behind it: what is stored'])
{
    my ($url, $digested, $name) = @$case;
    ($id, $r) = send_files($url, undef, ['one.txt', $text]);
    my ($file) = files($r);
    is slurp($file->{path}), uc $text, 'what a handler passes on is stored';
    is $file->{digests}{'sha-256'}, Digest::SHA::sha256_hex($digested),
        "digest $name";
}

my $long = random_bytes(300_000);
(my $doubled = $long) =~ s/(.)/$1$1/gs;
($id, $r) = send_files('/handler-twice/', undef, ['a.bin', $long],
                       ['b.bin', '']);
my @file = files($r);
ok slurp($file[0]{path}) eq "${doubled}END", 'a handler that makes it longer';
is $file[0]{size}, 600_003, 'the size is that of what is stored';
is slurp($file[1]{path}), 'END', 'its last word comes to an empty file too';
is status('/handler-twice/', $id)->{state}, 'done', 'and stays done';
is_deeply [grep { /complete/ } events($id)], [
    'probe-double complete 0 size=300000 kept=nobody',
    'probe-a complete 0 size=600003 kept=nobody',
    'probe-double complete 1 size=0 kept=nobody',
    'probe-a complete 1 size=3 kept=nobody',
], 'each handler is told the size that it saw';

($id, $r) = send_files('/handler-tail/', undef, ['a.txt', 'abc']);
@file = files($r);
is decode_base64($file[0]{content}), 'AABBCCEND',
    'two handlers one behind the other, and memory behind them';
is $file[0]{size}, 9, 'as long as that';

# --- Pieces -----------------------------------------------------------------

# Every chunk but the last of a pull is full; a pull may be of any length.
sub largest
{
    my ($who) = @_;
    my ($found) = map { /^\Q$who\E complete.* largest=(\d+)/ ? $1 : () }
        events($id, 1);
    return $found;
}

($id, $r) = send_files('/handler-small/', undef, ['a.bin', $long]);
is largest('probe-a'), 1000, 'chunk_size holds for those before it';
is largest('probe-small'), 1000, 'for itself';
is largest('probe-double'), 1000, 'and for those behind it';
ok slurp((files($r))[0]{path}) eq "${doubled}END", 'the bytes are whole';
($id, $r) = send_files('/handler-tiny/', undef,
                       ['a.bin', substr $long, 0, 20_000]);
is largest($_), 10, "the smallest wins: $_"
    for qw(probe-small probe-tiny probe-a);
ok slurp((files($r))[0]{path}) eq substr($long, 0, 20_000),
    'the bytes are whole';
ok !(grep { /gap/ } events($id)), 'without a gap between the pieces';

# --- Who keeps it -----------------------------------------------------------

($id, $r) = send_files('/handler-take/', undef, ['a.take', 'taken bytes'],
                       ['b.txt', 'others']);
@file = files($r);
is decode_base64($file[0]{content}), 'taken bytes', 'kept in memory by a probe';
ok !exists $file[0]{path}, 'and not by spool';
is slurp($file[1]{path}), 'others', 'spool has the other';
is_deeply [grep { /probe-b (?!raw)/ } events($id)], [
    'probe-b new 1 file b.txt', 'probe-b complete 1 size=6 kept=stored',
    'probe-b done'], 'a handled file is not seen by later handlers';
is_deeply [grep { /probe-a complete/ } events($id)], [
    'probe-a complete 0 size=11 kept=nobody',
    'probe-a complete 1 size=6 kept=nobody'], 'but by earlier ones';
is scalar(grep { /\.bin$/ } left_in($id)), 1, 'one file in the pool';

($id, $r) = send_files('/handler-away/', undef, ['a.away', 'gone'],
                       ['b.away', 'too'], ['c.txt', 'here']);
@file = files($r);
is_deeply [map { $_->{location} } @file], ['away:0', 'away:1', undef],
    'kept elsewhere: the application is told where';
is_deeply [map { $_->{size} } @file], [4, 3, 4], 'and how much';
ok !exists $file[0]{path} && !exists $file[0]{content}, 'it is not here';
ok !exists $r->{json}{env}{UPLOAD_POOL_PATH}, 'so there is no first path';
is $r->{json}{env}{UPLOAD_POOL_FILES}, 3, 'but three files';

($id, $r) = send_files('/handler-keep/', undef, ['a.txt', $text]);
@file = files($r);
is decode_base64($file[0]{content}), $text, 'the first that keeps it wins';
is_deeply [left_in($id)], ['metadata.json'], 'and spool lets go of it';
is_deeply [grep { /complete/ } events($id)], [
    'probe-keep complete 0 size=1500 kept=nobody',
    'probe-a complete 0 size=1500 kept=content',
    'probe-take complete 0 size=1500 kept=content'], 'later ones are told';

($id, $r) = send_files('/handler-behind/', undef, ['a.txt', 'small']);
@file = files($r);
is slurp($file[0]{path}), 'small',
    'what stands behind spool changes nothing that is stored';
ok !exists $file[0]{content}, 'nor keeps it again';

($id, $r) = send_files('/handler-sink/', undef, ['a.txt', $text]);
@file = files($r);
is $file[0]{size}, 0, 'a handler that lets nothing pass: nothing is stored';
is -s $file[0]{path}, 0, 'of it';

($id, $r) = send_files('/handler-inline/', undef, ['small.txt', 'abc'],
                       ['large.txt', $text]);
@file = files($r);
is decode_base64($file[0]{content}), 'abc', 'inline in the chain';
is_deeply $file[0]{digests}, {}, 'digest behind it: none of what it took';
is slurp($file[1]{path}), $text, 'what is too large goes on';
like $file[1]{digests}{md5}, qr/^[0-9a-f]{32}$/, 'with its digest';
is_deeply [grep { /probe-b complete/ } events($id)], [
    'probe-b complete 0 size=0 kept=content',
    'probe-b complete 1 size=1500 kept=nobody'],
    'who stands behind inline does not see small files';

# --- Policy -----------------------------------------------------------------

for my $name ('x.php', 'x.php.take') {
    ($id, $r) = send_files('/handler-policy/', undef, [$name, 'abc']);
    is $r->{status}, 415, "$name: UploadDeny holds though accept is not named";
    is_deeply [grep { / new / } events($id)], [], 'and stands first';
}
($id, $r) = send_files('/handler-policy/', undef, ['x.txt', 'abc']);
is $r->{status}, 200, 'other files pass';

# --- The example ------------------------------------------------------------

($id, $r) = send_files('/handler-words/', undef,
    ['a.txt', "one two\nthree\r\n\n  four", 'text/plain'],
    ['b.csv', '', 'text/csv'], ['c.png', "one two\n", 'image/png']);
@file = files($r);
is_deeply $file[0]{notes}, {lines => 3, words => 4}, 'words: counted';
is_deeply $file[1]{notes}, {lines => 0, words => 0}, 'an empty text';
ok !exists $file[2]{notes}, 'no text, no count';
($id, $r) = send_files('/handler-words/', undef,
    ['a.txt', "word \n" x 20_000, 'text/plain'], {step => 777});
is_deeply((files($r))[0]{notes}, {lines => 20_000, words => 20_000},
    'words that lie across pieces');
($id, $r) = send_files('/handler-strict/', undef,
    ['a.txt', "line\n" x 10, 'text/plain']);
is $r->{status}, 200, 'its directive: at the limit';
($id, $r) = send_files('/handler-strict/', undef,
    ['a.txt', "line\n" x 11, 'text/plain']);
is $r->{status}, 413, 'above it';
is_deeply $r->{json}, {state => 'error', error => 'A text has too many lines',
    detail => 'A text has too many lines'},
    'in its own words';

# --- In several requests ----------------------------------------------------

# They see the file when it is whole, and what is stored is what they let pass.
my $several = '/handler-several/echo.pl';
my %last = (
    tus => sub {
        my $at = UploadPool::Tus::create($several, length => 11)
            ->{headers}{location};
        UploadPool::Tus::append($at, 0, 'hello');
        return UploadPool::Tus::append($at, 5, ' world');
    },
    resumable => sub {
        my $at = UploadPool::Ietf::location_of(
            UploadPool::Ietf::create($several, 'hello', complete => 0));
        return UploadPool::Ietf::append($at, 5, ' world');
    },
);
for my $protocol (sort keys %last) {
    $r = $last{$protocol}->();
    is $r->{status}, 200, "$protocol: a handler that changes bytes"
        or diag $r->{body};
    my ($file) = files($r);
    is slurp($file->{path}), 'HELLO WORLD', "$protocol: changed all of them";
    is $file->{digests}{'sha-256'}, Digest::SHA::sha256_hex('HELLO WORLD'),
        "$protocol: before the digest";
}
is crashes_since($mark), 0, 'no child died';
done_testing;
