# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The chunks of Dropzone, Fine Uploader, Flow.js, Resumable.js and
# simple-uploader.js, as they send them: in order, in any order, one twice,
# after a query for it; and never into another user's file.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;
use UploadPool::Chunked;

my $mark = log_mark();
my $key = 'what the chunked suite signs with, 40 bytes';
my $content = random_bytes(25_000);
my $size = 10_000;
my $total = length $content;

sub numbered
{
    my ($before, $small) = @_;
    return sub {
        my ($n, $id) = @_;
        # As they are by default: the last chunk is the longer one.
        my $count = int($total / $size);
        my $from = $n * $size;
        my $length = $n + 1 == $count ? $total - $from : $size;
        my %f = (ChunkNumber => $n + 1, ChunkSize => $size,
                 CurrentChunkSize => $length, TotalSize => $total,
                 Identifier => $id, Filename => 'real.bin',
                 RelativePath => 'dir/real.bin', TotalChunks => $count,
                 Type => 'Text/X-Real; charset=utf-8');
        my @fields = map {
            (($before eq '' ? lcfirst $_ : "$before$_"), $f{$_})
        } sort keys %f;
        return ($from, $length, $count, @fields);
    };
}

my %family = (
    dropzone => sub {
        my ($n, $id) = @_;
        my $from = $n * $size;
        my $length = $total - $from < $size ? $total - $from : $size;
        return ($from, $length, 3, dzuuid => $id, dzchunkindex => $n,
                dztotalfilesize => $total, dzchunksize => $size,
                dztotalchunkcount => 3, dzchunkbyteoffset => $from);
    },
    fine => sub {
        my ($n, $id) = @_;
        my $from = $n * $size;
        my $length = $total - $from < $size ? $total - $from : $size;
        return ($from, $length, 3, qqpartindex => $n,
                qqpartbyteoffset => $from, qqchunksize => $length,
                qqtotalparts => 3, qqtotalfilesize => $total,
                qqfilename => 'real.bin', qquuid => $id);
    },
    flow => numbered('flow'),
    resumable => numbered('resumable'),
    simple => numbered(''),
);

sub query
{
    my @list = @_;
    my @pairs;
    while (my ($name, $value) = splice @list, 0, 2) {
        $value =~ s/([^A-Za-z0-9_.-])/sprintf '%%%02X', ord $1/ge;
        push @pairs, "$name=$value";
    }
    return join '&', @pairs;
}

sub piece
{
    my ($name, $url, $n, $id, %o) = @_;
    my ($from, $length, $count, @fields) = $family{$name}->($n, $id);
    my $in = delete $o{in_query};
    my @more = @{ delete $o{more} || [] };
    $url .= '?' . query(@fields) if $in;
    return chunk($url, substr($content, $from, $length),
                 before => [$in ? () : @fields, @more],
                 filename => $name eq 'fine' ? 'blob' : 'real.bin',
                 name => $name eq 'fine' ? 'qqfile' : 'file', %o);
}

sub test_piece
{
    my ($name, $url, $n, $id, %o) = @_;
    my ($from, $length, $count, @fields) = $family{$name}->($n, $id);
    return request('GET', "$url?" . query(@fields), %o)->{status};
}

