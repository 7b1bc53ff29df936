# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Httpd;

=head1 NAME

UploadPool::Httpd - one more httpd, with the test's own configuration

=head1 SYNOPSIS

    my $httpd = UploadPool::Httpd->new;             # or new(%OPTIONS)
    my ($exit, $said) = $httpd->check("UploadPool /nowhere\n");
    $httpd->start("<Location />\n UploadPool $dir\n</Location>\n");
    request('GET', '/', port => $httpd->port);
    $httpd->stop;

=head1 DESCRIPTION

The same program, MPM and module as the server of the suites, in its own
directory below t/logs, on C<freeport>: one at a time, or more if new gets a
C<port>. C<modules> is a list of further modules to load, C<first> a list of
those to load before all others; C<children> is the number of processes that it
may have if the MPM has threads (1); C<loglevel> is the value of LogLevel. The
server is stopped when the object goes out of scope.

=over

=item dir(NAME)

A path below its directory, which has C<htdocs>, C<logs> and C<pools>.

=item make_pool(NAME, MODE)

Makes the directory C<pools/NAME> with the right owner and mode, and returns its
path.

=item config(TEXT), check(TEXT), start(TEXT)

TEXT is added to the lines that any server needs. check runs C<httpd -t> and
returns its exit status and all its output. start dies when the server does not
come up.

=item error_log(), port(), pid(), stop(), restart_graceful()

restart_graceful waits until children of the new generation serve.

=back

=cut

use strict;
use warnings FATAL => 'all';
use Carp qw(croak);
use File::Path ();
use IO::Socket::INET;
use UploadPool::Test qw(slurp spew var wait_for);

my $serial = 0;

sub new
{
    my ($class, %o) = @_;
    my $top = var('t_logs') . "/httpd-$$-" . ++$serial;
    File::Path::make_path(map { "$top/$_" } qw(htdocs logs pools));
    chmod 0755, $top, map { "$top/$_" } qw(htdocs logs pools);
    my ($modules) = slurp(var('top') . '/t/conf/base.conf');
    # A configuration test runs hundreds of times: nothing that is slow to load.
    my @wanted = qw(mpm_\w+ unixd log_config watchdog authz_core authz_host
                    authn_core mime alias cgid? env setenvif dir headers deflate
                    filter reqtimeout info status upload_\w+);
    push @wanted, @{ $o{modules} || [] };
    my $wanted = join '|', @wanted;
    $modules = join '', grep { /^LoadModule (?:$wanted)_module / }
        $modules =~ /^(LoadModule .*\n)/mg;
    my $dir = var('libexecdir');
    $modules = join '', (map { "LoadModule ${_}_module $dir/mod_$_.so\n" }
                         @{ $o{first} || [] }), $modules;
    return bless {top => $top, modules => $modules, %o, modules => $modules},
        $class;
}

sub dir { return "$_[0]{top}/$_[1]" }
sub port { return $_[0]{port} || var('freeport') }
sub error_log { return slurp("$_[0]{top}/logs/error_log") }

sub owner { return (getpwnam var('user'))[2, 3] }

sub make_pool
{
    my ($self, $name, $mode) = @_;
    my $dir = "$self->{top}/pools/$name";
    File::Path::make_path($dir);
    chown owner(), $dir if $> == 0;
    chmod $mode || 0700, $dir;
    return $dir;
}

