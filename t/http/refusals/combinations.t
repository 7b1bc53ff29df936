# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Opening a protocol weakens no other: what can be refused by the head of a
# request is refused by the head, in every combination of protocols that takes
# such a request, with and without Expect, over HTTP/1.1 and HTTP/2. The answer,
# the state that pollers see and the counters are the same, and there is no "100
# Continue".

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Httpd;
use UploadPool::H2;
use UploadPool::Test;

# P3: A body over a limit is 413.
# S4: It is refused before "100 Continue".
my @words = qw(multipart chunked tus resumable);
my @sets = map { my $n = $_; [map { $n >> $_ & 1 ? $words[$_] : () } 0 .. 3] }
    1 .. 15;
sub speaks { my ($set, $word) = @_; return scalar grep { $_ eq $word } @$set }
# Forms in every combination; what says itself whose it is alone, beside forms
# and beside all others.
sub sets_for
{
    my ($word) = @_;
    return grep { speaks($_, $word)
        && ($word eq 'multipart' || @$_ == 1 || @$_ == 4
            || @$_ == 2 && speaks($_, 'multipart')) } @sets;
}
sub path { return '/' . join '-', @{ $_[0] } }

my $key = 'a key of the combinations, quite long';
# One context for each thing that is refused.
my %context = (
    size => 'UploadMaxSize 1M',
    core => 'LimitRequestBody 1000000',
    quota => 'UploadQuota pool 1M',
    plain => '',
    owner => 'UploadOwner ip',
    forged => "UploadKey \"$key\"",
    aged => 'UploadIdentifierLifetime 1h',
);

my $httpd = UploadPool::Httpd->new(modules => ['http2']);
my $port = $httpd->port;
my @there = (port => $port);
my %pool = map { $_ => $httpd->make_pool($_) } keys %context;
my $config = "Protocols h2c http/1.1\n<Location /metrics>\n"
    . "SetHandler upload-pool-metrics\n</Location>\n";
for my $set (@sets) {
    for my $name (sort keys %context) {
        $config .= '<Location ' . path($set) . "/$name>\n"
            . "SetHandler upload-pool\nUploadPool \"$pool{$name}\"\n"
            . "LimitRequestBody 0\nUploadProtocol @$set\n"
            . "$context{$name}\n</Location>\n";
    }
}
$httpd->start($config);

# Version 7, of the year 2020.
sub aged_id
{
    return sprintf '%08x-%04x-7000-8000-%012x', 0x016f5e66, 0xe800, rand 2**47;
}

my $boundary = 'Content-Type: multipart/form-data; boundary=b';
# For each kind of request: the word that opens it, its method and headers, and
# the answer that it must get, by context, with a header that causes it, if any.
my %request = (
    form => {
        word => 'multipart', method => 'POST', headers => [$boundary],
        cases => [
            ['size', 413, 'error'], ['core', 413, 'error'],
            ['quota', 507, 'error'], ['plain', 415, 'error', coding => 1],
            ['plain', 400, 'error', boundary => 1],
            ['plain', 409, 'uploading', busy => 1],
            ['owner', 403, 'starting', taken => 1],
            ['forged', 403, undef], ['aged', 410, 'starting', aged => 1],
        ],
    },
    piece => {
        word => 'chunked', method => 'POST',
        headers => [$boundary, 'Content-Range: bytes 0-2499999/2500000'],
        cases => [
            ['size', 400, 'error'], ['core', 400, 'error'],
            ['plain', 415, 'error', coding => 1],
            ['plain', 400, 'error', boundary => 1], ['forged', 403, undef],
        ],
    },
    raw => {
        word => 'chunked', method => 'PUT',
        headers => ['Content-Type: image/png',
                    'Content-Range: bytes 0-2499999/2500000'],
        cases => [
            ['size', 400, 'error'], ['quota', 507, 'error'],
            ['plain', 415, 'error', coding => 1],
            ['plain', 409, 'uploading', busy => 1],
            ['owner', 403, 'starting', taken => 1], ['forged', 403, undef],
            ['aged', 410, 'starting', aged => 1],
        ],
    },
    tus => {
        word => 'tus', method => 'POST',
        headers => ['Tus-Resumable: 1.0.0', 'Upload-Length: 2500000',
                    'Content-Type: application/offset+octet-stream'],
        cases => [
            ['size', 413, 'error'], ['quota', 507, 'error'],
            ['plain', 409, 'uploading', busy => 1],
            ['owner', 403, 'starting', taken => 1], ['forged', 403, undef],
            ['aged', 410, 'starting', aged => 1],
        ],
    },
    resumable => {
        word => 'resumable', method => 'POST',
        headers => ['Upload-Complete: ?1', 'Content-Type: image/png'],
        cases => [
            ['size', 413, 'error'], ['core', 413, 'error'],
            ['quota', 507, 'error'], ['plain', 409, 'uploading', busy => 1],
            ['owner', 403, 'starting', taken => 1], ['forged', 403, undef],
            ['aged', 410, 'starting', aged => 1],
        ],
    },
);

