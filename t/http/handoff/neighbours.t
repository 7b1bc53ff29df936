# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Modules that also have to do with bodies, headers or variables, in the same
# context as a pool.

use strict;
use warnings FATAL => 'all';
use Digest::SHA qw(hmac_sha256_hex);
use Encode ();
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my @parts = ({name => 'title', value => 'allowed'},
             {name => 'file', filename => 'a.txt', content => 'x' x 30_000});
my @framings = (['length'], ['chunked', chunked => 1000]);

# --- The module's word ------------------------------------------------------

my $key = 'sixteen bytes or more, please: 32';
my $signed = sign($key, new_id());
my $r = upload('/h/signed/echo.pl', \@parts, id => $signed);
is $r->{status}, 200, 'signed: status';
my $json = Encode::encode('UTF-8', $r->{json}{body});
is $r->{json}{env}{HTTP_X_UPLOAD_SIGNATURE},
    'sha256=' . hmac_sha256_hex($json, $key),
    'signed: the signature is over exactly the bytes of the body';

# Variables that another module made of the client's headers too early.
$r = request('POST', '/h/cgi/echo.pl', body => '{}',
             headers => ['Content-Type', 'application/json',
                         'X-Early', 'forged']);
is $r->{json}{env}{HTTP_X_EARLY}, 'forged', 'early: the probe works';
for my $name (qw(HTTP_X_UPLOAD_IDENTIFIER HTTP_X_UPLOAD_STATE
                 UPLOAD_POOL_STATE UPLOAD_POOL_PATH)) {
    is $r->{json}{env}{$name}, undef, "early: no $name";
}
my $id = new_id();
$r = upload('/h/cgi/echo.pl', \@parts, id => $id,
            headers => ['X-Early', 'forged', 'X_Upload_State', 'forged']);
is $r->{json}{env}{HTTP_X_UPLOAD_IDENTIFIER}, $id, 'early: the right one';
is $r->{json}{env}{HTTP_X_UPLOAD_STATE}, 'done', 'early: the right state';
is $r->{json}{env}{HTTP_CONTENT_RANGE}, undef,
    'early: a variable of a header that is set aside';

# A second pool behind the first believes the first no more than any client.
$r = upload('/h/double/echo.pl', \@parts, id => new_id());
is $r->{status}, 200, 'two pools: status';
is application($r)->{state}, 'done', 'two pools: the JSON passes';
is $r->{json}{env}{HTTP_X_UPLOAD_STATE}, undef, 'two pools: no header';
is $r->{json}{env}{UPLOAD_POOL_STATE}, undef, 'two pools: no variable';

# --- mod_security -----------------------------------------------------------

empty_pool('handlers/pool');
for my $framing (@framings) {
    my ($name, @how) = @$framing;
    $id = new_id();
    $r = upload('/h/security/echo.pl',
                [{name => 'title', value => 'forbidden'}, $parts[1]],
                id => $id, @how);
    is $r->{status}, 403, "security, $name: its rule sees the form";
    is_deeply [grep { /^\Q$id/ } pool_files('handlers/pool')], [],
        "security, $name: nothing in the pool";
    is status('/h/cgi/echo.pl', $id)->{state}, 'starting',
        "security, $name: never began";
    $r = upload('/h/security/echo.pl', \@parts, id => $id, @how);
    is application($r)->{identifier}, $id, "security, $name: another passes";
}

# --- mod_dav ----------------------------------------------------------------

my ($body, $type) = multipart(\@parts);
for my $framing (@framings) {
    my ($name, @how) = @$framing;
    my $url = '/h/davfiles/a.bin';
    $r = request('PUT', $url, body => $body, @how,
                 headers => ['Content-Type', $type]);
    is $r->{status}, 201, "dav, $name: PUT";
    is request('GET', $url)->{body}, $body, "dav, $name: passes untouched";
    $r = request('PROPFIND', $url, headers => ['Depth', 0]);
    is $r->{status}, 207, "dav, $name: PROPFIND";
    $id = new_id();
    is request('DELETE', "$url?X-Progress-ID=$id")->{status}, 200,
        "dav, $name: DELETE with an identifier clears the upload";
    is request('GET', $url)->{status}, 200, "dav, $name: and no more";
    is request('DELETE', $url)->{status}, 204, "dav, $name: DELETE";
}

