# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# "httpd -t" with every directive set wrong: it fails and names the directive,
# its file and line.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;
use UploadPool::Httpd;

my $httpd = UploadPool::Httpd->new(modules => ['socache_\w+']);
my $pool = $httpd->make_pool('pool');
my $short = $httpd->dir('short');
my $empty = $httpd->dir('empty');
my $long = $httpd->dir('long');
spew($short, "# a remark\n\ntoo short\n");
spew($empty, "# only remarks\n\n");
spew($long, 'k' x 2000 . "\n");
chmod 0600, $short, $empty, $long;
my $secret = 'a secret of the config suite';

sub refuses
{
    my ($text, $want) = @_;
    my ($directive) = $text =~ /.*\b(Upload\w+)/s;
    # httpd itself counts an empty argument for none.
    $want = qr/takes (?:one|1-2) arguments?|requires at least|$want/
        if $text =~ /""/;
    my ($exit, $said) = $httpd->check("$text\n");
    (my $name = $text) =~ s/\n/ | /g;
    ok $exit != 0 && $said =~ /\Q$directive\E/ && $said =~ $want
        && $said =~ /httpd\.conf/ && $said !~ /\Q$secret\E/, "refused: $name"
        or diag "exit $exit: $said";
    return;
}

sub accepts
{
    my ($text) = @_;
    my ($exit, $said) = $httpd->check("$text\n");
    (my $name = $text) =~ s/\n/ | /g;
    ok $exit == 0 && $said =~ /Syntax OK/, "accepted: $name" or diag $said;
    return $said;
}

# --- Values -------------------------------------------------------------------

my @sizes = qw(UploadMaxSize UploadMaxFileSize UploadMaxFieldSize
               UploadMaxFields UploadMaxHeaderSize UploadInline);
for my $name (@sizes) {
    refuses("$name $_", qr/takes a size/)
        for qw(-1 x 1X 1.5M 0x10 1KB +1), '""', '"1 M"', 'M';
    refuses("$name 1048577", qr/write it with a B/);
    refuses("$name 9999999T", qr/larger than any file/);
    refuses("$name 99999999999999999999B", qr/larger than any file/);
    refuses("$name", qr/takes one argument/);
    refuses("$name 1M 2M", qr/takes one argument/);
}
accepts(join "\n", map { my $n = $_; map { "$n $_" }
    qw(1B 1k 1K 1M 1G 1T 16 1048576 1048577B) } @sizes);

refuses("UploadMaxParts $_", qr/number from 1 to 1000000/)
    for qw(0 -1 1000001 1K x 99999999999999999999), '""';
accepts("UploadMaxParts 1\nUploadMaxParts 1000000");

for my $name (qw(UploadExpires UploadIdentifierLifetime UploadSweepInterval)) {
    refuses("$name $_", qr/takes a time/) for qw(0 -1 x 1x 0s), '""';
    accepts("$name $_") for qw(1 1s 5min 2h 1d);
}
refuses("UploadMinRate $_", qr/takes Off, or bytes a second with a unit/)
    for qw(500 1 on -1B 1X 1.5K B), '1000 5s';
refuses("UploadMinRate 500B $_", qr/takes as its second a time/)
    for qw(0 0s 999ms -1 x 2d 25h);
refuses('UploadMinRate 500B 5s 5s', qr/takes 1-2 arguments/);
accepts("UploadMinRate $_")
    for qw(Off off 0 500B 1k 2M), '500B 1s', '1K 30', '1B 24h', '2K 1500ms';
for my $name (qw(UploadMint UploadServe UploadSync UploadChunkedMd5
                 UploadChunkedAuto)) {
    refuses("$name $_", qr/must be On or Off/) for qw(1 yes maybe);
    accepts("$name $_") for qw(on Off);
}
refuses("UploadPark $_", qr/takes On, Off, or Always and a size/)
    for qw(1 yes maybe), '""', 'On 64K', 'Off 1';