my $h2 = UploadPool::H2->new;

sub samples
{
    my %value;
    for (split /\n/, request('GET', '/metrics', @there)->{body}) {
        $value{$1} = $2
            if /^upload_pool_(uploads_(?:started|failed|refused)_total\S*) (\S+)$/;
    }
    return \%value;
}

# The answer to a head whose body does not come.
sub ask
{
    my ($how, $method, $url, @headers) = @_;
    my @all = (@headers, 'Accept: application/json');
    push @all, 'Content-Length: 2500000'
        if !grep { /^Content-Length/ } @all;
    if ($how =~ /h2/) {
        my %h = map { /^([^:]+): (.*)/ ? (lc $1, $2) : () } @all,
            $how =~ /Expect/ ? 'Expect: 100-continue' : ();
        return $h2->request($method, $url, '', \%h, @there, end => 0);
    }
    my $c = connect_raw(@there, timeout => 20);
    $c->send(join "\r\n", "$method $url HTTP/1.1", 'Host: localhost', @all,
             ($how =~ /Expect/ ? 'Expect: 100-continue' : ()), '', '');
    my $answer = $c->interim;
    $answer = {%$answer, status => '100 Continue'} if $answer->{status} == 100;
    if ($answer->{status} =~ /^\d+$/ && $answer->{status} >= 200) {
        $answer->{body} = $c->_exactly($answer->{headers}{'content-length'} || 0);
        $answer->{json} = decode_json_text($answer->{body});
    }
    $c->close;
    return $answer;
}

# Somebody else's upload in flight, or done.
sub occupy
{
    my ($url, $id, %o) = @_;
    my ($body, $type) = multipart([{name => 'f', filename => 'f',
                                    content => 'x' x 5000}]);
    my $started = samples()->{uploads_started_total};
    my $c = connect_raw(@there, from => '127.0.0.2');
    $c->send("POST $url?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
        . "Content-Type: $type\r\nContent-Length: " . length($body) . "\r\n\r\n"
        . ($o{busy} ? substr $body, 0, 1000 : $body));
    $c->answer if !$o{busy};
    # It is known a moment before it is counted.
    wait_for(sub { status($url, $id, @there)->{state} ne 'starting'
                       && samples()->{uploads_started_total} > $started })
        if $o{busy};
    return $c;
}

# It goes, and is counted as failed before anything else is.
sub leave
{
    my ($c) = @_;
    my $failed = sub {
        my $now = samples();
        my $sum = 0;
        $sum += $now->{$_} for grep { /^uploads_failed/ } keys %$now;
        return $sum;
    };
    my $before = $failed->();
    $c->close;
    wait_for(sub { $failed->() > $before });
    return;
}

for my $kind (sort keys %request) {
    my $what = $request{$kind};
    for my $case (@{ $what->{cases} }) {
        my ($context, $status, $state, %o) = @$case;
        my @headers = @{ $what->{headers} };
        push @headers, 'Content-Encoding: gzip' if $o{coding};
        s/; boundary=b// for $o{boundary} ? @headers : ();
        my $name = join ' ', $kind, $context, grep { $o{$_} } sort keys %o;
        my (@first, $of);
        for my $set (sets_for($what->{word})) {
            my $url = path($set) . "/$context";
            for my $how ('HTTP/1.1', 'HTTP/1.1 Expect', 'h2', 'h2 Expect') {
                my $id = $o{aged} ? aged_id() : new_id();
                # A multipart upload can occupy the identifier of any other.
                my $by = $o{busy} || $o{taken}
                    ? occupy("/multipart/$context", $id, %o) : undef;
                my $before = samples();
                my $answer = ask($how, $what->{method},
                    "$url?X-Progress-ID=$id"
                    . ($context eq 'forged' ? ':0123' : ''), @headers);
                my $now = samples();
                my %got = (
                    status => $answer->{status},
                    error => $answer->{json} ? $answer->{json}{error} : 'none',
                    state => status($url, $id, @there)->{state},
                    counters => join(' ', map { $now->{$_} == $before->{$_} ? ()
                        : "$_+" . ($now->{$_} - $before->{$_}) }
                        sort keys %$now),
                );
                my %want = (@first ? %{ $first[0] } : %got, status => $status,
                            state => $state);
                $of ||= "@$set, $how";
                is_deeply \%got, \%want, "$name: @$set, $how"
                    or diag "as of $of: ", explain(@first), explain($answer);
                push @first, \%got;
                $o{busy} ? leave($by) : $by && $by->close;
            }
        }
        isnt $first[0]{error}, 'none', "$name: with a reason";
    }
}

