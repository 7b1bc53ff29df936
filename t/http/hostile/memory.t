# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# P4, P3, I7: the memory of a child while it takes bodies that are large, have
# too much of something, or inflate a thousandfold: its peak, as the kernel
# counts it, grows by less than 2 MiB. With UPOOL_LONG=yes the large bodies have
# 4 GiB and more.

use strict;
use warnings FATAL => 'all';
use Compress::Zlib ();
use Test::More;
use UploadPool::Test;
use UploadPool::Httpd;
use UploadPool::Memory qw(growth);

my $httpd = UploadPool::Httpd->new;
my $dir = $httpd->make_pool('memory');
my $port = $httpd->port;
my $MIB = 1 << 20;
my $block = "\0" x $MIB;

$httpd->start(join '', map { "<Location $$_[0]>\nUploadPool \"$dir\"\n"
    . "UploadProtocol multipart chunked tus resumable\nLimitRequestBody 0\n"
    . "SetHandler upload-pool\n$$_[1]</Location>\n" }
    ['/large', "UploadOwner ip\n"],
    ['/inflate', "SetInputFilter DEFLATE\nDeflateInflateRatioLimit 100000\n"],
    ['/inflate-max', "SetInputFilter DEFLATE\n"
     . "DeflateInflateRatioLimit 100000\nUploadMaxSize 1M\n"],
    ['/inflate-file', "SetInputFilter DEFLATE\n"
     . "DeflateInflateRatioLimit 100000\nUploadMaxFileSize 1M\n"]);

# --- What a child takes -------------------------------------------------------

# The first run does not count: it brings code and buffers into memory that
# stay. Under prefork another child may serve the next run as its first, hence
# the loop.
sub bounded
{
    my ($name, $sub) = @_;
    my $grown;
    $sub->();
    for (1 .. 4) {
        $grown = growth($httpd, $sub);
        last if $grown < 2048;
    }
    cmp_ok $grown, '<', 2048, "$name: memory grows by less than 2 MiB"
        or diag "$grown KiB";
    return;
}

# --- Sending ----------------------------------------------------------------

# Sends head, and a body of begin, the unit as often as times says, and end.
# Returns the answer.
sub send_much
{
    my ($head, $begin, $times, $end, %o) = @_;
    my $c = connect_raw(port => $port);
    my $unit = exists $o{unit} ? $o{unit} : $block;
    my $length = length($begin) + $times * length($unit) + length $end;
    $c->send("${head}Host: x\r\nAccept: application/json\r\n"
             . "Connection: close\r\n" . ($o{coded}
             ? "Transfer-Encoding: chunked\r\n\r\n"
             : "Content-Length: $length\r\n\r\n"));
    my $piece = $o{coded} ? sub { sprintf "%x\r\n%s\r\n", length $_[0], $_[0] }
        : sub { $_[0] };
    my $each = $piece->($unit);
    my $going = !length $begin || $c->send($piece->($begin));
    $going = $c->send($each) for grep { $going } 1 .. $times;
    $c->send((length $end ? $piece->($end) : '')
             . ($o{coded} ? "0\r\n\r\n" : '')) if $going;
    my $answer = $c->answer;
    $c->close;
    return $answer;
}

my $id;
sub post { $id = new_id(); return "POST $_[0]?X-Progress-ID=$id HTTP/1.1\r\n"
    . "Content-Type: multipart/form-data; boundary=b\r\n" }
my $file = qq(--b\r\nContent-Disposition: form-data; name="f"; )
    . qq(filename="x"\r\n\r\n);
my $end = "\r\n--b--\r\n";

sub stored_size
{
    my ($f) = glob "$dir/$id/0-*.bin";
    return defined $f ? -s $f : undef;
}

sub gone { request('DELETE', "/large?X-Progress-ID=$id", port => $port) }

# --- Large bodies -----------------------------------------------------------

