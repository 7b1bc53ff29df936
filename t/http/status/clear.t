# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Clearing an upload, in whatever state, and minting identifiers.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my $url = '/stat/echo.pl';
my @parts = ({name => 'f', filename => 'f', content => 'x' x 10_000});
my %way = (
    'GET ?clear' => sub { request('GET', "$url?clear&X-Progress-ID=$_[0]") },
    'GET ?clear=1' => sub { request('GET', "$url?X-Progress-ID=$_[0]&clear=1") },
    'POST ?clear' => sub { request('POST', "$url?clear&X-Progress-ID=$_[0]",
                                   body => '') },
    'POST ?clear, a form' => sub { request('POST',
        "$url?clear&X-Progress-ID=$_[0]", body => 'a=b', headers =>
        ['Content-Type', 'application/x-www-form-urlencoded']) },
    'DELETE' => sub { request('DELETE', "$url?X-Progress-ID=$_[0]") },
    'DELETE by header' => sub { request('DELETE', $url, headers =>
        ['X-Progress-ID', $_[0]]) },
);

sub begin
{
    my ($id) = @_;
    my ($body, $type) = multipart(\@parts);
    my $c = connect_raw();
    $c->send("POST $url?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
             . "Content-Type: $type\r\nContent-Length: " . length($body)
             . "\r\nAccept: application/json\r\n\r\n" . substr $body, 0, 6000);
    wait_for(sub { (status($url, $id)->{received} || 0) >= 6000 })
        or die 'the upload does not begin';
    return ($c, substr $body, 6000);
}
sub left { my ($id) = @_; return [grep { /^\Q$id\E/ } pool_dirs('stat'),
                                  pool_files('stat')] }

{
    my $id = new_id();
    upload($url, \@parts, id => $id);
    request('HEAD', "$url?clear&X-Progress-ID=$id");
    is status($url, $id)->{state}, 'done', 'HEAD clears nothing';
}

for my $name (sort keys %way) {
    my $clear = $way{$name};
    my $id = new_id();
    my $r = $clear->($id);
    is $r->{status}, 200, "$name, unknown: 200";
    is_deeply $r->{json}, {success => JSON::PP::true()},
        "$name, unknown: still true";
    is $r->{headers}{'cache-control'}, 'no-store', "$name: not cached";

    is upload($url, \@parts, id => $id)->{status}, 200, "$name: an upload";
    is_deeply $clear->($id)->{json}, {success => JSON::PP::true()},
        "$name, done: true";
    is_deeply status($url, $id), {state => 'starting'}, "$name: unknown again";
    is_deeply left($id), [], "$name: nothing is left";
    is request('GET', "$url/file?X-Progress-ID=$id")->{status}, 404,
        "$name: no file";

    my ($c, $rest) = begin($id);
    is_deeply $clear->($id)->{json}, {success => JSON::PP::true()},
        "$name, in flight: true";
    is_deeply status($url, $id), {state => 'starting'},
        "$name, in flight: unknown at once";
    is_deeply left($id), [], "$name, in flight: nothing is left";
    # The same identifier at once, while the first writer still waits.
    is upload($url, \@parts, id => $id)->{status}, 200,
        "$name, in flight: the identifier is free";
    $c->send($rest);
    $r = $c->answer;
    is $r->{status}, 409, "$name: the cleared writer ends";
    is $r->{json}{error}, 'Upload was cleared', "$name: and is told why";
    $c->close;
    is status($url, $id)->{state}, 'done', "$name: the new one is not harmed";
    is request('GET', "$url/file?X-Progress-ID=$id")->{body}, 'x' x 10_000,
        "$name: and its file is whole";
    is scalar(grep { /bin/ } @{ left($id) }), 1, "$name: one file in all";
    $clear->($id);

    ($c, $rest) = begin($id);
    $clear->($id);
    $c->send($rest);
    is $c->answer->{status}, 409, "$name: cleared and nothing after";
    $c->close;
    is_deeply status($url, $id), {state => 'starting'}, "$name: still unknown";
    is_deeply left($id), [], "$name: nothing is left behind";

    request('POST', "$url?X-Progress-ID=$id", body => 'bad', headers =>
        ['Content-Type', 'multipart/form-data; boundary=x']);
    is status($url, $id)->{state}, 'error', "$name: a failed one";
    $clear->($id);
    is_deeply status($url, $id), {state => 'starting'}, "$name: is cleared too";
    is_deeply left($id), [], "$name: nothing is left of it";
}

