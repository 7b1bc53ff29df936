# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Customers who name their pools in .htaccess: which pools one of them can name,
# which of his uploads are removed when they expire, and what he can take from
# others.

use strict;
use warnings FATAL => 'all';
use File::Path ();
use Test::More;
use UploadPool::Httpd;
use UploadPool::Test;

my $httpd = UploadPool::Httpd->new;
my $port = $httpd->port;
$httpd->make_pool($_) for qw(root root/photos root/old);
my $root = $httpd->dir('pools/root');
my $site = $httpd->dir('htdocs/site');
File::Path::make_path($site);
spew("$site/index.html", 'x');

sub htaccess
{
    spew("$site/.htaccess", join '', map { "$_\n" } @_);
    return;
}

sub put
{
    my ($id, $bytes, %o) = @_;
    return upload('/site/index.html', [{name => 'f', filename => 'f',
        content => 'x' x ($bytes || 10)}], id => $id, port => $port,
        accept => 'application/json', %o);
}

sub config
{
    return "UploadPoolRoot \"$root\"\nUploadSweepInterval 1s\n@_\n"
        . "<Directory \"$site\">\nAllowOverride All\nUploadQuota pool 100000B\n"
        . "UploadExpires 1h\nSetHandler upload-pool\n</Directory>\n";
}

# --- A bucket is no pool ----------------------------------------------------------

$httpd->start(config());
htaccess('UploadPool photos');
my $id = new_id();
is put($id)->{status}, 200, 'an upload';
ok -f "$root/photos/.quota", 'the pool has books';
mkdir "$root/photos/$id/deep", 0700;
mkdir "$root/photos/$_", 0700 for qw(made empty);
chown +(UploadPool::Httpd::owner()), map { "$root/photos/$_" } "$id/deep",
    qw(made empty) if $> == 0;
for my $pool ("photos/$id", "photos/$id/deep", 'photos/made') {
    htaccess("UploadPool $pool");
    my $mark = length $httpd->error_log;
    is put(new_id())->{status}, 500, "no pool: $pool" =~ s/\Q$id\E/ID/r;
    like substr($httpd->error_log, $mark), qr/lies in a pool, or is an upload's/,
        'the log says why';
}
unlink "$root/photos/.quota" or die $!;
htaccess("UploadPool photos/$id");
is put(new_id())->{status}, 500, 'nor where the books are gone';
is scalar(() = glob "$root/photos/$id/*-*/"), 0, 'nothing was made there';
htaccess('UploadPool photos');
my @status = map { put(new_id(), 30_000)->{status} } 1 .. 4;
is_deeply \@status, [200, 200, 507, 507], 'the quota holds';

# --- Making room takes nobody's place ----------------------------------------------

# Ten minutes ago, for the records and for the files.
sub ago
{
    my ($dir) = @_;
    my $then = time - 600;
    my $text = slurp("$dir/metadata.json");
    $text =~ s/("(?:created|updated)": *)\d+/$1${then}000000/g;
    spew("$dir/metadata.json", $text);
    utime $then, $then, $dir, glob "$dir/*";
    return;
}

# A refusal for want of room removes expired uploads. They expire by the longest
# UploadExpires that was set for the pool, not by that of the refused one.
{
    my @there = grep { -e "$_/metadata.json" } glob "$root/photos/*";
    ago($_) for @there;
    htaccess('UploadPool photos', 'UploadExpires 1s');
    is put(new_id(), 90_000)->{status}, 507,
        'a neighbour who keeps his for a second gets no room by it';
    is_deeply [grep { -e "$_/metadata.json" } @there], \@there,
        'what others keep for an hour is there';
}
$httpd->stop;
# The same holds where the server's configuration names the pool, although the
# pool's books have no time for that.
$httpd->start(config("<Location /never>\nUploadPool \"$root/photos\"\n"
    . "UploadExpires 1h\nUploadQuota pool 100000B\n</Location>"));
{
    put(new_id(), 30_000) if !grep { -e "$_/metadata.json" } glob "$root/photos/*";
    my @there = grep { -e "$_/metadata.json" } glob "$root/photos/*";
    ok @there > 0, 'and is there after a new start';
    ago($_) for @there;
    unlink "$root/photos/.quota" or die $!;
    htaccess('UploadPool photos', 'UploadExpires 1s');
    is put(new_id(), 90_000)->{status}, 507, 'a pool that the server names, too';
    is_deeply [grep { -e "$_/metadata.json" } @there], \@there,
        'everybody keeps what he has there';
}

# --- Below the root everything has its time ----------------------------------------

htaccess('UploadPool old', 'UploadExpires 1s');
is put($id)->{status}, 200, 'an upload of a pool that no configuration names';
ok -d "$root/old/$id", 'is there';
ok wait_for(sub { !-d "$root/old/$id" }), 'and is swept';
ok -d "$root/photos/$id", 'one that is kept for longer is not';
$httpd->stop;

# --- An owner's quota ---------------------------------------------------------------

