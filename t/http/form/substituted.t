# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The request that the application sees, and which only the module can make it
# see.

use strict;
use warnings FATAL => 'all';
use Digest::SHA qw(hmac_sha256_hex);
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my $key = 'what the form suite signs with, 40 bytes';
my @parts = ({name => 'title', value => 'Holiday'},
             {name => 'file', filename => 'my photo.jpg',
              type => 'image/jpeg; charset=x', content => 'x' x 1000});
my ($body, $type) = multipart(\@parts);

# --- The JSON object, exactly -----------------------------------------------

my $id = new_id();
my $r = upload('/form/echo.pl?a=1&b=%20', \@parts, id => $id);
my $seen = application($r);
my $file = $seen->{files}[0];
# T1: No byte of a path is the client's.
like $file->{path}, qr{\A\Q@{[pool('form')]}\E/\Q$id\E/[^/]+\z},
    'path: in the bucket of the upload';
unlike $file->{path}, qr/photo|jpg/, 'path: nothing of the client\'s name';
is((stat $file->{path})[2] & 07777, 0600, 'path: mode 0600');
is_deeply $seen, {
    identifier => $id, state => 'done', filename => 'my photo.jpg',
    'content-type' => 'image/jpeg', size => length $body,
    received => length $body,
    files => [{
        field => 'file', filename => 'my photo.jpg',
        'safe-filename' => 'my_photo.jpg', 'content-type' => 'image/jpeg',
        charset => 'x', params => {charset => 'x'}, size => 1000,
        path => $file->{path}, digests => {},
    }],
    fields => [{name => 'title', value => 'Holiday'}],
}, 'the JSON object has these members and no others';
my $text = $r->{json}{body};
like $text, qr/"size": ?1000\b/, 'numbers are numbers';
unlike $text, qr/[^\x20-\x7e\r\n\t]/, 'JSON in ASCII';
$r = upload('/form/echo.pl', [{name => 'f', value => "<>&\xe2\x80\xa8"}]);
unlike $r->{json}{body}, qr/[<>&]/, '< > & and U+2028 are escaped';
is application($r)->{fields}[0]{value}, "<>&\x{2028}", 'and come back';
is application($r)->{filename}, '', 'no file: an empty name' or
    diag $r->{json}{body};

# --- Headers ----------------------------------------------------------------

my $url = '/form/echo.pl?a=1&b=%20&X-Progress-ID=' . new_id();
my @gone = ('Content-MD5', 'x', 'Digest', 'sha-256=x', 'Content-Digest', 'x',
            'Repr-Digest', 'x', 'Content-Range', 'bytes 0-9/10');
for my $way (['sized'], ['chunked', chunked => 300]) {
    my ($name, @how) = @$way;
    $r = request('POST', $url, body => $body, @how, headers =>
        ['Content-Type', $type, 'X-Own', 'kept', 'Cookie', 'a=b', @gone]);
    my $env = $r->{json}{env};
    is $env->{REQUEST_METHOD}, 'POST', "$name: method";
    is $env->{REQUEST_URI}, $url, "$name: URL and query";
    is $env->{QUERY_STRING}, $url =~ s/.*\?//r, "$name: query";
    is $env->{CONTENT_TYPE}, 'application/json', "$name: type";
    is $env->{CONTENT_LENGTH}, length $r->{json}{body}, "$name: length";
    is $r->{json}{surplus}, 0, "$name: the body ends there";
    ok !exists $env->{"HTTP_$_"}, "$name: no $_" for qw(TRANSFER_ENCODING
        CONTENT_RANGE CONTENT_MD5 DIGEST CONTENT_DIGEST REPR_DIGEST
        CONTENT_ENCODING TRAILER);
    is $env->{HTTP_X_OWN}, 'kept', "$name: other headers stay";
    is $env->{HTTP_COOKIE}, 'a=b', "$name: cookies too";
    is $env->{HTTP_X_UPLOAD_CONTENT_TYPE}, $type, "$name: type set aside";
    is $env->{HTTP_X_UPLOAD_CONTENT_RANGE}, 'bytes 0-9/10',
        "$name: range set aside";
    is $env->{HTTP_X_UPLOAD_CONTENT_LENGTH}, @how ? undef : length $body,
        "$name: length set aside";
    is $env->{HTTP_X_UPLOAD_TRANSFER_ENCODING}, @how ? 'chunked' : undef,
        "$name: transfer coding set aside";
    is $env->{HTTP_X_UPLOAD_STATE}, 'done', "$name: X-Upload-State";
    is $env->{HTTP_X_UPLOAD_IDENTIFIER}, $env->{UPLOAD_POOL_IDENTIFIER},
        "$name: X-Upload-Identifier";
    ok !exists $env->{HTTP_X_UPLOAD_SIGNATURE}, "$name: no key, no signature";

    $r = request('POST', $url =~ s/form\/echo.pl/form-proxy\/x/r, @how,
        body => $body, headers => ['Content-Type', $type, @gone]);
    my $h = $r->{json}{headers};
    is $h->{'content-type'}, 'application/json', "$name, proxy: type";
    is $h->{'content-length'}, length $r->{json}{body}, "$name, proxy: length";
    ok !exists $h->{$_}, "$name, proxy: no $_" for qw(transfer-encoding
        content-range content-md5 digest content-digest repr-digest expect);
    is $h->{'x-upload-state'}, 'done', "$name, proxy: X-Upload-State";
    is application($r)->{fields}[0]{value}, 'Holiday', "$name, proxy: body";
}

