# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# upload-pool watch: how fast bytes come and when the last will be there, and
# the picture on a terminal.

use strict;
use warnings FATAL => 'all';
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);
use UploadPool::Bucket;

$ENV{LC_ALL} = 'C.UTF-8';
my $program = $ENV{UPOOL_TOOL} || 'build/upload-pool';
my $dir = File::Temp::tempdir('upool-tool-XXXXXX', TMPDIR => 1, CLEANUP => 1);

# Runs the command with its output in a file, and the code when that has said
# something that the pattern matches; all it said.
sub during
{
    my ($pattern, $code, @command) = @_;
    # What the last one said is no sign of this one.
    unlink "$dir/out";
    my $pid = fork;
    die "fork: $!" unless defined $pid;
    if (!$pid) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$dir/out";
        open STDERR, '>&', \*STDOUT;
        exec @command or POSIX::_exit(127);
    }
    for (1 .. 600) {
        last if -s "$dir/out" && slurp("$dir/out") =~ $pattern;
        sleep 0.02;
    }
    $code->();
    waitpid $pid, 0;
    return ($? & 127 ? "signal $?" : $? >> 8, slurp("$dir/out"));
}

sub grow
{
    my ($path, $bytes) = @_;
    open my $out, '>>:raw', $path or die "$path: $!";
    print {$out} 'x' x $bytes;
    close $out or die "$path: $!";
    return;
}

# --- Bytes a second, and the time that is left -------------------------------
# The looks are two seconds apart, or more where the machine is busy.

my $pool = pool();
my %size = (minutes => 5000, hours => 20_000_000, ages => 1 << 50, last => 1250,
            unknown => undef);
my %path = map { $_ => incomplete($pool, $_, $size{$_}, 'x' x 250) }
    sort keys %size;
my ($exit, $out) = during(
    qr/under way\n(?:.*\n){5}/, sub { grow($path{$_}, 1000) for keys %path },
    $program, 'watch', '--rounds', 2, '-i', 2, $pool);
is $exit, 0, 'two looks' or diag $out;
my @look = $out =~ /under way\n((?:(?!\d{4}-).*\n){5})/g;
is scalar @look, 2, 'two pictures';
is scalar(() = $look[0] =~ m{ -/s +- }g), 5, 'no rate at first';
my %row = map { /^(\w+) +(.*)/ ? ($1 => $2) : () } split /\n/, $look[1];
is_deeply [sort keys %row], [sort keys %path], 'a row for each';
my $rate = qr{\d+/s};
like $row{minutes}, qr{^\[#{5}\.{15}\]  25% +1\.2K/4\.8K +$rate +\d+:\d\d +\S},
    'minutes are left';
like $row{hours}, qr{  0% +1\.2K/19\.0M +$rate +\d+:\d\dh +\S}, 'hours';
like $row{ages}, qr{  0% .* $rate +>100h +\S}, 'or who knows';
like $row{last}, qr{^\[#{20}\] 100% .* $rate +0:00 +\S}, 'nothing is left';
like $row{unknown}, qr{^\[\.{20}\]    \? +1\.2K/- +$rate +- +\S},
    'a length that nobody has said';

# One that goes, and one whose bytes are taken back.
($exit, $out) = during(
    qr/\n/, sub {
        truncate $path{minutes}, 100 or die "truncate: $!";
        rename "$pool/hours", "$dir/hours" or die "rename: $!";
    }, $program, 'watch', '--json', '--rounds', 2, '-i', 2, $pool);
is $exit, 0, 'two more';
my @json = map { JSON::PP->new->utf8->decode($_) } split /\n/, $out;
%row = map { $_->{identifier} => $_ } @{ $json[1]{uploads} };
is $row{minutes}{rate}, 0, 'fewer bytes than before: no rate below nothing';
is $row{minutes}{received}, 100, 'and how many there are';
ok !$row{hours}, 'what has gone is not shown';
is scalar @{ $json[0]{uploads} }, 5, 'though it was there before';

# --- On a terminal ------------------------------------------------------------

# As it is typed there; what the terminal got.
sub on_terminal
{
    my ($rows, $columns, @args) = @_;
    return during(
        qr/\n/, sub { }, 'script', '-qec',
        "stty rows $rows cols $columns; exec $program watch -i 1 @args",
        '/dev/null');
}

rename "$dir/hours", "$pool/hours" or die "rename: $!";
($exit, $out) = on_terminal(6, 60, '--rounds', 2, $pool);
is $exit, 0, 'watch on a terminal' or diag $out;
$out =~ s/\r//g;
my ($first, $second) = split /\033\[5A\033\[J/, $out;
ok $second, 'the second picture is drawn over the five lines of the first';
my @line = split /\n/, $first;
is scalar @line, 5, 'which leaves one of six free';
like $line[4], qr/^and 2 more$/, 'and says that it did not show all';
is_deeply [map { length } map { s/\xe2\x80\xa6/~/r } @line[1 .. 3]], [(59) x 3],
    'no line is broken: one column is free, too';
($exit, $out) = on_terminal(0, 0, '--rounds', 1, $pool);
like $out, qr{film\.mkv +\r\n}, 'a terminal that does not know how large it is';
is scalar(() = $out =~ /film\.mkv/g), 5, 'shows all';

done_testing;
