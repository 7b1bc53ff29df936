# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadOwner user: an upload gets its owner with its first byte, and from then
# on nobody else can see or touch it, whatever its state.

use strict;
use warnings FATAL => 'all';
use MIME::Base64 qw(encode_base64);
use Test::More;
use UploadPool::Test;
use UploadPool::Httpd;

my $mark = log_mark();
my $url = '/room-owner';
my @parts = ({name => 'f', filename => 'f', content => 'x' x 5000});
my ($body, $type) = multipart(\@parts);
my %login = map { $_ => ['Authorization', 'Basic '
    . encode_base64("$_:$_-secret", '')] } qw(ann bob);

sub as
{
    my ($user, $method, $query, @more) = @_;
    return request($method, "$url$query", headers => $login{$user}, @more);
}

sub begin
{
    my ($user, $id, $part) = @_;
    my $c = connect_raw();
    $c->send("POST $url?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
        . "Content-Type: $type\r\n$login{$user}[0]: $login{$user}[1]\r\n"
        . 'Content-Length: ' . length($body) . "\r\n\r\n"
        . substr $body, 0, $part);
    wait_for(sub { (status($url, $id, headers => $login{$user})->{received}
                    || 0) >= $part }) or die 'it does not begin';
    return $c;
}

sub is_strange
{
    my ($id, $state) = @_;
    is_deeply status($url, $id, headers => $login{bob}), {state => 'starting'},
        "$state: unknown to a stranger";
    my $r = upload($url, \@parts, id => $id, headers => $login{bob},
                   accept => 'application/json');
    is $r->{status}, 403, "$state: not his to upload";
    is $r->{json}{error}, 'Provided upload identifier was invalid',
        "$state: nor told why";
    is as('bob', 'DELETE', "?X-Progress-ID=$id")->{status}, 403,
        "$state: nor to clear";
    is as('bob', 'GET', "?clear&X-Progress-ID=$id")->{status}, 403,
        "$state: nor by GET";
    is as('bob', 'GET', "/file?X-Progress-ID=$id")->{status}, 404,
        "$state: nor to read";
    return;
}

my $id = new_id();
my $c = begin('ann', $id, 3000);
is_strange($id, 'in flight');
is status($url, $id, headers => $login{ann})->{received}, 3000,
    'its owner sees it';
is upload($url, \@parts, id => $id, headers => $login{ann})->{status}, 409,
    'and is told that it is under way';
$c->send(substr $body, 3000);
is $c->answer->{status}, 200, 'it completes';
$c->close;
is_strange($id, 'done');
is as('ann', 'GET', "/file?X-Progress-ID=$id")->{body}, 'x' x 5000,
    'its owner reads it';
is upload($url, \@parts, id => $id, headers => $login{ann})->{status}, 200,
    'and replaces it';

$c = begin('ann', $id, 2000);
is_strange($id, 'being replaced');
$c->reset;
ok wait_for(sub { status($url, $id, headers => $login{ann})->{state}
                      eq 'error' }), 'the replacement fails';
is_strange($id, 'done and failed');
my $failed = new_id();
begin('ann', $failed, 2000)->reset;
ok wait_for(sub { status($url, $failed, headers => $login{ann})->{state}
                      eq 'error' }), 'another fails';
is_strange($failed, 'failed');
is as('ann', 'DELETE', "?X-Progress-ID=$failed")->{status}, 200,
    'its owner clears it';
is upload($url, \@parts, id => $failed, headers => $login{bob})->{status}, 200,
    'then anybody may take the name';
is_deeply status($url, $failed, headers => $login{ann}), {state => 'starting'},
    'and has it for himself';

# --- After a restart the disk tells ------------------------------------------

my $httpd = UploadPool::Httpd->new;
my $pool = $httpd->make_pool('o');
my $config = <<"END";
<Location /room-owner>
    SetHandler upload-pool
    UploadPool "$pool"
    UploadServe On
    UploadOwner ip
</Location>
END
my $there = 'http://127.0.0.1:' . $httpd->port;
my @there = (port => $httpd->port);
my @stranger = ('--interface', '127.0.0.2');
$httpd->start($config);
my ($done, $broken) = (new_id(), new_id());
is upload($url, \@parts, id => $done, @there)->{status}, 200, 'one is done';
request('POST', "$url?X-Progress-ID=$broken", body => substr($body, 0, 3000),
        headers => ['Content-Type', $type], @there);
is request('GET', "$url/status?X-Progress-ID=$broken", @there)->{json}{state},
    'error', 'one has failed';
$httpd->stop;
$httpd->start($config);
for my $case ([$done, 'done'], [$broken, 'error']) {
    my ($name, $state) = @$case;
    my $at = "$there$url";
    is request('GET', "$url/status?X-Progress-ID=$name", @there)->{json}{state},
        $state, "$state: its owner sees it";
    is curl(@stranger, "$at/status?X-Progress-ID=$name")->{json}{state},
        'starting', "$state: a stranger does not";
    is curl(@stranger, '-F', 'f=x', "$at?X-Progress-ID=$name")->{status}, 403,
        "$state: nor takes its name";
    is curl(@stranger, '-X', 'DELETE', "$at?X-Progress-ID=$name")->{status},
        403, "$state: nor clears it";
    is request('GET', "$url/status?X-Progress-ID=$name", @there)->{json}{state},
        $state, "$state: it is what it was";
    is upload($url, \@parts, id => $name, @there)->{status}, 200,
        "$state: its owner replaces it";
}
$httpd->stop;
is crashes_since($mark), 0, 'no child died';

done_testing;
