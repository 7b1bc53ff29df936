# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# jQuery File Upload by itself: it sends a small file as a form like any other,
# a larger one in chunks with Content-Range, has no identifier of its own, reads
# the header Range, and asks for no completion.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;
use UploadPool::Chunked;

my $mark = log_mark();
my $content = random_bytes(25_000);
my $total = length $content;
my $key = 'what the chunked suite signs with, 40 bytes';

sub send_all
{
    my ($url, $name, %o) = @_;
    my ($at, $r, $id) = (0);
    my @more = @{ delete $o{more} || [] };
    while ($at < $total) {
        my $to = $at + 9_999 < $total ? $at + 9_999 : $total - 1;
        $r = chunk($url, substr($content, $at, $to - $at + 1),
                   range => "bytes $at-$to/$total", filename => $name,
                   before => [@more, $o{by_field} && $id
                                  ? (upload_id => $id) : ()],
                   id => $o{id}, headers => ['Content-Disposition',
                                 qq(attachment; filename="$name"),
                                 'X-Requested-With', 'XMLHttpRequest']);
        last if $r->{status} != 200 || $to == $total - 1;
        $id ||= $r->{json}{upload_id};
        my ($held) = ($r->{headers}{range} || '') =~ /^0-(\d+)$/ or last;
        $at = $held + 1;
    }
    return $r;
}

# --- With UploadChunkedAuto -------------------------------------------------

my $url = '/chunked-auto/echo.pl';
for my $way (['its identifier in the URL', id => new_id()],
             ['upload_id from the first answer', by_field => 1]) {
    my ($name, @o) = @$way;
    my $r = send_all($url, 'photo.bin', more => [title => 'Holiday'], @o);
    is $r->{status}, 200, "$name: the last chunk";
    is application($r)->{state}, 'done', "$name: the application's answer";
    ok stored($r) eq $content, "$name: its bytes";
    is_deeply application($r)->{fields},
        [{name => 'title', value => 'Holiday'}],
        "$name: the fields, once, though every chunk has them";
}

# The answer to the last chunk is lost: the same chunk has it again.
my $id = new_id();
my $r = send_all($url, 'photo.bin', id => $id);
my $again = chunk($url, substr($content, 20_000), id => $id,
                  range => "bytes 20000-24999/$total");
is $again->{status}, 200, 'the last chunk again';
is $again->{body}, $r->{body}, 'has the same answer';
is $again->{json}{env}{UPLOAD_POOL_PATH}, $r->{json}{env}{UPLOAD_POOL_PATH},
    'of the same file';

# A finished upload's identifier may be used again.
my $other = chunk($url, 'other', id => $id, range => 'bytes 0-4/10');
is $other->{json}{offset}, 5, 'the identifier again';
is stored(chunk($url, 'bytes', id => $id, range => 'bytes 5-9/10')),
    'otherbytes', 'for another file';

# All of it in one chunk.
is stored(chunk($url, 'hello', range => 'bytes 0-4/5')), 'hello',
    'one chunk that is all';
is stored(chunk('/chunked-only-auto/echo.pl', 'hello')), 'hello',
    'no Content-Range, where forms are chunks';
my $empty = chunk('/chunked-only-auto/echo.pl', '', filename => 'empty');
is stored($empty), '', 'nothing at all';
is application($empty)->{files}[0]{size}, 0, 'is a file';

# Fields behind the file of the only chunk count, too.
$r = chunk('/chunked-only-auto/echo.pl', 'hello', before => [a => 1],
           after => [b => 2]);
is_deeply [map { "$_->{name}=$_->{value}" } @{ application($r)->{fields} }],
    [qw(a=1 b=2)], 'fields before and behind';

# --- Forms beside chunks ----------------------------------------------------

