# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The eleven defects of infrae.fileupload, one after the other: this suite tries
# on its successor what it did wrong.

use strict;
use warnings FATAL => 'all';
use utf8;
use Digest::MD5 ();
use Digest::SHA qw(hmac_sha256_hex);
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my $url = '/alone';
my $key = 'the key of the alone suite, 33 bytes..';

sub stored
{
    my ($id) = @_;
    my ($file) = grep { m{^\Q$id\E/.*bin} } pool_files('alone');
    return defined $file ? slurp(pool('alone') . "/$file") : undef;
}
sub send_body
{
    my ($body, %o) = @_;
    my $id = new_id();
    my $r = request('POST', "$url?X-Progress-ID=$id", body => $body,
        headers => ['Content-Type', 'multipart/form-data; boundary=x',
                    'Accept', 'application/json'], %o);
    return ($r, $id);
}
my $part = "Content-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n"
    . "Content-Type: text/plain\r\n\r\n";

subtest '1 arbitrary directory deletion' => sub {
    my $victim = pool('alone') . '-victim';
    mkdir $victim or die;
    spew("$victim/file", 'here');
    chown +(stat pool('alone'))[4, 5], $victim, "$victim/file";
    my $id = new_id();
    upload($url, [{name => 'f', filename => 'f', content => 'x'}], id => $id);
    for my $bad ('../alone-victim', '..%2Falone-victim', $victim, '', '.',
                 '%2E%2E%2Falone-victim', "$id/../../alone-victim") {
        for my $how (['GET', '?clear&'], ['POST', '?clear&'],
                     ['DELETE', '?'], ['GET', '/status?clear&']) {
            my $r = request($how->[0], "$url$how->[1]X-Progress-ID=$bad",
                            body => '');
            is $r->{status}, 400, "$how->[0] $how->[1] '$bad'";
        }
    }
    is slurp("$victim/file"), 'here', 'the directory beside is there';
    is stored($id), 'x', 'and the pool with all in it';
    unlink "$victim/file";
    rmdir $victim;
};

subtest '2 the stored file is wrong' => sub {
    for my $content ('hello', "hello\r\n", '', "\r\n", "a\n--x \nb",
                     "bare\n--y\nline", "a\r\n--\r\nx") {
        my $id = new_id();
        my $r = upload($url, [{name => 'f', filename => 'f',
            content => $content}], id => $id);
        is $r->{status}, 200, 'taken';
        is stored($id), $content, 'exactly what was sent';
    }
    my ($r) = send_body("--x\r\n${part}a\n--x--\nb\r\n--x--\r\n");
    is $r->{status}, 400, 'a delimiter after a bare LF is refused, not cut';
};

subtest '3 epilogue and preamble' => sub {
    for my $body ("--x\r\n${part}hello\r\n--x--\r\nepilogue",
                  "preamble\r\n--x\r\n${part}hello\r\n--x--\r\n",
                  "\r\n--x\r\n${part}hello\r\n--x--",
                  "a\r\nb\r\n--x\r\n${part}hello\r\n--x--\r\n\r\nc\r\n") {
        my ($r, $id) = send_body($body);
        is $r->{json}{state}, 'done', 'done at once';
        is status($url, $id)->{state}, 'done', 'and for pollers';
        is stored($id), 'hello', 'with the right bytes';
    }
};

subtest '4 one file only, with type and name' => sub {
    my $r = upload('/form/echo.pl', [
        {name => 'a', value => 'field'},
        {name => 'f', filename => 'one', content => '1', type => undef},
        {name => 'g', filename => '', content => '2'},
        {name => 'h', filename => 'three', content => '3'}]);
    is $r->{status}, 200, 'several files and fields';
    my $seen = application($r);
    is join('|', map { slurp($_->{path}) } @{ $seen->{files} }), '1|2|3',
        'all files';
    is $seen->{fields}[0]{value}, 'field', 'the field';
};