my $id = new_id();
upload($url, \@parts, id => $id);
my $r = request('GET', "$url?clear&X-Progress-ID=$id&callback=cb");
like $r->{body}, qr{\A/\*\*/cb\(\{"success": ?true\}\);?\s*\z}, 'JSONP';
like $r->{headers}{'content-type'}, qr{^application/javascript}, 'its type';
is_deeply status($url, $id), {state => 'starting'}, 'and cleared';

# A replacement in flight that is cleared takes the old one with it.
upload($url, \@parts, id => $id);
my ($c, $rest) = begin($id);
$way{DELETE}->($id);
$c->send($rest);
is $c->answer->{status}, 409, 'a replacement is cleared';
$c->close;
is_deeply left($id), [], 'old and new';

# Foreign things in a bucket are not ours to delete.
upload($url, \@parts, id => $id);
spew(pool('stat') . "/$id/README", 'mine');
is_deeply $way{DELETE}->($id)->{json}, {success => JSON::PP::true()},
    'a stranger\'s file in the bucket';
is slurp(pool('stat') . "/$id/README"), 'mine', 'stays';
unlink pool('stat') . "/$id/README";
$way{DELETE}->($id);

# --- Minting ----------------------------------------------------------------

my $uuid7 = qr/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/;
my %key = ('/stat-mint/echo.pl' => 'the key of the status suite, 34 bytes.',
           '/stat-plain/echo.pl' => undef);
for my $where (sort keys %key) {
    my $key = $key{$where};
    my %seen;
    for my $n (1 .. 20) {
        $r = request('POST', "$where/new", body => '');
        $seen{ $r->{json}{identifier} }++;
    }
    is scalar keys %seen, 20, "$where: twenty, all different";
    is $r->{status}, 201, "$where: 201";
    is_deeply [sort keys %{ $r->{json} }],
        [qw(identifier limits status_url upload_url)], "$where: its members";
    is $r->{headers}{'cache-control'}, 'no-store', "$where: not cached";
    my ($bare) = split /:/, $r->{json}{identifier};
    like $bare, qr/\A$uuid7\z/, "$where: a time-ordered UUID";
    is $r->{json}{identifier}, $key ? sign($key, $bare) : $bare,
        "$where: " . ($key ? 'signed' : 'bare');
    is_deeply request('GET', $r->{json}{status_url})->{json},
        {state => 'starting'}, "$where: status_url works as it is";
    is upload($r->{json}{upload_url}, \@parts)->{status}, 200,
        "$where: upload_url works as it is";
    is request('GET', $r->{json}{status_url})->{json}{identifier}, $bare,
        "$where: and they belong together";
    for my $how (['application/json', '{}'],
                 ['application/x-www-form-urlencoded', 'a=b'],
                 ['multipart/form-data; boundary=x', '']) {
        is request('POST', "$where/new", body => $how->[1], headers =>
            ['Content-Type', $how->[0]])->{status}, 201,
            "$where: posted as $how->[0]";
    }
    is request('GET', "$where/new")->{json}{method}, 'GET',
        "$where: GET is the application's";
}
is_deeply request('POST', '/stat-plain/echo.pl/new', body => '')
    ->{json}{limits}, {'max-request-size' => 1_073_741_824},
    'limits: LimitRequestBody of its own';
is_deeply request('POST', '/stat-limits/echo.pl/new', body => '')
    ->{json}{limits}, {'max-size' => 20_971_520, 'max-file-size' => 5_242_880,
                       'max-request-size' => 4096, allow => [qw(jpg png)],
                       deny => ['php']},
    'limits: those that are configured';
is request('POST', "$url/new", body => '')->{json}{env}{PATH_INFO}, '/new',
    'where it is not switched on, the application gets it';
my ($body, $type) = multipart(\@parts);
is request('POST', "$url/new", body => $body, headers =>
    ['Content-Type', $type])->{json}{env}{UPLOAD_POOL_STATE}, 'done',
    'and an upload there is one';

is crashes_since($mark), 0, 'no child died';
done_testing;
