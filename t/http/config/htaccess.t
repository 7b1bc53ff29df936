# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# What .htaccess may do, and what it may not: a pool below UploadPoolRoot,
# limits can only be lowered, a key is allowed only with its own pool, and no
# program.

use strict;
use warnings FATAL => 'all';
use Test::More;
use File::Path ();
use UploadPool::Test;
use UploadPool::Httpd;

my $httpd = UploadPool::Httpd->new;
my $root = $httpd->make_pool('root');
my $shop = $httpd->make_pool('root/shop');
$httpd->make_pool('root/deep/er');
my $fixed = $httpd->make_pool('fixed');
my $outside = $httpd->make_pool('outside');
symlink $outside, "$root/link";
symlink "$root/deep", "$root/inner";
spew("$root/file", '');
my $world = $httpd->make_pool('root/world');
chmod 0777, $world;
my $root_link = $httpd->dir('pools/root-link');
symlink $root, $root_link;

my $docs = $httpd->dir('htdocs');
my $top = var('top');
sub site { return "<Directory \"$docs/$_[0]\">\n$_[1]\n</Directory>\n" }
File::Path::make_path(map { "$docs/$_" } qw(
    free free/in free/in/deep set set/in none keyed capped capped/in
    capped/in/deep lists lists/in noroot nothing strict));
chmod 0755, "$docs/$_", for qw(free set);

my $upload = "SetHandler upload-pool\n";
my $text = "AllowOverride All\n$upload";
$httpd->start(join '',
    "UploadPoolRoot \"$root_link\"\n",
    site('free', "$text"),
    site('set', "${text}UploadPool \"$fixed\""),
    site('capped', "${text}UploadPool \"$fixed\"\nUploadMaxSize 2000B\n"
         . "UploadMaxParts 5\nUploadMaxFileSize 1500B\nUploadExpires 1h"),
    site('lists', "${text}UploadPool \"$fixed\"\nUploadAllow png jpg txt\n"
         . "UploadDeny txt"),
    site('keyed', "${text}UploadPool \"$fixed\"\n"
         . "UploadKey 'the key of the server, quite long'"),
    site('strict', "${text}UploadPool \"$fixed\"\nUploadRequire multipart"),
    site('none', "AllowOverride AuthConfig\n$upload"),
    "<Location /capped/in/low>\nUploadMaxSize 500B\n</Location>\n",
    "<Location /capped/in/high>\nUploadMaxSize 1M\n</Location>\n");
my @port = (port => $httpd->port);

sub htaccess { spew("$docs/$_[0]/.htaccess", $_[1]); return }

# An upload of a body of exactly $size bytes (0: a small one).
sub try_upload
{
    my ($url, %o) = @_;
    my $size = delete $o{size} || 0;
    my $name = delete $o{name} || 'a.png';
    my ($empty) = multipart([{name => 'f', filename => $name, content => ''}]);
    my $content = 'x' x ($size ? $size - length $empty : 10);
    return upload($url, [{name => 'f', filename => $name,
                          content => $content}], id => new_id(),
                  accept => 'application/json', @port, %o);
}

sub log_of
{
    my ($do) = @_;
    my $at = length $httpd->error_log;
    my $r = $do->();
    return ($r, substr $httpd->error_log, $at);
}

# --- What is required -----------------------------------------------------------

htaccess('strict', "UploadRequire any\n");
is request('POST', '/strict/x', body => 'a=b', @port)->{status}, 415,
    'UploadRequire any in .htaccess does not undo the server\'s';
htaccess('free', "UploadPool shop\nUploadRequire multipart\n");
is request('POST', '/free/x', body => 'a=b', @port)->{status}, 415,
    'UploadRequire multipart in .htaccess holds';

# --- The pool ------------------------------------------------------------------

# T8: What a .htaccess may say.
htaccess('free', '');
is try_upload('/free/x')->{status}, 404, 'no pool: nothing is taken';
htaccess('free', "UploadPool shop\n");
my $r = try_upload('/free/x');
is $r->{status}, 200, 'a pool below the root';
is scalar(grep { /\.bin$/ } pool_files($shop)), 1, 'the file is in it';
is try_upload('/free/in/deep/x')->{status}, 200, 'and for what lies below';
htaccess('free/in', "UploadPool off\n");
is try_upload('/free/in/x')->{status}, 404, 'off in .htaccess';
is try_upload('/free/x')->{status}, 200, 'not above it';
htaccess('free/in', "UploadPool deep/er\n");
is try_upload('/free/in/x')->{status}, 200, 'another pool, two levels deep';
is scalar(grep { /\.bin$/ } pool_files("$root/deep/er")), 1, 'it is there';