refuses("UploadPark Always $_", qr/takes a size, such as 64K/)
    for qw(x -1 1.5K);
accepts("UploadPark $_") for qw(on Off ALWAYS), 'Always 1M', 'always 0';
refuses("UploadFileMode $_", qr/octal permission bits/)
    for qw(0700 0777 644x 0400 888 01600 -1 0060), '""';
accepts("UploadFileMode $_") for qw(0600 600 0640 0660 0666);
refuses("UploadOwner $_", qr/none, user or ip/) for qw(x on), '""';
accepts("UploadOwner $_") for qw(none USER ip);
refuses("UploadInterim $_", qr/off or a number from 1 to 5/)
    for qw(0 6 10 -1 1.5 On auto 5x), '""';
accepts("UploadInterim $_") for qw(1 5 off Off);
refuses("UploadRequire $_", qr/multipart or any/) for qw(x On), '""';
accepts("UploadRequire $_") for qw(multipart Any);
refuses("UploadDigest $_", qr/not one of md5/) for qw(md4 sha256x x), '""';
accepts('UploadDigest md5 sha-1 SHA-256 sha-512 crc32');
refuses("UploadCleanup $_", qr/no status/)
    for qw(4 40 4xxx 6xx 600 0xx 500-400 500-600 -1 200-), '""';
accepts('UploadCleanup 404 4xx 5XX 500-505');
refuses("UploadAllow $_", qr/not one extension|is empty/)
    for qw(a/b a.b * .), '""';
