# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package Apache::UploadPool::TestRun;

=head1 NAME

Apache::UploadPool::TestRun - what t/TEST adds to Apache::TestRun

=head1 DESCRIPTION

Apache::Test would take over the machine's enabled modules, and skips a test
whose module it cannot see. So this class writes its own base configuration
(every module the suites need, or it dies), chooses ten free ports, makes the
pool directories that the site files name, and starts and stops, by process
number, what a suite needs beside httpd: a backend HTTP server and php-fpm.

Every F<t/conf/**/*.in> is expanded by Apache::Test and included. Beside its
own @variables@ a file may use:

  @Pools@       directory of the pools; "@Pools@/form" makes that pool exist,
                owned by the server's user, mode 0700
  @TLSPort@ @SecondPort@ @ThirdPort@ @BackendPort@ @FpmPort@
  @ClamdPort@ @FakePort@ @CachePort@
  @Top@         the project's top directory
  @CgiBin@      t/cgi-bin
  @Mpm@         event, worker, prefork
  @LibExecDir@  where httpd's modules are

The same values are in F<t/conf/vars.json> for UploadPool::Test.

=cut

use strict;
use warnings FATAL => 'all';
use parent 'Apache::TestRun';

use File::Find ();
use File::Path ();
use IO::Socket::INET;
use IO::Socket::UNIX ();
use JSON::PP ();
use List::Util qw(min);
use POSIX ();

my %own;        # the variables named above
my $helpers_of; # set: stop them when this process ends
my @needed = qw(
    access_compat actions alias auth_basic authn_core authn_file authz_core
    authz_host authz_user buffer cgid dav dav_fs deflate dir env ext_filter
    filter headers http2 include info lua mime negotiation perl proxy
    proxy_fcgi proxy_http ratelimit remoteip reqtimeout request rewrite session
    lbmethod_bybusyness setenvif slotmem_shm socache_memcache socache_redis socache_shmcb ssl
    status unique_id wsgi
);
# In some builds these are part of the httpd program.
my @maybe = qw(unixd log_config logio version watchdog so http);

# The stock method refuses uid 0; here the children run as nobody.
sub check_runtime_user { 1 }

sub apxs
{
    my ($what) = @_;
    my $apxs = $ENV{APXS} || 'apxs';
    chomp(my $value = `$apxs -q $what`);
    die "$apxs -q $what gives nothing: is it installed?\n" if $value eq '';
    return $value;
}

sub httpd_user { return $> == 0 ? 'nobody' : scalar getpwuid $> }

sub main
{
    my ($class, $bin, @args) = @_;

    %own = (top => Cwd::abs_path("$bin/.."), libexecdir => apxs('LIBEXECDIR'));
    $own{mpm} = $ENV{UPOOL_MPM} || 'event';
    die "UPOOL_MPM: event, worker or prefork\n"
        unless $own{mpm} =~ /^(?:event|worker|prefork)$/;
    $own{pools} = "$bin/pools";
    $own{cgibin} = "$bin/cgi-bin";

    $ENV{PERL5LIB} = join ':', "$bin/lib", grep { defined } $ENV{PERL5LIB};
    if (grep { /^--?(?:clean|help)/ } @args) {
        File::Path::remove_tree($own{pools}, "$bin/conf/tls");
        unlink "$bin/conf/vars.json";
        return $class->new->run(@args);
    }
    my $stopping = grep { /^--?stop/ } @args;
    my $running = running($bin);
    unless ($stopping) {
        if (!$running) {
            fresh($bin);
            choose_ports();
        }
        else {
            $own{$_} = $running->{$_} for grep { /port$/ } keys %$running;
        }
        write_base("$bin/conf/base.conf");
        unshift @args, '-httpd_conf', "$bin/conf/base.conf", '-port',
            $own{port}, $own{wrapper} ? ('-httpd', $own{wrapper}) : ();
    }
    $own{stay} = grep { /^--?start/ } @args;
    push @args, suites($bin)
        unless $own{stay} || $stopping || grep { /^t\/|\.t$/ } @args;
    # Apache::Test ends itself by SIGTERM when httpd does not start.
    local $SIG{TERM} = sub {
        stop_helpers($bin);
        stop_httpd($bin);
        POSIX::_exit(1);
    };
    $helpers_of = {pid => $$, bin => $bin}
        unless $own{stay} || $running && !$stopping;
    my $ok = eval { $class->new->run(@args); 1 };
    warn $@ unless $ok;
    return $ok ? 0 : 1;
}

