# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# S3: HTTP/2, whose bodies have no chunks and need no length. Good and malformed
# bodies, each in one DATA frame, in frames of seven bytes and of one: the same
# status and the same JSON as over HTTP/1.1. Streams that are reset and connections
# that go, in every protocol. t/http/refusals/malformed.t does this with curl.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;
use UploadPool::H2;
use UploadPool::Malformed;

my $mark = log_mark();
my $h2 = UploadPool::H2->new;
my $form = '/hostile-form/echo.pl';
my $cgi = '/hostile-cgi/echo.pl';

# --- The same as over HTTP/1.1 ----------------------------------------------

# What is random, and what is HTTP/1.1's own.
sub told
{
    my ($r) = @_;
    my $seen = application($r);
    return [$r->{status}, $r->{json}] unless $seen;
    my $files = delete $seen->{files};
    my @paths = map { delete $_->{path} } @$files;
    return [$r->{status}, $seen, $files,
            [map { slurp($_) } @paths], $r->{json}{env}{UPLOAD_POOL_STATE}];
}

sub both
{
    my ($name, $body, $type) = @_;
    my $id = new_id();
    my $post = "$form?X-Progress-ID=$id";
    my @accept = ('accept', 'application/json');
    my $want = told(request('POST', $post, body => $body,
        headers => ['Content-Type', $type, @accept]));
    for my $piece (0, 7, 1) {
        # Long ones have no new places to cut at.
        next if $piece && length $body > 2000;
        for my $length (1, 0) {
            my $r = $h2->request('POST', $post, $body,
                {'content-type' => $type, @accept,
                 $length ? ('content-length', length $body) : ()},
                piece => $piece);
            my $got = told($r);
            # Nobody has announced how many bytes there will be.
            is_deeply $got, $want, "$name, frames of "
                . ($piece || 'any size') . ($length ? ', announced' : '')
                or diag explain $got, $want, $r->{error};
        }
    }
    return;
}

sub state { return status($form, $_[0])->{state} }
sub file { return {name => 'f', filename => $_[0], content => $_[1]} }

my @good = (
    ['a field', [{name => 'a', value => 'v'}]],
    ['a file', [file('x.txt', 'hello')]],
    ['an empty file', [file('x', '')]],
    ['an input left empty', [file('', '')]],
    ['a name of several bytes', [file("caf\xc3\xa9.txt", 'x')]],
    ['a name that is no UTF-8', [file("caf\xe9.txt", 'x')]],
    ['a name with quotes', [file('a"b\\c.txt', 'x')]],
    ['every byte', [file('all', join '', map { chr } 0 .. 255)]],
    ['content like a delimiter', [file('d', "\r\n--b\r\r\n--\r\n-")]],
    ['a value that is no UTF-8', [{name => 'v', value => "\xff\0\xfe"}]],
    ['fields and files', [map { ({name => "a$_", value => $_},
                                 file("f$_", 'y' x $_)) } 1 .. 5]],
    ['no part at all', []],
    ['a long file', [file('l', 'x' x 300_000)]],
    ['999 fields', [map { {name => "n$_", value => ''} } 1 .. 999]],
    ['a type with parameters', [{name => 'f', filename => 'x', content => 'y',
        type => 'text/plain; charset=utf-8; format="flowed"'}]],
    ['an extended name', [{disposition =>
        q(form-data; name="f"; filename*=utf-8''%e2%82%ac), value => 'x'}]],
);
both($$_[0], multipart($$_[1])) for @good;
both($$_[0], $$_[2], $$_[3] || $PLAIN) for malformed();

# --- Streams that are reset -------------------------------------------------

my ($body, $type) = multipart([file('x', 'hello' x 2000)]);
my $head = index $body, 'hello';
for my $end (qw(reset go)) {
    for my $case (['before the body', 0], ['in a delimiter', 9],
                  ['in a header', $head - 20], ['in the file', $head + 5000],
                  ['before the last byte', length($body) - 3]) {
        my ($name, $at) = @$case;
        my $id = new_id();
        my $log = log_mark();
        my $r = $h2->request('POST', "$form?X-Progress-ID=$id",
            substr($body, 0, $at), {'content-type' => $type},
            end => 0,
            $end => sub { wait_for(sub { state($id) eq 'uploading' }) });
        is $r->{status}, 0, "$end $name: no answer";
        ok wait_for(sub { state($id) eq 'error' }), "$end $name: an error";
        is_deeply [grep { m{^\Q$id\E/.*\.bin$} } pool_files('hostile')], [],
            "$end $name: nothing is kept";
    }
    my $id = new_id();
    my $r = $h2->request('POST', "$form?sleep=1&X-Progress-ID=$id", $body,
        {'content-type' => $type},
        $end => sub { wait_for(sub { state($id) eq 'done' }) });
    is $r->{status}, 0, "$end while the application runs: no answer";
    is state($id), 'done', "$end: the upload is done";
}
is $h2->request('GET', '/hello.txt', '', {})->{status}, 200,
    'a stream of its own is served';