$httpd->start(config() =~ s/UploadQuota pool \S+/UploadQuota owner 50000B\n/r
              =~ s/SetHandler/UploadOwner ip\nSetHandler/r);
File::Path::remove_tree(glob "$root/old/*");
for my $line ('', 'UploadOwner none', 'UploadOwner user') {
    htaccess('UploadPool old', 'UploadExpires 1h', $line || ());
    my @got = map { put(new_id(), 30_000)->{status} } 1 .. 2;
    is_deeply \@got, [$line ? 507 : 200, 507],
        'the quota holds' . ($line && ", with $line in .htaccess");
}
$httpd->stop;
$httpd->start(config() =~ s/SetHandler/UploadOwner ip\nSetHandler/r);
htaccess('UploadPool old', 'UploadExpires 1h', 'UploadOwner none');
File::Path::remove_tree(glob "$root/old/*");
is put($id)->{status}, 200, 'where owners have none .htaccess says whose it is';
my ($record) = map { slurp($_) } "$root/old/$id/metadata.json";
like $record, qr/"owner": *null/, 'nobody\'s';
$httpd->stop;

# --- A quota of all below the root -------------------------------------------------

# Two customers, each with a pool, and one with two; and a pool of the
# administrator's own.
$httpd->make_pool("root/$_") for qw(more own);
my %dir = map { ($_ => $httpd->dir("htdocs/$_")) } qw(anna bert);
File::Path::make_path(values %dir);
spew("$_/index.html", 'x') for values %dir;
sub pool_of
{
    my ($who, @lines) = @_;
    spew("$dir{$who}/.htaccess", join '', map { "$_\n" } @lines);
    return;
}
sub put_at
{
    my ($where, $bytes, $id) = @_;
    return upload("/$where", [{name => 'f', filename => 'f',
        content => 'x' x $bytes}], id => $id || new_id(), port => $port,
        accept => 'application/json');
}
sub root_config
{
    my ($quota) = @_;
    return "UploadPoolRoot \"$root\" $quota\nUploadSweepInterval 1h\n"
        . join('', map { "<Directory \"$_\">\nAllowOverride All\n"
            . "SetHandler upload-pool\nUploadExpires 1h\n</Directory>\n" }
            sort values %dir)
        . "<Location /own>\nUploadPool \"$root/own\"\n"
        . "SetHandler upload-pool\n</Location>\n";
}
File::Path::remove_tree(glob "$root/*/*");
$httpd->start(root_config('200000B'));
pool_of(anna => 'UploadPool photos');
pool_of(bert => 'UploadPool old');
my $first = new_id();
is put_at('anna/index.html', 80_000, $first)->{status}, 200, 'one customer';
is put_at('bert/index.html', 80_000)->{status}, 200, 'another';
my $full = put_at('anna/index.html', 40_000);
is $full->{status}, 507, 'what all hold together is full';
is $full->{json}{error}, 'Upload quota is used up', 'which the client is told';
like $httpd->error_log, qr/quota of UploadPoolRoot/, 'and the log of which';
is put_at('own', 40_000)->{status}, 507, 'for a pool of the configuration too';
is put_at('own', 10_000)->{status}, 200, 'that lies there';
for my $lines (['UploadPool more'], ['UploadPool photos', 'UploadOwner ip'],
               ['UploadPool photos', 'UploadExpires 1d']) {
    pool_of(anna => @$lines);
    is put_at('anna/index.html', 40_000)->{status}, 507,
        "not lifted by @$lines";
}
for my $line ("UploadPoolRoot \"$root\" 1G", 'UploadQuota pool 1G') {
    pool_of(anna => 'UploadPool photos', $line);
    my $mark = length $httpd->error_log;
    is put_at('anna/index.html', 10)->{status}, 500, "nor by $line";
    like substr($httpd->error_log, $mark), qr/not allowed here/, 'the log says so';
}
pool_of(anna => 'UploadPool photos');
is request('DELETE', "/anna/index.html?X-Progress-ID=$first",
           port => $port)->{status}, 200, 'one customer clears his';
is put_at('bert/index.html', 60_000)->{status}, 200, 'which is room for another';
is put_at('anna/index.html', 60_000)->{status}, 507, 'and then no more for him';

# Expired uploads make room, whichever pool they lie in.
utime 1, 1, $_ for glob "$root/old/*/*";
for my $file (glob "$root/old/*/metadata.json") {
    my $text = slurp($file);
    $text =~ s/("updated":)\d+/${1}1000000/;
    spew($file, $text);
}
my $status;
ok wait_for(sub { ($status = put_at('anna/index.html', 60_000)->{status})
                      == 200 }), 'what has expired in another pool makes room'
    or diag $status;
is scalar(() = glob "$root/old/*/metadata.json"), 0, 'it is gone';
$httpd->stop;

unlike $httpd->error_log, qr/exit signal/, 'no child died';
unlike $httpd->error_log, qr/UPL0401/, 'the root could be read';
done_testing;