my %asks = map { $_ => 1 } qw(flow resumable simple);
my $url = '/chunked-ip/echo.pl';
for my $name (sort keys %family) {
    my (undef, undef, $count) = $family{$name}->(0, 'x');
    my @orders = $count == 3 ? ([0, 1, 2], [2, 0, 1], [2, 1, 0], [1, 1, 0, 2])
        : ([0, 1], [1, 0], [1, 1, 0]);
    for my $order (@orders) {
        my $id = "$total-" . new_id();
        my $how = "$name @$order";
        my @order = @$order;
        my $last = pop @order;
        my %sent;
        for my $n (@order) {
            if ($asks{$name}) {
                is test_piece($name, $url, $n, $id), $sent{$n} ? 200 : 204,
                    "$how: is $n there?";
            }
            my $r = piece($name, $url, $n, $id, more => [title => 'Holiday'],
                          in_query => $name eq 'resumable');
            is $r->{status}, 200, "$how: chunk $n";
            like $r->{json}{upload_id}, qr/^[A-Za-z0-9-]{1,64}$/,
                "$how: a name of its own";
            isnt $r->{json}{upload_id}, $id, "$how: not what it sent";
            is status($url, $r->{json}{upload_id})->{state}, 'uploading',
                "$how: status";
            is $r->{json}{success}, $name eq 'fine' ? JSON::PP::true : undef,
                "$how: success" ;
            $sent{$n} = 1;
        }
        my $r = piece($name, $url, $last, $id, more => [title => 'Holiday'],
                      in_query => $name eq 'resumable');
        is $r->{status}, 200, "$how: the last";
        my $seen = application($r) || {};
        is $seen->{state}, 'done', "$how: the application's answer";
        ok((stored($r) || '') eq $content, "$how: its bytes");
        is $seen->{files}[0]{filename}, 'real.bin', "$how: its name";
        is $seen->{files}[0]{'content-type'},
            $name =~ /flow|resumable/ ? 'text/x-real' : 'image/x-test',
            "$how: its type, as the library says";
        my %fields = map { $_->{name} => $_->{value} } @{ $seen->{fields} };
        is $fields{title}, 'Holiday', "$how: other fields";
        ok !grep({ /^dz|^qquuid|[cC]hunk|[iI]dentifier/ } keys %fields),
            "$how: and none of the library's";
        my $again = piece($name, $url, $last, $id,
                          in_query => $name eq 'resumable');
        is $again->{body}, $r->{body}, "$how: the last again";
        is test_piece($name, $url, 0, $id), 200, "$how: it is there"
            if $asks{$name};
    }
}

# --- plupload ---------------------------------------------------------------

