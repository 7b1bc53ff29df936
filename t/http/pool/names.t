# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# T1: whatever a client calls a file, the file on disk is in the pool, has a
# name made by the module, no execute bit and no second link.

use strict;
use warnings FATAL => 'all';
use File::Find ();
use Test::More;
use UploadPool::Httpd;
use UploadPool::Test;
use UploadPool::Tus ();

my $httpd = UploadPool::Httpd->new;
my $pool = $httpd->make_pool('pool');
my $top = $httpd->dir('pools');
my @there = (port => $httpd->port);
$httpd->start(<<"END");
<Location />
    SetHandler upload-pool
    UploadPool "$pool"
    UploadProtocol multipart chunked tus
    UploadChunkedMd5 Off
    UploadFileMode 0666
</Location>
END

# Each has a word that no name of the module's can have.
my @hostile = (
    '../zulu', '../../zulu', '..\\..\\zulu', '/etc/zulu', '/zulu', 'zulu/',
    'C:\\zulu.txt', '\\\\host\\zulu', 'zulu:stream', '.htaccess-zulu', '.zulu',
    'zulu.', 'zulu ', ' zulu', '-zulu', '--zulu', '~zulu', '$(zulu)', '`zulu`',
    '|zulu', 'zulu;ls', 'zulu&', '*zulu', 'zulu?', 'zulu%2f..', '%2e%2e%2fzulu',
    '%00zulu', 'zulu.php', 'zulu.php.jpg', 'zulu.cgi', 'zulu.shtml', 'zulu.so',
    'zulu.exe', 'zulu/../../x', './zulu', 'zulu' . 'x' x 300, "zulu\x{c3}\x{a9}",
    "zulu\xff\xfe", "zulu\t", 'metadata.json/zulu', '0-zulu.bin', 'CON.zulu',
    'zulu~1', "zulu\x{e2}\x{80}\x{ae}gpj", '<zulu>', "zulu'", 'zulu"',
);
my %seen;
for my $name (@hostile) {
    my $id = new_id();
    my $r = upload('/x', [{name => $name, filename => $name, content => 'x',
                           type => 'text/zulu'}],
                   id => $id, accept => 'application/json', @there);
    $seen{form}{ $r->{status} }++;
    my $made = UploadPool::Tus::create(
        '/x', length => 1, metadata => [filename => $name], @there);
    $seen{tus}{ $made->{status} }++;
    UploadPool::Tus::append($made->{headers}{location}, 0, 'x', @there)
        if $made->{headers}{location};
    $r = upload('/x', [{name => 'f', filename => $name, content => 'x'}],
                id => new_id(), headers => ['Content-Range', 'bytes 0-0/2'],
                @there);
    $seen{chunk}{ $r->{status} }++;
}
for my $kind (qw(form tus chunk)) {
    my $taken = 0;
    $taken += $seen{$kind}{$_} for grep { /^2/ } keys %{ $seen{$kind} };
    cmp_ok $taken, '>=', @hostile - 5, "nearly all are taken: $kind"
        or diag explain \%seen;
}

my (%wrong, $files, $data);
File::Find::find({no_chdir => 1, wanted => sub {
    my $path = $_;
    my ($mode, $links) = (lstat $path)[2, 3];
    return if $path eq $top || $path eq $pool;
    $files++;
    my ($below) = $path =~ m{^\Q$pool\E/(.+)$};
    push @{ $wrong{outside} }, $path unless defined $below;
    $below //= '';
    push @{ $wrong{name} }, $path unless $below =~ m{^[A-Za-z0-9-]{1,64}
        (?:/(?:\d+-[0-9a-f]{32}\.bin|metadata\.json|attempt\.json
            |resumable\.json|answer\.json|run|lock))?\z}x;
    push @{ $wrong{client} }, $path if $below =~ /zulu/i;
    if (-f _) {
        $data++ if $path =~ /\.bin$/;
        push @{ $wrong{run} }, $path if $mode & 0111;
        push @{ $wrong{link} }, $path if $links != 1;
    }
    elsif (!-d _) {
        push @{ $wrong{kind} }, $path;
    }
}}, $top);
is_deeply \%wrong, {}, 'each name, its kind, its bits, its links, its place'
    or diag explain \%wrong;
cmp_ok $data, '>=', 3 * (@hostile - 5), 'of as many files';
$httpd->stop;
unlike $httpd->error_log, qr/exit signal/, 'no child died';

done_testing;
