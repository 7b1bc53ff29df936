# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# How a request carries its identifier, and identifiers that are paths.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my $url = '/ident/echo.pl';
my ($body, $type) = multipart([{name => 'f', filename => 'f',
                                content => 'hello'}]);

# Sends an upload with that query and these identifier headers.
sub post
{
    my ($query, @ids) = @_;
    return request('POST', $url . ($query eq '' ? '' : "?$query"),
        body => $body, headers => ['Content-Type', $type,
            map { ('X-Progress-ID', $_) } @ids]);
}
sub identifier { return ($_[0]{json} || {})->{env}{UPLOAD_POOL_IDENTIFIER} }

# --- Query, header, both ----------------------------------------------------

my ($a, $b) = (new_id(), new_id());
is identifier(post("X-Progress-ID=$a")), $a, 'in the query';
is identifier(post('', $a)), $a, 'in the header';
is identifier(post("X-Progress-ID=$a", $a)), $a, 'in both, the same';
is identifier(post("x=1&X-Progress-ID=$a&y=2")), $a, 'between others';
is identifier(post("X%2dProgress%2DID=$a")), $a, 'percent-encoded name';
is identifier(post('X-Progress-ID=' . $a =~ s/-/%2d/gr)), $a,
    'percent-encoded value';
is identifier(post("%58-Progress-ID=$a", $a)), $a, 'encoded and header';
for my $query ('', 'x-progress-id=' . $a, 'X-Progress-IDs=' . $a,
               'X_Progress_ID=' . $a, 'a=X-Progress-ID=' . $a) {
    my $r = post($query);
    is $r->{status}, 200, "'$query' carries none";
    isnt identifier($r), $a, 'so one is minted';
    like identifier($r), qr/^[0-9a-f-]{36}$/, 'a UUID';
}
# I3: A request with two identifiers has none.
my %doubled = (
    'both, different' => ["X-Progress-ID=$a", $b],
    'twice in the query' => ["X-Progress-ID=$a&X-Progress-ID=$b"],
    'twice the same' => ["X-Progress-ID=$a&X-Progress-ID=$a"],
    'once encoded' => ["X-Progress-ID=$a&X%2DProgress-ID=$b"],
    'encoded, other way' => ["%58-Progress-ID=$b&X-Progress-ID=$a"],
    'one empty' => ["X-Progress-ID=&X-Progress-ID=$a"],
    'one without value' => ["X-Progress-ID&X-Progress-ID=$a"],
    'twice in the query, in the header' =>
        ["X-Progress-ID=$a&X-Progress-ID=$a", $a],
    'two headers' => ['', $a, $b],
    'two headers, the same' => ['', $a, $a],
    'query and empty header' => ["X-Progress-ID=$a", ''],
    'empty query, header' => ['X-Progress-ID=', $a],
    'name with a NUL' => ["X-Progress-ID%00=$a"],
    'name with a NUL, and one' => ["X-Progress-ID=$a&X-Progress-ID%00x=$b"],
);
for my $name (sort keys %doubled) {
    my $r = post(@{ $doubled{$name} });
    is $r->{status}, 400, "$name: 400";
    ok !$r->{json}, "$name: the application did not run";
    my ($query, @ids) = @{ $doubled{$name} };
    for my $way (['GET', "$url/status?$query"], ['DELETE', "$url?$query"],
                 ['GET', "$url?clear&$query"], ['GET', "$url/file?$query"]) {
        my ($method, $where) = @$way;
        is request($method, $where, headers =>
            [map { ('X-Progress-ID', $_) } @ids])->{status}, 400,
            "$name: $method $where";
    }
}
is status($url, $a)->{state}, 'done', 'none of it did anything';
is request('GET', "$url/status", headers => ['X-Progress-ID', $a])
    ->{json}{state}, 'done', 'status by header';

# --- Paths ------------------------------------------------------------------

