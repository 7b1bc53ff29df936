# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Signed identifiers: who may sign, what is refused, where keys come from.

use strict;
use warnings FATAL => 'all';
use Digest::SHA qw(hmac_sha256_hex hmac_sha1_hex sha256_hex);
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my $key = 'the only key of the ident suite, 38 b.';
my @parts = ({name => 'f', filename => 'f', content => 'hello'});
my $url = '/ident-key/echo.pl';

# --- Forgeries --------------------------------------------------------------

# I1: No forgery passes.
my $id = new_id();
my $good = sign($key, $id);
is upload($url, \@parts, id => $good)->{status}, 200, 'a signed one is taken';
my ($signature) = $good =~ /:(.*)/;
my $other = new_id();
my %forged = (
    'unsigned' => $id, 'empty' => '', 'colon only' => ':',
    'signature only' => ":$signature", 'empty signature' => "$id:",
    'upper-case hex' => "$id:" . uc $signature, 'doubled colon' => "$id\::$signature",
    'other identifier' => "$other:$signature", 'twice signed' => "$good:$signature",
    'space before' => " $good", 'space after' => "$good ",
    'space after the colon' => "$id: $signature",
    'newline after' => "$good\n", 'NUL after' => "$good\0",
    'NUL between' => "$id\0:$signature", 'one more digit' => "${good}0",
    'one digit less' => substr($good, 0, -1), 'half' => substr($good, 0, -32),
    'cut ID' => substr($good, 1), 'longer ID' => "x$good",
    'SHA-1' => "$id:" . hmac_sha1_hex($id, $key),
    'plain hash' => "$id:" . sha256_hex($key . $id),
    'hash the other way' => "$id:" . sha256_hex($id . $key),
    'key of another pool' => sign('what the form suite signs with, 40 bytes', $id),
    'key cut' => sign(substr($key, 0, -1), $id), 'empty key' => sign('', $id),
    'arguments swapped' => "$id:" . hmac_sha256_hex($key, $id),
    'signature of the signed' => "$id:" . hmac_sha256_hex($good, $key),
    'bad character' => sign($key, 'a_b'), 'slash' => sign($key, '../x'),
    'empty ID signed' => sign($key, ''), 'dot' => sign($key, '.'),
    '65 characters' => sign($key, 'a' x 65), 'very long' => 'a' x 4000,
    'sha256= prefix' => "$id:sha256=$signature", 'semicolon' => "$id;$signature",
    'zeros' => "$id:" . '0' x 64, 'not hex' => "$id:" . 'g' x 64,
);
for my $at (map { $_ * 9 } 0 .. 7) {
    my $flipped = $good;
    my $where = length($id) + 1 + $at;
    substr($flipped, $where, 1)
        = substr($flipped, $where, 1) eq '0' ? '1' : '0';
    $forged{"digit $at flipped"} = $flipped;
}
cmp_ok scalar keys %forged, '>=', 30, 'enough of them';
my @before = pool_files('ident-key');
for my $name (sort keys %forged) {
    my $since = log_mark();
    my $text = $forged{$name};
    my $r = upload($url, \@parts, id => $text);
    is $r->{status}, 403, "$name: upload";
    ok !$r->{json}, "$name: the application did not run";
    is request('GET', "$url/status?X-Progress-ID=" . escaped($text))->{status},
        403, "$name: status";
    is request('GET', "$url?clear&X-Progress-ID=" . escaped($text))->{status},
        403, "$name: clear";
    is request('DELETE', "$url?X-Progress-ID=" . escaped($text))->{status}, 403,
        "$name: DELETE";
    is request('GET', "$url/file?X-Progress-ID=" . escaped($text))->{status},
        403, "$name: file";
    my $log = error_log_since($since);
    my $lines = () = $log =~ /UPL01\d\d:/g;
    is $lines, 5, "$name: a log line each";
    unlike $log, qr/\Q$signature\E/i, "$name: no signature in the log";
}
is upload($url, \@parts)->{status}, 403, 'none at all: upload';
is_deeply [pool_files('ident-key')], \@before, 'nothing changed in the pool';
is status($url, $good)->{state}, 'done', 'the good one is still there';

sub escaped
{
    my ($text) = @_;
    $text =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ge;
    return $text;
}
my $refused = request('POST', "$url?X-Progress-ID=$id", body => 'x', headers =>
    ['Content-Type', 'multipart/form-data; boundary=x',
     'Accept', 'application/json']);
is_deeply $refused->{json}, {state => 'error',
    error => 'Provided upload identifier was invalid',
    detail => 'Provided upload identifier was invalid'}, 'told in JSON';

# Without a key a signed form is none of ours.
is upload('/ident/echo.pl', \@parts, id => $good)->{status}, 403,
    'no key: a signed form is refused';
