# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# upload-pool: identifiers and keys, how it is called, what it says of itself.

use strict;
use warnings FATAL => 'all';
use Cwd ();
use Digest::SHA ();
use Test::More;
use UploadPool::Bucket;

$ENV{LC_ALL} = 'C.UTF-8';
my $pool = pool();
my $dir = $pool =~ s{/pool$}{}r;
my $key = '0123456789abcdef0123456789abcdef';
spew("$dir/key", "# ours\n$key\nan-older-key-of-32-bytes-or-more\n");
chmod 0600, "$dir/key";

# --- mint, verify -----------------------------------------------------------

my ($exit, $out, $err) = tool('mint');
is $exit, 0, 'mint';
like $out, qr/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\n$/,
    'a time-ordered UUID';
chomp(my $bare = $out);
($exit, $out) = tool('mint', '-k', "$dir/key");
my ($id, $signature) = $out =~ /^([0-9a-f-]{36}):([0-9a-f]{64})\n$/;
is $signature, Digest::SHA::hmac_sha256_hex($id, $key),
    'signed with the first key, as anybody can do it';
($exit, $out) = tool('mint', '--key-file', '-', \"$key\n");
like $out, qr/^[0-9a-f-]{36}:[0-9a-f]{64}\n$/, 'a key from standard input';
($exit, my $many) = json('mint', '-c', 3);
my %different = map { $_ => 1 } @{ $many->{identifiers} };
is keys %different, 3, 'three different ones';