refuses("UploadDeny $_", qr/not one extension|is empty/) for qw(a/b *), '""';
accepts("UploadAllow jpg .PNG x-y z_1\nUploadDeny php .phtml");
refuses("UploadPass $_", qr/local URI/) for qw(x http://example.com/), '""';
accepts('UploadPass /handle');
refuses("UploadPassAs $_", qr/json, form or fields/) for qw(x multipart), '""';
accepts("UploadPassAs $_") for qw(json FORM fields);
refuses("UploadKeyUse $_", qr/identifiers, handoff or both/)
    for qw(x hand-off), '""';
accepts("UploadKeyUse $_") for qw(identifiers Handoff both);
refuses('UploadFileField ""', qr/not empty/);
refuses("UploadFileField \xff", qr/UTF-8/);
accepts('UploadFileField "async-upload"');
refuses("UploadPassField $_", qr/takes two arguments/) for 'a', 'a b c';
refuses("UploadPassField $_", qr/no escape/)
    for '%{pth} x', 'a %{path', 'a%path x', 'a 50%';
refuses("UploadPassField \xff x", qr/UTF-8/);
accepts("UploadPassField $_") for 'a %{path}', '%{field}.x "%{SHA-256} %%"';
refuses('UploadURL ""', qr/takes a URL/);
accepts('UploadURL https://upload.example.com');
refuses("UploadProtocol $_", qr/is none of multipart chunked tus resumable/)
    for qw(off x tusd), 'multipart all', '""';
accepts("UploadProtocol $_")
    for qw(multipart Chunked TUS resumable),
    'resumable tus chunked multipart', "tus\nUploadProtocol chunked";
refuses("UploadCORS $_", qr/is neither \*, null nor an origin/)
    for qw(example.com https://example.com/ https://Example.com x
           https://example.com:443 https://*.example.com), '""';
refuses('UploadCORS', qr/UploadCORS/);
accepts("UploadCORS $_")
    for qw(* null Off https://example.com http://localhost:3000),
    'https://a.example null https://b.example:8443';
refuses("UploadProgress $_", qr/must be shm, or socache:provider/)
    for qw(x socache shm:4096 redis:127.0.0.1), '""';
refuses("UploadProgress socache:$_", qr/is not there: is mod_socache_/)
    for qw(nosuch nosuch:127.0.0.1 REDIS:127.0.0.1), '';
refuses("UploadProgress socache:$_", qr/List of server names required/)
    for qw(redis memcache redis: memcache:);
refuses("UploadProgress socache:$_", qr/has an address that is none/)
    for qw(redis:6379 redis:127.0.0.1:99999), 'memcache:a,b:0', 'redis:a,1';
for my $args ('redis:hush@cache', 'redis:a,user:hush@b:6379',
              'memcache:hush@cache:11211') {
    my ($exit, $said) = $httpd->check("UploadProgress socache:$args\n");
    ok $exit != 0 && $said =~ /UploadProgress.*cannot log in to a cache/
        && $said !~ /hush/, "refused, and not shown: $args" or diag $said;
}
refuses("UploadProgress socache:shmcb:logs/x($_)", qr/Invalid argument/)
    for qw(1 x);
accepts("UploadProgress $_")
    for qw(shm SHM socache:shmcb socache:shmcb:logs/x(65536)
           socache:redis:127.0.0.1 socache:memcache:cache.example.com:11211),
    'Socache:redis:127.0.0.1:6379,[::1]:6380';
accepts('Mutex file:logs upload-pool-progress');
{
    my $without = UploadPool::Httpd->new;
    my ($exit, $said) = $without->check("UploadProgress socache:redis:a\n");
    ok $exit != 0 && $said =~ /UploadProgress.*mod_socache_redis loaded/,
        'refused: a provider that is not loaded' or diag $said;
}
refuses("UploadProgressSlots $_", qr/number from 64 to 1048576/)
    for qw(63 0 -1 1048577 4K), '""';
accepts("UploadProgressSlots $_") for 64, 1048576;
refuses("UploadWatchers $_", qr/UploadWatchers takes one or two numbers/)
    for qw(-1 1000001 many 1K), '10 -1', '10 x', '""';
accepts("UploadWatchers $_") for 0, 1000000, '100 0', '0 100';
refuses("UploadReadSize $_", qr/UploadReadSize takes/)
    for qw(1B 16383B 8K 1025K 2M x -1), '""';
accepts("UploadReadSize $_") for qw(0 16K 64K 1M 1);

refuses("UploadURL '$_'", qr/UploadURL takes a URL/)
    for 'http://h/<script>', 'http://h/a"b';
refuses("UploadNames $_", qr/neither ascii nor utf8/) for qw(latin1 utf-8);
refuses("UploadDigestField '$_'", qr/no name of a form field/)
    for "a\tb", "a\xff", 'x' x 65;
accepts('UploadDigest md5 sha-256 MD5');

# --- Keys ---------------------------------------------------------------------

my $place = "<Location /x>\nUploadPool \"$pool\"\n%s\n</Location>";
refuses(sprintf($place, $_), $_ =~ /UploadKeyFile/ ? qr/UploadKeyFile/
        : qr/UploadKey/) for
    'UploadKey short', 'UploadKey fifteen-bytes-x', 'UploadKey ""',
    "UploadKey '$secret' short", 'UploadKey',
    'UploadKey exec:/nowhere/at/all', 'UploadKey exec:',
    'UploadKey exec:/bin/true', 'UploadKey "exec:/bin/echo short"',
    'UploadKey ' . join(' ', map { "0123456789abcdef$_" } 10 .. 26),
    'UploadKeyFile /nowhere/at/all', 'UploadKeyFile exec:/nowhere/at/all',
    'UploadKeyFile "exec:/bin/echo short"', "UploadKeyFile \"$short\"",
    "UploadKeyFile \"$empty\"", "UploadKeyFile \"$long\"",
    "UploadKeyFile \"$pool\"";
like accepts(sprintf $place, 'UploadKey 0123456789abcdef'),
    qr/warn.*UPL0008:.*16 bytes/, '16 bytes: a warning';
unlike accepts(sprintf $place, 'UploadKey 0123456789abcdef'),
    qr/0123456789abcdef/, 'which does not show the key';
like accepts(sprintf $place, 'UploadKey ' . 'k' x 31), qr/UPL0008/,
    '31 bytes: a warning';
unlike accepts(sprintf $place, 'UploadKey ' . 'k' x 32), qr/UPL0008/,
    '32 bytes: none';
like accepts(sprintf $place, '<IfModule env_module>' . "\n"
             . "UploadKey \"exec:/bin/echo $secret\"\n</IfModule>"),
    qr/UPL0008/, 'the key that a program prints is measured too';
unlike accepts(sprintf $place, 'UploadKeyFile "exec:/bin/echo ' . 'k' x 32
               . '"'), qr/UPL00/, 'a program in place of the file';
spew($short, "# good\n" . 'k' x 32 . "\n\n  " . 'l' x 40 . "  \n");
unlike accepts(sprintf $place, "UploadKeyFile \"$short\""), qr/UPL00/,
    'a file with two good keys';
chmod 0644, $short;
like accepts(sprintf $place, "UploadKeyFile \"$short\""), qr/warn.*UPL0012/,
    'a key file for everybody: a warning';

# --- Contexts -----------------------------------------------------------------

for my $line ("UploadPoolRoot \"$pool\"", 'UploadProgress shm',
              'UploadProgressSlots 64', 'UploadSweepInterval 1min',
              'UploadReadSize 64K', 'UploadWatchers 5') {
    refuses("<Location /x>\n$line\n</Location>", qr/not allowed|cannot occur/);
    refuses("<Directory />\n$line\n</Directory>", qr/not allowed|cannot occur/);
}
for my $line ('UploadProgress shm', 'UploadProgressSlots 64',
              'UploadSweepInterval 1min', 'UploadWatchers 5 1') {
    refuses("<VirtualHost 127.0.0.1:81>\n$line\n</VirtualHost>",
            qr/cannot occur/);
}
accepts("<VirtualHost 127.0.0.1:81>\nUploadReadSize 64K\n</VirtualHost>");
accepts("<VirtualHost 127.0.0.1:81>\nUploadPoolRoot \"$pool\"\n</VirtualHost>");
refuses("UploadPoolRoot \"$pool\" $_", qr/takes a size/) for qw(-1 x 1X);
refuses("UploadPoolRoot \"$pool\" 1048577", qr/write it with a B/);
refuses("UploadPoolRoot \"$pool\" 1G 1G", qr{takes 1-2 arguments});
refuses("UploadPoolRoot \"$pool/none\"",
        qr/UPL0440: UploadPoolRoot .*none: No such file/);
refuses("UploadPoolRoot \"$short\"",
        qr/UPL0440: UploadPoolRoot .*is not a directory/);
my $second = "<VirtualHost 127.0.0.1:81>\nUploadPoolRoot \"%s\" %s\n"
    . "</VirtualHost>";
refuses("UploadPoolRoot \"$pool\" 1G\n" . sprintf($second, $pool, '2G'),
        qr/UPL0441: UploadPoolRoot .*another quota at .*httpd.conf:/);
refuses("UploadPoolRoot \"$pool\" 1G\n" . sprintf($second, "$pool/", ''),
        qr/UPL0441: UploadPoolRoot .*give both the same/);
accepts("UploadPoolRoot \"$pool\" 1G\n" . sprintf($second, $pool, '1024M'));
my $nested = $httpd->make_pool('pool/nested');
refuses("UploadPoolRoot \"$pool\" 1G\n" . sprintf($second, $nested, '1M'),
        qr/UPL0442: UploadPoolRoot .*nested .*whose quota would not hold/);
accepts("UploadPoolRoot \"$pool\"\n" . sprintf($second, $nested, '1M'));
accepts("UploadPoolRoot \"$nested\" 0\n" . sprintf($second, $pool, ''));
accepts("UploadPool \"$pool\"\nUploadMaxSize 1M\nUploadMint On");
refuses("UploadPool", qr/takes one argument/);
refuses("UploadPool a b", qr/takes one argument/);

done_testing;