# A failing run leaves through exit() somewhere inside Apache::Test.
END {
    if ($helpers_of && $helpers_of->{pid} == $$) {
        local $?;
        stop_helpers($helpers_of->{bin});
    }
    # A status set here is that of the process.
    $? = 1 if $helpers_of && $helpers_of->{pid} == $$
        && sanitizer_reports($helpers_of->{bin});
}

# The suites that need a server are all below t/http.
sub suites
{
    my ($bin) = @_;
    my %is = map { s{^\Q$bin\E/}{t/}r => 1 } glob "$bin/http/*/*.t";
    my %list = (yes => 'once', counting => 'uncounted');
    if (my $list = $list{$ENV{UPOOL_ONCE} || ''}) {
        for my $name (grep { !/^#/ } split /\n/, slurp("$bin/lib/$list")) {
            delete $is{$name} or die "t/lib/$list: there is no $name\n";
        }
    }
    my @sorted = sort keys %is;
    return @sorted;
}

sub running
{
    my ($bin) = @_;
    my $pid = slurp("$bin/logs/httpd.pid") or return;
    my $vars = slurp("$bin/conf/vars.json") or return;
    return kill(0, $pid + 0) ? JSON::PP->new->decode($vars) : undef;
}

# Apache::Test would make of a site file's <VirtualHost 127.0.0.1:PORT> one of
# its own, with a "Listen 0.0.0.0"; here they mean what they say.
{
    no warnings 'redefine';
    *Apache::TestConfig::parse_vhost = sub { undef };
}

# A cached configuration survives a switch of MPM or port otherwise.
sub fresh
{
    my ($bin) = @_;
    stop_helpers($bin);
    unlink "$bin/conf/apache_test_config.pm", "$bin/conf/httpd.conf";
    File::Path::remove_tree("$bin/logs", $own{pools});
    return;
}

sub slurp
{
    my ($file) = @_;
    open my $in, '<', $file or return;
    local $/;
    return scalar <$in>;
}

# Ports that are free now may be another run's before httpd listens: whoever
# holds the name has the block, until its process ends. Names like this one are
# in no directory and of one network, as ports are.
my $reservation;

sub reserve_block
{
    my ($first) = @_;
    $reservation = IO::Socket::UNIX->new(Local => "\0upload-pool-tests-$first",
                                         Listen => 1) or return 0;
    for my $port ($first .. $first + 9) {
        IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port,
                              Listen => 1, ReuseAddr => 1) or return 0;
    }
    return 1;
}

sub choose_ports
{
    my $first = $ENV{UPOOL_PORT};
    if (!$first) {
        my %base = (event => 8600, worker => 9600, prefork => 10600);
        $first = $base{ $own{mpm} };
        my $tries = 0;
        until (reserve_block($first)) {
            die "no ten free ports\n" if ++$tries > 50;
            $first += 10;
        }
    }
    @own{qw(port tlsport secondport thirdport backendport fpmport)}
        = ($first .. $first + 5);
    # For what a test itself wants to listen on.
    $own{freeport} = $first + 6;
    # Ports of scanners: a real one, and one that the test plays.
    @own{qw(clamdport fakeport cacheport)} = map { $first + $_ } 7 .. 9;
    return;
}

sub write_base
{
    my ($file) = @_;
    my $so = $ENV{UPOOL_SO} || "$own{top}/.libs/mod_upload_pool.so";
    $so = "$own{top}/$so" unless $so =~ m{^/};
    die "build first, there is no $so\n" unless -f $so;
    $own{so} = $so;
    sanitized("$own{top}/t") if `nm -D '$so' 2>/dev/null` =~ /__asan_init/;
    memchecked("$own{top}/t") if $ENV{UPOOL_VALGRIND};

    my @load = ("mpm_$own{mpm}", (grep { -f "$own{libexecdir}/mod_$_.so" }
                                  @maybe), @needed);
    # One process, one thread: what mod_cgi and mod_php are made for.
    s/^cgid$/cgi/ for grep { $own{mpm} eq 'prefork' } @load;
    open my $out, '>', $file or die "$file: $!";
    for my $name (@load) {
        my $path = "$own{libexecdir}/mod_$name.so";
        die "mod_$name is missing ($path): a suite needs it\n" unless -f $path;
        print $out "LoadModule ${name}_module $path\n";
    }
    if ($own{mpm} eq 'prefork') {
        my ($php) = reverse sort glob "$own{libexecdir}/libphp*.so";
        die "mod_php is missing: the suites need it\n" unless $php;
        print $out "LoadModule php_module $php\n";
    }
    # Before the module itself: upload handlers may come in any order.
    my $probes = $ENV{UPOOL_PROBES} || "$own{top}/build/c-modules/.libs";
    for my $name (qw(upload_probe upload_words)) {
        my $path = "$probes/mod_$name.so";
        die "build first (make probes), there is no $path\n" unless -f $path;
        print $out "LoadModule ${name}_module $path\n";
    }
    print $out "LoadModule upload_pool_module $so\n";
    close $out or die "$file: $!";
    return;
}

