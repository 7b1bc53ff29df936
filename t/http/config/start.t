# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# What "httpd -t" and the server's start say about pools, and what mod_info
# shows about keys.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;
use UploadPool::Httpd;

my $httpd = UploadPool::Httpd->new;
my $good = $httpd->make_pool('good');
my $other = $httpd->make_pool('other');

# A section with that pool, and further lines.
sub with_pool
{
    my ($pool, @lines) = @_;
    return join "\n", '<Location /x>', "UploadPool \"$pool\"", @lines,
        "</Location>\n";
}

# --- Pools --------------------------------------------------------------------

my $world = $httpd->make_pool('world');
chmod 0777, $world;
my $sticky = $httpd->make_pool('sticky');
chmod 01777, $sticky;
my $closed = $httpd->make_pool('closed', 0500);
my $foreign = $httpd->make_pool('foreign');
chown 0, 0, $foreign if $> == 0;
my $file = $httpd->dir('pools/file');
spew($file, '');
my $link = $httpd->dir('pools/link');
symlink $good, $link;

for my $case (['a pool that is missing', $httpd->dir('pools/none'),
               '0004', qr/no such directory/],
              ['a pool that is a file', $file, '0004', qr/not a directory/],
              ['a pool that is a link', $link, '0004', qr/not a directory/],
              ['a pool for everybody', $world, '0005', qr/everybody/],
              ['a pool without write permission', $closed, '0006',
               qr/may not write/],
              $> == 0 ? ['a pool of root', $foreign, '0006',
                         qr/does not belong/] : ()) {
    my ($name, $dir, $tag, $want) = @$case;
    my ($exit, $said) = $httpd->check(with_pool($dir));
    isnt $exit, 0, "$name: httpd -t fails";
    like $said, qr/UPL$tag: UploadPool \Q$dir\E \(.*httpd\.conf:\d+\).*$want/,
        "$name: and tells which, where and why";
    my ($start) = $httpd->run('-k', 'start');
    isnt $start, 0, "$name: nor does it start";
    ok !$httpd->pid || !kill(0, $httpd->pid), "$name: no server runs";
}
for my $case (['a good pool', with_pool($good)],
              ['a sticky pool', with_pool($sticky)],
              ['a pool with a slash', with_pool("$good/")],
              ['a relative pool', with_pool('pools/good')],
              ['off', "UploadPool off\n"]) {
    my ($name, $text) = @$case;
    my ($exit, $said) = $httpd->check($text);
    is $exit, 0, "$name: accepted" or diag $said;
    # All pools of the tests lie in /tmp.
    unlike $said, qr/UPL(?!0430)/, "$name: nothing to say";
}
{
    my ($exit, $said) = $httpd->check(with_pool($httpd->dir('pools/one'))
        . with_pool($httpd->dir('pools/two')));
    like $said, qr{pools/one .*pools/two }s, 'every bad pool is told at once';
}

# --- The way to a pool ---------------------------------------------------------

{
    my $deep = $httpd->make_pool('shut/inner');
    my $above = $httpd->dir('pools/shut');
    chmod 0700, $above;
    chown 0, 0, $above;
    my ($exit, $said) = $httpd->check(with_pool($deep));
    isnt $exit, 0, 'a pool behind a shut directory: httpd -t fails';
    like $said, qr/UPL0006: UploadPool \Q$deep\E .*may not enter \Q$above\E: chmod/,
        'and names the component that stops the way';
    chmod 0711, $above;
    ($exit, $said) = $httpd->check(with_pool($deep));
    is $exit, 0, 'opened, it is taken' or diag $said;
    ($exit, $said) = $httpd->check(with_pool("$above/none/pool"));
    like $said, qr{UPL0004: .*\Q$above/none\E: No such file}, 'a way that ends';
    ($exit, $said) = $httpd->check(with_pool("$above/none"));
    like $said, qr{no such directory; .*PrivateTmp}, 'a pool missing in /tmp';
    ($exit, $said) = $httpd->check(with_pool('/usr/share/no-such-pool'));
    like $said, qr{make it: install -d -o \S+ -m 700 /usr/share/no-such-pool},
        'elsewhere: the line that makes it';
    ($exit, $said) = $httpd->check(with_pool($good));
    like $said, qr{notice.*UPL0430: UploadPool \Q$good\E .*another /tmp}s,
        'a pool in /tmp: a notice';
}

# --- What may be meant otherwise ------------------------------------------------

