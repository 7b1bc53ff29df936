# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# D6: expired uploads are removed in steps that are counted, by one child, or by
# the next one when that dies; never an upload in use, and nothing that the
# module has not made.

use strict;
use warnings FATAL => 'all';
use File::Find ();
use File::Path ();
use IO::Socket::UNIX ();
use POSIX ();
use Socket ();
use Test::More;
use UploadPool::Bucket ();
use UploadPool::Httpd;
use UploadPool::Test;
use UploadPool::Tus ();

my ($expired, $live, $step) = (1500, 200, 512);
my $httpd = UploadPool::Httpd->new(children => 2);
my ($pool, $brief) = map { $httpd->make_pool($_) } qw(large brief);
my ($uid, $gid) = UploadPool::Httpd::owner();
my $outside = $httpd->dir('outside');
my @there = (port => $httpd->port);
mkdir $outside or die;

# What the server's user has made.
sub own
{
    File::Find::find({no_chdir => 1, wanted => sub { lchown($_) }}, @_)
        if $> == 0;
    return;
}

sub lchown
{
    POSIX::lchown($uid, $gid, $_[0]);
    return;
}

# Paths below, with all that may change.
sub picture
{
    my %found;
    File::Find::find({no_chdir => 1, wanted => sub {
        my @of = lstat;
        # A directory that one looks into keeps its times; a link has none.
        $found{$_} = join ' ', @of[2, 4, 5], -l _ ? readlink : @of[7, 9],
            -f _ ? UploadPool::Bucket::slurp($_) : ();
    }}, @_);
    return \%found;
}

# --- A large pool, and what strangers have in it ----------------------------------

UploadPool::Bucket::bucket($pool, "old-$_", 'x', age => 2 * 86400)
    for 1 .. $expired;
UploadPool::Bucket::bucket($pool, "young-$_", 'x') for 1 .. $live;
own($pool);

my $old = time - 9 * 86400;
spew("$outside/file", 'a file outside');
spew("$outside/metadata.json", '{}');
my %strange = (
    file => sub { spew($_[0], 'mine') },
    '.htaccess' => sub { spew($_[0], 'Require all denied') },
    'lost+found' => sub { mkdir $_[0]; spew("$_[0]/x", 'y') },
    'name.with.dots' => sub { mkdir $_[0] },
    'b' x 65 => sub { mkdir $_[0] },
    'a-link' => sub { symlink $outside, $_[0] },
    dangling => sub { symlink '/nowhere/at/all', $_[0] },
    'hard' => sub { link "$outside/file", $_[0] },
    fifo => sub { POSIX::mkfifo($_[0], 0600) },
    sock => sub { IO::Socket::UNIX->new(Local => $_[0], Listen => 1) or die },
    'with-notes' => sub {
        UploadPool::Bucket::bucket($pool, 'with-notes', 'x', age => 9 * 86400);
        spew("$_[0]/notes.txt", 'keep');
    },
    'with-files' => sub {
        mkdir $_[0];
        mkdir "$_[0]/0-" . 'a' x 32 . '.bin';
    },
    'with-link' => sub {
        mkdir $_[0];
        symlink "$outside/file", "$_[0]/0-" . 'b' x 32 . '.bin';
    },
    'with-fifo' => sub {
        mkdir $_[0];
        POSIX::mkfifo("$_[0]/metadata.json", 0600);
    },
);
# A path of a socket may have a hundred characters only.
chdir $pool or die;
for my $name (sort keys %strange) {
    my $made = $strange{$name}->($name eq 'sock' ? $name : "$pool/$name");
    own("$pool/$name");
    next if -l "$pool/$name";
    utime $old, $old, glob("$pool/$name/*"), "$pool/$name";
}
chdir '/';
if ($> == 0) {
    UploadPool::Bucket::bucket($pool, 'of-another', 'x', age => 9 * 86400);
    chown 1, 1, "$pool/of-another";
    $strange{'of-another'} = 1;
}
my @stays = (map { "$pool/$_" } sort keys %strange);
my $before = picture($outside, @stays);

my $config = <<"END";
SetHandler upload-pool
UploadSweepInterval 1s
<Location /large>
    UploadPool "$pool"
    UploadExpires 1d
</Location>
<Location /brief>
    UploadPool "$brief"
    UploadExpires 1s
    UploadProtocol multipart chunked tus
    UploadChunkedMd5 Off
