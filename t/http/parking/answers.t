# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Repeats of a request that completes an upload wait for the answer that the
# application gives to the first one. There are many more of them than threads;
# where they can be parked they hold no thread.

use strict;
use warnings FATAL => 'all';
use Digest::MD5 qw(md5_hex);
use Test::More;
use UploadPool::Httpd;
use UploadPool::Test;

my $parks = var('mpm') eq 'event';
my $many = $parks ? 20 : 3;    # and 8 threads
my $httpd = UploadPool::Httpd->new(modules => ['actions']);
my $dir = $httpd->make_pool('answers');
my $port = $httpd->port;
my $go = $httpd->dir('go');
my $program = $httpd->dir('wait.sh');
my $content = 'content of ' . new_id();
spew($httpd->dir('htdocs/hello.txt'), 'hello');
# It reads its input: what is unread when it ends takes its answer along.
spew($program, "#!/bin/sh\ncat >/dev/null\nuntil [ -e $go ]; do sleep 0.1; done\n"
    . "echo 'Content-Type: text/plain'\necho\necho answered \$\$\n");
chmod 0755, $program;
$httpd->start(($parks ? "AsyncRequestWorkerFactor 100\n" : '')
    . join '', map { "ScriptAlias $$_[0] \"$program\"\n<Location $$_[0]>\n"
        . "UploadPool \"$dir\"\nUploadProtocol multipart tus chunked\n$$_[1]"
        . "</Location>\n" } ['/app', ''], ['/off', "UploadPark Off\n"]);

sub ask
{
    my ($method, $url, $headers, $body) = @_;
    my $c = connect_raw(port => $port);
    $c->send("$method $url HTTP/1.1\r\nHost: x\r\n$headers"
        . 'Content-Length: ' . length($body) . "\r\n\r\n$body");
    return $c;
}

my %completes = (
    tus => sub {
        my ($id, $url) = @_;
        $url //= '/app';
        return ask('POST', "$url?X-Progress-ID=$id",
            "Tus-Resumable: 1.0.0\r\nUpload-Length: " . length($content)
            . "\r\nContent-Type: application/offset+octet-stream\r\n", $content);
    },
    chunked => sub {
        return ask('POST', '/app/complete',
            "Content-Type: application/x-www-form-urlencoded\r\n",
            "upload_id=$_[0]&md5=" . md5_hex($content));
    },
);

sub parked { return scalar(() = $httpd->error_log =~ /UPL0050: /g) }

# All of it is there, and has only to be completed.
sub prepare
{
    my ($way, $id) = @_;
    return if $way eq 'tus';
    my ($form, $type) = multipart([{name => 'f', filename => 'f',
                                    content => $content}]);
    is request('POST', "/app?X-Progress-ID=$id", port => $port, body => $form,
               headers => [
        'Content-Type', $type, 'Content-Range',
        sprintf 'bytes 0-%d/%d', length($content) - 1, length $content])
        ->{status}, 200, "$way: it is there";
    return;
}

for my $way (sort keys %completes) {
    my $id = new_id();
    prepare($way, $id);
    my $first = $completes{$way}->($id);
    ok wait_for(sub { -e "$dir/$id/run" }), "$way: its application runs";
    my $before = parked();
    my @again = map { $completes{$way}->($id) } 1 .. $many;
    ok wait_for(sub { parked() - $before == $many }),
        "$way: $many wait for it, and none holds a thread" if $parks;
    is request('GET', '/hello.txt', port => $port)->{status}, 200,
        "$way: another is served";
    spew($go, '');
    my $answer = $first->answer;
    # A creation is answered with 201.
    my $well = $way eq 'tus' ? 201 : 200;
    is $answer->{status}, $well, "$way: the answer to the first";
    like $answer->{body}, qr/^answered \d+$/, "$way: is its application's";
    # One that has waited for five seconds is told to come again.
    my %seen;
    for my $c (@again) {
        my $other = $c->answer;
        $seen{ $other->{status} }++;
        is $other->{body}, $answer->{body}, "$way: the same"
            if $other->{status} == $well;
        $c->close;
    }
    is_deeply [grep { !/^(?:$well|409)$/ && !($way eq 'chunked' && $_ == 400) }
               keys %seen], [], "$way: all are answered" or diag explain \%seen;
    unlink $go;
    $first->close;
}

# --- One that goes, and a server that stops -----------------------------------------

for my $url ('/app', '/off') {
    my $id = new_id();
    my $first = $completes{tus}->($id, $url);
    ok wait_for(sub { -e "$dir/$id/run" }), "$url: again an application runs";
    my @again = map { $completes{tus}->($id, $url) } 1 .. 2;
    $again[0]->reset;
    spew($go, '');
    is $first->answer->{status}, 201, "$url: it answers";
    like $again[1]->answer->{status}, qr/^(?:201|409)$/,
        "$url: also beside one that has gone";
    unlink $go;
}
$httpd->stop;
unlike $httpd->error_log, qr/AddressSanitizer:|exit signal/, 'no child died';
done_testing;
