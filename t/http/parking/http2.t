# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadPark Always: a browser's upload over HTTP/2 is ended with
# HTTP_1_1_REQUIRED (RFC 9113 7) before a byte of it is kept, and comes again
# over HTTP/1.1, where it parks. All others stay where they are.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::H2;
use UploadPool::Httpd;
use UploadPool::Test;

my $HTTP_1_1_REQUIRED = 0xd;
my $parks = var('mpm') eq 'event';
my $h2 = UploadPool::H2->new;
my $url = '/park/always';
my ($long, $type) = multipart([{name => 'f', filename => 'f.bin',
                                content => 'x' x 200_000}], boundary => 'b');
my ($short) = multipart([{name => 'f', filename => 'f.bin',
                          content => 'x' x 20_000}], boundary => 'b');

sub sent_over
{
    my ($n) = request('GET', '/park/metrics')->{body}
        =~ /^upload_pool_uploads_sent_over_total (\d+)$/m;
    return $n;
}

# A request of a page's.
sub page
{
    my ($method, $path, $body, %headers) = @_;
    return $h2->request($method, $path, $body,
                        {'sec-fetch-mode' => 'cors', accept => 'application/json',
                         'content-length' => length $body, %headers});
}

sub is_sent_over
{
    my ($name, $r, $id) = @_;
    if ($parks) {
        is $r->{code}, $HTTP_1_1_REQUIRED, "$name: HTTP_1_1_REQUIRED";
        is $r->{status}, 0, "$name: and no answer before it";
    }
    else {
        is $r->{code}, 0, "$name: no stream is reset where nothing parks";
        cmp_ok $r->{status}, '<', 300, "$name: and the upload is taken";
    }
    is status($url, $id)->{state}, $parks ? 'starting' : 'done',
        "$name: nothing of it is known before it comes again"
        if $id;
    return;
}

sub stays
{
    my ($name, $r, $status) = @_;
    is $r->{code}, 0, "$name: no reset";
    is $r->{status}, $status, "$name: $status";
    return;
}

sub starts
{
    my $httpd = UploadPool::Httpd->new;
    my $dir = $httpd->make_pool('always');
    my $place = "<Location /u>\nUploadPool \"$dir\"\nUploadPark Always\n</Location>\n";
    $httpd->start("Protocols h2c http/1.1\n$place");
    $parks ? unlike($httpd->error_log, qr/UPL0416/, 'start-up says nothing')
           : like($httpd->error_log, qr/UPL0416: UploadPark Always at \S+:\d+ is as On/,
                  'start-up says that this MPM cannot park');
    $httpd->stop;
    $httpd->start("Protocols h2c\n$place");
    like $httpd->error_log, qr/UPL0416: UploadPark Always at \S+:\d+ is as On/,
        'start-up says that no HTTP/1.1 is spoken';
    $httpd->stop;
    return;
}

# --- What is sent over ------------------------------------------------------------

# mod_http2 is inactive under prefork, where every upload has a process.
if (var('mpm') eq 'prefork') {
    starts();
    done_testing;
    exit;
}

my $before = sent_over();
my $mark = log_mark();
my $logged = log_mark('access_log');
my $id = new_id();
is_sent_over('a form', page('POST', "$url?X-Progress-ID=$id", $long,
                            'content-type' => $type), $id);
my $file = 'y' x 100_000;
is_sent_over('a creation of tus with its bytes',
             page('POST', $url, $file, 'tus-resumable' => '1.0.0',
                  'upload-length' => length $file,
                  'content-type' => 'application/offset+octet-stream'));
is_sent_over('a creation of the IETF\'s protocol',
             page('POST', $url, $file, 'upload-complete' => '?1',
                  'upload-draft-interop-version' => '6'));
$id = new_id();
is_sent_over('a chunk', page('POST', "$url?X-Progress-ID=$id", $long,
                             'content-type' => $type,
                             'content-range' => 'bytes 0-199999/200000'), undef);
my $created = request('POST', $url, body => '', headers =>
    ['Tus-Resumable', '1.0.0', 'Upload-Length', length $file]);
is $created->{status}, 201, 'a creation of tus without bytes';
is_sent_over('a PATCH of tus',
             page('PATCH', $created->{headers}{location}, $file,
                  'tus-resumable' => '1.0.0', 'upload-offset' => 0,
                  'content-type' => 'application/offset+octet-stream'));
is request('HEAD', $created->{headers}{location}, headers =>
           ['Tus-Resumable', '1.0.0'])->{headers}{'upload-offset'},
    $parks ? 0 : length $file, 'which leaves the upload where it was';
is sent_over() - $before, $parks ? 5 : 0, 'the metrics count them';
sub lines_of
{
    my $lines = () = access_log_since($logged) =~ m{ HTTP/2\.0" 403 }g;
    return $lines;
}
ok wait_for(sub { lines_of() == ($parks ? 5 : 0) }),
    'and the access log has 403 for each' or diag access_log_since($logged);

# --- What stays -------------------------------------------------------------------

stays('a short form', page('POST', $url, $short, 'content-type' => $type), 200);
stays('no browser', $h2->request('POST', $url, $long,
    {'content-type' => $type, accept => 'application/json',
     'content-length' => length $long}), 200);
stays('a stream without a length', $h2->request('POST', $url, $long,
    {'content-type' => $type, accept => 'application/json',
     'sec-fetch-mode' => 'cors'}), 200);
stays('a context of its own with On',
      page('POST', "$url/inner", $long, 'content-type' => $type), 200);
stays('and with Off', page('POST', "$url/off", $long, 'content-type' => $type),
      200);
stays('what is refused anyway',
      page('POST', "$url?X-Progress-ID=a.b", $long, 'content-type' => $type),
      400);
my $r = request('POST', "$url?X-Progress-ID=" . new_id(), body => $long,
                headers => ['Content-Type', $type, 'Sec-Fetch-Mode', 'cors',
                            'Accept', 'application/json']);
is $r->{status}, 200, 'over HTTP/1.1 it is taken';
is $r->{json}{state}, 'done', 'and done';

# --- A client that does it --------------------------------------------------------

my $path = var('t_logs') . '/long.bin';
spew($path, random_bytes(300_000));
$id = new_id();
$logged = log_mark('access_log');
$r = curl('--insecure', '--http2', '-F', "f=\@$path",
          '-H', 'Sec-Fetch-Mode: cors', '-H', 'Accept: application/json',
          'https://127.0.0.1:' . var('tlsport') . "$url?X-Progress-ID=$id");
is $r->{status}, 200, 'curl: the same upload, in one command';
is $r->{json}{state}, 'done', 'curl: is done';
my $way = $parks ? qr{"POST \S+ HTTP/2\.0" 403 .*"POST \S+ HTTP/1\.1" 200 }s
    : qr{"POST \S+ HTTP/2\.0" 200 };
ok wait_for(sub { access_log_since($logged) =~ $way }),
    $parks ? 'curl: over HTTP/2 first, and then over HTTP/1.1'
           : 'curl: over HTTP/2';
is_deeply [map { -s pool('park-always') . "/$_" } grep { /^\Q$id\E.*bin$/ }
           pool_files(pool('park-always'))], [300_000], 'curl: one file, all of it';

# --- Where it cannot be -----------------------------------------------------------

starts();

is crashes_since($mark), 0, 'no child died';
done_testing;