for my $case (['UploadExpires 24', '24 is as many seconds; .*24h'],
              ['UploadExpires 90', undef], ['UploadExpires 24s', undef],
              ['UploadExpires 1h', undef],
              ['UploadIdentifierLifetime 5', '5 is as many seconds']) {
    my ($line, $want) = @$case;
    my ($exit, $said) = $httpd->check(with_pool($good, $line));
    is $exit, 0, "$line: accepted" or diag $said;
    my ($name) = split / /, $line;
    $want ? like $said, qr/notice.*UPL0432: $name \(.*:\d+\): $want/,
                "$line: a notice"
          : unlike $said, qr/UPL0432/, "$line: no notice";
}
for my $case (['AliasMatch "^/a/(.*)" "' . $httpd->dir('pools') . '/$1"', 1],
              ['AliasMatch "^/a/(.*)" "/srv/elsewhere/$1"', 0],
              ['AliasMatch "^/(.*)" "/$1"', 0],
              ['RewriteRule "^/f/(.*)" "' . $httpd->dir('pools') . '/x$1"', 1]) {
    my ($text, $want) = @$case;
    my ($exit, $said) = UploadPool::Httpd->new(modules => ['rewrite'])
        ->check("$text\n" . with_pool($good));
    my ($name) = $text =~ /(AliasMatch|RewriteRule)/;
    is $exit, 0, "$text: accepted" or diag $said;
    my $notice = qr/notice.*UPL0431: UploadPool \Q$good\E .*: $name gives out/;
    $want ? like $said, $notice, "$text: a notice"
          : unlike $said, qr/UPL0431/, "$text: no notice";
}
for my $case (['UploadKeyFile none', qr{cannot read \S+/none: No such file.*; make a key: \(umask 77; openssl rand -hex 32 >\S+/none\)}],
              ['UploadKeyFile empty', qr{has no key in its file; make one}]) {
    my ($line, $want) = @$case;
    spew($httpd->dir('empty'), "# none\n");
    my ($exit, $said) = $httpd->check(with_pool($good, $line));
    isnt $exit, 0, "$line: refused";
    like $said, $want, "$line: with the reason, and the way out";
}

# --- DUMP_UPLOAD_POOLS ----------------------------------------------------------

{
    my $text = with_pool($good, 'UploadMaxSize 5M', 'UploadProtocol multipart tus',
                         "UploadKey 'a secret for the dump of all pools'",
                         'UploadExpires 2h') . with_pool($other);
    $httpd->config($text);
    my ($exit, $said) = $httpd->run('-t', '-D', 'DUMP_UPLOAD_POOLS');
    is $exit, 0, 'DUMP_UPLOAD_POOLS';
    like $said, qr/^Upload pools: 2$/m, 'how many';
    like $said, qr{^\Q$good\E \(.*httpd\.conf:\d+\)$}m, 'where each is named';
    like $said, qr/^ +protocols +multipart tus$/m, 'protocols';
    like $said, qr/^ +request +5242880 bytes$/m, 'a limit';
    like $said, qr/^ +request +none$/m, 'none';
    like $said, qr/^ +keys +1$/m, 'keys by number';
    unlike $said, qr/a secret for/, 'and never a key';
    like $said, qr/^ +expires after +7200 s$/m, 'when they expire';
    unlike $said, qr/^ +passes/m, 'and how nothing is handed over';

    for my $as ('form', 'fields') {
        $httpd->config(with_pool($good, 'UploadMint On', 'UploadServe On',
            "UploadKey 'a secret for the dump of all pools'", 'UploadPass /app',
            "UploadPassAs $as"));
        ($exit, $said) = $httpd->run('-t', '-D', 'DUMP_UPLOAD_POOLS');
        is $exit, 0, "$as: another";
        like $said, qr/^ +mints +yes$/m, "$as: it mints";
        like $said, qr/^ +serves +yes$/m, "$as: it serves";
        like $said, qr{^ +passes to +/app$}m, "$as: to whom";
        like $said, qr/^ +passes as +$as$/m, "$as: and how";
    }
}

# --- LimitRequestBody ----------------------------------------------------------

