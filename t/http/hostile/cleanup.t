# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadCleanup acts when an answer is over; the client has read the status long
# before, and may try again. The upload that it then sends is not the one that
# failed, and must stay.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;

my $mark = log_mark();

sub post
{
    my ($url, $parts, @headers) = @_;
    my ($body, $type) = multipart($parts);

    return "POST $url HTTP/1.1\r\nHost: x\r\nContent-Type: $type\r\n"
        . 'Content-Length: ' . length($body) . "\r\n"
        . join('', map { "$_\r\n" } @headers) . "\r\n$body";
}
my @file = ({name => 'f', filename => 'f', content => 'hello'});

# The answer to the first is not written before the second was taken in.
for my $n (1 .. 5) {
    my $id = new_id();
    my $c = connect_raw();
    $c->send(post("/attack/gone/x?X-Progress-ID=$id", \@file)
             . post("/attack/clean/echo.pl?X-Progress-ID=$id", \@file,
                    'Connection: close'));
    is $c->answer->{status}, 404, 'the first of a pipeline fails';
    my $second = $c->answer;
    is $second->{status}, 200, 'the second does not';
    $c->close;
    my $path = application($second)->{files}[0]{path};
    ok wait_for(sub { error_log_since($mark) =~ /UPL0025: .*with 404/ }),
        'the first is over';
    is slurp($path), 'hello', 'the file of the second is there';
    is status('/attack/clean/echo.pl', $id)->{state}, 'done', 'and is known';
}

# The client closes the connection as soon as it has read the status. The upload
# stays in use until the application has finished.
my $id = new_id();
my @long = (@file, map { {name => $_, value => 'x' x 1_000_000} } 1 .. 9);
my $c = connect_raw();
$c->send(post("/attack/clean/echo.pl?status=504&X-Progress-ID=$id", \@long));
ok sysread($c->socket, my $some, 100), 'an answer begins';
like $some, qr{^HTTP/1\.1 504}, 'of an upload that fails';
is upload('/attack/clean/echo.pl', \@file, id => $id)->{status}, 409,
    'its application still works on it';
my $before = log_mark();
$c->reset;
ok wait_for(sub { error_log_since($before) =~ /UPL0025: .*with 504/ }),
    'the first is over';
my $again = upload('/attack/clean/echo.pl', \@file, id => $id);
is $again->{status}, 200, 'so the client uploads again';
is slurp(application($again)->{files}[0]{path}), 'hello',
    'the file of the second is there';
is status('/attack/clean/echo.pl', $id)->{state}, 'done', 'and is known';

# A failed upload that no other has followed is removed.
is upload('/attack/clean/echo.pl?status=502', \@file, id => $id)->{status},
    502, 'fails';
ok wait_for(sub { status('/attack/clean/echo.pl', $id)->{state}
                  eq 'starting' }), 'nothing is known of it';
ok !-e pool('attack') . "/$id", 'nothing is left of it';

is crashes_since($mark), 0, 'no child crashed';
done_testing;
