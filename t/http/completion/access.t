# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Access to an upload in several requests: who may create, continue and complete
# it.

use strict;
use warnings FATAL => 'all';
use MIME::Base64 qw(encode_base64);
use Test::More;
use UploadPool::Several;
use UploadPool::Test;

my $mark = log_mark();
my $key = 'the key of the suite complete, 36 b.';
my $denied = pool('complete-ran') . '/denied';
my %login = map { $_ => ['Authorization', 'Basic '
    . encode_base64("$_:$_-secret", '')] } qw(ann bob);

# --- httpd's own checks -----------------------------------------------------

unlink $denied;
for my $way (grep { /tus|resumable/ } ways()) {
    my $up = begin($way, '/c/limited/echo.pl?claim', 'hello');
    ok !$up->{failed}, "$way: created";
    spew($denied, '');
    my $at = log_mark();
    my $r = $up->{finish}->();
    is $r->{status}, 403, "$way: POST is denied by then";
    unlike $r->{body}, qr/"method"/, "$way: the application did not run";
    like error_log_since($at), qr/UPL0062: .* answered 0/, "$way: nor answer";
    is $up->{again}->()->{status}, 403, "$way: still denied";
    ok -e pool('complete') . "/$up->{id}/metadata.json",
        "$way: which UploadCleanup and UploadKeep leave alone";
    unlink $denied;
    $r = $up->{again}->();
    is $r->{status}, 200, "$way: allowed again";
    is application($r)->{received}, 5, "$way: it runs";
    is $up->{again}->()->{body}, $r->{body}, "$way: and that is kept";
}
{
    # A method that is hidden in a header is checked as what it is.
    my $up = begin('tus', '/c/override/echo.pl', 'hello');
    my @tus = ('Tus-Resumable', '1.0.0');
    is request('DELETE', $up->{url}, headers => \@tus)->{status}, 403,
        '<Limit DELETE>';
    is request('POST', $up->{url}, body => '', headers =>
               [@tus, 'X-HTTP-Method-Override', 'DELETE'])->{status}, 403,
        'by another name';
    for my $method ('PUT', 'delete', 'GET', 'x', 'DELETE, PATCH', '') {
        is request('POST', $up->{url}, body => '', headers =>
                   [@tus, 'X-HTTP-Method-Override', $method])->{status}, 400,
            "and no '$method'";
    }
    is $up->{finish}->()->{status}, 200, 'the upload is not harmed';
}

# --- Users ------------------------------------------------------------------

for my $way (ways()) {
    my $url = '/c/auth/echo.pl';
    is begin($way, $url, 'hello')->{failed}{status}, 401, "$way: nobody";
    my $up = begin($way, $url, 'hello', headers => $login{ann});
    ok !$up->{failed}, "$way: ann creates";
    for my $who ('nobody', 'bob') {
        $up->{headers} = $login{$who} || [];
        my $r = $up->{finish}->();
        like $r->{status}, $who eq 'bob' ? qr/^40[34]$/ : qr/^401$/,
            "$way: $who does not complete it";
        unlike $r->{body}, qr/"method"/, "$way: nothing runs for $who";
    }
    $up->{headers} = $login{ann};
    my $r = $up->{finish}->();
    is $r->{status}, 200, "$way: ann completes it";
    is $r->{json}{env}{REMOTE_USER}, 'ann', "$way: and is known to it";
    $up->{headers} = $login{bob};
    like $up->{again}->()->{status}, qr/^40[34]$/,
        "$way: bob is not told the answer";
    $up->{headers} = [];
    is $up->{again}->()->{status}, 401, "$way: nor is nobody";
    $up->{headers} = $login{ann};
    is $up->{again}->()->{body}, $r->{body}, "$way: ann is"
        unless $way eq 'chunked';
}
for my $way (ways()) {
    my $up = begin($way, '/c/owned/echo.pl', 'hello');
    ok !$up->{failed}, "$way: UploadOwner ip";
    my ($method, $url, $body, @headers) = @{ $up->{last} };
    my @h;
    while (my ($name, $value) = splice @headers, 0, 2) {
        push @h, '-H', "$name: $value";
    }
    my $r = curl('--interface', '127.0.0.2', '-X', $method, @h, '--data-binary',
                 $body, base() . $url);
    like $r->{status}, qr/^40[34]$/, "$way: another address";
    is $up->{finish}->()->{status}, 200, "$way: the same address";
}

