# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package Bench::Httpd;

# httpd with private configurations: this module, the floor, and the peers that
# are modules of httpd.

use strict;
use warnings FATAL => 'all';
use Exporter 'import';

use Bench::Options;
use Bench::Process;

our @EXPORT = qw(find_httpd httpd modules load_module event_mpm thread_mpm
    builds with_build pool_conf floor_conf dav_conf progress_conf);

my ($program, $modules, $built_in);

sub query { my ($q) = @_; my $v = `$opt{apxs} -q $q 2>/dev/null`; chomp $v; $v }

# Its path and its version.
sub find_httpd
{
    $modules = query('LIBEXECDIR');
    ($program) = grep { -x } map { query('SBINDIR') . "/$_" }
        query('PROGNAME') || 'httpd', qw(apache2 httpd);
    die "no httpd: set APXS\n" if !$program;
    $built_in = `$program -l`;
    my ($version) = `$program -v` =~ m{Apache/(\S+)};
    return $version || '?';
}

sub modules { return $modules }

sub load_module
{
    my (@names) = @_;
    return join '', map { $built_in =~ /mod_\Q$_\E\.c/ ? ''
        : "LoadModule ${_}_module $modules/mod_$_.so\n" } @names;
}

# Children come and go as they do on a server: as many as are needed.
sub event_mpm
{
    return load_module('mpm_event') . <<'CONF';
StartServers 2
ServerLimit 6
ThreadsPerChild 25
MinSpareThreads 25
MaxSpareThreads 150
MaxRequestWorkers 150
CONF
}

# One child with so many threads.  The factor is how many connections beyond
# its threads it takes, where they need none.
sub thread_mpm
{
    my ($threads, $factor) = @_;
    return load_module('mpm_event') . "AsyncRequestWorkerFactor "
        . ($factor || 2) . "\n" . <<"CONF";
StartServers 1
ServerLimit 1
ThreadLimit $threads
ThreadsPerChild $threads
MinSpareThreads 1
MaxSpareThreads $threads
MaxRequestWorkers $threads
CONF
}

# @under: a program to run it under, in one process.
sub httpd
{
    my ($name, $text, $mpm, @under) = @_;
    my $number = next_port();
    my $dir = $opt{dir};
    my $identity = $opt{root}
        ? "User $opt{user}\nGroup " . getgrgid((getpwnam $opt{user})[3]) : '';
    my $common = load_module(qw(unixd authz_core));
    my $conf = spew("$dir/$name.conf", ($mpm || event_mpm()) . <<"CONF" . $text);
ServerRoot $dir
ServerName localhost
Listen 127.0.0.1:$number
ListenBacklog 1024
PidFile $dir/$name.pid
DefaultRuntimeDir $dir
ErrorLog $dir/log/$name.log
LogLevel warn
$identity
MaxKeepAliveRequests 0
KeepAliveTimeout 60
Timeout 300
# 1 GiB by default, and a file of 1 GiB is more with its framing.
LimitRequestBody 0
DocumentRoot $dir/htdocs
$common
<Directory />
    AllowOverride None
</Directory>
<Directory $dir>
    Require all granted
</Directory>
CONF
    my $pid = start($name, grep({ length } @under), $program, '-f', $conf,
        @under ? '-X' : ('-D', 'FOREGROUND'));
    return { name => $name, port => $number, pids => [$pid] }
        if listening($number, $pid);
    note("*** $name does not start:", slurp("$dir/log/$name.out"),
        slurp("$dir/log/$name.log"));
    return undef;
}

# Names and modules: today's, and the one that it is compared with, if any.
sub builds
{
    return (['upload_pool', $opt{module}], $opt{against} eq '' ? ()
        : ["at $opt{commit}", $opt{against}]);
}

# pool_conf() with one of them.
sub with_build
{
    my ($build, @more) = @_;
    local $opt{module} = $build->[1];
    return pool_conf(@more);
}

sub pool_conf
{
    my (@more) = @_;
    return join "\n", <<"CONF", @more, '';
LoadModule upload_pool_module $opt{module}
<Location /ram>
    SetHandler upload-pool
    UploadPool $opt{fast}/pool
</Location>
<Location /disk>
    SetHandler upload-pool
    UploadPool $opt{dir}/data/pool
</Location>
CONF
}

sub floor_conf
{
    return <<"CONF";
LoadModule bench_floor_module $opt{dir}/build/.libs/mod_bench_floor.so
<Location /ram>
    SetHandler bench-floor
    BenchFloor $opt{fast}/floor
</Location>
<Location /disk>
    SetHandler bench-floor
    BenchFloor $opt{dir}/data/floor
</Location>
CONF
}

sub dav_conf
{
    my $places = join '', map { "<Directory $_>\n    Dav On\n"
        . "    Require all granted\n</Directory>\n" }
        "$opt{fast}/dav", "$opt{dir}/data/dav";
    return load_module(qw(alias dav dav_fs)) . <<"CONF";
DavLockDB $opt{dir}/data/davlock
Alias /ram $opt{fast}/dav
Alias /disk $opt{dir}/data/dav
$places
CONF
}

# mod_upload_progress counts what the floor reads.
sub progress_conf
{
    return "LoadModule upload_progress_module $modules/mod_upload_progress.so\n"
        . floor_conf() . <<"CONF";
UploadProgressSharedMemorySize 8388608
<Location /ram>
    TrackUploads On
</Location>
<Location /progress>
    ReportUploads On
</Location>
CONF
}

1;
