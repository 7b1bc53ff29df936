# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadKeep: with claimed, an upload that the application does not claim in its
# answer is deleted when the request is over, whatever becomes of the
# application.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my @parts = ({name => 'title', value => 'Holiday'},
             {name => 'f', filename => 'f.txt', content => 'hello'},
             {name => 'g', filename => 'g.txt', content => 'world'});
my $unclaimed = qr/UPL0040/;

# The files that an upload has in the pool.
sub here
{
    my ($id, $pool) = @_;
    my $bucket = pool($pool || 'room-keep') . "/$id";
    my @there = (glob("$bucket/*"), -d $bucket ? $bucket : ());
    return @there;
}

# The file stays or goes; the answer comes before either is decided.
sub check
{
    my ($name, $where, $stays, $status, %o) = @_;
    my $id = $o{id} || new_id();
    my $pool = $o{pool} || 'room-keep';
    my $at = log_mark();
    my $r = upload($where, \@parts, id => $o{signed} || $id,
                   accept => '*/*', %{ $o{more} || {} });
    is $r->{status}, $status, "$name: status" or diag $r->{body};
    ok !exists $r->{headers}{'x-upload-claim'}, "$name: the client sees no claim"
        or diag $r->{head};
    my ($base) = $where =~ /^([^?]*)/;
    if ($stays) {
        # The line of the access log is written when all was decided.
        wait_for(sub { access_log_has($id) });
        is scalar(grep { /bin$/ } here($id, $pool)), 2, "$name: it stays";
        is status($base, $o{signed} || $id)->{state}, 'done', "$name: done";
        unlike error_log_since($at), $unclaimed, "$name: no word in the log";
    }
    else {
        ok wait_for(sub { !here($id, $pool) }), "$name: it goes";
        ok wait_for(sub {
            status($base, $o{signed} || $id)->{state} eq 'starting'
        }), "$name: and is forgotten";
        ok wait_for(sub { error_log_since($at) =~ $unclaimed }),
            "$name: the log says why" unless $o{cleaned};
    }
    return $r;
}

sub access_log_has { return access_log_since(0) =~ /\b\Q$_[0]\E\b/ }

my $cgi = '/room-keep/echo.pl';
check('CGI without a word', $cgi, 0, 200);
check('CGI claims', "$cgi?claim", 1, 200);
check('CGI claims and says 201', "$cgi?claim&status=201", 1, 201);
check('CGI claims and says 404', "$cgi?claim&status=404", 1, 404);
check('CGI claims and says 500', "$cgi?claim&status=500", 0, 500);
check('CGI says 404', "$cgi?status=404", 0, 404);
check('CGI says 503', "$cgi?status=503", 0, 503);
check('CGI dies', "$cgi?die", 0, 500);
check('CGI claims another', "$cgi?claim=somebody-elses", 0, 200);
check('CGI claims nothing', "$cgi?claim=", 0, 200);
check('CGI claims a prefix', "$cgi?claim=t", 0, 200);
check('CGI claims too much', "$cgi?claim=" . 'x' x 500, 0, 200);
my $id = new_id();
check('a list', "$cgi?claim=other,%20$id", 1, 200, id => $id);
check('signed, where nothing is', "$cgi?claim=$id:" . 'a' x 64, 0, 200,
      id => $id = new_id());
check('chunked', "$cgi?claim", 1, 200, more => {chunked => 100});
check('chunked, unclaimed', $cgi, 0, 200, more => {chunked => 100});
my $same = new_id();
check('claimed', "$cgi?claim", 1, 200, id => $same);
check('replaced by one that is not', $cgi, 0, 200, id => $same);

my $key = 'the key of the room suite, 33 bytes..';
for my $text ('bare', 'signed', 'forged') {
    $id = new_id();
    my $signed = sign($key, $id);
    my %claim = (bare => $id, signed => $signed, forged => "$id:" . 'a' x 64);
    check("with a key, $text", "/room-key/echo.pl?claim=$claim{$text}",
          $text ne 'forged', 200, id => $id, signed => $signed,
          pool => 'room-key');
}

check('PHP without a word', '/room-php/echo.php', 0, 200);
check('PHP claims', '/room-php/echo.php?claim', 1, 200);
check('PHP claims and dies', '/room-php/echo.php?claim&fatal', 0, 500);
check('PHP says 404', '/room-php/echo.php?status=404', 0, 404);
check('proxied without a word', '/room-proxy/x', 0, 200);
check('proxied claims', '/room-proxy/x?claim', 1, 200);
check('proxied goes away', '/room-proxy/x?drop', 0, 502);
check('proxied claims, but is cleaned up', '/room-proxy/x?claim&status=404', 0,
      404, cleaned => 1);
check('mod_headers claims', '/room-header/echo.pl', 1, 200);
check('UploadPass claims', '/room-pass/claimed', 1, 200, pool => 'room-pass');
check('UploadPass does not', '/room-pass/unclaimed', 0, 200,
      pool => 'room-pass');
check('no application', '/room-missing/x', 0, 404);
check('an ErrorDocument claims for one that died', '/room-error/echo.pl?die', 0,
      500);

my $r = check('always', '/room-always/echo.pl', 1, 200);
check('always, claimed', '/room-always/echo.pl?claim', 1, 200);
is request('GET', '/cgi/echo.pl?claim=x')->{headers}{'x-upload-claim'}, 'x',
    'outside a pool the header is the application\'s own';

# The identifier may be another upload's by the time that the request is over.
$id = new_id();
my ($body, $type) = multipart(\@parts);
my $c = connect_raw();
$c->send("POST $cgi?sleep=1.5&X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
    . "Connection: close\r\nContent-Type: $type\r\nContent-Length: "
    . length($body) . "\r\n\r\n$body");
ok wait_for(sub { status($cgi, $id)->{state} eq 'done' }), 'a slow application';
is upload($cgi, \@parts, id => $id)->{status}, 409,
    'in use: no successor while it works';
my $slow = log_mark();
is $c->answer->{status}, 200, 'the slow one ends without a claim';
$c->close;
ok wait_for(sub { error_log_since($slow) =~ $unclaimed }), 'and goes';
check('its successor claims', "$cgi?claim", 1, 200, id => $id);
my ($file) = grep { /bin$/ } here($id);
ok $file, 'it has a file';
wait_for(sub { my $log = access_log_since(0);
               (() = $log =~ /\b\Q$id\E\b.*\n/g) >= 3 });
ok -e $file, 'the successor keeps its files';
is status($cgi, $id)->{state}, 'done', 'and its state';

# Taken by renaming.
mkdir pool('taken');
chown +(stat pool('room-keep'))[4, 5], pool('taken');
$r = check('taken, not claimed', "$cgi?take", 0, 200);
is scalar @{ $r->{json}{taken} }, 2, 'both files';
ok -s $_->{to}, 'are where the application put them' for @{ $r->{json}{taken} };

is crashes_since($mark), 0, 'no child died';

done_testing;
