# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadReadSize: the same bytes, in fewer reads; and nothing else changes on
# the connection.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;
use UploadPool::Httpd;

# Only some MPMs have HTTP/2.
my $h2 = var('mpm') ne 'prefork';
my $httpd = UploadPool::Httpd->new(
    modules => [qw(ssl socache_shmcb), $h2 ? 'http2' : ()]);
my $pool = $httpd->make_pool('one');
my @port = (port => $httpd->port);
my $blob = random_bytes(8_000_000);
spew($httpd->dir('htdocs/six'), "hello\n");

sub serve
{
    my ($line) = @_;
    $httpd->start(<<"END");
$line
<Location /up>
    SetHandler upload-pool
    UploadPool "$pool"
</Location>
END
    return;
}

sub file { return [{name => 'f', filename => 'a.bin', content => $_[0]}] }

sub send_file
{
    my ($bytes, @options) = @_;
    return upload('/up', file($bytes), accept => 'application/json', @port,
        @options);
}

sub stored_is
{
    my ($answer, $bytes, $what) = @_;
    is $answer->{status}, 200, $what or diag explain $answer;
    my $id = $answer->{json} ? $answer->{json}{identifier} : '';
    my ($path) = glob "$pool/$id/0-*.bin";
    ok defined $path && slurp($path) eq $bytes, "$what: the bytes";
    return;
}

# In how many pieces the spool got the last file.
sub last_calls
{
    my @calls = $httpd->error_log
        =~ /UPL0024: upload \S+: handler spool saw \d+ bytes in (\d+)/g;
    return @calls ? $calls[-1] : 0;
}

sub big
{
    my ($what) = @_;
    stored_is(send_file($blob), $blob, $what);
    return last_calls();
}

# An upload that waits for its client, and may be parked meanwhile.
sub slow
{
    my $part = substr $blob, 0, 40_000;
    return stored_is(send_file($part, step => 900, pause => 0.01), $part,
        'a slow client');
}

serve('UploadReadSize 0');
my $usual = big('without');
slow();
cmp_ok $usual, '>=', 1000, 'httpd reads 8,000 bytes at a time';
$httpd->stop;

serve('');
cmp_ok big('as it is by default'), '<', $usual / 2, 'reads are large';
slow();
$httpd->stop;

my $protocols = $h2 ? "Protocols h2 h2c http/1.1\nH2Direct On\n" : '';
serve("UploadReadSize 64K\n$protocols");
my $large = big('UploadReadSize 64K');
cmp_ok $large, '>', 0, 'the log tells';
cmp_ok $large, '<', $usual / 2, 'far fewer reads';

for my $size (0, 1, 7_700, 7_999, 8_000, 8_001, 65_535, 65_536, 65_537,
              131_072, 1_000_000) {
    my $bytes = substr $blob, 0, $size;
    stored_is(send_file($bytes), $bytes, "$size bytes");
    stored_is(send_file($bytes, chunked => 10_000), $bytes,
        "$size bytes in chunks") if $size % 1000 == 0;
}
slow();

# The next request may come in one read with the end of the upload.
my ($body, $type) = multipart(file(substr $blob, 0, 300_000));
my $post = "POST /up HTTP/1.1\r\nHost: localhost\r\nContent-Type: $type\r\n"
    . "Accept: application/json\r\n"
    . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
my $get = "GET /six HTTP/1.1\r\nHost: localhost\r\n\r\n";
my $c = connect_raw(@port);
$c->send($post . $get . $post . $get . $get);
for my $what ('an upload', 'a file', 'another upload', 'a file again',
              'and once more') {
    my $answer = $c->answer;
    if ($what =~ /upload/) {
        stored_is($answer, substr($blob, 0, 300_000), "pipelined: $what");
    }
    else {
        is $answer->{body}, "hello\n", "pipelined: $what";
    }
}
ok !$c->closed(0.2), 'the connection stays open';
$c->close;

# The end of the stream, and a client that vanishes.
for my $how (qw(fin rst)) {
    my $id = new_id();
    my ($half) = multipart(file($blob));
    request('POST', "/up?X-Progress-ID=$id", length => length $half,
        headers => ['Content-Type', $type], body => substr($half, 0, 500_000),
        abort => $how, @port);
    ok wait_for(sub { status('/up', $id, @port)->{state} eq 'error' }),
        "a client that goes with $how: an error";
}
my $id = new_id();
my $r = request('POST', "/up?X-Progress-ID=$id", length => length($body) + 1,
    headers => ['Content-Type', $type], body => $body, half_close => 1, @port);
is status('/up', $id, @port)->{state}, 'error', 'a body that ends early';

# TLS and HTTP/2 read the socket through filters of their own.
sub curl_upload
{
    my ($bytes, $what, $version, @how) = @_;
    my $name = $httpd->dir("htdocs/$what");
    $name =~ s/ /-/g;
    spew($name, $bytes);
    my $r = curl(@how, '-F', "f=\@$name;filename=a.bin", '-H',
        'Accept: application/json');
    like $r->{head} || '', qr{^\Q$version\E }, "$what: by $version";
    return stored_is($r, $bytes, $what);
}

sub over_filters
{
    my ($scheme, @ways) = @_;
    my $url = "$scheme://127.0.0.1:" . $httpd->port . '/up';
    my $part = substr $blob, 0, 40_000;
    for my $way (@ways) {
        my ($name, $version, @how) = @$way;
        curl_upload($blob, $name, $version, @how, $url);
        curl_upload($part, "$name slow", $version, @how, '--limit-rate',
            '80K', $url);
    }
    return;
}

over_filters('http', ['h2c', 'HTTP/2', '--http2-prior-knowledge'])
    if $h2;
$httpd->stop;

my $tls = var('t_conf') . '/tls';
serve(<<"END");
UploadReadSize 64K
${protocols}SSLEngine on
SSLCertificateFile "$tls/cert.pem"
SSLCertificateKeyFile "$tls/key.pem"
END
over_filters('https', ['TLS', 'HTTP/1.1', '-k', '--http1.1'],
    $h2 ? ['h2 over TLS', 'HTTP/2', '-k', '--http2'] : ());
$httpd->stop;

serve("UploadReadSize 64K\n<VirtualHost 127.0.0.1:" . $httpd->port . ">\n"
    . "UploadReadSize 0\n</VirtualHost>");
cmp_ok big('switched off in a virtual host'), '>=', 1000, 'as httpd reads';
is scalar(() = $httpd->error_log =~ /exit signal/g), 0, 'no child died';

done_testing;