# --- Signatures -------------------------------------------------------------

for my $way (ways()) {
    my $url = '/c/keyed/echo.pl';
    my $up = begin($way, $url, 'hello');
    is $up->{failed}{status}, 403, "$way: no identifier, and none is minted";
    is begin($way, $url, 'hello', id => new_id())->{failed}{status}, 403,
        "$way: one without signature";
    is begin($way, $url, 'hello', id => sign('x' x 32, new_id()))
        ->{failed}{status}, 403, "$way: one of another key";
    my $id = sign($key, new_id());
    $up = begin($way, $url, 'hello', id => $id);
    ok !$up->{failed}, "$way: a good one" or diag explain $up->{failed};
    is $up->{id}, $id, "$way: which is what it is called";
    (my $bare = $id) =~ s/:.*//;
    (my $other = $id) =~ s/([0-9a-f])$/$1 eq '0' ? '1' : '0'/e;
    for my $false ($bare, $other, "$bare:", uc $id) {
        my @last = map { my $t = $_; $t =~ s/\Q$id\E/$false/; $t }
            @{ $up->{last} };
        my ($method, $at, $body, @headers) = @last;
        like request($method, $at, body => $body, headers => \@headers)
            ->{status}, qr/^40[34]$/, "$way: not as " . substr $false, 0, 90;
    }
    my $r = $up->{finish}->();
    is $r->{status}, 200, "$way: completed";
    like $r->{json}{env}{HTTP_X_UPLOAD_SIGNATURE}, qr/^sha256=[0-9a-f]{64}$/,
        "$way: and signed";

    $up = begin($way, '/c/mint/echo.pl', 'hello');
    ok !$up->{failed}, "$way: UploadMint";
    like $up->{id}, qr/^[A-Za-z0-9-]{1,64}:[0-9a-f]{64}$/, "$way: signed";
    is $up->{finish}->()->{status}, 200, "$way: and good";
}

# --- What a client cannot make the application believe ------------------------------

for my $way (ways()) {
    my $up = begin($way, '/c/cgi/echo.pl', 'hello');
    my $r = $up->{finish}->(headers => [
        'X-Upload-Identifier', 'forged', 'X-Upload-State', 'forged',
        'X_Upload_State', 'forged', 'X-Upload-Content-Type', 'forged',
        'X-HTTP-Method', 'DELETE', 'X-Method-Override', 'DELETE',
        'If-None-Match', '*', 'Range', 'bytes=0-1', 'If-Unmodified-Since',
        'Thu, 01 Jan 1970 00:00:00 GMT', 'X-Own', 'stays']);
    is $r->{status}, 200, "$way: with headers of all kinds";
    my $env = $r->{json}{env} || {};
    is_deeply [grep { ($env->{$_} // '') =~ /forged|DELETE/ } sort keys %$env],
        [], "$way: none is believed";
    is_deeply [grep { /^HTTP_(?:IF_|RANGE|TUS|UPLOAD_|X_HTTP)/ } sort keys %$env],
        [], "$way: nor any of the protocol";
    is $env->{HTTP_X_OWN}, 'stays', "$way: others are the application's";
    is $env->{UPLOAD_POOL_URL}, '/c/cgi/echo.pl', "$way: where a form posts to";
    like $r->{json}{env}{REQUEST_URI}, qr{^/c/cgi/echo\.pl$}, "$way: REQUEST_URI";
}

# The log has what the client asked.
for my $way (ways()) {
    my $up = begin($way, '/c/cgi/echo.pl?a=b', 'hello');
    my $at = log_mark('access_log');
    $up->{finish}->();
    my ($method, $url) = @{ $up->{last} };
    ok wait_for(sub { access_log_since($at)
                          =~ m{"\Q$method $url\E HTTP/1\.1" 200 } }),
        "$way: in the access log" or diag access_log_since($at);
}

is scalar(crashes_since($mark)), 0, 'no child died';
done_testing;