# --- Several requests -------------------------------------------------------

# All that was sent has been taken in.
sub came
{
    my ($id) = @_;
    return wait_for(sub {
        my ($file) = glob pool('hostile') . "/$id/0-*.bin";
        defined $file && -s $file == 20_000;
    });
}

my $content = random_bytes(50_000);
my $all = length $content;
my %tus = ('tus-resumable' => '1.0.0');
my %ietf = ('upload-draft-interop-version' => 8);
my @fronts = (
    ['tus', {%tus, 'upload-length' => $all},
     {%tus, 'content-type' => 'application/offset+octet-stream'}],
    ['ietf', {%ietf, 'upload-length' => $all, 'upload-complete' => '?0'},
     {%ietf, 'content-type' => 'application/partial-upload',
      'upload-complete' => '?1'}],
);
for my $front (@fronts) {
    my ($name, $create, $append) = @$front;
    for my $end (qw(reset go)) {
        my $r = $h2->request('POST', $cgi, '', $create);
        is $r->{status}, 201, "$name: created";
        my ($at) = ($r->{headers}{location} || '') =~ m{(/hostile-cgi.*)};
        $h2->request('PATCH', $at, substr($content, 0, 20_000),
            {%$append, 'upload-offset' => 0}, end => 0,
            $end => sub { came($at =~ m{([^/]+)$}) });
        my $told = $h2->request('HEAD', $at, '', {%$create})->{headers};
        my $offset = $told->{'upload-offset'};
        is $offset, 20_000, "$name, $end: a true offset";
        $r = $h2->request('PATCH', $at, 'x',
            {%$append, 'upload-offset' => $offset + 1});
        is $r->{status}, 409, "$name, $end: another is refused";
        $r = $h2->request('PATCH', $at, substr($content, $offset),
            {%$append, 'upload-offset' => $offset}, piece => 7000);
        is $r->{status}, 200, "$name, $end: the rest";
        is slurp(application($r)->{files}[0]{path}), $content,
            "$name, $end: every byte";
    }
}
# Of a length that nobody knows: what was reset is not the end of it.
for my $round (1 .. 10) {
    my $r = $h2->request('POST', $cgi, '', {%ietf, 'upload-complete' => '?0'});
    my ($at) = ($r->{headers}{location} || '') =~ m{(/hostile-cgi.*)};
    $h2->request('PATCH', $at, substr($content, 0, 20_000),
        {'content-type' => 'application/partial-upload', %ietf,
         'upload-offset' => 0, 'upload-complete' => '?1'}, end => 0,
        reset => sub { came($at =~ m{([^/]+)$}) });
    my $told = $h2->request('HEAD', $at, '', \%ietf)->{headers};
    is_deeply [@$told{qw(upload-offset upload-complete)}], [20_000, '?0'],
        "ietf, length unknown, reset: a beginning, $round";
}
# mod_http2 may show a stream that is reset as one that ends, for as long as it
# has not told the request so: what ends short is what was reset.
for my $end (qw(reset go end)) {
    my $id = new_id();
    my $put = "$cgi?X-Progress-ID=$id";
    my %range = ('content-range' => 'bytes 0-' . ($all - 1) . "/$all");
    $h2->request('PUT', $put, substr($content, 0, 20_000), \%range,
                 $end eq 'end' ? ()
                 : (end => 0, $end => sub { came($id) }));
    my $r = $h2->request('PUT', $put, '', {'content-range' => "bytes */$all",
                                           'content-length' => 0});
    my $offset = $r->{json}{offset};
    is $offset, 20_000, "chunks, $end: a true offset"
        or diag explain $r;
    $r = $h2->request('PUT', $put, substr($content, $offset),
        {'content-range' => "bytes $offset-" . ($all - 1) . "/$all"});
    is $r->{status}, 200, "chunks, $end: the rest";
    is slurp(application($r)->{files}[0]{path}), $content,
        "chunks, $end: every byte";
}

is crashes_since($mark), 0, 'no child died';
done_testing;