subtest '5 client errors are client errors' => sub {
    my %body = (
        'header without colon' => "--x\r\nContent-Disposition\r\n\r\na\r\n"
            . "--x--\r\n",
        'truncated header' => "--x\r\nContent-Dispo",
        'no closing delimiter' => "--x\r\n${part}hello",
        'nothing' => '', 'no delimiter' => 'hello',
    );
    for my $name (sort keys %body) {
        for my $how (['sized'], ['chunked', chunked => 5]) {
            my ($r, $id) = send_body($body{$name}, @$how[1 .. $#$how]);
            is $r->{status}, 400, "$name, $how->[0]";
            is $r->{json}{state}, 'error', 'in JSON';
        }
    }
    is upload($url, [{name => 'f', filename => "\xe9\xff", content => 'x'}],
              chunked => 10)->{status}, 200, 'a name that is no UTF-8, chunked';
    is request('DELETE', "$url?X-Progress-ID=\xc3\xa4")->{status}, 400,
        'an identifier that is no ASCII';
};

subtest '6 forgeable' => sub {
    my $forged = '{"identifier":"a","state":"done","files":[{"path":'
        . '"/etc/passwd"}],"fields":[]}';
    is request('POST', '/alone-key', body => $forged, headers =>
        ['Content-Type', 'application/json', 'X-Upload-State', 'done'])
        ->{status}, 404, 'the handler does not believe it';
    my $r = request('POST', '/form-key/echo.pl', body => $forged, headers =>
        ['Content-Type', 'application/json', 'X-Upload-State', 'done',
         'X-Upload-Signature', 'sha256=' . '0' x 64]);
    is_deeply [grep { /X_UPLOAD|UPLOAD_POOL_(?!URL|NEW)/ }
               keys %{ $r->{json}{env} }], [],
        'the application gets it without any mark';
};

subtest '7 scripts and the cache' => sub {
    my $id = new_id();
    upload($url, [{name => 'f', filename => '"><script>', content => 'x'}],
           id => $id);
    my $r = request('GET', "$url/status?X-Progress-ID=$id"
                    . '&callback=alert(1)//');
    is $r->{status}, 400, 'no script by callback';
    $r = request('GET', "$url/status?X-Progress-ID=$id&callback=cb");
    is $r->{headers}{'x-content-type-options'}, 'nosniff', 'nosniff';
    is $r->{headers}{'cache-control'}, 'no-store', 'no-store';
    unlike $r->{body}, qr/<script/, 'no markup';
    my $html = upload($url, [{name => 'f', filename => '"><script>',
        content => 'x'}])->{body};
    unlike $html, qr/<script/, 'nor in the page';
    # With a key nobody clears who was not given a signed identifier.
    is request('GET', "/alone-key?clear&X-Progress-ID=$id")->{status}, 403,
        'clear needs the signature';
};

subtest '8 signatures' => sub {
    my $id = new_id();
    my @file = ({name => 'f', filename => 'f', content => 'x'});
    is upload('/alone-key', \@file, id => $id . ':'
        . Digest::MD5::md5_hex($key . $id))->{status}, 403, 'no MD5';
    my $sha = hmac_sha256_hex($id, $key);
    is upload('/alone-key', \@file, id => "$id:" . substr $sha, 0, 32)
        ->{status}, 403, 'no half of it';
    is upload('/alone-key', \@file, id => "$id:$sha")->{status}, 200,
        'HMAC-SHA256';
    # uuid1 of 2010, as an old page may still have it.
    my $old = '5dfa7f00-0e0e-11df-8000-00163e000001';
    is upload('/alone-key', \@file, id => sign($key, $old))->{status}, 410,
        'an old UUID is over';
};

subtest '9 nothing is left of what failed' => sub {
    my @before = grep { /bin/ } pool_files('alone');
    for my $n (1 .. 5) {
        send_body("--x\r\n${part}" . 'a' x 10_000);
    }
    is_deeply [grep { /bin/ } pool_files('alone')], \@before,
        'no file of five failed uploads';
    is_deeply [grep { !m{/} } pool_files('alone')], [],
        'no lock or other file in the pool itself';
};

subtest '10 files without lines, counted right' => sub {
    my ($body, $type) = multipart([{name => 'f', filename => 'f',
        content => 'x' x 200_000}]);
    my $id = new_id();
    my $r = request('POST', "$url?X-Progress-ID=$id", body => $body,
        headers => ['Content-Type', $type], step => 1009);
    is $r->{status}, 200, 'in pieces';
    my $s = status($url, $id);
    is $s->{received}, length $body, 'received is what was sent';
    is $s->{size}, $s->{received}, 'and the size';
    is length stored($id), 200_000, 'the file has its own';
    is_deeply status($url, new_id()), {state => 'starting'}, 'unknown';
};

subtest '11 digests and whom it belongs to' => sub {
    my $r = upload('/alone-digest/echo.pl', [{name => 'f', filename => 'f',
        content => 'hello'}]);
    is application($r)->{files}[0]{digests}{md5}, Digest::MD5::md5_hex('hello'),
        'checksums';
    is upload('/alone-mode/echo.pl', [{name => 'f', filename => 'f',
        content => 'x'}])->{status}, 200, 'UploadSync On';
    is upload('/alone-user', [{name => 'f', value => 'v'}])->{status}, 401,
        'authentication';
};

is crashes_since($mark), 0, 'no child died';
done_testing;
