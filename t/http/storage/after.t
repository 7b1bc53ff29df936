# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadPass to every kind of handler, and UploadCleanup according to the
# handler's answer.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my @parts = ({name => 'f', filename => 'f.txt', content => 'hello'});

sub is_there { return -d pool('room-pass') . "/$_[0]" }

for my $via (qw(cgi php proxy)) {
    my $id = new_id();
    my $url = "/room-pass/$via";
    my $r = upload("$url?a=b", \@parts, id => $id);
    is $r->{status}, 200, "$via: the answer of where it is passed";
    is application($r)->{identifier}, $id, "$via: which gets the JSON";
    is application($r)->{files}[0]{size}, 5, "$via: with the file";
    my $env = $r->{json}{env} || {};
    my $headers = $r->{json}{headers} || {};
    is $r->{json}{method}, 'POST', "$via: by POST";
    is $env->{CONTENT_TYPE} || $headers->{'content-type'}, 'application/json',
        "$via: as JSON";
    is $env->{HTTP_X_UPLOAD_IDENTIFIER} || $headers->{'x-upload-identifier'},
        $id, "$via: with its marks";
    is $env->{UPLOAD_POOL_STATE}, 'done', "$via: and variables"
        if $via ne 'proxy';
    is status($url, $id)->{state}, 'done', "$via: done";
    ok is_there($id), "$via: it stays";
    # A request that is no upload is not passed.
    isnt request('GET', $url)->{status}, 200, "$via: nothing else is passed";
}

# --- What the client gets decides ---------------------------------------------

# Cleaned up for 404, not claimed from 500 on.
for my $status (200, 302, 400, 403, 404, 405, 451, 500, 502, 503, 507) {
    my $id = new_id();
    my $r = upload("/room-proxy/x?claim&status=$status", \@parts, id => $id);
    is $r->{status}, $status, "proxied: $status";
    if ($status == 404 || $status >= 500) {
        ok wait_for(sub { !-d pool('room-keep') . "/$id" }), "$status: it goes";
        ok wait_for(sub {
            status('/room-proxy/x', $id)->{state} eq 'starting'
        }), "$status: forgotten";
    }
    else {
        wait_for(sub { access_log_since(0) =~ /\b\Q$id\E\b/ });
        ok -d pool('room-keep') . "/$id", "$status: it stays";
    }
}
for my $case (['/room-pass/status', 404], ['/room-pass/nowhere', 404]) {
    my ($url, $status) = @$case;
    my $id = new_id();
    my $at = log_mark();
    is upload($url, \@parts, id => $id)->{status}, $status, "$url: $status";
    ok wait_for(sub { !is_there($id) }), "$url: it goes";
    ok wait_for(sub { status($url, $id)->{state} eq 'starting' }),
        "$url: forgotten";
    # Written when the upload has gone, so it may come after it.
    ok wait_for(sub {
        error_log_since($at) =~ /UPL0025: .*answered with $status/
    }), "$url: the log says why";
}

# The identifier may be another upload's by the time that the answer is out.
my $url = '/room-clean/echo.pl';
my $id = new_id();
my ($body, $type) = multipart(\@parts);
my $c = connect_raw();
$c->send("POST $url?sleep=1.5&status=404&X-Progress-ID=$id HTTP/1.1\r\n"
    . "Host: x\r\nConnection: close\r\nContent-Type: $type\r\n"
    . 'Content-Length: ' . length($body) . "\r\n\r\n$body");
ok wait_for(sub { status($url, $id)->{state} eq 'done' }), 'a slow application';
is upload($url, \@parts, id => $id)->{status}, 409,
    'in use: no successor while it works';
is $c->answer->{status}, 404, 'the slow one is refused';
$c->close;
my $r = upload($url, \@parts, id => $id);
is $r->{status}, 200, 'its successor';
wait_for(sub { my $log = access_log_since(0);
               (() = $log =~ /\b\Q$id\E\b.*\n/g) >= 3 });
ok -e application($r)->{files}[0]{path}, 'the successor keeps its file';
is status($url, $id)->{state}, 'done', 'and its state';

# A clear while it works: gone for those who ask, and for good with the answer.
$id = new_id();
$c = connect_raw();
$c->send("POST $url?sleep=1.5&X-Progress-ID=$id HTTP/1.1\r\n"
    . "Host: x\r\nConnection: close\r\nContent-Type: $type\r\n"
    . 'Content-Length: ' . length($body) . "\r\n\r\n$body");
ok wait_for(sub { status($url, $id)->{state} eq 'done' }), 'slow again';
is request('DELETE', "$url?X-Progress-ID=$id")->{status}, 200, 'a clear';
is status($url, $id)->{state}, 'starting', 'for pollers it is gone';
is upload($url, \@parts, id => $id)->{status}, 409, 'not for a successor';
$r = $c->answer;
$c->close;
is $r->{status}, 200, 'the application had its files to the end';
ok wait_for(sub { !-e application($r)->{files}[0]{path} }),
    'with its answer they go';
is upload($url, \@parts, id => $id)->{status}, 200, 'and the name is free';
is crashes_since($mark), 0, 'no child died';

done_testing;