# Sanitizers and valgrind report into files, because a child may die long after
# its answer was given, when no test reads the log any more. Root and its
# children write there.
sub reports
{
    my ($bin) = @_;
    File::Path::make_path("$bin/logs/sanitizer");
    chmod 01777, "$bin/logs/sanitizer";
    return "$bin/logs/sanitizer/report";
}

# httpd behind some words, and only httpd: programs that the tests start are
# none of our business.
sub wrapped
{
    my ($bin, @words) = @_;
    my $httpd = apxs('SBINDIR') . '/' . apxs('PROGNAME');
    $own{wrapper} = "$bin/conf/httpd-wrapped";
    open my $out, '>', $own{wrapper} or die "$own{wrapper}: $!";
    print $out "#!/bin/sh\nexec @words $httpd \"\$@\"\n";
    close $out;
    chmod 0755, $own{wrapper};
    # mod_php's cache of compiled code is loaded in a way that a sanitizer's
    # runtime forbids.
    $ENV{PHP_INI_SCAN_DIR} = '';
    return;
}

# A sanitized module in a plain httpd needs its runtime first.
sub sanitized
{
    my ($bin) = @_;
    chomp(my $runtime = `gcc -print-file-name=libasan.so`);
    wrapped($bin, 'env', "LD_PRELOAD=$runtime");
    # UploadPool::Httpd starts httpd itself.
    $ENV{UPOOL_PRELOAD} = $runtime;
    my %always = (
        ASAN => 'detect_leaks=0:detect_stack_use_after_return=1:'
            . 'strict_string_checks=1:use_sigaltstack=0:'
            # httpd has handlers of its own, which would say nothing.
            . 'handle_segv=2:handle_sigbus=2:handle_sigfpe=2',
        UBSAN => 'print_stacktrace=1',
        LSAN => "suppressions=$bin/lib/leaks:print_suppressions=0",
    );
    my $reports = reports($bin);
    for my $kind (sort keys %always) {
        my $name = "${kind}_OPTIONS";
        $ENV{$name} = join ':', $always{$kind}, grep({ defined } $ENV{$name}),
            'abort_on_error=1', "log_path=$reports";
    }
    return;
}

# httpd's children do not end by exec: they are watched as well.
sub memchecked
{
    my ($bin) = @_;
    wrapped($bin, 'valgrind', '-q', '--num-callers=30', '--fullpath-after=',
            '--log-file=' . reports($bin) . '.%p');
    return;
}

