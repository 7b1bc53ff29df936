# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# mod_upload_progress in the same location: both see the upload, the pollers of
# each are answered.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Neighbours;
use UploadPool::Test;

my $mark = log_mark();
goes_through('track', '/n/track/echo.lua');

# Its answer is JavaScript for an object, with or without quotes.
sub reported
{
    my ($id) = @_;
    my $text = request('GET', "/n-report?X-Progress-ID=$id")->{body} // '';
    return {$text =~ /"?(state|received|size|status)"?\s*:\s*'?"?(\w+)/g};
}

for my $tls (0, 1) {
    my $name = $tls ? 'TLS' : 'plain';
    my $id = new_id();
    my ($body, $type) = multipart([{name => 'f', filename => 'f',
                                    content => 'x' x 30_000}]);
    my $c = connect_raw(tls => $tls);
    $c->send("POST /n/track/echo.lua?X-Progress-ID=$id HTTP/1.1\r\n"
        . "Host: localhost\r\nContent-Type: $type\r\nContent-Length: "
        . length($body) . "\r\n\r\n" . substr $body, 0, 10_000);
    ok wait_for(sub {
        (status('/n/track/echo.lua', $id)->{received} || 0) == 10_000
    }), "$name: ours sees what came";
    # It writes twice a second, and only when somebody reads.
    my $at = 10_000;
    ok wait_for(sub {
        $c->send(substr $body, $at, 100);
        $at += 100;
        my $theirs = reported($id);
        ($theirs->{state} || '') eq 'uploading'
            && ($theirs->{received} || 0) > 10_000;
    }), "$name: theirs sees it too";
    is reported($id)->{size}, length $body, "$name: and of how much";
    $c->send(substr $body, $at);
    my $r = $c->answer;
    is $r->{status}, 200, "$name: done";
    is application($r)->{identifier}, $id, "$name: the application's answer";
    $c->close;
    ok wait_for(sub { (reported($id)->{state} || '') eq 'done' }),
        "$name: theirs says done";
    is status('/n/track/echo.lua', $id)->{state}, 'done', "$name: ours too";
}

# A client that goes: an error here, and no crash there.
{
    my $id = new_id();
    my $c = connect_raw();
    $c->send("POST /n/track/echo.lua?X-Progress-ID=$id HTTP/1.1\r\n"
        . "Host: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        . "Content-Length: 5000\r\n\r\n--b\r\nContent-Disposition: form-data; "
        . "name=\"f\"; filename=\"f\"\r\n\r\nabc");
    ok wait_for(sub {
        (status('/n/track/echo.lua', $id)->{state} || '') eq 'uploading'
    }), 'gone: it has begun';
    $c->reset;
    ok wait_for(sub {
        (status('/n/track/echo.lua', $id)->{state} || '') eq 'error'
    }), 'gone: state error';
}
is crashes_since($mark), 0, 'no child died';

done_testing;
