# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# A graceful restart while a slow upload is in every child: with the MPM's
# settings that the manual, an example and a how-to give, the next generation
# serves at once; where there is no room for one, the server says so at start.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;
use UploadPool::Httpd;

my $top = var('top');
my $threads = var('mpm') ne 'prefork';
my $event = var('mpm') eq 'event';
my $httpd = UploadPool::Httpd->new;
my $port = $httpd->port;
my $dir = $httpd->make_pool('generations');
my $place = "<Location /up>\nUploadPool \"$dir\"\nSetHandler upload-pool\n"
    . "</Location>\n";

# --- What is printed --------------------------------------------------------------

# Every set of figures, by directive.
sub sets
{
    my ($text) = @_;
    my %of;
    for my $name (qw(ServerLimit ThreadsPerChild MaxRequestWorkers
                     AsyncRequestWorkerFactor)) {
        my ($line) = $text =~ /^(?: *$name +|\| $name\b[^|]*\| )(\d.*)/m or next;
        my @values = $line =~ /^([\d,]+)(?: +(?:\| )?([\d,]+))?/;
        tr/,//d for @values = grep { defined } @values;
        $of{$name} = \@values;
    }
    return map { my $n = $_; +{map { ($_ => $of{$_}[$n]) } keys %of} }
        0 .. $#{ $of{ServerLimit} };
}

my ($table) = slurp("$top/conf/manual/server")
    =~ /\n\n(\| Slow uploads .*?)\n\n/s;
my ($task) = slurp("$top/conf/manual/howto")
    =~ /^# Thousands of slow clients\n(.*?)^# /ms;
my %printed = ('the manual' => [sets($table)],
    'the example' => [sets(slurp("$top/conf/examples/slow-uploads.conf"))],
    'the how-to' => [sets($task)]);
is_deeply {map { $_ => scalar @{ $printed{$_} } } keys %printed},
    {'the manual' => 2, 'the example' => 1, 'the how-to' => 1}, 'figures are found';
for my $where (sort keys %printed) {
    for my $set (@{ $printed{$where} }) {
        my $children = $set->{MaxRequestWorkers} / $set->{ThreadsPerChild};
        is $set->{ServerLimit}, 4 * $children,
            "$where: $children children, and three generations more";
    }
}

# --- Start-up ---------------------------------------------------------------------

sub mpm
{
    my ($children, $limit) = @_;
    return "ServerLimit $limit\nThreadsPerChild 8\nStartServers $children\n"
        . 'MaxRequestWorkers ' . 8 * $children . "\n";
}

sub warns
{
    my ($exit, $said) = $httpd->check(join '', @_);
    is $exit, 0, 'a valid configuration';
    return $said =~ /UPL0400: (.*)/ ? $1 : '';
}

if ($threads) {
    is warns($place, mpm(2, 2)), 'ServerLimit 2 has no room beside the children'
        . ' that MaxRequestWorkers allows (2): after a graceful restart nobody is'
        . ' served while a slow upload is in each of them; ServerLimit 8 has',
        'no room for the next generation';
    is warns($place, mpm(2, 3)), '', 'room for a child of it';
    is warns(mpm(2, 2)), '', 'where nothing is uploaded it does not matter';
}
else {
    is warns($place), '', 'a child for each request: nothing to warn of';
}

# --- A restart --------------------------------------------------------------------

my ($body, $type) = multipart([{name => 'f', filename => 'f.bin',
                                content => 'g' x 6000}], boundary => 'b');

sub begin
{
    my $id = new_id();
    my $c = connect_raw(port => $port);
    $c->send("POST /up?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
        . "Content-Type: $type\r\nContent-Length: " . length($body)
        . "\r\n\r\n" . substr $body, 0, 500);
    wait_for(sub { (status('/up', $id, port => $port)->{received} || 0) >= 500 })
        or die 'it does not begin';
    return {c => $c, id => $id};
}

# Children, and how many of them have a file of an upload open.
sub children_with_uploads
{
    my ($parent) = @_;
    my ($all, $busy) = (0, 0);
    for my $stat (glob '/proc/[0-9]*/stat') {
        open my $in, '<', $stat or next;
        my ($pid, $of) = (<$in> || '') =~ /^(\d+) \(.*\) [^Z] (\d+) /;
        next unless defined $of && $of == $parent;
        my @threads = glob "/proc/$pid/task/*";
        next if @threads < 4;    # the CGI daemon
        $all++;
        $busy++ if grep { (readlink || '') =~ /\.bin$/ } glob "/proc/$pid/fd/*";
    }
    return ($all, $busy);
}

my $settings = $event ? join "\n", map { "$_ $printed{'the example'}[0]{$_}" }
                            sort keys %{ $printed{'the example'}[0] }
    : $threads ? "ServerLimit 8\nThreadsPerChild 8\nMaxRequestWorkers 16"
    : "ServerLimit 40\nMaxRequestWorkers 40";
$httpd->start("$place\nStartServers 2\n$settings\n");
my @held;
if ($threads) {
    ok wait_for(sub {
        my ($all, $busy) = children_with_uploads($httpd->pid);
        return 1 if $all == 2 && $busy == 2;
        push @held, begin() if @held < 12;
        return 0;
    }), 'a slow upload in each of two children'
        or diag join ' ', children_with_uploads($httpd->pid);
}
else {
    @held = map { begin() } 1 .. 2;
}
for my $round (1 .. 2) {
    my $before = () = $httpd->error_log =~ /resuming normal operations/g;
    kill 'USR1', $httpd->pid;
    ok wait_for(sub {
        (() = $httpd->error_log =~ /resuming normal operations/g) > $before
    }), "restart $round";
    ok wait_for(sub { request('GET', '/', port => $port)->{status} }),
        'the next generation serves';
    is status('/up', $held[0]{id}, port => $port)->{state}, 'uploading',
        'while the uploads of the old one go on';
    push @held, begin();
}
my %status;
for my $held (@held) {
    $held->{c}->send(substr $body, 500);
    $status{ $held->{c}->answer->{status} }++;
    $held->{c}->close;
}
is_deeply \%status, {200 => scalar @held}, 'all of which complete';
$httpd->stop;
unlike $httpd->error_log, qr/exit signal/, 'no child died';
unlike $httpd->error_log, qr/UPL0400/, 'nothing to warn of' if $threads;
done_testing;