# Prints what sanitizers have reported since the start, for any process, and
# returns how many reports there are.
sub sanitizer_reports
{
    my ($bin) = @_;
    my @reports = grep { -s } glob "$bin/logs/sanitizer/*";
    # valgrind hears of every module's mistakes: ours have our files in them.
    @reports = grep { slurp($_) =~ m{\bsrc/[a-z]+/[a-z_]+\.c:\d} } @reports
        if $ENV{UPOOL_VALGRIND};
    for my $file (@reports) {
        my @lines = split /\n/, slurp($file);
        print "not ok 1 - $file\n",
            map { "# $_\n" } @lines[0 .. min($#lines, 60)];
    }
    return scalar @reports;
}

# Own variables are known before the *.in files are expanded.
sub new_test_config
{
    my $self = shift;
    my $config = $self->SUPER::new_test_config(@_);
    $config->{vars}{$_} = $own{$_} for grep { $_ ne 'stay' } keys %own;
    return $config;
}

sub configure
{
    my ($self) = @_;
    my $vars = $self->{test_config}{vars};

    # A run against a server that is up keeps its configuration.
    return $self->SUPER::configure if running("$vars->{top}/t");
    # t_conf is expanded by reading directories: no stale result may be there.
    make_certificate("$vars->{t_conf}/tls");
    make_pools($vars->{t_conf});
    $self->SUPER::configure;
    my %told = map { $_ => $vars->{$_} } grep { $_ ne 'stay' } keys %own;
    @told{qw(t_logs t_conf documentroot user)}
        = (@{$vars}{qw(t_logs t_conf documentroot)}, httpd_user());
    $told{pid_file} = $vars->{t_pid_file};
    open my $out, '>', "$vars->{t_conf}/vars.json" or die "vars.json: $!";
    print $out JSON::PP->new->canonical->pretty->encode(\%told);
    close $out or die "vars.json: $!";
    return;
}

# @Pools@/NAME in any configuration file names a pool that has to be there.
sub make_pools
{
    my ($t_conf) = @_;
    my %pool;
    File::Find::find(sub {
        return unless /\.in$/;
        my $text = slurp($_) or return;
        $pool{$1} = 1 while $text =~ m{\@pools\@/([\w./-]+)}gi;
    }, $t_conf);
    my ($uid, $gid) = (getpwnam httpd_user())[2, 3];
    File::Path::make_path($own{pools});
    chmod 0755, $own{pools};
    for my $name (sort keys %pool) {
        my $dir = $own{pools};
        for my $step (split m{/}, $name) {
            $dir .= "/$step";
            next if -d $dir;
            mkdir $dir, 0700 or die "$dir: $!";
            chown $uid, $gid, $dir;
        }
    }
    return;
}

sub make_certificate
{
    my ($dir) = @_;
    return if -f "$dir/cert.pem";
    File::Path::make_path($dir);
    system("openssl req -x509 -newkey rsa:2048 -nodes -days 30 "
           . "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 "
           . "-keyout '$dir/key.pem' -out '$dir/cert.pem' >/dev/null 2>&1")
        == 0
        or die "openssl cannot make a certificate\n";
    return;
}

# --- What runs beside httpd -------------------------------------------------

sub start
{
    my ($self) = @_;
    my $vars = $self->{test_config}{vars};
    my $logs = $vars->{t_logs};

    if ($self->{opts}{'start-httpd'}) {
        spawn($logs, 'backend', $vars->{backendport}, $^X,
              "$vars->{top}/t/lib/backend.pl", $vars->{backendport});
        spawn($logs, 'fpm', $vars->{fpmport},
              fpm_command($logs, $vars->{fpmport}));
    }
    return $self->SUPER::start;
}

# By a process between, because Apache::Test takes the end of any child of
# ours for the end of httpd. Answers on its port when this returns.
sub spawn
{
    my ($logs, $name, $port, @command) = @_;
    File::Path::make_path($logs);
    defined(my $between = fork) or die "fork: $!";
    if ($between == 0) {
        # Its own session, so that Ctrl-C reaches us first and we stop it.
        POSIX::setsid();
        my $pid = fork;
        POSIX::_exit(1) unless defined $pid;
        if ($pid) {
            open my $out, '>', "$logs/$name.pid" or POSIX::_exit(1);
            print $out "$pid\n";
            close $out;
            POSIX::_exit(0);
        }
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$logs/$name.log";
        open STDERR, '>&', \*STDOUT;
        exec @command or POSIX::_exit(127);
    }
    waitpid $between, 0;
    for (1 .. 100) {
        return if IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                        PeerPort => $port);
        select undef, undef, undef, 0.1;
    }
    die "$name does not answer on port $port: ",
        slurp("$logs/$name.log") // '', "\n";
}

sub fpm_command
{
    my ($logs, $port) = @_;
    my ($fpm) = reverse sort grep { -x } map { glob "$_/php-fpm*" }
        qw(/usr/sbin /usr/local/sbin /usr/bin);
    die "php-fpm is missing: the suites need it\n" unless $fpm;
    my $user = httpd_user();
    my $group = getgrgid +(getpwnam $user)[3];
    open my $out, '>', "$logs/fpm.conf" or die "fpm.conf: $!";
    print $out "[global]\nerror_log = $logs/fpm-error.log\ndaemonize = no\n",
        "[www]\nuser = $user\ngroup = $group\nlisten = 127.0.0.1:$port\n",
        "pm = static\npm.max_children = 2\nclear_env = no\n",
        "catch_workers_output = yes\n";
    close $out;
    return ($fpm, '-n', '-F', $> == 0 ? '-R' : (), '-y', "$logs/fpm.conf");
}

# Stops a server even if its start failed: a process may be there.
sub stop_httpd
{
    my ($bin) = @_;
    for (1 .. 20) {
        my $pid = slurp("$bin/logs/httpd.pid");
        if ($pid) {
            kill 'TERM', $pid + 0;
            return;
        }
        select undef, undef, undef, 0.1;
    }
    return;
}

sub stop_helpers
{
    my ($bin) = @_;
    for my $name (qw(backend fpm)) {
        my $file = "$bin/logs/$name.pid";
        my $pid = slurp($file) or next;
        kill 'TERM', $pid + 0;
        unlink $file;
    }
    return;
}

1;
