# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Attempts to bypass the module: to forge what only it may say, and to pass what
# only it may let through, where the context is not that of the URL that the
# client asked for.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Several;
use UploadPool::Test;

my $mark = log_mark();
my @forged = ('X-Upload-State', 'done', 'X-Upload-Identifier', 'forged',
              'X_Upload_Signature', 'sha256=forged',
              'X-Upload-Content-Type', 'forged');

# --- A page outside includes one inside -------------------------------------

# I6: Forged headers do not reach a context by a detour within the server.
my $page = request('GET', '/attack/page/ssi.pl', headers => \@forged);
is $page->{status}, 200, 'a page';
my ($state, $outside, $inside) = split /\n/, $page->{body};
like $outside, qr/"HTTP_X_UPLOAD_STATE":"done"/,
    'outside of a context headers pass untouched';
like $inside, qr/"REQUEST_METHOD"/, 'it includes a page of a context';
unlike $inside, qr/forged|X_UPLOAD/, 'which gets nothing forged';

# A page of a context that takes in an upload hands on that upload's headers.
$page = upload('/attack/inside/ssi.pl',
               [{name => 'f', filename => 'f', content => 'hello'}],
               headers => \@forged);
is $page->{status}, 200, 'an upload to a page of the context';
($state, $outside, $inside) = split /\n/, $page->{body};
like $state, qr/^state=done read=\d\d/, 'it has the upload';
like $inside, qr/"HTTP_X_UPLOAD_STATE":"done"/, 'and hands on whose it is';
unlike $inside, qr/forged/, 'nothing else';

# --- A directory outside has its index inside -------------------------------

my $index = '/attack/index/';
my $seen = request('POST', $index, body => '{}',
                   headers => [@forged, 'Content-Type', 'application/json']);
is $seen->{status}, 200, 'a request to the index';
is_deeply [grep { /X_UPLOAD/ } keys %{ $seen->{json}{env} }], [],
    'which gets nothing forged';
my $id = new_id();
$seen = upload($index, [{name => 'f', filename => 'f', content => 'hello'}],
               id => $id);
is $seen->{status}, 200, 'an upload to the index';
is application($seen)->{files}[0]{size}, 5, 'is taken in';
is status("${index}echo.pl", $id)->{state}, 'done', 'and is known';
$seen = upload($index, [{name => 'f', filename => 'f',
                         content => 'x' x 5000}]);
is $seen->{status}, 413, 'a large one is not';

# --- Headers that Connection names ------------------------------------------

# I6: A proxy takes away what Connection names (RFC 9110 7.6.1): no way to take
# the module's word from a request that its application trusts.
my @content = ({name => 'f', filename => 'f', content => 'hello'});
for my $named ('close, X-Upload-State, X-Upload-Identifier, Content-Type,'
               . ' Content-Length, X-Upload-Signature, X-Own',
               "x-upload-state , x-upload-identifier,\tCONTENT-TYPE, X-Own,"
               . ' x-upload-signature,Content-Length,,',
               'X-Upload-State,close', 'X_Upload_State, X-Upload-Content-Type') {
    my $id = new_id();
    my $r = upload('/attack/proxy/', \@content, keep_alive => 1,
                   id => sign('the key of the attack suite, 35 byte..', $id),
                   headers => ['Connection', $named, 'X-Own', 'its own']);
    is $r->{status}, 200, "Connection: $named";
    my $h = $r->{json}{headers};
    is $h->{'content-type'}, 'application/json', 'the type is there';
    is $h->{'content-length'}, length $r->{json}{body}, 'the length';
    is $h->{'x-upload-state'}, 'done', 'the state';
    is $h->{'x-upload-identifier'}, $id, 'the identifier';
    like $h->{'x-upload-signature'}, qr/^sha256=[0-9a-f]{64}$/, 'the signature';
    like $h->{'x-upload-content-type'}, qr{^multipart/form-data},
        'what was set aside';
    is $h->{'x-own'}, $named =~ /X-Own/ ? undef : 'its own',
        'and what else is named is not the module\'s';
}

# --- Uploads in several requests ---------------------------------------------

# I6: Every request of an upload may lie, also the one that runs the application.
for my $way (ways()) {
    my $up = begin($way, '/c/cgi/echo.pl', 'hello',
                   headers => \@forged);
    my $r = $up->{finish}->();
    is $r->{status}, 200, "$way: complete";
    my $env = $r->{json}{env};
    is_deeply [grep { $env->{$_} =~ /forged/ } sort keys %$env], [],
        "$way: nothing forged";
    is $env->{HTTP_X_UPLOAD_IDENTIFIER}, application($r)->{identifier},
        "$way: the identifier is that of the upload";
    is $env->{UPLOAD_POOL_PATH}, application($r)->{files}[0]{path},
        "$way: the path too";
}
# The shape alone is nobody's word: with none of the marks.
my $shape = as_json({identifier => 'x', state => 'done', filename => 'passwd',
    files => [{field => 'f', path => '/etc/passwd', size => 1}], fields => []});
for my $type ('application/json', 'application/json; charset=utf-8',
              'Application/JSON') {
    my $r = request('POST', '/attack/several/echo.pl', body => $shape,
                    headers => ['Content-Type', $type, @forged]);
    is $r->{status}, 200, "$type of the client's own";
    is_deeply [grep { /UPLOAD_(?:POOL_(?:STATE|PATH)|STATE|IDENT|SIGN)/ }
                   sort keys %{ $r->{json}{env} }], [],
        "$type: passes without a mark";
}

is crashes_since($mark), 0, 'no child crashed';
done_testing;
