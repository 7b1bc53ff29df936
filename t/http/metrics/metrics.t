# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# What the server reports about itself: SetHandler upload-pool-metrics, and the
# section in mod_status' page.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;
use UploadPool::Httpd;

my $httpd = UploadPool::Httpd->new(children => 2);
my $pool = $httpd->make_pool('live');
my $port = $httpd->port;
$httpd->start(<<"END");
UploadProgressSlots 64
ExtendedStatus On
<Location "/up">
    SetHandler upload-pool
    UploadPool "$pool"
    UploadMaxSize 1M
</Location>
<Location "/metrics">
    SetHandler upload-pool-metrics
</Location>
<Location "/status">
    SetHandler server-status
</Location>
<Location "/closed">
    SetHandler upload-pool-metrics
    Require ip 192.0.2.1
</Location>
END

sub ask { return request('GET', $_[0], port => $port) }

# Every sample by its name and labels.
sub samples
{
    # A child that was killed may have taken the connection.
    my $r = wait_for(sub { my $got = ask('/metrics');
                           $got->{status} == 200 && $got }) or return {};
    my %value;
    for (split /\n/, $r->{body}) {
        $value{$1} = $2 if /^upload_pool_(\S+) (\S+)$/;
    }
    return \%value;
}

# The differences since the last call, zeroes left out.
my $last = samples();
sub changes
{
    my ($now, %change) = samples();
    for (keys %$now) {
        my $by = $now->{$_} - ($last->{$_} || 0);
        $change{$_} = $by if $by;
    }
    $last = $now;
    return \%change;
}

sub put
{
    my ($id, $content, %o) = @_;
    return upload('/up', [{name => 'f', filename => 'a.txt',
        content => $content}], id => $id, port => $port, %o);
}

sub begin
{
    my ($id, $name) = @_;
    my ($body, $type) = multipart([{name => 'f', filename => $name,
                                    content => 'x' x 9000}]);
    my $c = connect_raw(port => $port);
    $c->send("POST /up?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
             . "Content-Type: $type\r\nContent-Length: " . length($body)
             . "\r\nAccept: application/json\r\n\r\n" . substr $body, 0, 5000);
    wait_for(sub { (status('/up', $id, port => $port)->{received} || 0)
                       == 5000 }) or die 'the upload does not begin';
    return ($c, substr($body, 5000), length $body);
}

# --- The form -----------------------------------------------------------------

my $r = ask('/metrics');
is $r->{status}, 200, 'metrics are there';
is $r->{headers}{'content-type'}, 'text/plain; version=0.0.4; charset=utf-8',
    'as Prometheus wants them';
is $r->{headers}{'cache-control'}, 'no-store', 'not cached';
is request('HEAD', '/metrics', port => $port)->{status}, 200, 'HEAD too';
my $posted = request('POST', '/metrics', port => $port, body => '');
is $posted->{status}, 405, 'POST: 405';
like $posted->{headers}{allow}, qr/\bGET\b/, 'that names what is allowed';
is ask('/closed')->{status}, 403, 'as closed as the administrator says';
my ($promtool) = grep { -x } map { "$_/promtool" }
    qw(/usr/bin /usr/local/bin);
ok $promtool, 'promtool is here';
{
    my $file = $httpd->dir('metrics.txt');
    spew($file, $r->{body});
    my $said = `$promtool check metrics <$file 2>&1`;
    is "$?: $said", '0: ', 'and finds nothing to complain of';
}
unlike $r->{body}, qr/\Q$pool\E|%/, 'no path in it';
my ($slots) = $r->{body} =~ /^upload_pool_slots (\d+)$/m;
is $slots, 64, 'the size of the table';
unlike $r->{body}, qr/_cache_/, 'no cache without a farm';
my $reasons = () = $r->{body} =~ /uploads_failed_total\{reason="\w+"\} 0\n/g;
cmp_ok $reasons, '>', 50, 'every reason has its line from the start';

# --- What is counted ------------------------------------------------------------

is put(new_id(), 'x' x 1000)->{status}, 200, 'an upload';
my $was = changes();
my $bytes = delete $was->{received_bytes_total};
cmp_ok $bytes, '>', 1000, 'its bytes are counted';
is_deeply $was, {uploads_started_total => 1, uploads_done_total => 1,
                 'slots_used{state="ended"}' => 1}, 'and it is, once';

is put(new_id(), 'x' x 2_000_000)->{status}, 413, 'one that is too large';
is_deeply changes(), {uploads_started_total => 1,
    'uploads_failed_total{reason="body_too_large"}' => 1,
    'slots_used{state="ended"}' => 1}, 'has failed for that reason';