# --- Variables --------------------------------------------------------------

$id = new_id();
$r = upload('/form/echo.pl', [@parts, $parts[1]], id => $id);
my $env = $r->{json}{env};
$seen = application($r);
is_deeply { map { $_ => $env->{$_} } grep { /^UPLOAD_POOL/ } keys %$env }, {
    UPLOAD_POOL_STATE => 'done', UPLOAD_POOL_IDENTIFIER => $id,
    UPLOAD_POOL_PATH => $seen->{files}[0]{path}, UPLOAD_POOL_FILES => 2,
    UPLOAD_POOL_SIZE => $seen->{size}, UPLOAD_POOL_URL => '/form/echo.pl',
}, 'the variables of an upload';
$env = upload('/form/echo.pl', [$parts[0]])->{json}{env};
is $env->{UPLOAD_POOL_FILES}, 0, 'no file: none counted';
ok !exists $env->{UPLOAD_POOL_PATH}, 'no file: no path';
$env = request('GET', '/form/echo.pl/a%20b')->{json}{env};
is_deeply { map { $_ => $env->{$_} } grep { /^UPLOAD_POOL/ } keys %$env },
    {UPLOAD_POOL_URL => '/form/echo.pl/a%20b'}, 'the variables of a page';

# --- Signature, minting -----------------------------------------------------

$r = request('GET', '/form-key/echo.pl');
my $minted = $r->{json}{env}{UPLOAD_POOL_NEW_IDENTIFIER};
my ($bare) = $minted =~
    /\A([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}):/;
ok defined $bare, 'a time-ordered UUID for the page to embed';
is $minted, sign($key, $bare), 'signed';
isnt request('GET', '/form-key/echo.pl')->{json}{env}
    {UPLOAD_POOL_NEW_IDENTIFIER}, $minted, 'each time another';
$r = upload('/form-key/echo.pl', \@parts, id => $minted);
is $r->{status}, 200, 'it can be uploaded with as it is';
$env = $r->{json}{env};
is $env->{UPLOAD_POOL_IDENTIFIER}, $bare, 'the application sees the bare one';
is $env->{HTTP_X_UPLOAD_IDENTIFIER}, $bare, 'in the header too';
is application($r)->{identifier}, $bare, 'and in the JSON';
is $env->{HTTP_X_UPLOAD_SIGNATURE},
    'sha256=' . hmac_sha256_hex($r->{json}{body}, $key),
    'X-Upload-Signature is the HMAC of exactly the body';
$r = upload('/form-key/echo.pl', [{name => "\xff", value => "\xff\0\x80"}],
            id => sign($key, new_id()));
is $r->{json}{env}{HTTP_X_UPLOAD_SIGNATURE},
    'sha256=' . hmac_sha256_hex($r->{json}{body}, $key),
    'whatever is in it';

# --- Forgeries --------------------------------------------------------------

# I6: Nobody but the module says so.
my @names = map { "X-Upload-$_" } qw(Identifier State Signature Content-Type
    Content-Length Content-Encoding Content-Range Transfer-Encoding);
my @spelled = map { ($_, lc, uc, tr/-/_/r, s/^X-/X_/r, s/-(?=[^-]+$)/_/r) }
    @names;