is upload('/ident/echo.pl', \@parts, id => $id)->{status}, 200,
    'no key: a bare one is taken';
is upload('/ident/echo.pl', \@parts, id => 'a_b')->{status}, 400,
    'no key: a malformed one is 400';

# --- Where keys come from ---------------------------------------------------

sub minted
{
    my ($where) = @_;
    my $r = request('POST', "$where/new", body => '');
    is $r->{status}, 201, "$where: minted";
    return split /:/, $r->{json}{identifier};
}
my %keys = (
    '/ident-key/echo.pl' => [$key],
    '/ident-rotated/echo.pl' => ['the new key of the ident suite, 38 by.',
                                 'the old key of the ident suite, 38 by.'],
    '/ident-file/echo.pl' => ['first key of the file, 30 or more b.',
        'second key of the file, with CR LF end',
        'third key of the file without an end..'],
    '/ident-exec/echo.pl' => ['what-a-program-prints-for-a-key-is-this'],
);
for my $where (sort keys %keys) {
    my ($bare, $made) = minted($where);
    is $made, hmac_sha256_hex($bare, $keys{$where}[0]),
        "$where: the first key signs";
    is upload($where, \@parts, id => "$bare:$made")->{status}, 200,
        "$where: and verifies";
    for my $secret (map { @$_ } values %keys) {
        my $mine = grep { $_ eq $secret } @{ $keys{$where} };
        my $r = upload($where, \@parts, id => sign($secret, new_id()));
        is $r->{status}, $mine ? 200 : 403,
            "$where: '" . substr($secret, 0, 16) . "' " . ($mine ? '' : 'not');
        next unless $mine;
        is $r->{json}{env}{HTTP_X_UPLOAD_SIGNATURE}, 'sha256='
            . hmac_sha256_hex($r->{json}{body}, $keys{$where}[0]),
            "$where: the body is signed with the first key";
    }
    is upload($where, \@parts, id => sign($_, new_id()))->{status}, 403,
        "$where: no key is '$_'" for '# another comment', '# Keys of the'
        . ' ident suite: comments, blanks, empty lines, CR LF.', '',
        '   first key of the file, 30 or more b.   ',
        "second key of the file, with CR LF end\r", 'exec:';
}
# Signed with the old key: the same upload as with the new one.
$id = new_id();
my ($new, $old) = map { sign($_, $id) } @{ $keys{'/ident-rotated/echo.pl'} };
upload('/ident-rotated/echo.pl', \@parts, id => $old);
is status('/ident-rotated/echo.pl', $new)->{state}, 'done',
    'rotation: one upload under both signatures';

# --- Two virtual hosts ------------------------------------------------------

my %host = (one => 'key of the first virtual host, 35 byt.',
            two => 'key of the second virtual host, 36 by.');
$id = new_id();
for my $host (qw(one two)) {
    my $there = $host eq 'one' ? 'two' : 'one';
    my @at = (port => var('secondport'), headers => [Host => "ident-$host.test"]);
    my $mine = sign($host{$host}, $id);
    my $theirs = sign($host{$there}, $id);
    is upload('/vhost/echo.pl', [{name => 'f', filename => 'f',
        content => $host}], id => $theirs, @at)->{status}, 403,
        "host $host: the other's signature is refused";
    is upload('/vhost/echo.pl', [{name => 'f', filename => 'f',
        content => $host}], id => $mine, @at)->{status}, 200,
        "host $host: its own is taken";
    for my $what ('/status?', '/file?', '?clear&') {
        is request('GET', "/vhost/echo.pl${what}X-Progress-ID=$theirs", @at)
            ->{status}, 403, "host $host: $what of the other";
    }
}
for my $host (qw(one two)) {
    my @at = (port => var('secondport'), headers => [Host => "ident-$host.test"]);
    my $mine = sign($host{$host}, $id);
    is request('GET', "/vhost/echo.pl/file?X-Progress-ID=$mine", @at)->{body},
        $host, "host $host: the same bare identifier is another upload there";
}

# The progress table is one for all pools: an identifier of one pool tells
# nothing about the other's.
$id = new_id();
upload('/ident/echo.pl', [{name => 'f', filename => 'secret-name',
                           content => 'x'}], id => $id);
is_deeply status('/ident-old/echo.pl', $id), {state => 'starting'},
    'another pool does not know it';
request('DELETE', "/ident-old/echo.pl?X-Progress-ID=$id");
is status('/ident/echo.pl', $id)->{state}, 'done',
    'and cannot forget it for us';

unlike error_log_since($mark), qr/\Q$_\E/, 'a key is never in the log'
    for map { @$_ } values %keys;
unlike request('GET', '/server-info')->{body}, qr/\Q$_\E/,
    'nor in server-info' for map { @$_ } values %keys;
is crashes_since($mark), 0, 'no child died';
done_testing;