is put('no..good', 'x')->{status}, 400, 'a bad identifier';
is_deeply changes(), {'uploads_refused_total{reason="ident_malformed"}' => 1},
    'never began';

my $id = new_id();
my ($c, $rest, $size) = begin($id, 'a"b<c>.txt');
is_deeply changes(), {uploads_started_total => 1, uploads_live => 1,
    var('mpm') eq 'event' ? (uploads_parked => 1) : (),
    received_bytes_total => 5000, 'slots_used{state="running"}' => 1},
    'one that comes in is live';
is put($id, 'x')->{status}, 409, 'a second one at once';
is_deeply changes(), {'uploads_refused_total{reason="busy"}' => 1},
    'is refused';

# --- mod_status ---------------------------------------------------------------

my $page = ask('/status')->{body};
my $half = substr $id, 0, (length($id) + 1) / 2;
like $page, qr{<h2>Uploads</h2>}, 'a section of its own';
like $page, qr{<td>\Q$half\E\.\.</td><td>\d+</td><td>5000</td><td>$size</td>
               <td>54\ %</td><td>\d+</td>
               <td>a&quot;b&lt;c&gt;\.txt</td>}x, 'a row for what comes in';
my ($section) = $page =~ m{(<h2>Uploads</h2>.*?</table>)}s;
unlike $section, qr/\Q$id\E|\Q$pool\E/, 'without the identifier, or a path';
my $auto = ask('/status?auto')->{body};
like $auto, qr/^UploadsLive: 1\n/m, 'auto: live';
like $auto, qr/^UploadsDone: 1\n/m, 'auto: done';
like $auto, qr/^UploadsFailed: 1\n/m, 'auto: failed';
like $auto, qr/^UploadSlots: 64\n/m, 'auto: slots';
like $auto, qr/^Upload: \Q$half\E\.\. \d+ 5000 $size \d+ a%22b%3[cC]c%3[eE]\.txt\n/m,
    'auto: a line for what comes in';
like ask('/status?notable')->{body}, qr{<h2>Uploads</h2>}, 'notable: a section';
unlike ask("/status?notable")->{body}, qr/\Q$half\E\.\./, 'notable: and no rows';

my $endless = connect_raw(port => $port);
$endless->send("POST /up?X-Progress-ID=" . new_id() . " HTTP/1.1\r\nHost: x\r\n"
    . "Content-Type: multipart/form-data; boundary=b\r\n"
    . "Transfer-Encoding: chunked\r\n\r\n5\r\n--b\r\n\r\n");
ok wait_for(sub {
    ask('/status')->{body} =~ m{<td>\d+</td><td>5</td><td>-</td><td>-</td>}
}), 'one whose length nobody has said';
$endless->close;
ok wait_for(sub { samples()->{uploads_live} == 1 }), 'that has gone again';
changes();

$c->send($rest);
is $c->answer->{status}, 200, 'it comes to its end';
$c->close;
is_deeply changes(), {uploads_live => -1, uploads_done_total => 1,
    var('mpm') eq 'event' ? (uploads_parked => -1) : (),
    received_bytes_total => $size - 5000, 'slots_used{state="running"}' => -1,
    'slots_used{state="ended"}' => 1}, 'and is done';
unlike ask("/status")->{body}, qr/\Q$half\E\.\./, "its row is gone";

# --- Restarts and deaths ----------------------------------------------------------

$httpd->restart_graceful;
is_deeply changes(), {}, 'a restart changes no number';

($c) = begin($id = new_id(), 'b.txt');
changes();
my ($pid) = ask('/status?auto')->{body} =~ /^Upload: \S+ (\d+)/m;
kill 'KILL', $pid;
ok wait_for(sub { samples()->{uploads_live} == 0 }),
    'of a killed child nothing is live';
$was = changes();
is_deeply $was, {uploads_live => -1,
    var('mpm') eq 'event' ? (uploads_parked => -1) : (),
    'uploads_failed_total{reason="interrupted"}' => 1,
    'slots_used{state="running"}' => -1, 'slots_used{state="ended"}' => 1},
    'its upload has failed';
$c->close;
is status('/up', $id, port => $port)->{state}, 'error', 'so say pollers';

my $sweeps = samples()->{sweeps_total};
like $sweeps, qr/^\d+$/, 'sweeps are counted';
my @crashed = grep { !/signal Killed/ }
    $httpd->error_log =~ /exit signal [^\n]*/g;
is "@crashed", '', 'no child has crashed';

done_testing;
