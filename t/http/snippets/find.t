# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# find() of conf/snippets, each run as the server's user: the upload of an
# identifier, nothing for any other name, and an error for what cannot be read,
# with the remedy on standard error and no path in what a client may see.

use strict;
use warnings FATAL => 'all';
use POSIX ();
use Test::More;
use UploadPool::Snippets;
use UploadPool::Test;

my $at = var('top') . '/conf/snippets';
my $pool = pool('snippets');
my ($key) = snippet_keys();

# Each says the path of the first file, "none", or "error 500: TEXT".
my %program = (
    php => ['php', '-r', "require '$at/php/uploads.php';"
        . 'try { $u = upload_find($argv[1], $argv[2]);'
        . ' echo $u ? $u["files"][0]["path"] : "none"; }'
        . ' catch (UploadRefused $e) {'
        . ' echo "error ", $e->getCode(), ": ", $e->getMessage(); }'],
    python => ['python3', '-B', '-c', "import sys; sys.path.insert(0, '$at/python')\n"
        . "import uploads\ntry:\n u = uploads.find(*sys.argv[1:])\n"
        . " print(u['files'][0]['path'] if u else 'none', end='')\n"
        . "except uploads.Refused as e:\n print('error %d: %s' % (e.status, e), end='')\n"],
    perl => ['perl', "-I$at/perl", '-MUploads', '-e',
        'my $u = eval { Uploads::find(@ARGV) };'
        . ' print ref $@ ? "error $@->{status}: $@->{text}"'
        . ' : $u ? $u->{files}[0]{path} : "none"'],
    node => ['node', '-e', "require('$at/node/uploads.js')"
        . '.find(process.argv[1], process.argv[2])'
        . '.then((u) => u ? u.files[0].path : "none",'
        . ' (e) => `error ${e.status}: ${e.message}`)'
        . '.then((text) => process.stdout.write(text))'],
    lua => ['lua5.4', '-e', "package.path = '$at/lua/?.lua;' .. package.path\n"
        . "local ok, u = pcall(require('uploads').find, arg[1], arg[2])\n"
        . 'io.write(not ok and "error " .. u.status .. ": " .. u.text'
        . ' or u and u.files[1].path or "none")', '/dev/null'],
    shell => ["$at/shell/find.sh"],
);

# Runs a command as the server's user; its standard output and standard error.
sub run_as_server
{
    my (@command) = @_;
    my ($said, $beside) = map { var('t_logs') . "/find-$$.$_" } qw(out err);
    defined(my $pid = fork) or die "fork: $!";
    if ($pid == 0) {
        open STDOUT, '>', $said or POSIX::_exit(126);
        open STDERR, '>', $beside or POSIX::_exit(126);
        my ($uid, $gid) = (getpwnam var('user'))[2, 3];
        if ($> == 0) {
            $) = "$gid $gid";
            ($(, $<, $>) = ($gid, $uid, $uid);
        }
        exec { $command[0] } @command or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    return ($? >> 8, slurp($said), slurp($beside));
}

sub find
{
    my ($language, $id) = @_;
    my @command = @{ $program{$language} };
    my ($exit, $said, $beside) = run_as_server(@command, $pool, $id);
    if ($language eq 'shell') {
        $said = $exit == 0 ? (split /\n/, $said)[0]
            : $exit == 1 ? 'none' : 'error 500: the upload cannot be read';
    }
    return ($said, $beside);
}

my $id = new_id();
is upload('/snippets-seen/echo.pl', [{name => 'f', filename => 'a.txt',
                                      content => 'kept'}], id => sign($key, $id))
    ->{status}, 200, 'an upload';
my ($path) = glob "$pool/$id/*.bin";
for my $language (sort keys %program) {
    my ($said, $beside) = find($language, $id);
    is $said, $path, "$language: finds it" or diag $beside;
    for my $other ('unknown-one', "../snippets/$id", "$id/", '', '.', "$id\n",
                   'a' x 65) {
        is +(find($language, $other))[0], 'none', "$language: and no other";
    }
    chmod 0, "$pool/$id";
    ($said, $beside) = find($language, $id);
    is $said, 'error 500: the upload cannot be read',
        "$language: forbidden is not gone";
    like $beside, qr/\Q$id\E.*UploadFileGroup.*UploadFileMode 0640.*chgrp/s,
        "$language: and says what mends it";
    chmod 0700, "$pool/$id";
}

done_testing;
