# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# A request that creates and completes an upload at once, and is repeated because
# its answer was lost: the application runs once, even if the first run has not
# ended. A repeat is recognised by the identifier that the client has given,
# together with the length, the name and whatever else it says about the file.

use strict;
use warnings FATAL => 'all';
use MIME::Base64 qw(encode_base64);
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my $ran = pool('complete-ran') . '/log';
sub runs { my $count = () = -f $ran ? slurp($ran) =~ /\n/g : (); return $count }

my @bytes = ('Content-Type', 'application/offset+octet-stream');
my @tus = ('Tus-Resumable', '1.0.0');
sub named { return ('Upload-Metadata', 'filename ' . encode_base64($_[0], '')) }

# Each sends content, of that name, by that identifier, in one request.
my %whole = (
    'raw piece' => sub {
        my ($to, $name, $content) = @_;
        return ('PUT', $to, $content, 'Content-Disposition',
            qq(attachment; filename="$name"), 'Content-Range',
            'bytes 0-' . (length($content) - 1) . '/' . length $content);
    },
    'form piece' => sub {
        my ($to, $name, $content) = @_;
        my ($form, $type) = multipart([{name => 'f', filename => $name,
                                        content => $content}]);
        return ('POST', $to, $form, 'Content-Type', $type, 'Content-Range',
            'bytes 0-' . (length($content) - 1) . '/' . length $content);
    },
    'tus' => sub {
        my ($to, $name, $content) = @_;
        return ('POST', $to, $content, @tus, @bytes, named($name),
                'Upload-Length', length $content);
    },
    'resumable' => sub {
        my ($to, $name, $content) = @_;
        return ('POST', $to, $content, 'Upload-Draft-Interop-Version', 8,
            'Upload-Complete', '?1', 'Content-Disposition',
            qq(inline; filename="$name"));
    },
);
sub ask
{
    my ($method, $to, $body, @headers) = @_;
    return request($method, $to, body => $body, headers => \@headers);
}
sub send_off
{
    my ($method, $to, $body, @headers) = @_;
    my $c = connect_raw();
    my $head = "$method $to HTTP/1.1\r\nHost: x\r\n";
    while (my ($name, $value) = splice @headers, 0, 2) {
        $head .= "$name: $value\r\n";
    }
    $c->send("${head}Content-Length: " . length($body) . "\r\n\r\n$body");
    return $c;
}
my %tells = map { $_ => 1 } qw(tus resumable);