for my $case (["$id:$signature", 'good', 1], [$id, 'unsigned', 1],
              ["$id:" . 'a' x 64, 'forged', 1],
              ["$id:" . Digest::SHA::hmac_sha256_hex(
                  $id, 'an-older-key-of-32-bytes-or-more'), 'good', 1],
              ['a/b:c', 'malformed', 1], [$id, 'good', 0],
              ["$id:$signature", 'signed, but there is no key', 0]) {
    my ($text, $verdict, $keyed) = @$case;
    my @with = $keyed ? ('-k', "$dir/key") : ();
    ($exit, my $said) = json('verify', $text, @with);
    is $said->{verdict}, $verdict, "verify: $verdict";
    is $exit, $verdict eq 'good' ? 0 : 1, 'and how it ends';
    is $said->{identifier}, $verdict eq 'good' ? $id : undef, 'the identifier';
}
($exit, $out) = tool('verify', 'photo-1');
is $out, "good\n", 'one that says nothing about time';
($exit, $out) = tool('verify', '017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
is $out, "good, made 2022-02-22T19:22:22Z\n", 'the example of RFC 9562';

for my $case (['', 'has no key in its file'],
              ["short\n", 'needs a secret of at least 16 bytes'],
              ["$key\n" x 17, 'has more keys than fit (16)'],
              ['x' x 2000, 'has a line of more than 1024 bytes']) {
    my ($text, $why) = @$case;
    spew("$dir/bad", $text);
    chmod 0600, "$dir/bad";
    ($exit, $out, $err) = tool('mint', '-k', "$dir/bad");
    is_deeply [$exit, $out, $err], [3, '', "upload-pool: the key file $why\n"],
        $why;
}
($exit, $out, $err) = tool('mint', '-k', "$dir/none\n");
is $exit, 3, 'no key file';
is $err, "upload-pool: $dir/none\\x0a: No such file or directory\n",
    'and its name as it can be shown';
chmod 0644, "$dir/key";
($exit, $out, $err) = tool('mint', '-k', "$dir/key");
is $exit, 0, 'a key that everybody can read';
is $err, "upload-pool: everybody on this machine can read $dir/key\n",
    'earns a warning';
unlike "$out$err", qr/\Q$key/, 'that does not show it';

# --- How it is called -------------------------------------------------------

for my $case ([['frobnicate'], 'there is no command frobnicate'],
              [["\033[2J"], 'there is no command \\x1b[2J'],
              [[], 'which command?'],
              [['list'], 'which pool?'],
              [['list', 'pool'], 'which pool?'],
              [['list', $pool, 'one'], 'list has too many arguments'],
              [['status', $pool], 'status needs an identifier'],
              [['status', $pool, 'a', 'b'], 'status has too many arguments'],
              [['clear', $pool], 'clear needs an identifier'],
              [['verify'], 'verify needs an identifier'],
              [['mint', 'one'], 'mint has too many arguments'],
              [['mint', '-p', $pool], 'mint has no option --pool'],
              [['list', '-n', $pool], 'list has no option --dry-run'],
              [['stat', '--rounds', 1, $pool], 'stat has no option --rounds'],
              [['list', '-s', 'lost', $pool],
               '--state takes uploading, done or error'],
              [['clean', '-e', 'soon', $pool],
               '--expires takes a time above 0 with s, min, h or d'],
              [['clean', '-e', '0', $pool],
               '--expires takes a time above 0 with s, min, h or d'],
              [['watch', '-i', '-1', $pool],
               '--interval takes a time above 0 with s, min, h or d'],
              [['watch', '--rounds', 'x', $pool], '--rounds takes 1 to 10000'],
              [['mint', '-c', '0'], '--count takes 1 to 10000'],
              [['mint', '-c', '10001'], '--count takes 1 to 10000']) {
    my ($args, $why) = @$case;
    ($exit, $out, $err) = tool(@$args);
    is_deeply [$exit, $out, $err],
        [2, '', "upload-pool: $why; see upload-pool --help\n"], $why;
}
($exit, $out, $err) = tool('list', '--secret', $pool);
is $exit, 2, 'an option that is not known';
like $err, qr/an option is not known/, 'is said so';
($exit, $out, $err) = tool('status', $pool, '..');
is_deeply [$exit, $err], [2, "upload-pool: .. is no identifier\n"],
    'no identifier';
for my $case (["$dir/none", 'directory does not exist'],
              ["$dir/key", 'not a directory, or a symbolic link']) {
    ($exit, $out, $err) = tool('list', '-p', $case->[0]);
    is_deeply [$exit, $out, $err],
        [3, '', "upload-pool: $case->[0]: $case->[1]\n"], $case->[1];
}
symlink $pool, "$dir/link";
($exit, $out, $err) = tool('list', "$dir/link");
is $exit, 3, 'a link is no pool, as for the server';
chmod 0777, $pool;
($exit, $out, $err) = tool('list', $pool);
is $exit, 3, 'nor is what everybody can write to';
chmod 0700, $pool;
($exit, $out, $err) = tool('list', "$dir/../" . ($dir =~ s{.*/}{}r) . '/pool/');
is $exit, 0, 'a path with dots';
my $top = Cwd::abs_path('.');
$ENV{UPOOL_TOOL} = "$top/" . ($ENV{UPOOL_TOOL} || 'build/upload-pool')
    if ($ENV{UPOOL_TOOL} || 'b') !~ m{^/};
chdir $dir or die;
bucket($pool, 'a', 'hello');
($exit, $out) = json('list', './pool');
is_deeply [$exit, $out->{pool}], [0, "$dir/pool"], 'a relative path';
chdir $top or die;

# Nobody has read what it said.
$exit = system("$ENV{UPOOL_TOOL} list $pool >/dev/full 2>$dir/err") >> 8;
is $exit, 3, 'a full disk';
is slurp("$dir/err"), "upload-pool: the answer cannot be written\n", 'is told';

# --- What it says of itself -------------------------------------------------

my ($version) = slurp('mod_upload_pool.c')
    =~ /#define UPLOAD_POOL_VERSION "([^"]+)"/;
($exit, $out) = tool('--version');
is_deeply [$exit, $out], [0, "upload-pool $version\n"],
    'the version is that of the module';
($exit, my $help) = tool('-h');
is $exit, 0, '--help';
my $page = slurp('conf/man/upload-pool.1');
my @commands = $help =~ /^  ([a-z]+) /mg;
is scalar @commands, 9, 'has all commands';
my @options = $help =~ /--([a-z-]+)/g;
is scalar grep({ $_ ne 'pool' } @options), 11, 'and options' or diag "@options";
is_deeply [grep { $page !~ /^\.It Cm $_$/m } @commands], [],
    'each command is in the manual page';
is_deeply [grep { $page !~ /^\.It Fl .*-$_\b/m } @options], [],
    'each option is too';
is_deeply [$page =~ /^\.It Cm (\S+)$/mg], \@commands, 'and no other';
my $manual = slurp('conf/manual/tool');
is_deeply [grep { $manual !~ /upload-pool $_\b/ } @commands], [],
    'each is in the manual';
my $lint = `mandoc -T lint -W warning conf/man/upload-pool.1 2>&1`;
is_deeply [$?, $lint], [0, ''], 'mandoc has nothing to say about the page';
like scalar(`mandoc -T ascii conf/man/upload-pool.1`), qr/no files of root there/,
    'and shows it';

done_testing;
