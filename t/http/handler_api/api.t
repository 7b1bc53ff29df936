# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The optional functions of mod_upload_pool.h, called by a content handler of
# another module: the same keys, owners and pools as in front of the URLs.

use strict;
use warnings FATAL => 'all';
use Test::More;
use MIME::Base64 qw(encode_base64);
use UploadPool::Test;
use UploadPool::Probe;

my $mark = log_mark();
my @keys = ('what the handler suite signs with, 40 by',
            'an older one, also of forty bytes length');
my $uuid = qr/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}/;
my %login = map { $_ => [Authorization => 'Basic '
                             . encode_base64("$_:$_-secret", '')] }
    qw(ann bob);

# The JSON that the probe answers to ?op=…
sub ask
{
    my ($url, $op, $text, %o) = @_;
    my $n = delete $o{n};
    $url .= "?op=$op" . (defined $text ? "&text=$text" : '')
        . (defined $n ? "&n=$n" : '');
    my $r = request('GET', $url, %o);
    return $r->{json} || {broken => $r->{body}, status => $r->{status}};
}

my @form = (['a.bin', 'more than ten bytes'], ['b.txt', 'small']);

# --- Identifiers --------------------------------------------------------------

like ask('/handler-api/', 'create')->{text}, qr/\A$uuid\z/,
    'create without a key';
isnt ask('/handler-api/', 'create')->{text},
    ask('/handler-api/', 'create')->{text}, 'each another one';