my $pool = pool('ident');
my $outside = "$pool-outside";
mkdir $outside or die "$outside: $!";
spew("$outside/keep", 'keep');
spew("$pool/.hidden", 'keep');
mkdir "$pool/..x" or die;
my ($uid, $gid) = (stat $pool)[4, 5];
chown $uid, $gid, "$pool/.hidden", "$pool/..x", $outside, "$outside/keep";
# T2: An identifier is no path.
my @paths = (
    '.', '..', '../', './', '/', '//', '../ident-outside',
    '..%2fident-outside', '%2e%2e%2fident-outside', '%2e%2e', '%2E%2E%2F',
    '..%5cident-outside', '..%c0%afident-outside', '%252e%252e%252f',
    '%2f', '%2fetc', '/etc/passwd', '%2ftmp', "$a/..", "$a%2f..", "$a%2f.",
    "$a/../$a", "$a%00", "$a%00/../x", '%00', "$a.", ".$a", '.hidden', '..x',
    "$a/metadata.json", "$a%2fmetadata.json", "$a%0a", "$a%0d%0aX:%20y",
    "$a+", "%20$a", "$a;x", "$a:", "${a}_", "$a*", '*', '~', '~root', '$HOME',
    '%', '%2', '%zz', 'a' x 65, 'a' x 255, 'a' x 5000, '%ff', "\xc3\xa4",
    "${a}\xe4", '', '...', '....//', 'CON:', 'c:\\x', '|id', '`id`', '-/',
);
cmp_ok scalar @paths, '>=', 40, 'enough of them';
my $before = contents();
for my $path (@paths) {
    my $text = length $path > 80 ? substr($path, 0, 20) . '…' : $path;
    my $wrong = '';
    for my $way (['POST', '?'], ['GET', '/status?'], ['GET', '?status&'],
                 ['GET', '?clear&'], ['POST', '?clear&'], ['DELETE', '?'],
                 ['GET', '/file?'], ['HEAD', '/status?']) {
        my ($method, $where) = @$way;
        my $r = request($method, "$url${where}X-Progress-ID=$path",
            $method eq 'POST' ? (body => $body) : (),
            headers => $method eq 'POST' ? ['Content-Type', $type] : []);
        $wrong .= " $method $where: $r->{status}"
            unless $r->{status} == 400 || $r->{status} == 403;
    }
    is $wrong, '', "'$text' is refused in every request";
}
for my $raw ("..", "../ident-outside", "$a\x01", "$a\x7f") {
    my $r = request('DELETE', $url, headers => ['X-Progress-ID', $raw]);
    is $r->{status}, 400, 'and in the header';
}
is_deeply contents(), $before, 'nothing outside or inside was touched';
unlink "$outside/keep", "$pool/.hidden";
rmdir $outside;
rmdir "$pool/..x";

sub contents
{
    return {(map { ("in $_", slurp("$pool/$_")) } pool_files('ident')),
            (map { ("dir $_", 1) } pool_dirs('ident')),
            (map { ("out $_", slurp("$outside/$_")) }
             UploadPool::Test::pool_files($outside))};
}

for my $good ('a', '0', '-', '--', 'a' x 64, 'A-z-9', 'con', 'metadata') {
    is upload($url, [{name => 'f', filename => 'f', content => 'x'}],
              id => $good)->{status}, 200, "'$good' is one";
    is status($url, $good)->{state}, 'done', 'done';
    is request('DELETE', "$url?X-Progress-ID=$good")->{status}, 200, 'deleted';
}

# --- Lifetime ---------------------------------------------------------------