for my $kind (sort keys %whole) {
    my $make = $whole{$kind};
    my $id = new_id();
    my $to = "/c/auto/count.pl?X-Progress-ID=$id";
    my $before = runs();
    my $first = ask($make->($to, 'a.txt', 'abc'));
    like $first->{status}, qr/^20[01]$/, "$kind: taken" or diag explain $first;
    is runs(), $before + 1, "$kind: it ran";
    for my $n (1, 2) {
        my $again = ask($make->($to, 'a.txt', 'abc'));
        is_deeply [@{$again}{qw(status body)}], [@{$first}{qw(status body)}],
            "$kind: again, the same answer ($n)" or diag explain $again;
        is $again->{headers}{location}, $first->{headers}{location},
            "$kind: and the same URL";
    }
    is runs(), $before + 1, "$kind: it ran once";
    # Another name, or another length, is another upload.
    my $other = ask($make->($to, 'b.txt', 'abc'));
    like $other->{status}, qr/^20[01]$/, "$kind: another name";
    is runs(), $before + 2, "$kind: is another upload";
    $other = ask($make->($to, 'b.txt', 'abcd'));
    like $other->{status}, qr/^20[01]$/, "$kind: another length";
    is runs(), $before + 3, "$kind: is another upload";
    # Nobody has named these.
    ask($make->('/c/auto/count.pl', 'c.txt', 'abc')) for 1, 2;
    is runs(), $before + 5, "$kind: without an identifier there is no repeat"
        if $tells{$kind};

    # While the first run goes on.
    $id = new_id();
    $to = "/c/auto/echo.pl?sleep=1&X-Progress-ID=$id";
    my @parallel = map { send_off($make->($to, 'a.txt', 'abc')) } 1 .. 3;
    my @answers = map { $_->answer } @parallel;
    my @good = grep { $_->{status} =~ /^20[01]$/ } @answers;
    # Django's clients know 400 and the offset for what does not fit now.
    ok @good >= 1 && !grep({ $_->{status} !~ /^(?:20[01]|409)$/
        && !($_->{status} == 400 && defined $_->{json}{offset}) } @answers),
        "$kind: at once: one runs, others wait or are told"
        or diag explain [map { [@{$_}{qw(status body)}] } @answers];
    my %pids = map { ($_->{json}{pid} // $_->{body}) => 1 } @good;
    is scalar keys %pids, 1, "$kind: they have one answer"
        or diag explain [map { [@{$_}{qw(status body)}] } @answers];
}

# A type is the same in any letter case, and with parameters.
for my $kind (sort keys %tells) {
    my $before = runs();
    my ($method, $to, $body, @headers) = $whole{$kind}->(
        "/c/auto/count.pl?X-Progress-ID=" . new_id(), 'a.jpg', 'abc');
    if ($kind eq 'tus') {
        $headers[-3] .= ',filetype ' . encode_base64('Image/JPEG; x=Y', '');
    } else {
        push @headers, 'Content-Type', 'Image/JPEG; x=Y';
    }
    like ask($method, $to, $body, @headers)->{status}, qr/^20[01]$/,
        "$kind: with a type, try $_" for 1, 2;
    is runs(), $before + 1, "$kind: is one upload";
}

# A body without a length has to bring as many bytes as its range says, also where
# no digest is known.
for my $first (0, 2) {
    my $to = '/c-undigested/count.pl?X-Progress-ID=' . new_id();
    my $put = sub {
        my ($from, $bytes) = @_;
        return request('PUT', $to, body => $bytes, chunked => 2, headers =>
            ['Content-Disposition', 'attachment; filename="a.txt"',
             'Content-Range', "bytes $from-4/5"]);
    };
    request('PUT', $to, body => 'ab', headers => ['Content-Disposition',
        'attachment; filename="a.txt"', 'Content-Range', 'bytes 0-1/5'])
        if $first;
    my $bytes = substr 'abcde', $first;
    my ($before, $answer) = (runs(), $put->($first, $bytes));
    is $answer->{status}, 200, "from $first: taken" or diag explain $answer;
    for my $other (substr($bytes, 1), "${bytes}f") {
        is $put->($first, $other)->{status}, 409, "$other is no repeat of it";
    }
    is $put->($first, $bytes)->{body}, $answer->{body}, "$bytes is";
    is runs(), $before + 1, 'it ran once';
}

# The same name and length, and other bytes: a file that was changed is not
# answered for as if it had been taken, where a digest of the first is on record.
for my $kind (sort keys %whole) {
    my $make = $whole{$kind};
    my ($id, $before) = (new_id(), runs());
    my $to = "/c/auto/count.pl?X-Progress-ID=$id";
    my $first = ask($make->($to, 'a.txt', 'abc'));
    my ($file) = glob pool('complete') . "/$id/*.bin";
    my $other = ask($make->($to, 'a.txt', 'abd'));
    is $other->{status}, 409, "$kind: other bytes are refused"
        or diag explain $other;
    like $other->{body}, qr/complete upload with other content/,
        "$kind: which is said";
    is slurp($file), 'abc', "$kind: what is there stays";
    my $again = ask($make->($to, 'a.txt', 'abc'));
    is_deeply [@{$again}{qw(status body)}], [@{$first}{qw(status body)}],
        "$kind: and is answered for" or diag explain $again;
    is runs(), $before + 1, "$kind: it ran once";

    # Without one the request is believed.
    $id = new_id();
    $to = "/c-undigested/count.pl?X-Progress-ID=$id";
    $first = ask($make->($to, 'a.txt', 'abc'));
    like $first->{status}, qr/^20[01]$/, "$kind, without a digest: taken";
    $other = ask($make->($to, 'a.txt', 'abd'));
    is_deeply [@{$other}{qw(status body)}], [@{$first}{qw(status body)}],
        "$kind, without a digest: what is called the same is the same";
}

# A concatenation.
{
    my $before = runs();
    my $at = '/c/auto/count.pl';
    my @parts = map { ask('POST', $at, $_, @tus, @bytes, 'Upload-Length', 3,
                          'Upload-Concat', 'partial')->{headers}{location} }
        'one', 'two';
    my @final = ('POST', "$at?X-Progress-ID=" . new_id(), '', @tus,
                 'Upload-Concat', "final;@parts");
    my $first = ask(@final);
    is $first->{status}, 201, 'a concatenation';
    my $again = ask(@final);
    is_deeply [@{$again}{qw(status body)}], [@{$first}{qw(status body)}],
        'a concatenation again';
    my @empty = ('Transfer-Encoding', 'chunked');
    is ask(@final[0, 1], "0\r\n\r\n", @final[3 .. $#final], @empty)->{status},
        201, 'and with a body of no bytes';
    is $again->{headers}{location}, $first->{headers}{location}, 'its URL';
    is runs(), $before + 1, 'it ran once';
}
# One protocol's upload is no other's repeat: it is replaced.  (Both pieces are of
# one protocol.)
for my $first (sort keys %whole) {
    my $id = new_id();
    my $to = "/c/auto/count.pl?X-Progress-ID=$id";
    my $before = runs();
    my @kinds = ($first, grep { $_ ne $first } sort keys %whole);
    my @status = map { ask($whole{$_}->($to, 'a.txt', 'abc'))->{status} } @kinds;
    is scalar(grep { /^20[01]$/ } @status), @kinds,
        "$first, then the others: taken" or diag "@kinds: @status";
    cmp_ok runs() - $before, '>=', 3, 'their application has run for each';
}
# An empty file.
{
    my $before = runs();
    my @empty = ('POST', '/c/auto/count.pl?X-Progress-ID=' . new_id(), '', @tus,
                 'Upload-Length', 0, named('e.txt'));
    my $first = ask(@empty);
    is ask(@empty)->{body}, $first->{body}, 'an empty file again';
    is runs(), $before + 1, 'it ran once';
}
is crashes_since($mark), 0, 'no child died';

done_testing;
