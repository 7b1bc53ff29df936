# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# upload-pool on pools that somebody has tampered with, on names that somebody
# has chosen for the administrator's terminal, as root, and on a large pool.

use strict;
use warnings FATAL => 'all';
use Encode ();
use Fcntl ();
use JSON::PP ();
use POSIX ();
use Test::More;
use UploadPool::Bucket;

$ENV{LC_ALL} = 'C.UTF-8';
my $secret = 'the-content-of-a-file-outside';
my $evil = "\033]0;pwned\a\033[2J\x{9b}31m\x{202e}gpj.exe\x{200b}\r\nroot done\\x41";

# --- What lies there --------------------------------------------------------

my $pool = pool();
my $outside = $pool =~ s{/pool$}{/outside}r;
mkdir $outside, 0700 or die;
spew("$outside/metadata.json", $secret);

symlink $outside, "$pool/link" or die;
POSIX::mkfifo("$pool/fifo", 0600) or die;
spew("$pool/file", 'x');
mkdir "$pool/\033[2J", 0700 or die;
mkdir "$pool/" . 'a' x 65, 0700 or die;

sub planted
{
    my ($id, $name, $how) = @_;
    my $path = bucket($pool, $id, 'hello');
    my $file = $name eq 'data' ? $path : "$pool/$id/$name";
    unlink $file;
    $how->($file);
    return;
}
planted('metadata-link', 'metadata.json',
        sub { symlink "$outside/metadata.json", $_[0] });
planted('metadata-fifo', 'metadata.json', sub { POSIX::mkfifo($_[0], 0600) });
planted('metadata-dir', 'metadata.json', sub { mkdir $_[0] });
planted('attempt-fifo', 'attempt.json', sub { POSIX::mkfifo($_[0], 0600) });
planted('resumable-link', 'resumable.json',
        sub { symlink "$outside/file", $_[0] });
planted('answer-fifo', 'answer.json', sub { POSIX::mkfifo($_[0], 0600) });
planted('data-fifo', 'data', sub { POSIX::mkfifo($_[0], 0600) });
planted('data-link', 'data', sub { symlink "$outside/file", $_[0] });
planted('data-device', 'data', sub { symlink '/dev/zero', $_[0] });
planted('lock-fifo', 'lock', sub { POSIX::mkfifo($_[0], 0600) });
planted('large', 'metadata.json', sub {
    open my $out, '>', $_[0] or die;
    truncate $out, 40 * 1024 * 1024 or die;
    close $out;
});
planted('deep', 'metadata.json', sub { spew($_[0], '[' x 1_000_000) });
planted('cut', 'metadata.json', sub { spew($_[0], '{"version": 1, ') });
planted('not-utf8', 'metadata.json', sub { spew($_[0], "{\"version\": \"\xff\"}") });
bucket($pool, 'upwards', 'hello', file => {stored => '../../outside/file'});
bucket($pool, 'another', 'hello', identifier => 'one');
bucket($pool, 'negative', 'hello', size => -5);
# Not what the line above has put there.
spew("$outside/file", $secret);
my $evil_file = bucket($pool, 'evil', 'hello', filename => $evil,
                       file => {'content-type' => "text/\033[1m",
                                field => "\x{202e}"});
spew("$pool/evil/\033[31m\xff", 'x');
bucket($pool, 'good', 'hello');

# --- No command is led astray -----------------------------------------------