# It counts its pieces, in order, and says no more; as a form and as a raw body.
sub plupload
{
    my ($raw, $name, $n, $count, $bytes, %o) = @_;
    my @fields = (name => $name, chunk => $n, chunks => $count);
    return chunk($o{url} // $url, $bytes, before => [@fields], %o) if !$raw;
    return raw('POST', ($o{url} // $url) . '?' . query(@fields), $bytes,
               headers => ['Content-Type', 'application/octet-stream'], %o);
}

for my $raw (0, 1) {
    my $how = $raw ? 'plupload, raw' : 'plupload';
    my $name = new_id() . '.bin';
    my @piece = map { substr $content, $_ * $size, $size } 0 .. 2;
    my $r = plupload($raw, $name, 1, 3, $piece[1]);
    is $r->{status}, 400, "$how: the second first";
    like $r->{json}{detail}, qr/[Oo]ffset/, 'and told';
    $r = plupload($raw, $name, 0, 3, 'another version of it');
    is $r->{status}, 200, "$how: the first";
    $r = plupload($raw, $name, 0, 3, $piece[0]);
    is $r->{status}, 200, "$how: begun again";
    is $r->{json}{offset}, $size, 'from the beginning';
    $r = plupload($raw, $name, 2, 3, $piece[2]);
    is $r->{status}, 400, "$how: one is left out";
    for my $again (0 .. 1) {
        $r = plupload($raw, $name, 1, 3, $piece[1]);
        is $r->{status}, 200, "$how: the second, sent " . ($again + 1);
        is $r->{json}{offset}, 2 * $size, 'is there once';
    }
    $r = plupload($raw, $name, 2, 3, $piece[2]);
    is $r->{status}, 200, "$how: the last";
    my $seen = application($r) || {};
    is $seen->{state}, 'done', 'the application\'s answer';
    ok((stored($r) || '') eq $content, 'its bytes');
    is $seen->{files}[0]{filename}, $name, 'its name';
    is_deeply [grep { $_->{name} =~ /^(?:name|chunks?)$/ } @{ $seen->{fields} }],
        [], 'none of its parameters';
    my $again = plupload($raw, $name, 2, 3, $piece[2]);
    is $again->{body}, $r->{body}, 'the last again';
}

# A first piece that was cut off, and that its server takes only when its client
# has long gone on: what came after it stays.
sub cut_piece
{
    my ($raw, $name, $bytes, %o) = @_;
    my @fields = (name => $name, chunk => 0, chunks => 3);
    my $where = ($o{id} ? "?X-Progress-ID=$o{id}" : '');
    my ($body, $type) = $raw ? ($bytes, 'application/octet-stream')
        : multipart([{name => 'name', value => $name},
                     {name => 'chunk', value => 0}, {name => 'chunks', value => 3},
                     {name => 'file', content => $bytes, filename => 'blob'}]);
    $where .= ($where ? '&' : '?') . query(@fields) if $raw;
    my $c = connect_raw();
    $c->send("POST $url$where HTTP/1.1\r\nHost: localhost\r\n"
        . "Content-Type: $type\r\nContent-Length: " . length($body) . "\r\n\r\n"
        . substr $body, 0, length($body) - $size / 2);
    return $c;
}

for my $how ([0], [1], [0, new_id()], [1, new_id()]) {
    my ($raw, $id) = @$how;
    my $text = 'plupload' . ($raw ? ', raw' : '') . ($id ? ', named' : '');
    my $name = new_id() . '.bin';
    my @named = $id ? (id => $id) : ();
    my @piece = map { substr $content, $_ * $size, $size } 0 .. 2;
    plupload($raw, $name, 0, 3, $piece[0], @named);
    plupload($raw, $name, 1, 3, $piece[1], @named);
    my %before = map { $_ => 1 } pool_dirs('chunked-ip');
    my $c = cut_piece($raw, $name, $piece[0], @named);
    wait_for(sub { grep { !$before{$_} } pool_dirs('chunked-ip') });
    ok +(grep { !$before{$_} } pool_dirs('chunked-ip')),
        "$text: a first piece that comes again is put aside";
    $c->close;
    wait_for(sub { !grep { !$before{$_} } pool_dirs('chunked-ip') });
    is_deeply [grep { !$before{$_} } pool_dirs('chunked-ip')], [],
        'nothing of it stays when it is cut off';
    my $r = plupload($raw, $name, 2, 3, $piece[2], @named);
    is $r->{status}, 200, 'the last piece is taken';
    ok((stored($r) || '') eq $content, 'behind the others');
}

# Where there is no room for both, the one that begins anew is no worse off.
for my $raw (0, 1) {
    my $name = new_id() . '.bin';
    my %where = (url => '/chunked-tight/echo.pl');
    my @piece = map { substr $content, $_ * $size, $size } 0 .. 2;
    plupload($raw, $name, 0, 3, $piece[0], %where);
    plupload($raw, $name, 1, 3, $piece[1], %where);
    my $r;
    for (1, 2) {
        $r = plupload($raw, $name, 0, 3, $piece[0], %where);
        last if $r->{status} == 200;
        is $r->{status}, 507, 'no room for both';
    }
    is $r->{status}, 200, 'plupload' . ($raw ? ', raw' : '')
        . ': begun again in a pool that is nearly full';
    plupload($raw, $name, $_, 3, $piece[$_], %where) for 1, 2;
    $r = plupload($raw, $name, 2, 3, $piece[2], %where);
    ok((stored($r) || '') eq $content, 'its bytes');
    request('DELETE', "$where{url}?X-Progress-ID=" . (application($r) || {})->{identifier});
}
my $small = chunk($url, 'small', before => [name => 's', chunk => 0, chunks => 1],
                  filename => 's.bin');
is $small->{status}, 200, 'plupload: a small file comes whole';

# --- Pieces that nobody puts together ----------------------------------------

for my $where ('/chunked-ip/echo.pl', '/chunked-not/echo.pl') {
    for my $row (
        ['Syncfusion', 'chunk-index' => 0, chunkIndex => 0, totalChunk => 3],
        ['bootstrap-fileinput', chunkIndex => 1, chunkCount => 3],
        ['ng-file-upload', _chunkSize => 5, _chunkNumber => 0, _totalSize => 9],
        ['DevExtreme', chunkMetadata => '{"Index":0,"TotalCount":3}'],
        ['Kendo UI', metadata => '{"chunkIndex":0,"totalChunks":3}'],
        ['vue-upload-component', phase => 'upload', session_id => 'x',
            start_offset => 0]) {
        my ($who, @fields) = @$row;
        for my $behind (0, 1) {
            my $r = chunk($where, 'bytes', $behind ? 'after' : 'before',
                          [@fields], filename => 'x.bin',
                          headers => ['Accept', 'application/json']);
            is $r->{status}, 415, "$where: a piece of $who is refused";
            like $r->{json}{detail} // $r->{json}{error}, qr/piece of a file/,
                'with a sentence';
        }
    }
}
for my $name (sort keys %family) {
    my $r = piece($name, '/chunked-not/echo.pl', 0, new_id());
    is $r->{status}, 415, "$name: where pieces are not taken";
}
is plupload(0, 'x', 0, 3, 'x', url => '/chunked-not/echo.pl')->{status}, 415,
    'plupload, too';

# --- Side by side -----------------------------------------------------------

for my $round (1 .. 5) {
    my $id = new_id();
    my @c;
    for my $n (0 .. 2) {
        my ($from, $length, $count, @fields) = $family{dropzone}->($n, $id);
        my @parts;
        while (my ($name, $value) = splice @fields, 0, 2) {
            push @parts, {name => $name, value => $value};
        }
        my ($body, $type) = multipart([@parts, {
            name => 'file', filename => 'real.bin',
            content => substr $content, $from, $length,
        }]);
        my $c = connect_raw();
        $c->send("POST /chunked-both/echo.pl HTTP/1.1\r\nHost: localhost\r\n"
                 . "Connection: close\r\nContent-Type: $type\r\nContent-Length: "
                 . length($body) . "\r\n\r\n" . substr $body, 0, -5000);
        push @c, [$c, substr $body, -5000];
    }
    $_->[0]->send($_->[1]) for reverse @c;
    my @answers = map { $_->[0]->answer } @c;
    is_deeply [map { $_->{status} } @answers], [200, 200, 200],
        "three at once: round $round";
    my ($done) = grep { ($_->{json} || {})->{env} } @answers;
    ok $done && stored($done) eq $content, 'its bytes';
    is scalar(grep { ($_->{json} || {})->{env} } @answers), 1,
        'the application ran once';
}

# --- Whose ------------------------------------------------------------------

# The id that a library makes from a file can be guessed: users are told apart.
$url = '/chunked-auth/echo.pl';
my $id = "$total-realbin";
my $ann = piece('flow', $url, 0, $id, user => 'ann');
my $bob = piece('flow', $url, 1, $id, user => 'bob');
is $ann->{status}, 200, "Ann's";
is $bob->{status}, 200, "Bob's, of the same name";
isnt $ann->{json}{upload_id}, $bob->{json}{upload_id}, 'are two uploads';
my @login = (headers => ['Authorization', 'Basic '
    . MIME::Base64::encode_base64('bob:bob-secret', '')]);
is test_piece('flow', $url, 0, $id, @login), 204, "Bob has not Ann's chunk";
my $r = chunk($url, substr($content, $size),
              range => "bytes $size-" . ($total - 1) . "/$total",
              before => [upload_id => $ann->{json}{upload_id}], user => 'bob');
is $r->{status}, 403, "Bob cannot go on with Ann's";
ok !exists $r->{json}{offset}, 'nor does he learn how far it is';
$r = complete($url, upload_id => $ann->{json}{upload_id}, md5 => 'x' x 32,
              user => 'bob');
is $r->{status}, 403, 'nor complete it';
ok stored(piece('flow', $url, 1, $id, user => 'ann')) eq $content,
    'Ann can';

# Where nothing tells users apart, a guessable name is refused.
for my $name (qw(flow resumable simple)) {
    $r = piece($name, '/chunked-both/echo.pl', 0, $id);
    is $r->{status}, 403, "$name: nobody in particular";
    my $own = new_id();
    is piece($name, '/chunked-both/echo.pl', 0, $id, id => $own)
        ->{json}{upload_id}, $own, "$name: with X-Progress-ID";
    is piece($name, '/chunked-both/echo.pl', 0, "other-$id", id => $own)
        ->{status}, 409, "$name: another file of that X-Progress-ID";
}
for my $name (qw(dropzone fine)) {
    is piece($name, '/chunked-both/echo.pl', 0, new_id())->{status}, 200,
        "$name: names at random are as good as identifiers";
    is piece($name, '/chunked-key/echo.pl', 0, new_id())->{status}, 403,
        "$name: but with a key it needs one that is signed";
    is piece($name, '/chunked-key/echo.pl', 0, new_id(),
             id => sign($key, new_id()))->{status}, 200, "$name: this one";
    my $mine = new_id();
    $r = piece($name, '/chunked-mint/echo.pl', 0, $mine);
    is $r->{status}, 200, "$name: or UploadMint";
    like $r->{json}{upload_id}, qr/^[0-9a-f]+:[0-9a-f]{64}$/,
        "$name: which signs it";
    is piece($name, '/chunked-mint/echo.pl', 1, $mine)->{json}{upload_id},
        $r->{json}{upload_id}, "$name: and knows it again";
}

# --- What does not fit ------------------------------------------------------

$url = '/chunked-both/echo.pl';
my @dz = (dzuuid => new_id(), dzchunkindex => 0, dztotalfilesize => 10,
          dzchunksize => 5, dztotalchunkcount => 2, dzchunkbyteoffset => 0);
for my $case (['an offset of another chunk', dzchunkbyteoffset => 5],
              ['a negative offset', dzchunkbyteoffset => -5],
              ['a total that is no number', dztotalfilesize => 'ten'],
              ['a total beyond 2^63', dztotalfilesize => '9223372036854775808'],
              ['chunks of nothing', dzchunksize => 0],
              ['no name', dzuuid => '']) {
    my ($name, %change) = @$case;
    my @fields = @dz;
    for (my $i = 0; $i < @fields; $i += 2) {
        $fields[$i + 1] = $change{ $fields[$i] } if exists $change{ $fields[$i] };
    }
    $r = chunk($url, 'hello', before => \@fields);
    is $r->{status}, 400, $name;
    is $r->{json}{detail}, 'Error in request headers', "$name: detail";
}
is chunk($url, 'hello', before => \@dz, range => 'bytes 0-4/10')->{status},
    400, 'a library and Content-Range';
is chunk($url, 'hello', before => [@dz, flowChunkNumber => 1])->{status}, 400,
    'two libraries';
is chunk($url, 'four', before => \@dz)->{status}, 400, 'a chunk too short';
is chunk($url, 'sixsix', before => \@dz)->{status}, 400, 'a chunk too long';
is chunk($url, 'hello', before => \@dz)->{status}, 200, 'the right one';
my @other = @dz;
$other[5] = 20;
is chunk($url, 'hello', before => \@other)->{status}, 400,
    'a total that changes';
# Where a form may be whole, a library's fields behind the file come too late:
# the form is refused, because it is a piece.
my @behind = @dz;
$behind[1] = new_id();
$r = chunk($url . '?upload=1', 'hello', after => \@behind,
           range => undef);
is $r->{status}, 415, 'behind the file: a piece, but found too late';
$r = chunk('/chunked/echo.pl', 'hello', after => \@behind);
is $r->{status}, 200, 'behind the file, where forms are chunks';
is $r->{json}{offset}, 5, 'it is a chunk';
@behind[3, 11] = (1, 5);
is stored(chunk('/chunked/echo.pl', 'world', after => \@behind)), 'helloworld',
    'and so is the last';

is crashes_since($mark), 0, 'no child died';
done_testing;