</Location>
END
$httpd->start($config);

# pid, removed, entries, steps of each round that has removed anything there.
sub rounds_of
{
    my ($where) = @_;
    return map { [/\[pid (\d+)\D.*UPL0010: pool \Q$where\E: (\d+) expired uploads removed \((\d+) entries, (\d+) steps\)/] }
        grep { /UPL0010: pool \Q$where\E:/ } split /\n/, $httpd->error_log;
}

# --- Never what is in use -----------------------------------------------------------

# Each takes longer than it may lie about.
my @parts = ({name => 'f', filename => 'f', content => 'x' x 3000});
my ($body, $type) = multipart(\@parts);
my %slow;
sub begin
{
    my ($kind, $head, $bytes) = @_;
    my $c = connect_raw(@there);
    $c->send("$head\r\nHost: x\r\nAccept: application/json\r\n"
        . 'Content-Length: ' . length($bytes) . "\r\n\r\n");
    my $piece = 1 + int length($bytes) / 8;
    $slow{$kind} = [$c, [unpack "(a$piece)*", $bytes]];
    return;
}
begin('form', 'POST /brief?X-Progress-ID=' . new_id()
      . " HTTP/1.1\r\nContent-Type: $type", $body);
begin('chunk', 'POST /brief?X-Progress-ID=' . new_id()
      . " HTTP/1.1\r\nContent-Type: $type\r\nContent-Range: bytes 0-2999/6000",
      $body);
my $made = UploadPool::Tus::create('/brief', length => 3000, @there);
my $resource = $made->{headers}{location};
begin('tus', "PATCH $resource HTTP/1.1\r\nTus-Resumable: 1.0.0\r\n"
      . 'Upload-Offset: 0'
      . "\r\nContent-Type: application/offset+octet-stream", 'x' x 3000);
for my $n (0 .. 8) {
    for my $kind (sort keys %slow) {
        my ($c, $pieces) = @{ $slow{$kind} };
        $c->send(shift @$pieces) if @$pieces;
    }
    select undef, undef, undef, 0.4;
}
my %answer = map { $_ => $slow{$_}[0]->answer } keys %slow;
is $answer{form}{status}, 200, 'a slow form is taken, whatever is swept';
is $answer{chunk}{json}{offset}, 3000, 'so is a chunk';
like $answer{tus}{status}, qr/^20[04]$/, 'and the end of a tus upload';
$_->[0]->close for values %slow;

# --- By steps -------------------------------------------------------------------------

ok wait_for(sub { !grep { /^old-/ } names($pool) }), 'what has expired goes';

sub names
{
    opendir my $dir, $_[0] or die "$_[0]: $!";
    return grep { !/^\.\.?$/ } readdir $dir;
}

wait_for(sub { rounds_of($pool) });
my @rounds = rounds_of($pool);
is scalar @rounds, 1, 'in one round';
my ($pid, $removed, $entries, $steps) = @{ $rounds[0] };
is $removed, $expired, 'which says how many';
cmp_ok $entries, '>=', $expired + $live, 'and has looked at all';
cmp_ok $steps, '>=', $entries / $step, 'in steps that are bounded';
# A slow disk makes more of them, up to one for each name read and one for each
# looked at.
cmp_ok $steps, '<=', 2 * $entries + 4, 'and each of which gets on';
is scalar(grep { /^young-/ } names($pool)), $live, 'what has not stays';
is_deeply picture($outside, @stays), $before,
    'so does all that the module has not made, and what it leads to';
ok wait_for(sub { !names($brief) }), 'those of before go when they are over';

# --- By one child ---------------------------------------------------------------------

my %who = map { $_->[0] => 1 } rounds_of($pool), rounds_of($brief);
is_deeply [keys %who], [$pid], 'one child of several does it';
kill 'KILL', $pid;
UploadPool::Bucket::bucket($pool, "late-$_", 'x', age => 2 * 86400) for 1 .. 5;
own(map { "$pool/late-$_" } 1 .. 5);
ok wait_for(sub { !grep { /^late-/ } names($pool) }),
    'when that is killed another does';
ok wait_for(sub { (rounds_of($pool))[-1][1] == 5 }), 'all of it';
isnt +(rounds_of($pool))[-1][0], $pid, 'which is another';
$httpd->stop;
unlike $httpd->error_log, qr/exit signal (?!Killed)/, 'no child died of itself';

done_testing;