my $many = rounds(192, 4096 + 64);
for my $coded (0, 1) {
    my $name = $coded ? 'a large form in chunks' : 'a large form';
    my ($answer, $size);
    bounded($name, sub {
        $answer = send_much(post('/large'), $file, $coded ? 64 : $many, $end,
                            coded => $coded);
        $size = stored_size();
        gone();
    });
    is $answer->{status}, 200, "$name: taken";
    is $size, ($coded ? 64 : $many) * $MIB, "$name: all of it";
}
for my $front (['tus', "Tus-Resumable: 1.0.0\r\n",
                "Upload-Length: %d\r\n", 'application/offset+octet-stream'],
               ['ietf', "Upload-Draft-Interop-Version: 8\r\n",
                "Upload-Complete: ?0\r\nUpload-Length: %d\r\n",
                'application/partial-upload']) {
    my ($name, $line, $create, $type) = @$front;
    my ($answer, $size);
    bounded("a large PATCH of $name", sub {
        my $c = connect_raw(port => $port);
        $c->send("POST /large HTTP/1.1\r\nHost: x\r\n$line"
                 . sprintf($create, 64 * $MIB) . "Content-Length: 0\r\n\r\n");
        my $at = $c->answer->{headers}{location};
        ($id) = $at =~ m{([^/]+)$};
        $at =~ s{^http://[^/]+}{};
        $answer = send_much("PATCH $at HTTP/1.1\r\n${line}Upload-Offset: 0\r\n"
            . ($name eq 'ietf' ? "Upload-Complete: ?1\r\n" : '')
            . "Content-Type: $type\r\n", '', 64, '');
        $size = stored_size();
        gone();
    });
    is $answer->{status}, 200, "a large PATCH of $name: taken"
        or diag $answer->{body};
    is $size, 64 * $MIB, "a large PATCH of $name: all of it";
}
{
    my ($answer, $size);
    bounded('a large chunk', sub {
        $id = new_id();
        $answer = send_much("PUT /large?X-Progress-ID=$id HTTP/1.1\r\n"
            . 'Content-Range: bytes 0-' . (64 * $MIB - 1) . '/' . 64 * $MIB
            . "\r\n", '', 64, '');
        $size = stored_size();
        gone();
    });
    is $answer->{status}, 200, 'a large chunk: taken';
    is $size, 64 * $MIB, 'a large chunk: all of it';
}

# --- Too much of something --------------------------------------------------

my $line = 'X: ' . 'y' x 900 . "\r\n";
my $part = qq(--b\r\nContent-Disposition: form-data; name="f"\r\n);
for my $row (
    ['a header line without end', 413, "${part}X: ", 'y' x $MIB, 32, $end],
    ['header lines without end', 413, $part, $line x 1000, 32, "\r\nv$end"],
    ['a name without end', 413,
     '--b' . "\r\n" . 'Content-Disposition: form-data; name="', 'n' x $MIB, 32,
     qq("\r\n\r\nv$end)],
    ['headers that are each in order', 413, '',
     "$part$line\r\nv\r\n" x 100, 300, $end],
    ['a million fields', 413, '', "$part\r\nv\r\n" x 10_000, 100, $end],
    ['a million empty files', 413, '', "$file\r\n" x 10_000, 100, $end],
    ['a field without end', 413, "$part\r\n", $block, 32, $end],
    ['fields of 1 MiB without end', 413, '',
     "$part\r\n" . 'v' x (1 << 20) . "\r\n", 32, $end],
    ['a preamble without end', 400, '', $block, 32, "\r\n$file$end"],
    ['an epilogue without end', 400, "${file}v$end", "\r\n" x 500_000, 32, ''],
    ['blanks without end', 400, '--b', ' ' x $MIB, 32, "\r\n"],
    ['line ends without end, unopened', 400, '', "\r\n" x 500_000, 32, ''],
) {
    my ($name, $status, $begin, $unit, $times, $behind) = @$row;
    my $log = length $httpd->error_log;
    my $answer;
    # Fields that are not too many are kept, 10 MiB by default.
    my $grown = growth($httpd, sub { $answer = send_much(post('/large'), $begin,
                                 $times, $behind, unit => $unit) });
    is $answer->{status}, $status, "$name: $status"
        or diag $answer->{error} || $answer->{body};
    cmp_ok $grown, '<', $name =~ /^fields of/ ? 24_576 : 4096,
        "$name: memory is bounded";
    is scalar(() = substr($httpd->error_log, $log) =~ /UPL01\d\d:/g), 1,
        "$name: one line of the log";
    is stored_size(), undef, "$name: nothing is kept";
}

# --- What inflates ----------------------------------------------------------

my $large = 64;
my $d = Compress::Zlib::deflateInit(-WindowBits => 31);
my $gzip = join '', grep { !ref } map { scalar $d->deflate($_) } $file,
    ($block) x $large, $end;
$gzip .= $d->flush;
cmp_ok length $gzip, '<', $large * $MIB / 900, 'nine hundred times as small';
my @coded = ("Content-Encoding: gzip\r\n");
for my $row (['/inflate', 200, $large * $MIB], ['/inflate-max', 413, undef],
             ['/inflate-file', 413, undef]) {
    my ($url, $status, $want) = @$row;
    for my $coded (0, 1) {
        my $name = "$url, " . ($coded ? 'in chunks' : 'by length');
        my ($answer, $size);
        bounded($name, sub {
            $answer = send_much(post($url) . "Content-Encoding: gzip\r\n", '',
                                1, '', unit => $gzip, coded => $coded);
            $size = stored_size();
            gone();
        });
        is $answer->{status}, $status, "$name: $status"
            or diag $answer->{error} || $answer->{body};
        is $size, $want, "$name: what is kept";
    }
}
# The same for an upload whose length was announced before.
my $c = connect_raw(port => $port);
$c->send("POST /inflate HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\n"
         . "Upload-Length: 1000\r\nContent-Length: 0\r\n\r\n");
my $at = $c->answer->{headers}{location} =~ s{^http://[^/]+}{}r;
($id) = $at =~ m{([^/]+)$};
my $answer;
cmp_ok growth($httpd, sub {
    $answer = send_much("PATCH $at HTTP/1.1\r\nTus-Resumable: 1.0.0\r\n"
        . "Upload-Offset: 0\r\nContent-Encoding: gzip\r\n"
        . "Content-Type: application/offset+octet-stream\r\n", '', 1, '',
        unit => $gzip) }), '<', 2048, 'tus: memory is bounded';
is $answer->{status}, 413, 'tus: 413';
cmp_ok stored_size() || 0, '<=', 1000, 'tus: no more than was said';

# --- Behind 4 GiB -----------------------------------------------------------

# Flow.js sends its chunks in any order: what is between them is not there.
my $total = 5 * 1024 * $MIB;
for my $n (1, 5120, 2050) {
    my ($body, $type) = multipart([
        (map { {name => "flow$$_[0]", value => $$_[1]} }
         [ChunkNumber => $n], [ChunkSize => $MIB], [CurrentChunkSize => $MIB],
         [TotalSize => $total], [Identifier => 'sparse'],
         [Filename => 'sparse.bin'], [TotalChunks => 5120]),
        {name => 'file', filename => 'sparse.bin', content => $block}]);
    my $r = request('POST', '/large', port => $port, body => $body,
                    headers => ['Content-Type', $type]);
    is $r->{status}, 200, "chunk $n of 5120: taken" or diag $r->{body};
}
my ($sparse) = grep { -s $_ == $total } glob "$dir/*/0-*.bin";
ok $sparse, 'a file of 5 GiB';
cmp_ok +(stat $sparse)[12] * 512, '<', 4 * $MIB, 'of which 3 MiB are there';

$httpd->stop;
is scalar(() = $httpd->error_log =~ /exit signal|AddressSanitizer:/g), 0,
    'no child died';
done_testing;
