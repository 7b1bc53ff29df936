# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# mod_remoteip and UploadOwner ip: which address a client has when it comes
# through a proxy; no client can pass for another. Clients of this machine are
# 127.0.0.1, the proxy, and 127.0.0.2, which is not trusted.

use strict;
use warnings FATAL => 'all';
use IO::Socket::INET;
use Test::More;
use UploadPool::Several;
use UploadPool::Test;

my $mark = log_mark();
my $url = '/n-owned/echo.lua';
my @file = {name => 'f', filename => 'f', content => 'x' x 3000};

# The peer, and the X-Forwarded-For that it sends.
sub as
{
    my ($peer, $forwarded) = @_;
    return (port => var('thirdport'), from => $peer, headers => [
        'Host', 'owned.test',
        defined $forwarded ? ('X-Forwarded-For', $forwarded) : ()]);
}

sub state_for { return status($url, $_[0], as(@_[1 .. $#_]))->{state} // '' }

my @proxied = ('127.0.0.1', '192.0.2.1');
# Who is the same client, and who is not.
my @same = (['127.0.0.1', '192.0.2.1'],
            # All but the last address is the client's own claim.
            ['127.0.0.1', '192.0.2.9, 192.0.2.1']);
my @others = (['127.0.0.1', '192.0.2.2'], ['127.0.0.1', undef],
              ['127.0.0.1', '192.0.2.1, 192.0.2.2'],
              ['127.0.0.2', '192.0.2.1'], ['127.0.0.2', undef],
              ['127.0.0.2', '127.0.0.1']);

sub named { return join ' says ', $_[0], $_[1] // 'nothing' }

my $id = new_id();
is upload($url, \@file, id => $id, as(@proxied))->{status}, 200, 'a form';
for my $who (@same) {
    is state_for($id, @$who), 'done', named(@$who) . ': is its owner';
}
for my $who (@others) {
    my $name = named(@$who);
    is state_for($id, @$who), 'starting', "$name: sees nothing";
    is upload($url, \@file, id => $id, as(@$who))->{status}, 403,
        "$name: may not replace it";
    is request('DELETE', "$url?X-Progress-ID=$id", as(@$who))->{status}, 403,
        "$name: may not clear it";
    is request('GET', "$url/file?X-Progress-ID=$id", as(@$who))->{status}, 404,
        "$name: gets no file";
}
is state_for($id, @proxied), 'done', 'a form: it is still there';

# One that is under way.
{
    my $up = new_id();
    my ($body, $type) = multipart(\@file);
    my $c = connect_raw(port => var('thirdport'));
    $c->send("POST $url?X-Progress-ID=$up HTTP/1.1\r\nHost: owned.test\r\n"
        . "X-Forwarded-For: 192.0.2.1\r\nContent-Type: $type\r\n"
        . 'Content-Length: ' . length($body) . "\r\n\r\n"
        . substr $body, 0, 1000);
    ok wait_for(sub { state_for($up, @proxied) eq 'uploading' }),
        'under way: its owner sees it';
    for my $who (@others) {
        my $name = 'under way, ' . named(@$who);
        is state_for($up, @$who), 'starting', "$name: sees nothing";
        is request('DELETE', "$url?X-Progress-ID=$up", as(@$who))->{status},
            403, "$name: may not stop it";
    }
    $c->send(substr $body, 1000);
    is $c->answer->{status}, 200, 'under way: it goes on';
    $c->close;
}

# In several requests, each of which may come from anywhere.
for my $way (ways()) {
    my $up = begin_as($way, @proxied);
    for my $who (@others) {
        my $r = finish_as($up, @$who);
        like $r->{status}, qr/^40[34]$/, "$way, " . named(@$who) . ': refused';
    }
    my $r = finish_as($up, @{ $same[1] });
    like $r->{status}, qr/^20[014]$/, "$way: its owner goes on";
    is application($r)->{files}[0]{size}, 2000, "$way: to the end";
}

sub finish_as
{
    my ($up, @who) = @_;
    my %to = as(@who);
    $up->{headers} = delete $to{headers};
    return $up->{finish}->(%to);
}

sub begin_as
{
    my ($way, @who) = @_;
    my %to = as(@who);
    return begin($way, $url, 'y' x 2000, headers => delete $to{headers},
                 to => \%to);
}
# --- Interim answers -------------------------------------------------------------

# How many a creation of so many MiB gets, 104 with the URL first.
sub interims
{
    my ($host, $at, $peer, @headers) = @_;
    my $bytes = 6 << 20;
    my $r = request('POST', $at, port => var('thirdport'), from => $peer,
        body => 'x' x $bytes, headers => ['Host', $host,
            'Upload-Draft-Interop-Version', 8, 'Upload-Complete', '?0', @headers]);
    is $r->{status}, 201, "$host, $peer, @headers: created" or diag $r->{body};
    return scalar grep { $_->{status} == 104 } @{ $r->{interim} };
}

my $lua = 'echo.lua';
for my $host (qw(owned.test interim.test)) {
    cmp_ok interims($host, "/n-owned/$lua", '127.0.0.1'), '>=', 2,
        "$host: a client that nobody speaks for is told";
}
for my $case (['owned.test', '127.0.0.1', 'X-Forwarded-For', '192.0.2.1'],
              ['owned.test', '127.0.0.1', 'X-Forwarded-For', '127.0.0.1'],
              ['owned.test', '127.0.0.2', 'X-Forwarded-For', '192.0.2.1'],
              ['owned.test', '127.0.0.1', 'Forwarded', 'for=192.0.2.1'],
              ['owned.test', '127.0.0.1', 'Via', '1.1 proxy'],
              ['interim.test', '127.0.0.1', 'X-Client-IP', '192.0.2.1'],
              # A client on the proxy's machine: nothing of the proxy is left.
              ['interim.test', '127.0.0.1', 'X-Client-IP', '127.0.0.1']) {
    my ($host, @rest) = @$case;
    is interims($host, "/n-owned/$lua", @rest), 0,
        "$host, @rest: behind a proxy nobody is";
}
# A peer that is not trusted is not believed.
cmp_ok interims('interim.test', "/n-owned/$lua", '127.0.0.2', 'X-Client-IP',
                '192.0.2.1'), '>=', 2, 'a header that mod_remoteip does not take';
is interims('interim.test', "/n-interim/$lua", '127.0.0.1', 'X-Client-IP',
            '192.0.2.1'), 3, 'a number in the configuration holds there too';

is crashes_since($mark), 0, 'no child died';

done_testing;
