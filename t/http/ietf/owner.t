# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The owner of an upload, its lifetime, and the modules that may refuse it
# altogether: checked at creation and at every later request
# (draft-ietf-httpbis-resumable-upload, "Security Considerations").

use strict;
use warnings FATAL => 'all';
use MIME::Base64 ();
use Test::More;
use UploadPool::Ietf;
use UploadPool::Test;

my $mark = log_mark();

# --- Users --------------------------------------------------------------------

my $url = '/ietf-user/echo.pl';
my %as = map { $_ => [headers => ['Authorization', 'Basic '
    . MIME::Base64::encode_base64("$_:$_-secret", '')]] } qw(ann bob);
my $r = create($url, 'abc', complete => 0);
is $r->{status}, 401, 'creation: httpd asks who it is';
is scalar @{ $r->{interim} }, 0, 'and nothing is announced';
$r = create($url, 'abc', complete => 0, @{ $as{ann} });
is $r->{status}, 201, 'creation as a user';
my $at = $r->{headers}{location};
for my $method (qw(HEAD GET DELETE)) {
    is state_of($at, method => $method)->{status}, 401, "$method: 401";
    $r = state_of($at, method => $method, @{ $as{bob} });
    is $r->{status}, 403, "$method by another user: 403";
    is $r->{headers}{'upload-offset'}, undef, 'who learns nothing';
}
is append($at, 3, 'def')->{status}, 401, 'PATCH: 401';
$r = append($at, 3, 'def', @{ $as{bob} });
is $r->{status}, 403, 'PATCH by another user: 403';
is $r->{headers}{'upload-offset'}, undef, 'who learns nothing';
is state_of($at, @{ $as{ann} })->{headers}{'upload-offset'}, 3,
    'nothing was appended';
$r = append($at, 3, 'def', @{ $as{ann} });
is $r->{status}, 200, 'the user who made it goes on';
is $r->{json}{env}{REMOTE_USER}, 'ann', 'whom the application sees';
$r = append($at, 6, '', @{ $as{bob} });
is $r->{status}, 403, 'nor does another user get the kept answer';

# --- Expired ------------------------------------------------------------------

$url = '/ietf/echo.pl';
$at = create($url, 'abc', complete => 0)->{headers}{location};
my ($id) = $at =~ m{([^/]+)$};
my $old = time - 2 * 86400;
utime $old, $old, map { pool('ietf') . "/$_" }
    grep { m{^\Q$id\E/} } pool_files('ietf');
for my $method (qw(HEAD GET DELETE)) {
    is state_of($at, method => $method)->{status}, 410,
        "4.1.4 $method after max-age: 410";
}
is append($at, 3, 'def')->{status}, 410, '4.1.4 PATCH after max-age: 410';

# --- Refused as a whole -------------------------------------------------------

my $png = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0";
for my $how ('at once', 'in parts') {
    my $text = '<?php no picture at all ?>' x 10;
    if ($how eq 'at once') {
        $r = create('/ietf-sniff/echo.pl', $text, type => 'image/png',
                    filename => 'a.png');
        $at = location_of($r);
    }
    else {
        $at = create('/ietf-sniff/echo.pl', substr($text, 0, 20), complete => 0,
                     type => 'image/png', filename => 'a.png')
            ->{headers}{location};
        $r = append($at, 20, substr $text, 20);
    }
    is $r->{status}, 415, "$how: refused for what it is";
    is $r->{headers}{'upload-complete'}, '?1',
        "4.1.2 $how: by who has seen the whole, and resuming does not help";
    is problem($r), '', "$how: as a problem";
    is state_of($at)->{status}, 404, "$how: it is no more";
}
is create('/ietf-sniff/echo.pl', $png, type => 'image/png',
          filename => 'a.png')->{status}, 200, 'a picture is taken';

is crashes_since($mark), 0, 'no child died';
done_testing;