# A piece may be taken for a form until its fields come: nothing is left of the
# form then.
sub flow
{
    my ($url, $id, $number, $bytes) = @_;
    my @params = (flowChunkNumber => $number, flowChunkSize => 5,
                  flowCurrentChunkSize => length $bytes, flowTotalSize => 9,
                  flowIdentifier => "9-$id", flowFilename => 'f.txt',
                  flowTotalChunks => 2);
    my @fields;
    while (my ($k, $v) = splice @params, 0, 2) {
        push @fields, {name => $k, value => $v};
    }
    my ($body, $type) = multipart([@fields, {name => 'file', filename => 'blob',
                                             content => $bytes}]);
    return ("POST $url?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
        . "Content-Type: $type\r\nContent-Length: " . length($body)
        . "\r\n\r\n" . substr($body, 0, 60), substr $body, 60);
}
my $mixed = '/multipart-chunked/plain';
{
    my $id = new_id();
    my $before = samples();
    my ($head, $rest) = flow($mixed, $id, 1, 'piece');
    my $c = connect_raw(@there);
    $c->send($head);
    ok wait_for(sub { status($mixed, $id, @there)->{state} eq 'uploading' }),
        'who has sent what may be a form is seen to upload';
    is request('GET', '/metrics', @there)->{body}
        =~ /^upload_pool_uploads_live (\d+)/m && $1, 1, 'and is counted as live';
    # Two pieces that come first at once: neither is in the way of the other.
    my $other = connect_raw(@there);
    $other->send(join '', flow($mixed, $id, 2, 'tail'));
    $c->send($rest);
    my @answers = ($c->answer, $other->answer);
    is_deeply [map { $_->{status} } @answers], [200, 200],
        'it is a piece, and so is another that came meanwhile'
        or diag explain(\@answers);
    my $status = status($mixed, $id, @there);
    is_deeply [@{$status}{qw(state size filename)}], ['done', 9, 'f.txt'],
        'they are one upload';
    my $now = samples();
    is $now->{uploads_started_total} - $before->{uploads_started_total}, 3,
        'and were counted as two pieces and their completion, not as a form';
    ok !grep({ /attempt/ } pool_files("$pool{plain}/$id")),
        'nothing of the form is left in the pool';
}
# A complete upload stays what it was when a piece of another comes by its name.
{
    my $id = new_id();
    upload($mixed, [{name => 'f', filename => 'old.txt', content => 'old'}],
           id => $id, @there);
    my ($head, $rest) = flow($mixed, $id, 1, 'piece');
    raw_request("$head$rest", @there, half_close => 1);
    is status($mixed, $id, @there)->{state}, 'uploading', 'a new one has begun';
    my ($file) = glob "$pool{plain}/$id/*.bin";
    ok grep({ slurp($_) eq 'old' } glob "$pool{plain}/$id/*.bin"),
        'the old file is still there';
    is 0 + grep({ /metadata/ } pool_files("$pool{plain}/$id")), 1,
        'and its record';
}
# A client that leaves, or times out, before its fields have come: an error.
{
    my $id = new_id();
    my ($head) = flow($mixed, $id, 1, 'piece');
    my $c = connect_raw(@there);
    $c->send($head);
    wait_for(sub { status($mixed, $id, @there)->{state} eq 'uploading' });
    $c->reset;
    ok wait_for(sub { status($mixed, $id, @there)->{state} eq 'error' }),
        'gone before it was decided: an error';
}
# More than the piece can need, whatever its total is.
for my $how ('HTTP/1.1 Expect', 'h2') {
    my $answer = ask($how, 'POST', "$mixed?X-Progress-ID=" . new_id(), $boundary,
                     'Content-Range: bytes 0-0/10', 'Content-Length: 62914560');
    is $answer->{status}, 400, "a form of 60 MiB for one byte: $how";
}
is +() = $httpd->error_log =~ /exit signal/g, 0, 'no child died';

done_testing;
