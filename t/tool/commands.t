# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# upload-pool: what each command says, and how it ends.

use strict;
use warnings FATAL => 'all';
use Digest::SHA ();
use JSON::PP ();
use Test::More;
use UploadPool::Bucket;

$ENV{LC_ALL} = 'C.UTF-8';
my $pool = pool();
my $path = bucket($pool, 'one', 'hello', filename => "gr\x{fc}\x{df}.jpg");
bucket($pool, 'old', 'long ago', age => 3 * 86400);
my $part = incomplete($pool, 'half', 2000, 'x' x 500);
bucket($pool, 'bad', 'bad', state => 'done');
spew("$pool/bad/attempt.json", JSON::PP->new->encode(
    {version => 1, identifier => 'bad', state => 'error', filename => 'f',
     'content-type' => 'text/plain', size => undef, received => 3,
     error => 'Upload was cut short', owner => 'ann', created => 5,
     updated => (time + 1) * 1_000_000, files => []}));

# --- list -------------------------------------------------------------------

my ($exit, $out, $err) = tool('list', $pool);
is $exit, 0, 'list';
is $err, '', 'has nothing to complain about';
my @line = split /\n/, $out;
is scalar @line, 5, 'a line each, and a head';
like $line[1], qr/^old +done +208 +208 +1 +\d{4}-\d\d-\d\dT\S+Z +photo\.jpg$/,
    'the one touched first comes first';
like $out, qr/^one +done .* gr\xc3\xbc\xc3\x9f\.jpg$/m, 'a name in UTF-8';
like $out, qr/^half +uploading +500 +1\.9K +0 .* film\.mkv$/m, 'half of one';
like $line[4], qr/^bad +error .*  # Upload was cut short$/, 'an error';
my $columns = index $line[0], 'STATE';
is_deeply [map { substr($_, $columns, 1) =~ /[a-zA-Z]/ ? 1 : 0 } @line],
    [(1) x 5], 'columns are aligned';

($exit, my $list) = json('list', '--pool', $pool);
is $exit, 0, 'list --json';
is $list->{pool}, $pool, 'names the pool';
my %row = map { $_->{identifier} => $_ } @{ $list->{uploads} };
is_deeply [sort keys %row], [qw(bad half old one)], 'has all uploads';
is $row{one}{filename}, "gr\x{fc}\x{df}.jpg", 'a name';
is $row{half}{size}, 2000, 'a size';
is $row{half}{received}, 500, 'and what has come of it';
is $row{bad}{error}, 'Upload was cut short', 'an error';
ok !exists $row{one}{error}, 'or none';
($exit, $list) = json('list', $pool, '-s', 'uploading');
is_deeply [map { $_->{identifier} } @{ $list->{uploads} }], ['half'],
    'those in one state';

# --- status -----------------------------------------------------------------

($exit, $out) = tool('status', $pool, 'one');
is $exit, 0, 'status';
like $out, qr/^state +done$/m, 'its state';
like $out, qr/^path +\Q$path\E$/m, 'the path';
like $out, qr/^sha-256 +[0-9a-f]{64}$/m, 'and a digest';
($exit, my $one) = json('status', 'one:' . 'a' x 64, $pool);
is $exit, 0, 'status --json, the identifier with a signature behind';
is $one->{files}[0]{path}, $path, 'path';
is $one->{files}[0]{digests}{'sha-256'}, Digest::SHA::sha256_hex('hello'),
    'digest';
is $one->{size}, 205, 'size';
ok !$one->{writer}, 'no writer';
($exit, my $half) = json('status', $pool, 'half');
is $half->{protocol}, 'tus', 'the protocol';
is $half->{path}, $part, 'where its bytes are';
($exit, $out) = tool('status', $pool, 'bad');
is $exit, 1, 'an upload with an error';
like $out, qr/^error +Upload was cut short$/m, 'which one';
like $out, qr/^owner +ann$/m, 'whose it is';
($exit, $out, $err) = tool('status', $pool, 'nobody');
is $exit, 1, 'one that is not there';
is $out, '', 'says nothing';
like $err, qr/^upload-pool: there is no upload nobody$/, 'but so';
($exit, my $none) = json('status', $pool, 'nobody');
is_deeply [$exit, $none], [1, {identifier => 'nobody', state => 'starting'}],
    'as the server would';