sub config
{
    my ($self, $text) = @_;
    my $top = $self->{top};
    my $group = getgrgid +(owner())[1];
    my $mpm = var('mpm') eq 'prefork'
        ? "StartServers 2\nMaxRequestWorkers 8\n"
        : 'StartServers ' . ($self->{children} || 1) . "\nThreadsPerChild 8\n"
        # Children that end gracefully count until they have.
        . 'ServerLimit ' . 3 * ($self->{children} || 1)
        . "\nMaxRequestWorkers " . 8 * ($self->{children} || 1) . "\n";
    spew("$top/httpd.conf", join '', $self->{modules}, $mpm,
        "ServerName localhost\nListen 127.0.0.1:", $self->port, "\n",
        $> == 0 ? ('User ', var('user'), "\nGroup $group\n") : (),
        "ServerRoot \"$top\"\nDefaultRuntimeDir \"$top/logs\"\n",
        "PidFile \"$top/logs/pid\"\nErrorLog \"$top/logs/error_log\"\n",
        'LogLevel ', $self->{loglevel} || 'info upload_pool:debug',
        "\nDocumentRoot \"$top/htdocs\"\n",
        var('mpm') eq 'prefork' ? () : "ScriptSock \"$top/logs/cgisock\"\n",
        "TypesConfig \"", var('t_conf'), "/mime.types\"\n",
        "<Directory />\nRequire all granted\n</Directory>\n",
        "RequestReadTimeout handshake=0 header=0 body=0\n", $text);
    return "$top/httpd.conf";
}

sub run
{
    my ($self, @args) = @_;
    my $said = "$self->{top}/said";
    my $program = _program();
    defined(my $pid = fork) or croak "fork: $!";
    if ($pid == 0) {
        my $preload = $self->{preload} || $ENV{UPOOL_PRELOAD};
        local @ENV{keys %{ $self->{environment} || {} }}
            = values %{ $self->{environment} || {} };
        $ENV{LD_PRELOAD} = $preload if $preload;
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', $said;
        open STDERR, '>&', \*STDOUT;
        # As many open files as this process may have.
        exec 'sh', '-c', 'ulimit -n "$(ulimit -Hn)"; exec "$@"', 'sh',
            $program, '-d', $self->{top}, '-f', "$self->{top}/httpd.conf",
            @args;
        exit 127;
    }
    waitpid $pid, 0;
    return ($? >> 8 || $? & 127, slurp($said));
}

my $found;

sub _program
{
    return $found if $found;
    my %of = map { chomp(my $v = `@{[$ENV{APXS} || 'apxs']} -q $_`); $_ => $v }
        qw(SBINDIR PROGNAME);
    return $found = "$of{SBINDIR}/$of{PROGNAME}";
}

sub check
{
    my ($self, $text) = @_;
    $self->config($text);
    return $self->run('-t');
}

sub pid
{
    my ($self) = @_;
    my $file = "$self->{top}/logs/pid";
    return -s $file ? slurp($file) =~ /(\d+)/ && $1 : undef;
}

sub start
{
    my ($self, $text) = @_;
    $self->config($text);
    my ($exit, $said) = $self->run('-k', 'start');
    croak "httpd does not start: $said" if $exit;
    wait_for(sub { $self->pid && IO::Socket::INET->new(
        PeerAddr => '127.0.0.1', PeerPort => $self->port) })
        or croak 'httpd does not answer: ' . $self->error_log;
    $self->{running} = $self->pid;
    return $self;
}

sub restart_graceful
{
    my ($self) = @_;
    my $log = $self->{top} . '/logs/error_log';
    my $mark = -s $log;
    kill 'USR1', $self->{running};
    wait_for(sub { substr(slurp($log), $mark) =~ /resuming normal operations/ },
             20) or croak 'no graceful restart';
    wait_for(sub { UploadPool::Test::request(
        'GET', '/', port => $self->port)->{status} })
        or croak 'no answer after a graceful restart';
    return;
}

# Not at once: the event MPM (2.4.71), told to end now, shuts the sockets of all
# its threads, also of one that has just closed its connection and freed it and
# not yet said so, and a child that meets one dies by it, without this module as
# with it.
sub stop
{
    my ($self) = @_;
    my $pid = delete $self->{running} or return;
    select undef, undef, undef, 0.2 if var('mpm') eq 'event';
    kill 'TERM', $pid;
    wait_for(sub { !kill 0, $pid }) or kill 'KILL', $pid;
    return;
}

sub DESTROY
{
    my ($self) = @_;
    local ($?, $@);
    $self->stop;
    return;
}

1;