for my $path ($shop, '../outside', 'shop/../../outside', 'shop/..', '..', '.',
              './shop', 'shop/.', 'shop//', '/', 'a//b', '"/etc"') {
    htaccess('free', "UploadPool $path\n");
    my ($answer, $log) = log_of(sub { try_upload('/free/x') });
    is $answer->{status}, 500, "$path: 500";
    like $log, qr/UploadPool .*relative/, "$path: the log names the directive";
    unlike $answer->{body}, qr/pools|outside/, "$path: the answer tells nothing";
}
for my $case (['missing', qr/does not exist/], ['shop/missing', qr/does not/],
              ['link', qr/symbolic link/], ['inner/er', qr/symbolic link/],
              ['file', qr/not a directory/], ['file/x', qr/not a directory/],
              ['world', qr/world-writable/]) {
    my ($path, $want) = @$case;
    htaccess('free', "UploadPool $path\n");
    my ($answer, $log) = log_of(sub { try_upload('/free/x') });
    is $answer->{status}, 500, "$path: 500";
    like $log, qr{UPL0126:.*pool /\S*/\Q$path\E: .*$want}, "$path: the log tells why";
    unlike $answer->{body}, qr/\Q$path\E/, "$path: the answer does not";
}
is_deeply [pool_files($outside)], [], 'nothing came to lie outside';

htaccess('none', "UploadPool shop\n");
my ($denied, $why) = log_of(sub { try_upload('/none/x') });
is $denied->{status}, 500, 'without AllowOverride Options';
like $why, qr/UploadPool not allowed here/, 'httpd says so';

# What only the server may say.
htaccess('free', '');
for my $line ('UploadPoolRoot shop', 'UploadKeyFile x', 'UploadSync On',
              'UploadFileMode 0666', 'UploadProgress shm',
              'UploadProgressSlots 64', 'UploadSweepInterval 1s',
              'UploadReadSize 64K', 'UploadWatchers 5') {
    htaccess('free/in', "UploadPool shop\n$line\n");
    my ($answer, $log) = log_of(sub { try_upload('/free/in/x') });
    my ($name) = split / /, $line;
    is $answer->{status}, 500, "$name in .htaccess: 500";
    like $log, qr/$name not allowed here/, "$name: the log names it";
}
for my $line ('UploadMaxSize 1X', 'UploadOwner x', 'UploadPass x',
              'UploadProtocol x', 'UploadCORS x', 'UploadMaxSize 1048577') {
    htaccess('free/in', "UploadPool shop\n$line\n");
    my ($answer, $log) = log_of(sub { try_upload('/free/in/x') });
    my ($name) = split / /, $line;
    is $answer->{status}, 500, "$line: 500";
    like $log, qr/$name[ :]/, "$line: the log names it";
}

# --- Keys ------------------------------------------------------------------------

my $key = 'a key of a customer, long enough for us';
htaccess('free/in', "UploadPool shop\nUploadKey '$key'\n");
is try_upload('/free/in/x')->{status}, 403, 'a key in .htaccess: unsigned';
is try_upload('/free/in/x', id => sign($key, new_id()))->{status}, 200,
    'a key in .htaccess: signed';
htaccess('free', "UploadPool shop\n");
htaccess('free/in', "UploadKey '$key'\n");
is try_upload('/free/in/x', id => sign($key, new_id()))->{status}, 200,
    'pool and key in two .htaccess files';
is try_upload('/free/x')->{status}, 200, 'the key is not for what lies above';
htaccess('set', "UploadKey '$key'\n");
for my $id (new_id(), sign($key, new_id())) {
    my ($answer, $log) = log_of(sub { try_upload('/set/x', id => $id) });
    is $answer->{status}, 500, 'a key for the pool of the server: 500';
    like $log, qr/UPL0127:.*UploadKey in \.htaccess/, 'the log tells why';
}
htaccess('keyed', "UploadKey '$key'\n");
is try_upload('/keyed/x', id => sign($key, new_id()))->{status}, 500,
    'nor does one replace the key of the server';
htaccess('keyed', "UploadPool shop\nUploadKey '$key'\n");
is try_upload('/keyed/x', id => sign($key, new_id()))->{status}, 200,
    'with a pool of its own it may';
htaccess('free/in', "UploadPool shop\nUploadKey exec:/bin/true\n");
my ($exec, $said) = log_of(sub { try_upload('/free/in/x') });
is $exec->{status}, 500, 'no program from .htaccess';
like $said, qr/UploadKey .*no program/, 'the log names the directive';
htaccess('free/in', "UploadPool shop\nUploadKey short-secret\n");
($exec, $said) = log_of(sub { try_upload('/free/in/x') });
is $exec->{status}, 500, 'a short key';
like $said, qr/UploadKey .*16 bytes/, 'the log names the directive';
unlike $httpd->error_log, qr/\Q$key\E|short-secret/, 'no key is in the log';

# --- Limits only lower --------------------------------------------------------------

