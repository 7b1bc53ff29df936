# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Refusals that people can read: a sentence under both names that clients look
# for, in every protocol; a missing identifier is distinguished from a forged
# one; a client whose protocol is not open is told so; and the log at httpd's
# usual level has what an administrator needs.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Httpd;
use UploadPool::Test;

my $httpd = UploadPool::Httpd->new;
my $port = $httpd->port;
my @there = (port => $port);
my %pool = map { $_ => $httpd->make_pool($_) } qw(open keyed closed);
my $key = 'a key of the readable refusals, long';
$httpd->start(<<"END");
LogLevel warn
UploadProgressSlots 64
SetHandler upload-pool
<Location /open>
    UploadPool "$pool{open}"
    UploadProtocol multipart chunked tus resumable
    UploadMaxSize 1000B
</Location>
<Location /keyed>
    UploadPool "$pool{keyed}"
    UploadProtocol multipart chunked tus resumable
    UploadKey "$key"
</Location>
<Location /closed>
    UploadPool "$pool{closed}"
</Location>
RequestReadTimeout body=2
END

my @json = ('Accept', 'application/json');
my @tus = ('Tus-Resumable', '1.0.0', 'Content-Type',
           'application/offset+octet-stream');
my ($form, $type) = multipart([{name => 'f', filename => 'f.txt',
                                content => 'x' x 1500}]);
my %request = (
    form => ['POST', [@json, 'Content-Type', $type], $form],
    chunk => ['POST', ['Content-Type', $type, 'Content-Range',
                       'bytes 0-1499/1500'], $form],
    raw => ['PUT', ['Content-Range', 'bytes 0-1499/1500'], 'x' x 1500],
    tus => ['POST', [@tus, 'Upload-Length', 1500], 'x' x 1500],
    resumable => ['POST', ['Upload-Complete', '?0'], 'x' x 1500],
);
sub ask
{
    my ($kind, $to) = @_;
    my ($method, $headers, $body) = @{ $request{$kind} };
    return request($method, $to, headers => $headers, body => $body, @there);
}
sub since { return substr $httpd->error_log, $_[0] }

for my $kind (sort keys %request) {
    my $r = ask($kind, '/open');
    like $r->{status}, qr/^4(?:00|13)$/, "$kind: too large";
    my ($error, $detail) = @{ $r->{json} || {} }{qw(error detail)};
    like $error, qr/^[A-Z].* /, "$kind: a sentence in \"error\"";
    is $detail, $error, "$kind: and in \"detail\"";

    # Missing, or not what it should be.
    my $at = length $httpd->error_log;
    my $missing = ask($kind, '/keyed');
    is $missing->{status}, 403, "$kind: no identifier";
    like $missing->{json}{error}, qr/identifier is missing/,
        "$kind: which is said";
    like since($at), qr/upload_pool:warn.*is missing.*UploadMint On/,
        "$kind: and in the log the way out";
    my $forged = ask($kind, '/keyed?X-Progress-ID=abc:0123');
    is $forged->{status}, 403, "$kind: a forged one";
    like $forged->{json}{error}, qr/identifier was invalid/,
        "$kind: which is another thing";
}

# --- What is not open ---------------------------------------------------------

for my $case (['tus', 'POST', ['Tus-Resumable', '1.0.0', 'Upload-Length', 5],
               '', 415],
              ['tus', 'POST', [@tus, 'Upload-Length', 5], 'hello', 415],
              ['tus', 'PATCH', [@tus, 'Upload-Offset', 0], 'hello', 405],
              ['resumable', 'POST', ['Upload-Complete', '?0'], 'hello', 415],
              ['resumable', 'PATCH', ['Content-Type',
               'application/partial-upload', 'Upload-Complete', '?1',
               'Upload-Offset', 0], 'hello', 405]) {
    my ($word, $method, $headers, $body, $status) = @$case;
    my $at = length $httpd->error_log;
    my $r = request($method, '/closed', headers => $headers, body => $body,
                    @there);
    my $name = "$word is not open: $method";
    is $r->{status}, $status, $name or diag explain $r;
    like $r->{json}{error}, qr/not taken here/, "$name: one sentence";
    like since($at), qr/upload_pool:warn.*UploadProtocol $word/,
        "$name: the log names the directive";
    is $r->{headers}{allow} ? 1 : 0, $status == 405 ? 1 : 0, "$name: Allow";
}
# A URL that does not speak the protocol still takes a whole file.
my $whole = request('POST', '/closed', headers => [@json, 'Content-Type', $type,
    'Upload-Complete', '?1', 'Upload-Draft-Interop-Version', 8], body => $form,
    @there);
is $whole->{status}, 200, 'a whole form of a resumable client is a form';
is request('OPTIONS', '/closed', headers => ['Tus-Resumable', '1.0.0'], @there)
    ->{headers}{'tus-version'}, undef, 'OPTIONS is nobody\'s';

# --- What the log says at httpd's usual level ---------------------------------

my $at = length $httpd->error_log;
my $c = connect_raw(@there);
$c->send("POST /closed?X-Progress-ID=slow HTTP/1.1\r\nHost: x\r\n"
    . "Content-Type: $type\r\nContent-Length: " . length($form) . "\r\n\r\n"
    . substr $form, 0, 500);
is $c->answer->{status}, 408, 'a client that is too slow for RequestReadTimeout';
like since($at), qr/upload_pool:warn.*Upload timed out.*RequestReadTimeout/,
    'is in the log';
for my $body ("--other\r\n\r\n--other--\r\n--b--\r\n", "--b--\r\n$form") {
    $at = length $httpd->error_log;
    my $r = request('POST', '/closed', body => $body, @there, headers =>
        [@json, 'Content-Type', 'multipart/form-data; boundary=b']);
    is $r->{status}, 200, 'a form with nothing in it';
    like since($at), qr/UPL0350: .*neither a file nor a field.*boundary/,
        'the log says so';
}
$at = length $httpd->error_log;
request('POST', '/closed', body => $form, @there,
        headers => ['Content-Type', $type]);
request('POST', '/closed', @there, headers =>
    ['Content-Type', 'multipart/form-data; boundary=b'], body => "--b\r\n"
    . "Content-Disposition: form-data; name=\"f\"; filename=\"\"\r\n\r\n\r\n"
    . "--b--\r\n");
is since($at), '', 'of an upload, and of an input left empty, nothing';
is +() = $httpd->error_log =~ /exit signal/g, 0, 'no child died';

done_testing;
