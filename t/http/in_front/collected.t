# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The error log reports a proxy that collects uploads in front of the server,
# once; it does not report one that passes them on, or a client that connects
# directly.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::InFront;
use UploadPool::Test;

my $url = '/upload/echo.pl';
my ($body, $type) = multipart([{name => 'f', filename => 'f.bin',
                                content => 'x' x (32 << 20)}], boundary => 'b');
my ($direct, $through) = (var('port'), var('freeport'));

sub begin
{
    my ($port, $id, $of, @headers) = @_;
    my $c = connect_raw(port => $port, timeout => 60);
    $c->send("POST $url?X-Progress-ID=$id HTTP/1.1\r\nHost: localhost\r\n"
        . join('', map { "$_\r\n" } @headers)
        . "Content-Type: $type\r\nContent-Length: " . length($of) . "\r\n\r\n");
    return $c;
}

# As a page does. Returns the states that it saw.
sub ask
{
    my ($port, $id) = @_;
    my %seen;
    for (0 .. 4) {
        sleep 1 if $_;
        $seen{status($url, $id, port => $port)->{state}} = 1;
    }
    return join ' ', sort keys %seen;
}

sub told_since
{
    my ($mark) = @_;
    return scalar(() = error_log_since($mark) =~ /UPL0320/g);
}

# Half of it, while the page asks, and the rest.
sub slowly
{
    my ($port, $what, $states) = @_;
    my $id = new_id();
    my $c = begin($port, $id, $body);
    $c->send(substr $body, 0, length($body) / 2);
    is ask($port, $id), $states, "$what: $states, for seconds";
    $c->send(substr $body, length($body) / 2);
    is $c->answer->{status}, 200, "$what: an upload";
    return;
}

# One on a busy machine may take longer than from the same machine it should.
sub is_told
{
    my ($what) = @_;
    my $mark = log_mark();
    for (1 .. 20) {
        slowly($through, $what, 'starting');
        last if told_since($mark);
    }
    like error_log_since($mark),
        qr{upload_pool:info\].*UPL0320: .*"In front of it" in the manual.*upload_pool_front\.html},
        "$what: told at info, with the page's name";
    slowly($through, $what, 'starting') for 1 .. 2;
    is told_since($mark), 1, "$what: once";
    return;
}

sub is_not_told
{
    my ($port, $what) = @_;
    my $mark = log_mark();
    slowly($port, $what, 'uploading') for 1 .. 2;
    is told_since($mark), 0, "$what: not told";
    return;
}

my $start = log_mark();

# --- A client that comes directly -------------------------------------------

is_not_told($direct, 'direct');
{
    # Its page asks before anything is chosen, and then all comes at once.
    my $mark = log_mark();
    my $id = new_id();
    is ask($direct, $id), 'starting', 'direct, all at once: asked before';
    my $c = begin($direct, $id, $body);
    $c->send($body);
    is $c->answer->{status}, 200, 'direct, all at once: an upload';

    # The same that somebody claims to have passed on, but small.
    $id = new_id();
    is ask($direct, $id), 'starting', 'small: asked before';
    my ($form) = multipart([{name => 'f', filename => 'f.bin',
                             content => 'x' x 900_000}], boundary => 'b');
    $c = begin($direct, $id, $form, 'X-Forwarded-For: 192.0.2.1');
    $c->send($form);
    is $c->answer->{status}, 200, 'small: an upload';

    # And one that nobody has asked for.
    $c = begin($direct, new_id(), $body, 'X-Forwarded-For: 192.0.2.1');
    $c->send($body);
    is $c->answer->{status}, 200, 'not asked for: an upload';
    is told_since($mark), 0, 'none of them is told';
}

# --- nginx, lighttpd --------------------------------------------------------

{
    my $front = UploadPool::InFront->new('nginx');
    is_not_told($through, 'nginx, proxy_request_buffering off');
}
# A module that counts what is reached is too slow for anything to come at once.
if (($ENV{UPOOL_ONCE} || '') ne 'counting') {
    collects_by_default();
}

is crashes_since($start), 0, 'no child died';

done_testing;

sub collects_by_default
{
    {
        my $front = UploadPool::InFront->new('nginx', edit => sub {
            $_[0] =~ s/proxy_request_buffering off;//r });
        is_told('nginx, its default');
    }
    restart_graceful();
    {
        # The usual first configuration of nginx: it adds no field that shows a
        # proxy.
        my $front = UploadPool::InFront->new('nginx', edit => sub {
            "server {\n listen 80;\n client_max_body_size 0;\n"
            . " location / { proxy_pass http://127.0.0.1:8080; }\n}\n" });
        is_told('nginx, nothing but proxy_pass, after a restart');
    }
    restart_graceful();
    {
        my $front = UploadPool::InFront->new('lighttpd', edit => sub {
            $_[0] =~ s/server\.stream-request-body = 2//r });
        is_told('lighttpd, its default');
    }
    return;
}