for my $command (['list'], ['stat'], ['check'], ['clean', '-n', '-e', 1],
                 ['watch', '--rounds', 1],
                 map { ['status', $_] } qw(metadata-link data-link upwards evil
                                           large deep fifo file link)) {
    my @said;
    for my $json ([], ['--json']) {
        local $SIG{ALRM} = sub { die "@$command: hangs" };
        alarm 600;
        my ($exit, $out, $err) = tool(@$command, @$json, $pool);
        alarm 0;
        like $exit, qr/^[01]$/, "@$command @$json: comes to an end";
        unlike $out . $err, qr/\Q$secret/, 'tells nothing from outside';
        my $bytes = @$json ? qr/[^\n\x20-\x7e]/ : qr/[\0-\x09\x0b-\x1f\x7f]/;
        unlike $out . $err, $bytes, 'and nothing that a terminal obeys';
        unlike Encode::decode('UTF-8', $out . $err),
            qr/[\x{80}-\x{9f}\x{200b}\x{202e}\x{fffd}]/, 'as letters neither';
        push @said, $out;
    }
    ok eval { JSON::PP->new->utf8->decode($said[1]) }, 'one JSON object'
        or diag $said[1];
}
my ($exit, $list) = json('list', $pool);
my ($row) = grep { $_->{identifier} eq 'evil' } @{ $list->{uploads} };
is $row->{filename}, $evil, 'JSON has the name as it is';
($exit, my $out) = tool('list', $pool);
like $out, qr/^evil .* \\x1b\]0;pwned\\x07\\x1b\[2J\\u\{9B\}31m\\u\{202E\}gpj\.exe
              \\u\{200B\}\\x0d\\x0aroot\ done\\\\x41$/mx, 'people see it escaped';
{
    local $ENV{LC_ALL} = 'C';
    ($exit, $out) = tool('list', $pool);
    unlike $out, qr/[^\n\x20-\x7e]/, 'without UTF-8 all is ASCII';
}
($exit, my $check) = json('check', $pool);
is $exit, 1, 'check finds something';
my %wrong = map { $_->{identifier} => $_->{text} } @{ $check->{problems} };
is_deeply [sort keys %wrong],
    [sort qw(metadata-link metadata-fifo metadata-dir attempt-fifo
             resumable-link answer-fifo data-fifo data-link data-device
             lock-fifo large deep cut not-utf8 upwards another negative evil)],
    'in every bucket that was tampered with' or diag explain \%wrong;
is_deeply [sort map { $_->{file} } grep { !$_->{identifier} }
               @{ $check->{remarks} }],
    [sort "\033[2J", 'a' x 65, qw(fifo file link)],
    'and remarks on what is no bucket';

# --- Nothing outside is touched ---------------------------------------------

($exit, $out) = tool('clear', $pool, qw(link fifo file));
is $exit, 0, 'what is no upload is not there';
ok -l "$pool/link" && -p "$pool/fifo" && -f "$pool/file", 'and stays';
my @all = map { m{/([\w-]+)$} ? $1 : () } grep { -d && !-l } glob "$pool/*";
($exit, my $clear) = json('clear', $pool, grep { length() < 65 } @all);
is $exit, 1, 'two buckets hold what is not ours';
is_deeply [map { $_->{identifier} }
               grep { $_->{result} ne 'gone' } @{ $clear->{uploads} }],
    [qw(evil metadata-dir)], 'those';
is slurp("$outside/file"), $secret, 'what a link led to is there';
is slurp("$outside/metadata.json"), $secret, 'all of it';
ok !-e $evil_file, 'what was ours is gone';

# --- As root ----------------------------------------------------------------

my $ours = pool();
bucket($ours, 'old', 'hello', age => 9 * 86400);
bucket($ours, 'young', 'hello');
if ($> == 0) {
    my ($uid, $gid) = (getpwnam 'nobody')[2, 3];
    chmod 0755, $ours =~ s{/pool$}{}r;
    chown $uid, $gid, $ours, glob("$ours/*"), glob("$ours/*/*");
    is +(tool('list', $ours))[0], 0, 'root may look at another\'s pool';
    ($exit, $out) = tool('clean', $ours);
    is $exit, 0, 'and clean it';
    ok !-e "$ours/old", 'which it does';
    is_deeply [grep { (lstat)[4] != $uid } $ours, glob("$ours/{*,.q*}"),
               glob("$ours/*/*")], [], 'and leaves nothing of root\'s';
    is +(tool('list', '-u', 'nobody', $ours))[0], 0, 'as the user named';
    ($exit, $out, my $err) = tool('list', '-u', 'daemon', $ours);
    is_deeply [$exit, $err], [3, "upload-pool: $ours: directory cannot be"
                                 . " entered by this user\n"], 'not another';
    spew("$outside/key", 'k' x 32);
    chmod 0600, "$outside/key";
    is +(tool('mint', '-k', "$outside/key"))[0], 0, 'root reads keys';
    chown 1, 1, "$ours/young";
    is_deeply +(json('list', $ours))[1]{uploads}, [],
        'a directory of a third user\'s is no bucket';
}
else {
    my ($code, undef, $err) = tool('list', '-u', 'root', $ours);
    is $code, 3, 'nobody becomes another';
    like $err, qr/--user/, 'and hears it';
}
is +(tool('list', '-u', 'no-such-user', $ours))[0], 3, 'an unknown user';

# --- While uploads go on ----------------------------------------------------

my $busy = pool();
my $writer = fork;
die "fork: $!" unless defined $writer;
if (!$writer) {
    for (my $n = 0;; $n++) {
        my $id = 'w' . $n % 30;
        mkdir "$busy/.new", 0700;
        mkdir "$busy/$id", 0700;
        open my $dir, '<', "$busy/$id" or next;
        flock $dir, Fcntl::LOCK_EX();
        rename "$busy/$id/metadata.json", "$busy/$id/metadata.new";
        unlink glob "$busy/$id/*.bin $busy/$id/metadata.new";
        # As the module: bytes, then the record, by a rename.
        my $path = bucket($busy, "t$n", 'x' x ($n % 5000));
        rename $path, "$busy/$id/" . $path =~ s{.*/}{}r;
        my $text = slurp("$busy/t$n/metadata.json") =~ s/"t$n"/"$id"/r;
        unlink "$busy/t$n/metadata.json";
        rmdir "$busy/t$n";
        spew("$busy/$id/metadata.new", $text);
        rename "$busy/$id/metadata.new", "$busy/$id/metadata.json";
        close $dir;
    }
    POSIX::_exit(0);
}
my @trouble;
for my $n (1 .. 15) {
    my ($code, $found) = json('check', $busy);
    push @trouble, grep { $_->{identifier} =~ /^w/ } @{ $found->{problems} };
    ($code) = tool('list', $busy);
    push @trouble, "list: $code" if $code;
}
kill 'KILL', $writer;
waitpid $writer, 0;
is_deeply \@trouble, [], 'replacing uploads, nothing is called a problem'
    or diag explain \@trouble;

my $held = incomplete($busy, 'held', 100, 'x' x 40);
open my $dir, '<', "$busy/held" or die;
flock $dir, Fcntl::LOCK_EX() or die;
is +(json('status', $busy, 'held'))[1]{writer}, JSON::PP::true, 'a writer';
utime 1, 1, $held, "$busy/held/resumable.json", "$busy/held";
my $clean = (json('clean', '-e', 1, '-n', $busy))[1];
is_deeply [grep { $_->{identifier} eq 'held' } @{ $clean->{uploads} }], [],
    'what is in use would stay';
is +(tool('clear', $busy, 'held'))[0], 0, 'until somebody clears it';
ok !-e $held, 'which takes it away';

# --- Ten thousand -----------------------------------------------------------

my $large = pool();
for my $n (1 .. 10_000) {
    bucket($large, sprintf('u%05d', $n), 'x');
}
($exit, $list) = json('list', $large);
is scalar @{ $list->{uploads} }, 10_000, 'ten thousand uploads';
($exit, my $stat) = json('stat', $large);
is $stat->{uploads}{done}, 10_000, 'counted';
is $stat->{bytes}, 10_000, 'and weighed';
($exit, $out) = tool('check', $large);
is $out, "10000 buckets, 10000 files, 10000 digests: 0 problems, 0 remarks\n",
    'and read';
($exit, $out) = tool('watch', '--rounds', 2, '-i', 1, $large);
is $out =~ s/^\S+Z/T/mgr, "T  0 under way\n" x 2, 'none of them is under way';

done_testing;
