# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# tus 1.0.0, "Concatenation".

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;
use UploadPool::Tus;

my $mark = log_mark();
my $at = '/tus/echo.pl';

like tus('OPTIONS', $at, ['Tus-Resumable', undef])->{headers}{'tus-extension'},
    qr/(?:^|,)concatenation$/, 'Tus-Extension: concatenation, of finished ones';

sub partial
{
    my ($content, %o) = @_;
    my $made = create($o{at} || $at, length => length $content,
                      concat => 'partial', %o);
    my $url = $made->{headers}{location};
    append($url, 0, $content, %o) if length $content;
    return $url;
}

sub final
{
    my ($parts, %o) = @_;
    return create($o{at} || $at, concat => 'final;' . join(' ', @$parts), %o);
}

# --- The protocol's own example ----------------------------------------------

my $made = create($at, length => 5, concat => 'partial');
is $made->{status}, 201, 'a partial upload';
my $hello = $made->{headers}{location};
my $world = create($at, length => 6, concat => 'partial')->{headers}{location};
my $head = head($hello);
is $head->{headers}{'upload-concat'}, 'partial', 'HEAD: Upload-Concat';
is $head->{headers}{'upload-offset'}, 0, 'HEAD: Upload-Offset of a partial one';
my $r = append($hello, 0, 'hello');
is $r->{status}, 204, 'its last PATCH runs no application';
is $r->{headers}{'upload-offset'}, 5, 'its offset';
is head($hello)->{headers}{'upload-offset'}, 5, 'HEAD of it, finished';
is head($hello)->{headers}{'upload-concat'}, 'partial', 'still partial';
is append($hello, 5, '')->{status}, 204, 'nor does one of no bytes';
is status($at, $hello =~ m{([^/]+)$})->{state}, 'uploading', 'nor is it done';

is final([$hello, $world])->{status}, 409, 'a part that is not finished';
append($world, 0, ' world');
$made = final([$hello, $world], metadata => [filename => 'hw.txt']);
is $made->{status}, 201, 'the final one: 201';
my $url = $made->{headers}{location};
my $seen = application($made);
is $seen->{state}, 'done', 'its application has run';
is slurp($seen->{files}[0]{path}), 'hello world', 'the bytes, in order';
is $seen->{files}[0]{digests}{'sha-256'},
    Digest::SHA::sha256_hex('hello world'), 'their digest';
is $seen->{files}[0]{filename}, 'hw.txt', 'with the metadata of the request';
$head = head($url);
is $head->{headers}{'upload-length'}, 11, 'HEAD: Upload-Length, the sum';
is $head->{headers}{'upload-offset'}, 11, 'HEAD: Upload-Offset equals it';
is $head->{headers}{'upload-concat'}, "final;$hello $world",
    'HEAD: Upload-Concat as received';
for my $case ([11, ''], [11, 'x'], [0, 'x'], [5, 'x']) {
    is append($url, @$case)->{status}, 403,
        "PATCH of a final upload at $case->[0]: 403";
}
is slurp($seen->{files}[0]{path}), 'hello world', 'it is what it was';
is offset($hello), 5, 'and so are its parts';

# --- Parts that are used again -----------------------------------------------

$r = final([$world, $hello, $hello]);
is slurp(application($r)->{files}[0]{path}), ' worldhellohello',
    'one part several times, and in other uploads';
$r = final([$hello]);
is slurp(application($r)->{files}[0]{path}), 'hello', 'a single part';
is application($r)->{files}[0]{filename}, '',
    'the metadata of a part is not handed on';
my $named = partial('abc', metadata => [filename => 'part.txt', note => 'x']);
$r = final([$named], metadata => [filename => 'whole.txt']);
is application($r)->{files}[0]{filename}, 'whole.txt', 'but the final one\'s is';
is_deeply application($r)->{fields}, [], 'and nothing else';
my $empty = partial('');
is offset($empty), 0, 'a partial upload of length 0';
$r = final([$empty, $hello, $empty]);
is slurp(application($r)->{files}[0]{path}), 'hello', 'adds nothing';
is application(final([$empty]))->{files}[0]{size}, 0, 'even alone';
my $bytes = random_bytes(300_000);
my @many = map { partial(substr $bytes, $_ * 30_000, 30_000) } 0 .. 9;
$r = final(\@many);
is slurp(application($r)->{files}[0]{path}), $bytes, 'ten parts';

# --- URLs --------------------------------------------------------------------

