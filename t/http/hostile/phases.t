# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# D7, P1: clients of each protocol that close or reset outside the body: before
# the head ends, after 100 (Continue), while the application runs, in the middle
# of its answer. An upload that had not fully arrived is not done, one that had
# stays done, and the next request finds the server unchanged.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my $cgi = '/hostile-form/echo.pl';
my $any = '/hostile-cgi/echo.pl';
my $content = random_bytes(5000);
my ($form, $type) = multipart([{name => 'f', filename => 'f',
                                content => $content}]);

sub created
{
    my ($query, $lines) = @_;
    my $r = request('POST', "$any$query", body => '',
                    headers => [@$lines, 'Upload-Length', 5000]);
    return $r->{headers}{location} =~ s{^http://[^/]+}{}r;
}

sub id_of { return $_[0] =~ m{([^/?]+)(?:\?|$)} ? $1 : die $_[0] }

# The query is that of the application.
my %fronts = (
    form => sub {
        my $id = new_id();
        return {id => $id, at => $cgi, body => $form, head => "POST $cgi?$_[0]"
            . "X-Progress-ID=$id HTTP/1.1\r\nContent-Type: $type\r\n"};
    },
    tus => sub {
        my $at = created("?$_[0]", ['Tus-Resumable', '1.0.0']);
        return {id => id_of($at), at => $any, body => $content,
            head => "PATCH $at HTTP/1.1\r\nTus-Resumable: 1.0.0\r\n"
            . "Content-Type: application/offset+octet-stream\r\n"
            . "Upload-Offset: 0\r\n"};
    },
    ietf => sub {
        my $at = created("?$_[0]", ['Upload-Draft-Interop-Version', 8,
                                    'Upload-Complete', '?0']);
        return {id => id_of($at), at => $any, body => $content,
            head => "PATCH $at HTTP/1.1\r\nUpload-Draft-Interop-Version: 8\r\n"
            . "Content-Type: application/partial-upload\r\n"
            . "Upload-Complete: ?1\r\nUpload-Offset: 0\r\n"};
    },
    chunk => sub {
        my $id = new_id();
        return {id => $id, at => $any, body => $content,
            head => "PUT $any?$_[0]X-Progress-ID=$id HTTP/1.1\r\n"
            . "Content-Range: bytes 0-4999/5000\r\n"};
    },
);

sub rest_of { return "Host: x\r\nContent-Length: " . length($_[0]{body})
                  . "\r\n" }
sub state_of { return status($_[0]{at}, $_[0]{id})->{state} }
sub data_of { return map { -s pool('hostile') . "/$_" }
                  grep { m{^\Q$_[0]{id}\E/.*\.bin$} } pool_files('hostile') }

for my $front (sort keys %fronts) {
    for my $end (qw(close reset)) {
        my $name = "$front, $end";
        my $u = $fronts{$front}->('');
        my $c = connect_raw();
        $c->send("$u->{head}Host: x\r\nX-Half: ");
        $c->$end;
        ok !grep({ $_ } data_of($u)), "$name before the head ends: no byte";
        isnt state_of($u), 'done', "$name before the head ends: not done";

        $u = $fronts{$front}->('');
        $c = connect_raw();
        $c->send($u->{head} . rest_of($u) . "Expect: 100-continue\r\n\r\n");
        is $c->interim->{status}, 100, "$name once it was invited: it was";
        $c->$end;
        # A first chunk that never brought a byte may be none at all: an error
        # of the identifier that its client gave.
        my $want = $front eq 'form' ? qr/^error$/
            : $front eq 'chunk' ? qr/^(?:uploading|error)$/
            : qr/^uploading$/;
        ok wait_for(sub { state_of($u) =~ $want }),
            "$name once it was invited: not done" or diag state_of($u);
        ok !grep({ $_ } data_of($u)), "$name once it was invited: no byte";

        $u = $fronts{$front}->('sleep=1&');
        $c = connect_raw();
        $c->send($u->{head} . rest_of($u) . "\r\n$u->{body}");
        ok wait_for(sub { state_of($u) eq 'done' }),
            "$name while the application runs: done by then";
        $c->$end;
        is state_of($u), 'done', "$name while the application runs: and still";
        is_deeply [data_of($u)], [5000],
            "$name while the application runs: every byte";
    }
}

# An answer of a megabyte, of which a client takes a thousand bytes.
for my $end (qw(close reset)) {
    my $id = new_id();
    my ($body) = multipart([{name => 'v', value => 'v' x 1_000_000},
                            {name => 'f', filename => 'f', content => 'x'}]);
    my $c = connect_raw();
    $c->send("POST $cgi?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
        . "Content-Type: $type\r\nContent-Length: " . length($body)
        . "\r\n\r\n$body");
    sysread $c->socket, (my $some), 1000;
    like $some, qr/^HTTP\S+ 200/, "$end in the answer: it has begun";
    $c->$end;
    is status($cgi, $id)->{state}, 'done', "$end in the answer: done";
}

is upload($cgi, [{name => 'f', filename => 'f', content => 'x'}],
          id => new_id())->{status}, 200, 'the next one finds all as it was';
is crashes_since($mark), 0, 'no child died';
done_testing;