my @forged = map { ($_, 'forged') } @spelled;

sub forged_in
{
    my ($said) = @_;
    my %all = (%{ $said->{env} || {} }, %{ $said->{headers} || {} });
    return [grep { defined $all{$_} && $all{$_} =~ /forged/ } sort keys %all];
}
for my $where ('/form/echo.pl', '/form-proxy/x') {
    for my $method (qw(GET POST PUT)) {
        $r = request($method, $where, headers => [@forged, 'Content-Type',
            'text/plain', 'X-Upload-Other', 'its own'],
            $method eq 'GET' ? () : (body => 'x'));
        is $r->{status}, 200, "$method $where";
        is_deeply forged_in($r->{json}), [], 'no forged mark passes';
        my %all = (%{ $r->{json}{env} || {} },
                   %{ $r->{json}{headers} || {} });
        is_deeply [grep { /^(?:http.)?x.upload/i } keys %all],
            [grep { /^(?:http.)?x.upload.other/i } keys %all],
            'but headers of other names do';
    }
    $r = upload($where, \@parts, headers => [@forged]);
    is $r->{status}, 200, "upload to $where";
    is_deeply forged_in($r->{json}), [], 'no forged mark with an upload';
    my $trailers = join '', map { "$_: forged\r\n" } @spelled;
    my $bytes = chunked($body, 100) =~ s/\r\n\z/$trailers\r\n/r;
    for my $host ('localhost', 'form-trailers.test') {
        $r = raw_request("POST $where HTTP/1.1\r\nHost: $host\r\n"
            . "Content-Type: $type\r\nTransfer-Encoding: chunked\r\n"
            . "Trailer: X-Upload-State\r\nConnection: close\r\n\r\n$bytes",
            port => var('thirdport'));
        is $r->{status}, 200, "trailers to $host$where" or diag $r->{body};
        is_deeply forged_in($r->{json}), [], 'no forged mark in trailers';
        is application($r)->{state}, 'done', 'and the upload is one';
    }
}
for my $method (qw(GET POST)) {
    $r = request($method, '/form-env/echo.pl', headers => ['X-Evil', 'forged']);
    is_deeply forged_in($r->{json}),
        ['HTTP_X_EVIL'], "$method: variables of SetEnvIf are taken away";
}
$r = upload('/form-env/echo.pl', \@parts, headers => ['X-Evil', 'forged']);
is_deeply forged_in($r->{json}), ['HTTP_X_EVIL'], 'with an upload too';
is $r->{json}{env}{UPLOAD_POOL_STATE}, 'done', 'ours are there';

# --- Who is logged in -------------------------------------------------------

my %login = map { $_ => 'Basic ' . MIME::Base64::encode_base64("$_:$_-secret",
    '') } qw(ann bob);
$id = new_id();
my $where = '/form-auth/echo.pl';
is upload($where, \@parts, id => $id)->{status}, 401, 'nobody: 401';
is_deeply [pool_files('form-auth')], [], 'and nothing is stored';
$r = upload($where, \@parts, id => $id,
            headers => [Authorization => $login{ann}]);
is $r->{json}{env}{REMOTE_USER}, 'ann', 'the application knows who';
is application($r)->{state}, 'done', 'and has the upload';
sub as
{
    my ($who, $method, $what) = @_;
    return request($method, "$where$what", headers =>
        [Authorization => $login{$who}, Accept => 'application/json']);
}
is as('ann', 'GET', "/status?X-Progress-ID=$id")->{json}{state}, 'done',
    'the owner sees it';
is_deeply as('bob', 'GET', "/status?X-Progress-ID=$id")->{json},
    {state => 'starting'}, 'to another it is unknown';
is as('bob', 'DELETE', "?X-Progress-ID=$id")->{status}, 403,
    'another cannot delete it';
is upload($where, \@parts, id => $id, headers => [Authorization => $login{bob}])
    ->{status}, 403, 'nor replace it';
is scalar(grep { /bin|\d/ } pool_files('form-auth')) > 0, 1, 'it is there';
is as('ann', 'DELETE', "?X-Progress-ID=$id")->{json}{success},
    JSON::PP::true(), 'the owner can';
is_deeply [pool_files('form-auth')], [], 'and it is gone';

is crashes_since($mark), 0, 'no child died';
done_testing;