for my $case (['LimitRequestBody 1000', 'UploadMaxSize 1001B', 1],
              ['LimitRequestBody 1000', 'UploadMaxSize 1000B', 0],
              ['LimitRequestBody 0', 'UploadMaxSize 100G', 0],
              ['', 'UploadMaxSize 2G', 1], ['', 'UploadMaxSize 1G', 0],
              ['', '', 0]) {
    my ($core, $ours, $notice) = @$case;
    my ($exit, $said) = $httpd->check("<Location /x>\nUploadPool \"$good\"\n"
                                      . "$core\n$ours\n</Location>\n");
    is $exit, 0, "$core, $ours: accepted";
    is scalar(() = $said =~ /notice.*UPL0007:.*above LimitRequestBody/g),
        $notice, "$core, $ours: " . ($notice ? 'a notice' : 'no notice');
}
{
    my ($exit, $said) = $httpd->check("LimitRequestBody 1000\n<Location /x>\n"
        . "UploadPool \"$good\"\nUploadMaxSize 1M\n</Location>\n");
    like $said, qr/UPL0007:/, 'LimitRequestBody of the server: a notice';
}

# --- The running server ---------------------------------------------------------

my $key = 'the first secret of the start suite';
my $second = 'the second secret of the start suite';
my $third = 'the third, from a file, of the suite';
spew($httpd->dir('keys'), "$third\n");
chmod 0600, $httpd->dir('keys');
$httpd->start(<<"END");
LogLevel debug upload_pool:trace8
<Location /info>
    SetHandler server-info
</Location>
<Location /status>
    SetHandler server-status
</Location>
<Location /one>
    SetHandler upload-pool
    UploadPool "$good"
    UploadKey '$key' "$second"
    UploadMint On
</Location>
<Location /two>
    SetHandler upload-pool
    UploadPool "$other"
    UploadKeyFile keys
</Location>
END
my @port = (port => $httpd->port);
my $form = [{name => 'f', filename => 'a.txt', content => 'content'}];
my $id = new_id();
for my $case (['/one', $key, 200], ['/one', $second, 200], ['/one', $third, 403],
              ['/two', $third, 200], ['/two', $key, 403]) {
    my ($url, $secret, $status) = @$case;
    is upload($url, $form, id => sign($secret, $id), @port)->{status}, $status,
        "$url with a key: $status";
}
my $info = request('GET', '/info', @port)->{body};
like $info, qr/UploadPool/, 'mod_info shows the directives';
like $info, qr/UploadKey/, 'and that there are keys';
my $new = request('POST', '/one/new', @port);
is $new->{status}, 201, 'an identifier is minted';
for my $case (['mod_info', $info],
              ['mod_status', request('GET', '/status', @port)->{body}],
              ['a new identifier', $new->{body}],
              ['the log', $httpd->error_log]) {
    my ($name, $text) = @$case;
    unlike $text, qr/secret of the start|third, from a file/,
        "$name shows no key";
}
my $signature = (split /:/, sign($key, $id))[1];
unlike $httpd->error_log, qr/\Q$signature\E/, 'nor does the log a signature';

# --- The story of one upload ------------------------------------------------------

$httpd->stop;
unlink $httpd->dir('logs/error_log');
$httpd->start(<<"END");
<Location /tell>
    SetHandler upload-pool
    UploadPool "$good"
    UploadDigest md5
    UploadInline 10B
    UploadDeny php
</Location>
END
my $tale = new_id();
is upload('/tell', [{name => 't', value => 'v'}, @$form,
                    {name => 'g', filename => 'b.txt', content => 'x' x 5000}],
          id => $tale, @port)->{status}, 200, 'an upload';
my $log = $httpd->error_log;
my $shown = substr $tale, 0, 8;
like $log, qr/upload_pool:info\].*UPL0001: mod_upload_pool .*4096/,
    'the start tells version and slots';
my $next = 0;
for my $want (qr/UPL0020: upload \Q$shown\E\S* begins in pool \Q$good\E/,
              qr/UPL0022: upload \Q$shown\E\S* is done: 2 files, 1 fields/,
              qr/UPL0024: upload \S+ handler accept saw \d+ bytes/,
              qr/UPL0024: upload \S+ handler digest saw 5007 bytes/,
              qr/UPL0024: upload \S+ handler inline saw 5007 bytes/,
              qr/UPL0024: upload \S+ handler spool saw 5000 bytes/) {
    like substr($log, $next), $want, "the log tells in order: $want";
    $next += $+[0] if substr($log, $next) =~ $want;
}
unlike $log, qr/\Q$tale\E/, 'it does not tell the identifier';
is scalar(() = $log =~ /exit signal/g), 0, 'no child died';

done_testing;