# --- mod_include: sub-requests ----------------------------------------------

# KeptBodySize keeps the JSON, not the upload, whatever its value.
for my $context (qw(ssi keptssi keptsmall)) {
    for my $framing (@framings) {
        my ($name, @how) = @$framing;
        $name = "$context, $name";
        $id = new_id();
        $r = upload("/h/$context/ssi.pl", \@parts, id => $id, @how);
        is $r->{status}, 200, "$name: status" or diag $r->{body};
        like $r->{body}, qr/^state=done read=[1-9]/,
            "$name: the page has the variables and the JSON";
        my @included = map { decode_json_text($_) || {} }
            grep { /^\{/ } split /\n/, $r->{body} =~ s/\}\{/}\n{/gr;
        is scalar @included, 2, "$name: two programs are included"
            or diag $r->{body};
        for my $part (@included) {
            my $to = "$name, $part->{env}{SCRIPT_NAME}";
            unlike $part->{body} // '', qr/Content-Disposition|^--/,
                "$to: nothing of the form";
            is $part->{length}, $part->{env}{CONTENT_LENGTH} || 0,
                "$to: as long as announced" if $context ne 'ssi';
            is $part->{env}{UPLOAD_POOL_STATE}, 'done', "$to: the variables";
        }
    }
}

# --- mod_reflector: a handler that copies brigades --------------------------

for my $framing (@framings) {
    my ($name, @how) = @$framing;
    $id = new_id();
    $r = upload('/h/reflect', \@parts, id => $id, @how);
    is $r->{status}, 200, "reflector, $name: status";
    is $r->{json}{identifier}, $id, "reflector, $name: sends back the JSON";
}

# --- mod_remoteip: the client is who the proxy says -------------------------

sub from
{
    my ($address, $upload, @how) = @_;
    my %o = (port => var('thirdport'), id => $upload, @how,
             headers => ['Host', 'remoteip.test', 'X-Client-IP', $address]);
    return upload('/h/owned/echo.pl', \@parts, %o);
}

sub state_for
{
    my ($address, $upload) = @_;
    return status('/h/owned/echo.pl', $upload, port => var('thirdport'),
        headers => ['Host', 'remoteip.test', 'X-Client-IP', $address])
        ->{state};
}

$id = new_id();
$r = from('192.0.2.1', $id);
is $r->{status}, 200, 'remoteip: upload';
is $r->{json}{env}{REMOTE_ADDR}, '192.0.2.1', 'remoteip: works';
is state_for('192.0.2.1', $id), 'done', 'remoteip: the owner';
isnt state_for('192.0.2.2', $id) // '', 'done', 'remoteip: another';
is from('192.0.2.2', $id)->{status}, 403, 'remoteip: another may not upload';
is from('192.0.2.1', $id)->{status}, 200, 'remoteip: the owner may';

# --- HTTP/2 and TLS to some handlers ----------------------------------------

spew(var('t_logs') . '/handlers.bin', 'x' x 200_000);
for my $url (qw(/h/cgi/echo.pl /h/php/echo.php /h/wsgidaemon/a /h/perl/x
                /h/backend/a /h/lua/echo.lua /h/site/any/path)) {
    for my $way (['HTTP/2', '--http2-prior-knowledge', base()],
                 ['TLS', '--insecure',
                  'https://127.0.0.1:' . var('tlsport')]) {
        my ($name, $option, $base) = @$way;
        # mod_http2 says that prefork is not for it: it runs mod_php in a second
        # thread, of whose stack PHP 8.3 and later know nothing.
        next if $name eq 'HTTP/2' && $url =~ m{/php/} && var('mpm') eq 'prefork';
        $id = new_id();
        $r = curl($option, '-F', 'title=a', '-F',
                  'file=@' . var('t_logs') . '/handlers.bin',
                  "$base$url?X-Progress-ID=$id");
        is $r->{status}, 200, "$name, $url: status" or diag $r->{body};
        my $seen = application($r) || {};
        is $seen->{identifier}, $id, "$name, $url: identifier";
        is $seen->{files}[0]{size}, 200_000, "$name, $url: size";
    }
}
is crashes_since($mark), 0, 'no child died';

done_testing;