my $signed = ask('/handler-key/', 'create')->{text};
like $signed, qr/\A$uuid:[0-9a-f]{64}\z/, 'create with a key';
is $signed, sign($keys[0], $signed =~ s/:.*//r), 'signed by the first key';
like ask('/handler-url/', 'create')->{text}, qr/\A$uuid\z/,
    'create where UploadURL names another server';
is ask('/handlerless/', 'create')->{text}, undef, 'none outside a context';

my $id = new_id();
for my $case (['/handler-api/', $id, 1, 'any identifier without a key'],
              ['/handler-api/', sign($keys[0], $id), 0, 'signed without a key'],
              ['/handler-api/', 'a%2Fb', 0, 'malformed'],
              ['/handler-api/', '', 0, 'empty'],
              ['/handler-api/', undef, 0, 'absent'],
              ['/handler-api/', 'x' x 65, 0, 'too long'],
              ['/handler-key/', $signed, 1, 'signed by the first key'],
              ['/handler-key/', sign($keys[1], $id), 1, 'by the second'],
              ['/handler-key/', sign('another', $id), 0, 'by another'],
              ['/handler-key/', $id, 0, 'unsigned'],
              ['/handler-key/', $signed . '0', 0, 'with a digit more'],
              ['/handler-url/', $id, 1, 'with UploadURL'],
              ['/handlerless/', $id, 0, 'outside a context']) {
    my ($url, $text, $want, $name) = @$case;
    is ask($url, 'verify', $text)->{good}, $want, "verify: $name";
}

# --- Buckets ------------------------------------------------------------------

for my $case (['/handler-api/', $id, 'ENOENT', 'unknown'],
              ['/handler-api/', '..', 'EINVAL', 'malformed'],
              ['/handler-api/', undef, 'EINVAL', 'absent'],
              ['/handler-key/', $id, 'EINVAL', 'unsigned'],
              ['/handler-key/', sign($keys[1], $id), 'ENOENT',
               'unknown, by the second key'],
              ['/handler-url/', $id, 'ENOTIMPL', "another server's"],
              ['/handlerless/', $id, 'ENOTIMPL', 'no context']) {
    my ($url, $text, $want, $name) = @$case;
    is_deeply ask($url, 'access', $text), {rv => $want, bucket => 0},
        "access: $name";
    is ask($url, 'clear', $text)->{rv}, $want =~ s/ENOENT/SUCCESS/r,
        "clear: $name";
}

my (undef, $r) = send_files('/handler-api/', undef, @form, {id => $id});
is $r->{json}{current}, 1, 'current: the handler finds the upload';
is $r->{json}{complete}, 1, 'which is complete';
is $r->{json}{status}{identifier}, $id, 'under its identifier';
my $path = $r->{json}{filename};
ok defined $path && slurp($path) eq 'more than ten bytes', 'and its file'
    or diag $r->{body};
is_deeply $r->{json}{status}, status('/handler-api', $id),
    'the status is what pollers get';
is ask('/handler-api/', 'current')->{current}, 0,
    'current: none where nothing was uploaded';
$r = request('POST', '/handler-api/?op=current', body => '{}',
             headers => ['Content-Type', 'application/json',
                         'X-Upload-State', 'done']);
is $r->{json}{current}, 0, 'nor where a client says so';

my $found = ask('/handler-api/', 'access', $id);
is $found->{rv}, 'SUCCESS', 'access from another request';
is $found->{filename}, $path, 'the same path';
is $found->{status}{state}, 'done', 'the same status';
is ask('/handler-api/', 'access', $id, n => 1)->{filename}, undef,
    'a file that was kept in memory has no path';
is ask('/handler-api/', 'access', $id, n => $_)->{filename}, undef,
    "there is no file $_" for 2, -1, 1_000_000;
is ask('/handler-key/', 'access', sign($keys[0], $id))->{rv}, 'ENOENT',
    'another pool knows nothing of it';

is ask('/handler-api/', 'remove', $id)->{cleared}, 'SUCCESS', 'clear_upload';
is ask('/handler-api/', 'access', $id)->{rv}, 'ENOENT', 'it is gone';
ok !-e $path, 'with its file';
($id) = send_files('/handler-api/', undef, @form);
$found = ask('/handler-api/', 'remove', $id);
is_deeply [@{$found}{qw(complete filename)}, $found->{status}],
    [0, undef, {state => 'starting'}], 'a cleared bucket reads as unknown';
($id) = send_files('/handler-api/', undef, @form);
is ask('/handler-api/', 'clear', $id)->{rv}, 'SUCCESS', 'clear_bucket';
is_deeply [left_in($id)], [], 'leaves nothing';

# By key; and what an application finds behind a redirect.
my (undef, $keyed) = send_files('/handler-key/', undef, @form,
                                {id => $signed});
is $keyed->{json}{complete}, 1, 'an upload with a key';
is ask('/handler-key/', 'access', sign($keys[1], $signed =~ s/:.*//r))
    ->{filename}, $keyed->{json}{filename}, 'found under the second key too';
(undef, $r) = send_files('/handler-pass/', undef, @form);
is $r->{json}{current}, 1, 'current: behind UploadPass, out of the context';
is slurp($r->{json}{filename}), 'more than ten bytes', 'with its file';

# --- While it comes in, and after an error --------------------------------------

{
    my ($body, $type) = multipart([{name => 'file', filename => 'one.txt',
                                    content => 'x' x 50_000}]);
    $id = new_id();
    my $c = connect_raw();
    $c->send("POST /handler-api/?X-Progress-ID=$id HTTP/1.1\r\nHost: h\r\n"
        . "Content-Type: $type\r\nContent-Length: " . length($body)
        . "\r\n\r\n" . substr $body, 0, 30_000);
    my $seen = wait_for(sub {
        my $now = ask('/handler-api/', 'access', $id);
        return ($now->{status}{received} || 0) > 20_000 ? $now : undef;
    });
    is $seen->{status}{state}, 'uploading', 'access: under way';
    is $seen->{complete}, 0, 'not complete';
    is $seen->{filename}, undef, 'without a path';
    is ask('/handler-api/', 'remove', $id)->{cleared}, 'SUCCESS',
        'clear_upload cancels it';
    $c->send(substr $body, 30_000);
    is $c->answer->{status}, 409, 'its writer learns of that';
}
($id) = send_files('/handler-api/', undef, ['a', 'x' x 20], {length => 100,
                                                           half_close => 1});
$found = ask('/handler-api/', 'access', $id);
is $found->{status}{state}, 'error', 'access: an upload that failed';
is $found->{complete}, 0, 'is not complete';

# --- Owners -----------------------------------------------------------------

($id, $r) = send_files('/handler-owner/', undef, @form,
                       {headers => $login{ann}});
is $r->{json}{complete}, 1, "ann's upload" or diag $r->{body};
is ask('/handler-owner/', 'access', $id, headers => $login{ann})->{rv},
    'SUCCESS', 'ann finds it';
is_deeply ask('/handler-owner/', 'access', $id, headers => $login{bob}),
    {rv => 'ENOENT', bucket => 0}, 'bob does not';
is ask('/handler-owner/', 'clear', $id, headers => $login{bob})->{rv},
    'EACCES', 'nor may he clear it';
is ask('/handler-api/', 'clear', $id)->{rv}, 'EACCES', 'nor anybody else';
is ask('/handler-owner/', 'access', $id, headers => $login{ann})->{complete},
    1, 'it is still there';
is ask('/handler-owner/', 'clear', $id, headers => $login{ann})->{rv},
    'SUCCESS', 'she may';

# --- Expiry -----------------------------------------------------------------

($id) = send_files('/handler-short/', undef, @form);
ok wait_for(sub {
    ask('/handler-short/', 'access', $id)->{rv} eq 'ENOENT'
}), 'an upload that has expired is not found';

is crashes_since($mark), 0, 'no child died';
done_testing;
