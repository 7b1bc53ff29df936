# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# More uploads under way than the progress table has slots: they go on, and
# their status comes from the bucket. The suite has its own server, with the
# smallest table.

use strict;
use warnings FATAL => 'all';
use POSIX ();
use Test::More;
use UploadPool::Test;

# D9: A full table stops nobody.
my $slots = 64;
my $uploads = 72;
my $port = var('freeport');
my $dir = var('t_logs') . "/slots.$$";
my $uid = getpwnam var('user');
my $gid = (getpwnam var('user'))[3];
mkdir $dir or die "$dir: $!";
mkdir "$dir/pool", 0700 or die;
chown $uid, $gid, "$dir/pool";

# The modules of the big server that this one needs.
my $base = slurp(var('t_conf') . '/base.conf');
my @load = grep { /mpm_|unixd|authz_core|alias|upload_pool|log_config|mime/ }
    $base =~ /^(LoadModule .*)$/mg;
my $mpm = var('mpm');
my $workers = $mpm eq 'prefork'
    ? "StartServers 20\nMinSpareServers 10\nMaxSpareServers 100\n"
      . "ServerLimit 100\nMaxRequestWorkers 100\n"
    : "StartServers 2\nServerLimit 4\nThreadsPerChild 50\n"
      . "MaxRequestWorkers 200\nMinSpareThreads 50\nMaxSpareThreads 200\n";
spew("$dir/httpd.conf", join "\n", @load, $workers, <<"CONF");
Listen 127.0.0.1:$port
ServerName localhost
ServerRoot "$dir"
DefaultRuntimeDir "$dir"
PidFile "$dir/pid"
ErrorLog "$dir/error_log"
TypesConfig @{[var('t_conf')]}/mime.types
@{[$> == 0 ? 'User ' . var('user') . "\nGroup #$gid" : '']}
Timeout 60
LogLevel upload_pool:debug
UploadProgressSlots $slots
<Location /u>
    SetHandler upload-pool
    UploadPool "$dir/pool"
</Location>
CONF

chomp(my $sbin = `\${APXS:-apxs} -q SBINDIR`);
chomp(my $name = `\${APXS:-apxs} -q PROGNAME`);
# A sanitized module needs its runtime first.
my $program = var('t_conf') . '/httpd-wrapped';
$program = "$sbin/$name" unless -x $program;
my $httpd = fork;
die "fork: $!" unless defined $httpd;
if ($httpd == 0) {
    # At its end a prefork server signals its whole process group.
    POSIX::setsid();
    open STDOUT, '>', "$dir/out";
    open STDERR, '>&', \*STDOUT;
    exec $program, '-f', "$dir/httpd.conf", '-DFOREGROUND'
        or POSIX::_exit(127);
}
END {
    if ($httpd) {
        local $?;
        kill 'TERM', $httpd;
        waitpid $httpd, 0;
        # A failing run keeps its log.
        system 'rm', '-rf', $dir if Test::More->builder->is_passing;
    }
}
ok wait_for(sub { eval { connect_raw(port => $port)->close; 1 } }),
    'the small server runs' or diag slurp("$dir/out");

my ($body, $type) = multipart([{name => 'f', filename => 'f.txt',
                                content => 'x' x 5000}]);
my $half = 3000;
my @c;
for my $n (1 .. $uploads) {
    my $c = connect_raw(port => $port);
    $c->send("POST /u?X-Progress-ID=full-$n HTTP/1.1\r\nHost: x\r\n"
             . "Content-Type: $type\r\nAccept: application/json\r\n"
             . "Connection: close\r\nContent-Length: " . length($body)
             . "\r\n\r\n" . substr $body, 0, $half);
    push @c, $c;
}
sub at { my ($n) = @_; return status('/u', "full-$n", port => $port) }
my $uploading = 0;
for my $n (1 .. $uploads) {
    my $s = wait_for(sub {
        my $s = at($n);
        return $s->{state} eq 'uploading' && $s;
    });
    $uploading++ if $s;
}
is $uploading, $uploads, 'all of them show as uploading';
my $log = slurp("$dir/error_log");
my $full = () = $log =~ /UPL0023:/g;
# Once for each process.
ok $full > 0, 'the log tells that the table is full';
my $busy = 0;
for my $n (1 .. $uploads) {
    $busy++ if upload('/u', [{name => 'f', value => 'v'}], port => $port,
                      id => "full-$n")->{status} == 409;
}
is $busy, $uploads, 'each is in flight for a second one';

# One without a slot can be cancelled too: which ones have none is not told,
# so all of a third are.
my @cleared = grep { $_ % 3 == 0 } 1 .. $uploads;
for my $n (@cleared) {
    request('DELETE', "/u?X-Progress-ID=full-$n", port => $port);
}
$c[$_ - 1]->send(substr $body, $half) for 1 .. $uploads;
my %status;
for my $n (1 .. $uploads) {
    my $s = $c[$n - 1]->answer->{status};
    $status{ $n % 3 == 0 ? 'cleared' : 'kept' }{$s}++;
    $c[$n - 1]->close;
}
is_deeply $status{kept}, {200 => $uploads - @cleared},
    'uploads go on without a slot';
is_deeply $status{cleared}, {409 => scalar @cleared}, 'the cleared ones end';
my %state;
$state{ at($_)->{state} }++ for 1 .. $uploads;
is_deeply \%state, {done => $uploads - @cleared, starting => scalar @cleared},
    'and status tells of all of them';
my @buckets = pool_dirs("$dir/pool");
is scalar @buckets, $uploads - @cleared, 'a bucket for each that is done';

# Afterwards there is room again, and thousands pass through the table.
my $bad = 0;
for my $n (1 .. 200) {
    my $id = "after-$n";
    my $r = upload('/u', [{name => 'f', value => 'v'}], port => $port,
                   id => $id, accept => 'application/json');
    $bad++ unless $r->{status} == 200 && $r->{json}{identifier} eq $id
        && status('/u', $id, port => $port)->{state} eq 'done';
}
is $bad, 0, 'later uploads have their progress';
is status('/u', 'after-1', port => $port)->{state}, 'done',
    'also those that the table has forgotten';
unlike slurp("$dir/error_log"), qr/exit signal/, 'no child died';
done_testing;