# I2: An identifier that is too old begins nothing.
sub uuid
{
    my ($version, $bits) = @_;
    my $hex = sprintf '%032s', $bits;
    substr($hex, 12, 1) = $version;
    substr($hex, 16, 1) = 'a';
    return join '-', unpack 'a8 a4 a4 a4 a12', $hex;
}
sub uuid7
{
    my ($seconds) = @_;
    return uuid(7, sprintf('%012x', $seconds * 1000)
                . unpack 'H20', random_bytes(10));
}
# 100 ns since 1582-10-15, as in versions 1 and 6.
sub uuid16
{
    my ($version, $seconds) = @_;
    my $ticks = sprintf '%015x', ($seconds + 12219292800) * 10_000_000;
    my $rest = unpack 'H16', random_bytes(8);
    my $hex = $version == 6
        ? substr($ticks, 0, 12) . '6' . substr($ticks, 12)
        : substr($ticks, 7, 8) . substr($ticks, 3, 4) . '1'
          . substr($ticks, 0, 3);
    return uuid($version, $hex . $rest);
}
my $now = time;
my @ages = (
    ['a new version 7', uuid7($now), 200], ['old', uuid7($now - 700), 410],
    ['a day old', uuid7($now - 86_400), 410], ['of 1970', uuid7(1), 410],
    ['not yet old', uuid7($now - 500), 200],
    ['of the future', uuid7($now + 3600), 200],
    ['old version 1', uuid16(1, $now - 700), 410],
    ['new version 1', uuid16(1, $now), 200],
    ['old version 6', uuid16(6, $now - 700), 410],
    ['new version 6', uuid16(6, $now), 200],
    ['version 4', uuid(4, unpack 'H32', random_bytes(16)), 200],
    ['upper case, old', uc uuid7($now - 700), 410],
    ['no UUID', new_id(), 200],
);
for my $row (@ages) {
    my ($name, $id, $status) = @$row;
    my $r = upload('/ident-old/echo.pl', [{name => 'f', value => 'v'}],
                   id => $id);
    is $r->{status}, $status, "$name: $status" or diag $id;
    is upload('/ident/echo.pl', [{name => 'f', value => 'v'}], id => $id)
        ->{status}, $name =~ /day|1970/ ? 410 : 200,
        "$name, where the lifetime is a day";
    is request('GET', "/ident-old/echo.pl/status?X-Progress-ID=$id")->{status},
        200, "$name: status is answered all the same";
    is request('DELETE', "/ident-old/echo.pl?X-Progress-ID=$id")->{status},
        200, "$name: and it can be cleared";
}

$now = time;
# That holds even where the identifier has been used before; an upload that it
# began in time stays, and goes on.
my $aging = uuid7($now - 597);
my @file = ({name => 'f', filename => 'f', content => 'first'});
is upload('/ident-old/echo.pl', \@file, id => $aging)->{status}, 200,
    'just young enough';
my $going = uuid7($now - 597);
my ($head, $rest) = (substr($body, 0, -10), substr $body, -10);
my $c = connect_raw();
$c->send("POST /ident-old/echo.pl?X-Progress-ID=$going HTTP/1.1\r\nHost: x\r\n"
         . "Content-Type: $type\r\nContent-Length: " . length($body)
         . "\r\n\r\n$head");
is wait_for(sub { status('/ident-old/echo.pl', $going)->{state} eq 'uploading' }),
    1, 'one begins in time';
ok wait_for(sub {
    upload('/ident-old/echo.pl', \@file, id => uuid7($now - 597))->{status} == 410
}), 'then that is too old';
is upload('/ident-old/echo.pl', \@file, id => $aging)->{status}, 410,
    'replayed later: 410';
is upload('/ident-old/echo.pl', \@file, id => $going)->{status}, 410,
    'nor beside the one in flight';
is status('/ident-old/echo.pl', $aging)->{state}, 'done', 'what is there stays';
$c->send($rest);
is $c->answer->{status}, 200, 'and what has begun is completed';
$c->close;
# When the clock is set back, all identifiers that were minted before lie in the
# future: they stay as good as any other.
my $ahead = uuid7($now + 86_400 * 400);
is upload('/ident/echo.pl', \@file, id => $ahead)->{status}, 200,
    'minted before the clock was set back';
is upload('/ident/echo.pl', \@file, id => $ahead)->{status}, 200, 'used again';
is status('/ident/echo.pl', $ahead)->{state}, 'done', 'and is done';
is upload('/ident/echo.pl', \@file, id => uuid(7, 'f' x 32))->{status}, 200,
    'the last moment there is';

is crashes_since($mark), 0, 'no child died';
done_testing;
