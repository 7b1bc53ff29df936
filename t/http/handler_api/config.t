# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadHandler in configurations: which are refused, and how; in sections; in
# .htaccess.

use strict;
use warnings FATAL => 'all';
use Test::More;
use File::Path ();
use UploadPool::Test;
use UploadPool::Httpd;

my $httpd = UploadPool::Httpd->new;
my $pool = $httpd->make_pool('pool');
my $probe = $httpd->make_pool('probe');
my $docs = $httpd->dir('htdocs');

# --- httpd -t -----------------------------------------------------------------

for my $case (
    ['unknown', qr/neither built in \(accept sniff clamd digest inline spool.*\) nor/],
    ['probe-nameless', qr/under a name that is not in its table/],
    ['probe-misnamed', qr/under a name that is not in its table/],
    ['probe-outdated', qr/compiled for another version/],
    ['probe-no-table', qr/compiled for another version/]) {
    my ($name, $want) = @$case;
    my ($exit, $said) = $httpd->check(
        "<Location /x>\nUploadHandler spool\n"
        . "UploadHandler accept $name probe-a\n</Location>\n");
    isnt $exit, 0, "$name: httpd -t fails";
    like $said, qr/UPL0013: UploadHandler $name \(.*httpd\.conf:\d+\) .*$want/,
        "$name: and tells which, where and why";
    my @lines = $said =~ /UPL0013/g;
    is scalar @lines, 1, "$name: once";
}
for my $twice ('spool spool', 'probe-a spool probe-a', "spool\nUploadHandler SPOOL") {
    my ($exit, $said) = $httpd->check("UploadHandler $twice\n");
    isnt $exit, 0, 'a doubled name: httpd -t fails';
    like $said, qr/UploadHandler: "\S+" is named twice/, 'and names it';
}
for my $good ('spool', 'inline Digest ACCEPT spool', 'probe-a', 'words spool') {
    my ($exit, $said) = $httpd->check("UploadHandler $good\n");
    is $exit, 0, "UploadHandler $good" or diag $said;
}
my ($exit) = $httpd->check("UploadHandler\n");
isnt $exit, 0, 'no name at all';

# --- Sections and .htaccess -----------------------------------------------------

File::Path::make_path(map { "$docs/$_" } qw(free free/in firm lists outer/in));
sub site { return "<Directory \"$docs/$_[0]\">\n$_[1]\n</Directory>\n" }
my $common = "UploadPool \"$pool\"\nProbeDirectory \"$probe\"\n"
    . "SetHandler upload-pool\nAllowOverride Options\n";
$httpd->start(join '', site('free', $common),
    site('firm', "${common}UploadHandler probe-a spool"),
    site('lists', "${common}UploadDeny php"),
    site('outer', "${common}UploadHandler probe-a spool"),
    site('outer/in', 'UploadHandler probe-b spool'));
my @port = (port => $httpd->port);

sub htaccess { spew("$docs/$_[0]/.htaccess", $_[1]); return }

sub try_upload
{
    my ($url, $name) = @_;
    my $id = new_id();
    my $at = length $httpd->error_log;
    my $r = upload($url, [{name => 'f', filename => $name || 'a.txt',
                           content => 'content'}], id => $id,
                   accept => 'application/json', @port);
    my $file = "$probe/events";
    my %who = map { /^\Q$id\E (\S+) new/ ? ($1 => 1) : () }
        -f $file ? split /\n/, slurp($file) : ();
    return ($r->{status}, join(' ', sort keys %who),
            substr $httpd->error_log, $at);
}

my ($status, $who, $log) = try_upload('/outer/in/');
is "$status $who", '200 probe-b', 'an inner section replaces the list';
($status, $who) = try_upload('/outer/');
is "$status $who", '200 probe-a', 'the outer one has its own';

htaccess('free', "UploadHandler probe-c spool\n");
($status, $who) = try_upload('/free/');
is "$status $who", '200 probe-c', '.htaccess names handlers';
htaccess('free/in', "UploadHandler probe-b\nUploadHandler spool\n");
($status, $who) = try_upload('/free/in/');
is "$status $who", '200 probe-b', 'one further in replaces them';

for my $bad (['unknown', qr/UploadHandler: "unknown" is neither built in/],
             ['probe-outdated', qr/UploadHandler: "probe-outdated" was compiled/],
             ['spool spool', qr/UploadHandler: "spool" is named twice/]) {
    htaccess('free', "UploadHandler $bad->[0]\n");
    ($status, $who, $log) = try_upload('/free/');
    is $status, 500, ".htaccess with $bad->[0]: 500";
    like $log, $bad->[1], 'and the log tells why';
}
htaccess('free', "UploadHandler spool\n");
is +(try_upload('/free/'))[0], 200, 'repaired';

htaccess('firm', "UploadHandler spool\n");
($status, $who, $log) = try_upload('/firm/');
is "$status $who", '500 ', ".htaccess may not replace the server's list";
my @lines = $log =~ /(UPL01\d\d: .*)/g;
is scalar @lines, 1, 'one line';
like $lines[0], qr/UploadHandler in \.htaccess/, 'that tells why';
htaccess('firm', '');
($status, $who) = try_upload('/firm/');
is "$status $who", '200 probe-a', "the server's list holds";

htaccess('lists', "UploadHandler probe-take spool\n");
is +(try_upload('/lists/', 'x.php'))[0], 415,
    ".htaccess without accept: the server's UploadDeny holds";
htaccess('lists', "UploadHandler probe-take accept spool\n");
is +(try_upload('/lists/', 'x.php.take'))[0], 415,
    'with accept behind a handler that takes files: it holds too';
is +(try_upload('/lists/', 'x.take'))[0], 200, 'other files pass';

$httpd->stop;
unlike $httpd->error_log, qr/exit signal/, 'no child died';
done_testing;