# --- check ------------------------------------------------------------------

($exit, $out) = tool('check', $pool);
is $exit, 0, 'check: all is well' or diag $out;
is $out, "4 buckets, 4 files, 3 digests: 0 problems, 0 remarks\n", 'says so';
spew($path, 'hellO');
($exit, $out) = tool('check', $pool);
is $exit, 1, 'other content of the same size';
my ($stored) = $path =~ m{([^/]+)$};
is +(split /\n/, $out)[0], "one/$stored: has another sha-256 than was recorded:"
    . ' its content has changed', 'is found';
($exit, my $check) = json('check', $pool, 'old', 'one', 'nobody');
is $exit, 1, 'some of them';
is $check->{buckets}, 2, 'two are there';
is_deeply [map { $_->{identifier} } @{ $check->{problems} }],
    ['one', 'nobody'], 'two problems';
spew($path, 'hell');
($exit, $check) = json('check', $pool, 'one');
is $check->{problems}[0]{text}, 'is of 4 bytes, not the recorded 5', 'cut off';
unlink $path;
($exit, $check) = json('check', $pool);
is $exit, 0, 'moved away by the application';
is $check->{remarks}[0]{text}, 'was moved away', 'is a remark';
spew($path, 'hello');
for my $algorithm (['md5', '5d41402abc4b2a76b9719d911017c592'],
                   ['sha-1', 'aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d'],
                   ['sha-512', Digest::SHA::sha512_hex('hello')],
                   ['crc32', '3610a686']) {
    my ($name, $hex) = @$algorithm;
    my $other = pool();
    bucket($other, 'a', 'hello', file => {digests => {$name => $hex}});
    is +(tool('check', $other))[1],
        "1 buckets, 1 files, 1 digests: 0 problems, 0 remarks\n", $name;
    substr($hex, 0, 1) =~ tr/0-9a-f/1-9a-f0/;
    bucket($other, 'b', 'hello', file => {digests => {$name => $hex}});
    is +(tool('check', $other))[0], 1, "$name that does not agree";
}
# Records in each other's place, or of an upload that nobody goes on with.
my $odd = pool();
bucket($odd, 'early', 'hello', state => 'error', error => 'cut', files => []);
bucket($odd, 'late', 'hello');
bucket($odd, 'broken', 'hello', state => 'uploading', files => []);
for my $id (qw(late broken)) {
    rename "$odd/$id/metadata.json", "$odd/$id/attempt.json"
        or die "rename: $!";
}
spew("$odd/broken/metadata.new", '{');
mkdir "$odd/broken/resumable.json" or die "mkdir: $!";
($exit, $check) = json('check', $odd);
is $exit, 1, 'records that cannot be';
my %said;
push @{ $said{"$_->{identifier}/$_->{file}"} }, $_->{text}
    for @{ $check->{problems} }, @{ $check->{remarks} };
is_deeply $said{'early/metadata.json'},
    ['is not that of a complete upload'], 'one that has failed';
is_deeply $said{'late/attempt.json'}, ['is that of a complete upload'],
    'one that is complete';
is_deeply $said{'broken/attempt.json'},
    ['is that of an upload that was interrupted'], 'one that has ended';
is_deeply $said{'broken/metadata.new'}, ['was left behind, or is in use'],
    'a record that was never renamed';
is $said{'broken/resumable.json'}[0], 'is not a regular file', 'a directory';
if ($> == 0) {
    my $theirs = bucket($odd, 'theirs', 'hello');
    chown 1, 1, $theirs or die "chown: $!";
    ($exit, $check) = json('check', $odd, 'theirs');
    is $check->{problems}[0]{text}, 'is owned by another user',
        'a file of another user';
}