# outer .htaccess, inner .htaccess, URL below /capped, the limit that holds
for my $case (['', '', 'x', 2000], ['UploadMaxSize 1000B', '', 'x', 1000],
              ['UploadMaxSize 3000B', '', 'x', 2000],
              ['UploadMaxSize 1000B', 'UploadMaxSize 1500B', 'in/x', 1000],
              ['UploadMaxSize 1000B', 'UploadMaxSize 800B', 'in/x', 800],
              ['', 'UploadMaxSize 1G', 'in/x', 2000],
              ['UploadMaxSize 0', '', 'x', 2000],
              ['UploadMaxSize 1000B', 'UploadMaxSize 0', 'in/x', 1000],
              # <Location> is the server's word and comes last.
              ['UploadMaxSize 1000B', '', 'in/low', 500],
              ['UploadMaxSize 400B', '', 'in/low', 400],
              ['UploadMaxSize 1000B', 'UploadMaxSize 900B', 'in/high', 900],
              ['UploadMaxFileSize 1M', '', 'x', 2000]) {
    my ($outer, $inner, $url, $limit) = @$case;
    htaccess('capped', "UploadMaxFileSize 1000000B\n$outer\n");
    htaccess('capped/in', "$inner\n");
    # The form around a file of at most 1500 bytes is what makes it larger.
    my $pad = $limit > 1500 ? [{name => 'p', value => 'v' x 400}] : [];
    my $fits = sized($url, $limit, $pad);
    my $over = sized($url, $limit + 1, $pad);
    is $fits->{status}, 200, "$outer / $inner: $limit bytes at $url";
    is $over->{status}, 413, "$outer / $inner: one more";
}

sub sized
{
    my ($url, $size, $pad) = @_;
    my ($empty) = multipart([@$pad, {name => 'f', filename => 'a',
                                     content => ''}]);
    return upload("/capped/$url", [@$pad, {name => 'f', filename => 'a',
        content => 'x' x ($size - length $empty)}], id => new_id(), @port);
}

for my $case (['UploadMaxFileSize 1M', 1500], ['UploadMaxFileSize 100B', 100]) {
    my ($line, $limit) = @$case;
    htaccess('capped', "$line\n");
    for my $over (0, 1) {
        is upload('/capped/x', [{name => 'f', filename => 'a',
                                 content => 'x' x ($limit + $over)}],
                  id => new_id(), @port)->{status}, $over ? 413 : 200,
            "$line: $limit and $over";
    }
}
for my $case (['UploadMaxParts 100', 5], ['UploadMaxParts 2', 2]) {
    my ($line, $limit) = @$case;
    htaccess('capped', "$line\n");
    for my $over (0, 1) {
        is upload('/capped/x', [map { {name => "f$_", value => 'v'} }
                                1 .. $limit + $over],
                  id => new_id(), @port)->{status}, $over ? 413 : 200,
            "$line: $limit and $over";
    }
}
for my $case (['UploadMaxFieldSize 2M', 1048576],
              ['UploadMaxHeaderSize 1M', 0]) {
    my ($line, $limit) = @$case;
    htaccess('free', "UploadPool shop\n$line\n");
    my $part = {name => 'f', value => 'v' x ($limit + 1),
                $limit ? () : (headers => ['X: ' . 'y' x 16_400])};
    is upload('/free/x', [$part], id => new_id(), @port)->{status}, 413,
        "$line: the default holds";
}
htaccess('capped', "UploadExpires 2h\n");
for my $case (['UploadExpires 2h', 3600], ['UploadExpires 60s', 60]) {
    my ($line, $seconds) = @$case;
    htaccess('capped', "$line\n");
    my $id = new_id();
    upload('/capped/x', [{name => 'f', filename => 'a', content => 'x'}],
           id => $id, @port);
    my $s = status('/capped/x', $id, @port);
    my $at = seconds_of($s->{expires});
    ok $at && abs($at - time - $seconds) < 30, "$line: $seconds seconds"
        or diag explain $s;
}

sub seconds_of
{
    my ($text) = @_;
    my @t = ($text || '') =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)/ or return;
    require Time::Local;
    return Time::Local::timegm($t[5], $t[4], $t[3], $t[2], $t[1] - 1, $t[0]);
}

# --- Lists only narrow ----------------------------------------------------------------

for my $case (['', 'a.png', 200], ['', 'a.gif', 415], ['', 'a.txt', 415],
              ['UploadAllow gif', 'a.gif', 415],
              ['UploadAllow gif', 'a.png', 415],
              ['UploadAllow png', 'a.png', 200],
              ['UploadAllow png', 'a.jpg', 415],
              ['UploadDeny jpg', 'a.jpg', 415],
              ['UploadDeny jpg', 'a.png', 200],
              ['UploadDeny jpg', 'a.txt', 415],
              ['UploadAllow txt', 'a.txt', 415]) {
    my ($line, $name, $status) = @$case;
    htaccess('lists', "$line\n");
    is try_upload('/lists/x', name => $name)->{status}, $status,
        ($line || 'no .htaccess') . ": $name: $status";
}

is scalar(() = $httpd->error_log =~ /exit signal/g), 0, 'no child died';
$httpd->stop;

# --- Without UploadPoolRoot ---------------------------------------------------------

$httpd->start(site('free', $text));
htaccess('free', "UploadPool shop\n");
my ($rootless, $log) = log_of(sub { try_upload('/free/x') });
is $rootless->{status}, 500, 'no UploadPoolRoot: 500';
like $log, qr/UploadPool .*UploadPoolRoot/, 'the log names the directive';
htaccess('free', "UploadPool off\nUploadMaxSize 1M\n");
is try_upload('/free/x')->{status}, 404, 'off is no pool';

done_testing;
