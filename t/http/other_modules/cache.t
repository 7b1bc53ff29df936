# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# mod_cache over a context: this module's answers are never cached, whatever the
# cache was told to keep; the application decides about its own.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Several;
use UploadPool::Test;

my $mark = log_mark();
my $url = '/n/cached/echo.lua';

# To the host of the cache. Two of one URL are never the same for it.
sub at
{
    my ($host, @headers) = @_;
    return (port => var('thirdport'), headers => ['Host', $host, @headers]);
}

sub send_file
{
    my ($host, $id, $content, %o) = @_;
    my @file = {name => 'f', filename => 'f', content => $content};
    return upload($url, \@file, id => $id, at($host), %o);
}

sub hit { return ($_[0]{headers}{'x-cache'} || '') =~ /^HIT/ ? 1 : 0 }

# The same twice, with something between that changes the answer.
sub asked_anew
{
    my ($name, $ask, $change, $first, $second) = @_;
    my $r = $ask->();
    like $r->{body} // '', $first, "$name: before";
    $change->();
    my $next = $ask->();
    like $next->{body} // '', $second, "$name: after";
    ok !hit($r) && !hit($next), "$name: no cache has answered";
}

for my $host (qw(quick-disk.test handler-disk.test quick-socache.test
                 greedy.test)) {
    # It works at all.
    my $page = "$url?cacheable&page=$host";
    request('GET', $page, at($host));
    ok hit(request('GET', $page, at($host))), "$host: a page is cached";

    for my $way (["$url/status?X-Progress-ID=%s"],
                 ["$url?status&X-Progress-ID=%s"],
                 ["$url/status", 'X-Progress-ID']) {
        my ($form, @header) = @$way;
        my $id = new_id();
        my $to = $form =~ s{%s}{$id}r;
        my $get = sub { request('GET', $to, at($host, @header
            ? (@header, $id) : ())) };
        asked_anew("$host: $form", $get,
            sub { send_file($host, $id, 'x' x 100) },
            qr/"starting"/, qr/"done"/);
        asked_anew("$host: $form, cleared", $get,
            sub { request('GET', "$url?clear&X-Progress-ID=$id", at($host)) },
            qr/"done"/, qr/"starting"/);
        # A second time: the first may not have been kept.
        send_file($host, $id, 'x' x 100);
        asked_anew("$host: $form, cleared again", $get,
            sub { request('GET', "$url?clear&X-Progress-ID=$id", at($host)) },
            qr/"done"/, qr/"starting"/);
    }

    # Files: one URL and another identifier, or one identifier and another file.
    my ($one, $two) = (new_id(), new_id());
    send_file($host, $one, 'content of one');
    send_file($host, $two, 'content of two');
    asked_anew("$host: a file",
        sub { request('GET', "$url/file?X-Progress-ID=$one", at($host)) },
        sub { send_file($host, $one, 'something else') },
        qr/\Acontent of one\z/, qr/\Asomething else\z/);
    my @ids = ($one, $two);
    asked_anew("$host: a file, by the header", sub {
            request('GET', "$url/file", at($host, 'X-Progress-ID', shift @ids))
        }, sub { }, qr/\Asomething else\z/, qr/\Acontent of two\z/);
    is request('GET', "$url/file", at($host, 'X-Progress-ID', $two))
        ->{headers}{vary}, 'X-Progress-ID', "$host: and no browser mixes them";

    # Each POST runs the application, whatever it says about its answer.
    for my $n (1, 2) {
        my $id = new_id();
        my @file = {name => 'f', filename => 'f', content => "post $n"};
        my $r = upload("$url?cacheable", \@file, at($host, 'X-Progress-ID',
                                                    $id));
        is application($r)->{identifier}, $id, "$host: POST $n";
        ok !hit($r), "$host: POST $n, not from a cache";
        $r = request('GET', "$url?cacheable", at($host));
        is application($r), undef, "$host: nor is it a GET's answer, $n";
    }

    # Offsets.
    my $up = begin('tus', $url, 'y' x 2000, headers => ['Host', $host],
                   to => {port => var('thirdport')});
    for my $offset (1000, 2000) {
        my $c = connect_raw(port => var('thirdport'));
        $c->send("HEAD $up->{url} HTTP/1.1\r\nHost: $host\r\n"
            . "Tus-Resumable: 1.0.0\r\n\r\n");
        is $c->answer(head => 1)->{headers}{'upload-offset'}, $offset,
            "$host: HEAD tells $offset";
        $c->close;
        $up->{finish}->() if $offset == 1000;
    }
}
is crashes_since($mark), 0, 'no child died';

done_testing;
