# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# T3: an attacker keeps replacing buckets and their files by links, hard links
# and FIFOs, while uploads arrive and are resumed, queried, served, cleared and
# swept. The targets of the links look like the uploads that they replace, and
# are neither disclosed nor touched.
#
# 100 races; with UPOOL_LONG=yes 1,000.

use strict;
use warnings FATAL => 'all';
use File::Path ();
use POSIX ();
use Test::More;
use UploadPool::Bucket ();
use UploadPool::Httpd;
use UploadPool::Test;
use UploadPool::Tus ();

my $races = rounds(100, 1000);
my $httpd = UploadPool::Httpd->new;
my $pool = $httpd->make_pool('pool');
my $outside = $httpd->make_pool('outside');
my $aside = $httpd->make_pool('aside');
my @there = (port => $httpd->port);
my $secret = 'the-content-of-a-file-outside';
my @ids = map { "swap-$_" } 0, 1;

UploadPool::Bucket::bucket($outside, $_, $secret, filename => "$secret.txt")
    for @ids;
UploadPool::Bucket::incomplete($outside, "part-$_", 30, $secret) for @ids;
if ($> == 0) {
    my ($uid, $gid) = UploadPool::Httpd::owner();
    chown $uid, $gid, glob "$outside/* $outside/*/*";
}

# Content, and what may be changed of a file: not its links, nor when it was
# read.
sub picture
{
    return {map {
        my @of = lstat;
        $_ => join ' ', @of[2, 4, 5, 7, 9],
            -f _ ? UploadPool::Bucket::slurp($_) : ();
    } sort glob "$outside $outside/* $outside/*/*"};
}
my $before = picture();

$httpd->start(<<"END");
UploadSweepInterval 1s
<Location />
    SetHandler upload-pool
    UploadPool "$pool"
    UploadProtocol multipart tus
    UploadServe On
    UploadExpires 1s
</Location>
END

# --- Who exchanges --------------------------------------------------------------

sub plant
{
    my ($path, $victim) = @_;
    my $kind = int rand 4;
    return symlink $victim, $path if $kind == 0;
    return -d $victim ? symlink $victim, $path : link $victim, $path
        if $kind == 1;
    return POSIX::mkfifo($path, 0600) if $kind == 2;
    return symlink '/nowhere/at/all', $path;
}

sub swap_bucket
{
    my ($id) = @_;
    rename "$pool/$id", "$aside/$id" or return 0;
    my $is_there = plant("$pool/$id", "$outside/$id");
    select undef, undef, undef, rand 0.003;
    unlink "$pool/$id" if $is_there;
    # Where another has been made meanwhile, that is the one.
    rename "$aside/$id", "$pool/$id" or File::Path::remove_tree("$aside/$id");
    return $is_there ? 1 : 0;
}

sub swap_file
{
    my ($id) = @_;
    my @files = glob "$pool/$id/*";
    my @names = (qw(metadata.json metadata.new attempt.json attempt.new
                    resumable.json resumable.new run yield answer.json lock),
                 map { m{([^/]+)$} } @files);
    my $name = $names[rand @names];
    my ($victim) = $name =~ /\.bin$/ ? glob "$outside/$id/*.bin"
        : "$outside/$id/$name";
    $victim = "$outside/$id/metadata.json" unless defined $victim && -e $victim;
    unlink "$pool/$id/$name";
    return plant("$pool/$id/$name", $victim) ? 1 : 0;
}

my $count = "$aside/count";
my $swapper = fork;
die "fork: $!" unless defined $swapper;
if (!$swapper) {
    # As the server's user: what he may do nobody else can do worse.
    if ($> == 0) {
        my ($uid, $gid) = UploadPool::Httpd::owner();
        POSIX::setgid($gid);
        POSIX::setuid($uid);
    }
    my $go = 1;
    my $done = 0;
    local $SIG{TERM} = sub { $go = 0 };
    while ($go) {
        my @others = map { m{([^/]+)$} } grep { !/swap-/ } glob "$pool/*";
        my $id = @others && rand() < 0.4 ? $others[rand @others]
            : $ids[rand @ids];
        $done += rand() < 0.5 ? swap_bucket($id) : swap_file($id);
        select undef, undef, undef, rand 0.002;
    }
    spew($count, $done);
    POSIX::_exit(0);
}

# --- And what goes on meanwhile ---------------------------------------------------

my (%seen, @told, @silent);
sub saw
{
    my ($what, $r) = @_;
    my $status = $r->{status} || 0;
    $seen{$what}{$status}++;
    push @silent, "$what: " . ($r->{error} || '') unless $status;
    push @told, "$what: $status: $r->{body}"
        if join(' ', $r->{body} // '', %{ $r->{headers} || {} }) =~ /\Q$secret/;
    return $r;
}

for my $n (1 .. $races) {
    my $id = $ids[$n % @ids];
    saw(form => upload('/x', [{name => 'f', filename => 'f',
                                content => 'x' x (1 + rand 20_000)}],
                        id => $id, accept => 'application/json', @there));
    saw(status => request('GET', "/x/status?X-Progress-ID=$id", @there));
    saw(file => request('GET', "/x/file?X-Progress-ID=$id", @there));
    my $made = saw(create => UploadPool::Tus::create('/x', length => 9, @there));
    my $url = $made->{headers}{location} || "/x/$id";
    for my $offset (0, 3, 6) {
        saw(patch => UploadPool::Tus::append($url, $offset, 'abc', @there));
    }
    saw(offset => UploadPool::Tus::head($url, @there));
    saw(clear => request('DELETE', "/x?X-Progress-ID=$id", @there))
        if $n % 3 == 0;
}
kill 'TERM', $swapper;
waitpid $swapper, 0;
my $swaps = slurp($count);
note("$swaps swaps: " . join ', ', map {
    my $of = $seen{$_};
    "$_ " . join ' ', map { "$_:$of->{$_}" } sort keys %$of;
} sort keys %seen);

cmp_ok $swaps, '>=', $races, 'as many swaps as races, or more';
is_deeply \@silent, [], 'each request has its answer'
    or diag join "\n", @silent[0 .. ($#silent > 9 ? 9 : $#silent)];
is_deeply \@told, [], 'none tells what is outside'
    or diag join "\n", @told[0 .. ($#told > 9 ? 9 : $#told)];
is_deeply picture(), $before, 'and nothing outside is touched';
for my $what (qw(form patch file)) {
    ok scalar(grep { /^2/ } keys %{ $seen{$what} }), "some come through: $what";
}
unlink grep { -l || !-d } glob "$pool/*";
ok wait_for(sub {
    File::Path::remove_tree(glob "$pool/*");
    upload('/x', [{name => 'f', filename => 'f', content => 'x'}],
           id => $ids[0], accept => 'application/json', @there)
        ->{status} == 200;
}), 'when it is over all is well';
$httpd->stop;
unlike $httpd->error_log, qr/exit signal/, 'no child died';

done_testing;