for my $form ("http://localhost%s", "https://tus.example.org:8443%s",
              "//cdn.example%s", '%s?x=y', '%s#frag') {
    $r = final([sprintf($form, $hello), $world]);
    is $r->{status}, 201, sprintf "a URL like $form", '/…';
}
is final([$hello =~ m{([^/]+)$}])->{status}, 201, 'a relative URL';
is create($at, concat => "final; $hello  $world ")->{status}, 201,
    'blanks between them';
for my $case (['unknown', "$at/" . new_id(), 404],
              ['no identifier', "$at/a.b", 400],
              ['no name', "$at/", 400],
              ['out of the pool', "$at/..", 400],
              ['out of the pool, encoded', "$at/%2e%2e%2f%2e%2e", 400],
              ['NUL', "$at/a%00b", 400],
              ['longer than any', "$at/" . 'a' x 100, 400],
              ['a whole upload', create($at, length => 1)
                   ->{headers}{location}, 404],
              ['a final upload', $url, 404],
              ['a foreign one', 'http://elsewhere.example/files/1', 404]) {
    my ($name, $part, $want) = @$case;
    is final([$hello, $part])->{status}, $want, "a part that is $name: $want";
}
my $self = new_id();
is create("$at?X-Progress-ID=$self", concat => "final;$at/$self")->{status},
    404, 'itself';
is head("$at/$self")->{status}, 404, 'of which nothing is left';

# --- What is no request for one ----------------------------------------------

for my $bad ('final', 'final;', 'final; ', 'Partial', 'partial;', 'both',
             '', 'partial, partial', "final;$hello,\xff", "final $hello") {
    is create($at, length => 5, concat => $bad)->{status}, 400,
        "Upload-Concat: not '$bad'";
}
is create($at, concat => "final;$hello", length => 5)->{status}, 400,
    'a final one with Upload-Length';
is create($at, concat => "final;$hello", defer => 1)->{status}, 400,
    'a final one with Upload-Defer-Length';
is create($at, concat => "final;$hello", body => 'x')->{status}, 400,
    'a final one with a body';
is create($at, concat => 'partial')->{status}, 400, 'a part without a length';

# --- Limits, keys ------------------------------------------------------------

my $small = '/tus-small/echo.pl';
my @big = map { partial('x' x 3000, at => $small) } 1, 2;
is final(\@big, at => $small)->{status}, 413, 'the sum is over UploadMaxSize';
is final([$big[0]], at => $small)->{status}, 201, 'one alone is not';
is final([$hello], at => $small)->{status}, 404, 'a part of another pool';

my $text = '/tus-text/echo.pl';
my $nameless = partial('abc', at => $text);
like $nameless, qr{^/}, 'UploadAllow asks no name of a part';
is final([$nameless], at => $text, metadata => [filename => 'a.exe'])
    ->{status}, 415, 'but of the final one';
is final([$nameless], at => $text, metadata => [filename => 'a.txt'])
    ->{status}, 201, 'which may have the right one';

my $mint = '/tus-mint/echo.pl';
my $signed = partial('signed', at => $mint);
like $signed, qr{/[A-Za-z0-9-]+:[0-9a-f]{64}$}, 'with a key a part is signed';
is final([$signed], at => $mint)->{status}, 201, 'and good as it is';
(my $encoded = $signed) =~ s/:/%3A/;
is final([$encoded], at => $mint)->{status}, 201, 'or with an encoded colon';
(my $bare = $signed) =~ s/:.*//;
(my $forged = $signed) =~ s/(.)$/$1 eq '0' ? '1' : '0'/e;
is final([$_], at => $mint)->{status}, 403, 'unsigned or forged: 403'
    for $bare, $forged;
my $key = 'what the tus suite signs with, 38 byt.';
my $own = '/tus-key/echo.pl?X-Progress-ID=' . sign($key, my $id = new_id());
my @parts = map { partial($_, at => $own) } 'one', 'two';
isnt $parts[0], $parts[1],
    'one signed identifier is enough for several parts at once';
$r = final(\@parts, at => $own);
is $r->{status}, 201, 'and for the final one';
is application($r)->{identifier}, $id, 'which it names';

my $theirs = create('/tus-auth/echo.pl', length => 3, concat => 'partial',
                    user => 'ann')->{headers}{location};
append($theirs, 0, 'ann', user => 'ann');
is final([$theirs], at => '/tus-auth/echo.pl', user => 'bob')->{status}, 403,
    'another user\'s part';
is final([$theirs], at => '/tus-auth/echo.pl', user => 'ann')->{status}, 201,
    'one\'s own';

is crashes_since($mark), 0, 'no child died';

done_testing;