my $unknown = pool();
bucket($unknown, 'a', 'hello', file => {digests => {'sha-3' => 'ab'}});
($exit, $check) = json('check', $unknown);
is $exit, 0, 'a digest that nobody here can compute';
is $check->{remarks}[0]{text}, 'sha-3 cannot be computed here', 'is a remark';

# --- stat -------------------------------------------------------------------

orphan($pool, 'one', 'rest', 7200);
($exit, $out) = tool('stat', $pool);
is $exit, 0, 'stat';
like $out, qr/^uploads +2 done, 1 uploading \(0 with a writer\), 1 error$/m,
    'uploads';
like $out, qr/^files +5, 520$/m, 'files';
like $out, qr/^orphans +1, 4$/m, 'orphans';
like $out, qr/^quota +no ledger/m, 'no quota';
($exit, my $stat) = json('stat', $pool);
is_deeply $stat->{uploads}, {done => 2, uploading => 1, error => 1}, 'the same';
is_deeply $stat->{orphans}, {files => 1, bytes => 4}, 'as JSON';
is $stat->{problems}, 1, 'a bucket with a problem';
is $stat->{ledger}, undef, 'no ledger';
cmp_ok $stat->{free}, '>', 0, 'free space';

# --- clean ------------------------------------------------------------------

my $before = `ls -lR --time-style=full-iso '$pool'`;
($exit, $out) = tool('clean', '-n', '-e', '60min', $pool);
is $exit, 0, 'a dry clean';
like $out, qr/^old: expired, 1 file, 8$/m, 'what has expired';
like $out, qr/^one: named by no record, 1 file, 4$/m, 'what nobody names';
like $out, qr/^1 upload, 2 files, 12 would go$/m, 'the sum';
is `ls -lR --time-style=full-iso '$pool'`, $before, 'and touches nothing';
($exit, my $clean) = json('clean', $pool);
is $exit, 0, 'a real one, after a day';
is_deeply [@{$clean}{qw(buckets files bytes failures)}], [1, 1, 8, 0],
    'the old one goes';
ok !-e "$pool/old", 'is gone';
($exit, $clean) = json('clean', '--expires=1h', $pool);
is_deeply $clean->{uploads}, [{identifier => 'one', what => 'orphans',
                               files => 1, bytes => 4}], 'after an hour';
ok -e $path, 'what is named stays';

# --- clear ------------------------------------------------------------------

($exit, $out) = tool('clear', '--dry-run', $pool, 'one', 'nobody');
is $exit, 0, 'a dry clear';
is $out, "one: would go\nnobody: not there\n", 'tells';
ok -e $path, 'and does nothing';
($exit, $out, $err) = tool('clear', $pool, 'one', 'no/body', 'half');
is $exit, 2, 'a name that is none';
ok -e $path, 'and nothing is deleted';
($exit, my $clear) = json('clear', $pool, 'one', 'half:abc', 'nobody');
is $exit, 0, 'clear';
is_deeply $clear, {success => JSON::PP::true, uploads => [
    {identifier => 'one', result => 'gone'},
    {identifier => 'half', result => 'gone'},
    {identifier => 'nobody', result => 'not there'}]}, 'says what became';
ok !-e "$pool/one" && !-e "$pool/half", 'they are gone';

# --- watch ------------------------------------------------------------------

$part = incomplete($pool, 'film', 1000, 'x' x 250);
($exit, $out) = tool('watch', '--rounds', 1, $pool);
is $exit, 0, 'watch';
like $out, qr/^\S+Z  1 under way$/m, 'one upload';
like $out, qr{^film +\[#{5}\.{15}\]  25% +250/1000 +-/s +-  film\.mkv$}m,
    'a quarter of it';
unlike $out, qr/\033/, 'no terminal, no escapes';
($exit, $out) = tool('watch', '-j', '--rounds', 2, '-i', 1, $pool);
my @round = map { JSON::PP->new->utf8->decode($_) } split /\n/, $out;
is scalar @round, 2, 'a line for each look';
is $round[0]{uploads}[0]{rate}, undef, 'no rate at first';
is $round[1]{uploads}[0]{rate}, 0, 'then one';
is $round[1]{uploads}[0]{received}, 250, 'and where it is';

done_testing;
