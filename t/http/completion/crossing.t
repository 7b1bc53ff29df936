# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# All protocols at one URL: only the protocol that began an upload continues it.
# To the others the upload does not exist, and they change nothing.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Chunked ();
use UploadPool::Ietf ();
use UploadPool::Test;
use UploadPool::Tus ();

my $mark = log_mark();
my $url = '/c/cgi/echo.pl';
my $octets = 'application/offset+octet-stream';

sub id_of
{
    my ($url) = @_;
    return defined $url && $url =~ m{([^/?]+)$} ? $1 : die 'no Location';
}

# Each begins an upload of 11 bytes with the first five, and says which.
my %begin = (
    tus => sub {
        my $at = UploadPool::Tus::create($url, length => 11)
            ->{headers}{location};
        UploadPool::Tus::append($at, 0, 'hello');
        return id_of($at);
    },
    resumable => sub {
        my $r = UploadPool::Ietf::create($url, 'hello', complete => 0,
                                         of => 11);
        return id_of(UploadPool::Ietf::location_of($r));
    },
    chunked => sub {
        return UploadPool::Chunked::raw('PUT', $url, 'hello',
            range => 'bytes 0-4/11')->{json}{upload_id};
    },
    filepond => sub {
        my ($body, $type) = multipart([{name => 'f', value => '{}'}]);
        my $id = request('POST', $url, body => $body, headers => [
            'Content-Type', $type, 'Upload-Length', 11])->{body};
        pond('PATCH', $id, 0, 'hello');
        return $id;
    },
);

sub pond
{
    my ($method, $id, $offset, $bytes) = @_;
    return request($method, "$url?patch=$id", body => $bytes, headers => [
        defined $offset ? ('Content-Type', $octets, 'Upload-Length', 11,
                           'Upload-Offset', $offset, 'Upload-Name', 'f') : ()]);
}

# Each goes on with that upload: its other six bytes.
my %go_on = (
    tus => sub { UploadPool::Tus::append("$url/$_[0]", 5, ' world') },
    resumable => sub { UploadPool::Ietf::append("$url/$_[0]", 5, ' world') },
    chunked => sub {
        UploadPool::Chunked::raw('PUT', $url, ' world', id => $_[0],
                                 range => 'bytes 5-10/11');
    },
    filepond => sub { pond('PATCH', $_[0], 5, ' world') },
);

# Each asks where it is.
my %ask = (
    tus => sub { UploadPool::Tus::head("$url/$_[0]") },
    resumable => sub { UploadPool::Ietf::state_of("$url/$_[0]") },
    filepond => sub { pond('HEAD', $_[0]) },
);

for my $one (sort keys %begin) {
    my $id = $begin{$one}->();
    ok length $id, "$one: begun" or next;
    for my $other (sort grep { $_ ne $one } keys %go_on) {
        my $name = "begun by $one, $other";
        my $r = $go_on{$other}->($id);
        like $r->{status}, qr/^4\d\d$/, "$name: does not go on with it"
            or diag $r->{body};
        is $r->{headers}{'upload-offset'}, undef, "$name: nor hears where it is"
            if $other ne 'chunked';
        if (my $ask = $ask{$other}) {
            $r = $ask->($id);
            is $r->{status}, 404, "$name: asks for it in vain";
        }
        is status($url, $id)->{received}, 5, "$name: nothing came to it";
    }
    my $r = $go_on{$one}->($id);
    is $r->{status}, 200, "$one: goes on with its own" or diag $r->{body};
    is slurp(application($r)->{files}[0]{path}), 'hello world',
        "$one: which is whole";
}
is crashes_since($mark), 0, 'no child died';

done_testing;