for my $both ('/chunked-both/echo.pl', $url) {
    for my $way (['small', content => 'hello'],
                 ['larger than what is held back',
                  content => random_bytes(100_000)],
                 ['with fields before', content => 'hello',
                  before => [map { ("f$_" => 'x' x 100) } 1 .. 50]],
                 ['with more fields than any chunk', content => 'hello',
                  before => [map { ("f$_" => 'x' x 1000) } 1 .. 60]]) {
        my ($name, %o) = @$way;
        my $form = chunk("$both?a=b", $o{content}, before => $o{before},
                         after => [title => 'x'], id => new_id(), step => 977);
        is $form->{status}, 200, "$both: a form, $name";
        my $seen = application($form) || {};
        is $seen->{state}, 'done', "$both: $name: is an upload";
        ok stored($form) eq $o{content}, "$both: $name: its bytes";
        is scalar @{ $seen->{fields} || [] }, @{ $o{before} || [] } / 2 + 1,
            "$both: $name: all fields";
        is $form->{json}{env}{QUERY_STRING} =~ /^a=b/ ? 1 : 0, 1,
            "$both: $name: its query";
    }
    my $fields = chunk($both, undef, before => [a => 1]);
    is application($fields)->{state}, 'done', "$both: a form without a file";
    my $bad = request('POST', $both, body => "--x\r\nrubbish",
                      headers => ['Content-Type',
                                  'multipart/form-data; boundary=x',
                                  'Accept', 'application/json']);
    is $bad->{status}, 400, "$both: a form that is none";
    is $bad->{json}{state}, 'error', "$both: is refused as forms are";
    my $late = chunk($both, 'hello', after => [upload_id => 'x']);
    is application($late)->{state}, 'done',
        "$both: upload_id behind the file makes no chunk of a form";
}

# --- A server of its own, for pages of another origin ------------------------

my @page = (Origin => 'https://app.example', Accept => 'application/json');
$r = chunk('/chunked-alone', 'hello', range => 'bytes 0-4/10',
           headers => \@page);
is $r->{headers}{'access-control-allow-origin'}, 'https://app.example',
    'alone: another origin';
like $r->{headers}{'access-control-expose-headers'}, qr/\bRange\b/i,
    'alone: may read Range';
$id = $r->{json}{upload_id};
$r = chunk('/chunked-alone', 'world', range => 'bytes 0-4/10',
           before => [upload_id => $id], headers => \@page);
is $r->{status}, 400, 'alone: an error';
is $r->{headers}{'access-control-allow-origin'}, 'https://app.example',
    'alone: may be read, too';
chunk('/chunked-alone', 'world', range => 'bytes 5-9/10',
      before => [upload_id => $id]);
$r = request('POST', '/chunked-alone/complete', headers => [@page,
                 'Content-Type', 'application/x-www-form-urlencoded'],
             body => "upload_id=$id&md5=fc5e038d38a57032085441e7fe7010b0");
is $r->{status}, 200, 'alone: complete';
is $r->{json}{state}, 'done', 'alone: the answer is the status object';
is $r->{json}{size}, 10, 'alone: of all of it';
$r = request('OPTIONS', '/chunked-alone', headers => [
    Origin => 'https://app.example', 'Access-Control-Request-Method' => 'PUT',
    'Access-Control-Request-Headers' => 'content-range,content-disposition']);
is $r->{status}, 204, 'alone: what a browser asks before';

# --- Keys -------------------------------------------------------------------

empty_pool('chunked-key');
is chunk('/chunked-key/echo.pl', 'hello', range => 'bytes 0-4/10')->{status},
    403, 'with a key: no identifier';
is chunk('/chunked-key/echo.pl', 'hello', range => 'bytes 0-4/10',
         id => new_id())->{status}, 403, 'one that nobody has signed';
is chunk('/chunked-key/echo.pl', 'hello')->{status}, 403, 'nor for a form';
my $signed = sign($key, new_id());
$r = chunk('/chunked-key/echo.pl', 'hello', range => 'bytes 0-4/10',
           id => $signed);
is $r->{json}{upload_id}, $signed, 'a signed one';
is chunk('/chunked-key/echo.pl', 'world', range => 'bytes 5-9/10',
         before => [upload_id => $signed =~ s/:.*//r])->{status}, 403,
    'upload_id without its signature';
is chunk('/chunked-key/echo.pl', 'world', range => 'bytes 5-9/10',
         after => [upload_id => $signed =~ s/.$/x/r])->{status}, 403,
    'or with another, behind the file';
is chunk('/chunked-key/echo.pl', 'world', range => 'bytes 5-9/10',
         after => [upload_id => $signed])->{json}{offset}, 10,
    'and with it, behind the file';
$r = chunk('/chunked-mint/echo.pl', 'hello', range => 'bytes 0-4/10');
like $r->{json}{upload_id}, qr/^[0-9a-f-]{36}:[0-9a-f]{64}$/,
    'UploadMint: it gets one';
is chunk('/chunked-mint/echo.pl', 'world', range => 'bytes 5-9/10',
         before => [upload_id => $r->{json}{upload_id}])->{json}{offset}, 10,
    'and uses it';
is_deeply [grep { !m{/attempt\.json$} } pool_files('chunked-key')],
    [grep { m{^\Q@{[ $signed =~ s/:.*//r ]}\E/} } pool_files('chunked-key')],
    'what was refused is nowhere in the pool';

is crashes_since($mark), 0, 'no child died';
done_testing;
