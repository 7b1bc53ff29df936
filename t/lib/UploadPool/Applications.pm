# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Applications;

=head1 NAME

UploadPool::Applications - applications as their packages have them, and what
they need beside httpd

=head1 SYNOPSIS

    my $site = UploadPool::Applications->new;
    my $php = $site->fpm(upload_max_filesize => '64M');
    my $config = "Alias ... \n<FilesMatch \\.php\$>\n$php</FilesMatch>\n";
    $site->serve($config);                        # without the module
    my $agent = browser();
    my $page = $agent->get($site->url('/login'));
    submit($agent, $page, {name => 'admin', password => 'secret'});
    $site->serve($config . $site->example('wordpress.conf'));

=head1 DESCRIPTION

An application lives below the directory of an L<UploadPool::Httpd>, and runs as
the server's user. All servers end with the object.

=head2 Of an object

=over

=item new(%OPTIONS)

Options: those of UploadPool::Httpd.

=item dir(NAME), url(PATH), port()

=item make_dir(NAME)

A directory of the server's user.

=item run(COMMAND, ...)

Runs a program as the server's user to its end; dies if it fails. Returns its
output.

=item daemon(NAME, READY, COMMAND, ...)

A program of the server's user that runs until the end; READY says when others
may use it.

=item database()

Starts MariaDB, open to everyone, and returns the path of its socket.

=item fpm(%SETTINGS, environment => \%VARIABLES)

php-fpm with the machine's extensions, and the lines of configuration that send
a request to it.

=item environment(NAME => VALUE, ...)

Of httpd.

=item serve(CONFIG)

Starts or restarts httpd.

=item example(NAME, FROM => TO, ...)

conf/examples/NAME with the pool of this site in it, and TO for each FROM.

=item in_front(PATH, LINE, ...)

The same for an application that has no example.

=item passed(COUNT)

Since serve: returns "METHOD PATH STATUS" of each request that the module handed
on, as soon as there are COUNT of them: httpd writes its log after the answer.

=item kept()

The paths of files in the pool. The module may still be deleting some after an
answer.

=back

=head2 Functions

=over

=item browser()

An L<LWP::UserAgent> with cookies, which follows redirects as browsers do.

=item form(PAGE, HAS)

The first form of PAGE that has an input named HAS.

=item submit(AGENT, PAGE, \%INPUTS, BUTTON)

Fills in the form of PAGE that has all of INPUTS, and sends it by BUTTON, its
name or "NAME=VALUE". The input of a file is [NAME, BYTES] or [NAME, BYTES,
TYPE].

=item fill(INPUT, VALUE), press(AGENT, FORM, BUTTON, VALUE)

The two halves of submit.

=item cookies(AGENT, URL)

The cookie header that AGENT would send with a request for URL.

=item digest(BYTES), digest_of(FILE)

=back

=cut

use strict;
use warnings FATAL => 'all';
use Carp qw(croak);
use Digest::SHA ();
use Exporter 'import';
use File::Path ();
use HTML::Form ();
use LWP::UserAgent ();
use List::Util qw(first);
use POSIX ();
use UploadPool::Httpd;
use UploadPool::Test qw(multipart slurp spew var wait_for);

our @EXPORT = qw(browser form fill submit press cookies digest digest_of);

my @modules = qw(proxy proxy_http proxy_fcgi rewrite wsgi);

sub new
{
    my ($class, %o) = @_;
    my $httpd = UploadPool::Httpd->new(modules => \@modules, %o);
    return bless {httpd => $httpd, daemons => [], owner => $$,
                  pool => $httpd->make_pool('uploads')}, $class;
}

sub dir { return $_[0]{httpd}->dir($_[1]) }
sub port { return $_[0]{httpd}->port }
sub url { return 'http://127.0.0.1:' . $_[0]->port . $_[1] }

sub make_dir
{
    my ($self, $name) = @_;
    my $dir = $self->dir($name);
    File::Path::make_path($dir);
    chown UploadPool::Httpd::owner(), $dir if $> == 0;
    return $dir;
}

# --- Programs ---------------------------------------------------------------

# Becomes the program, as the server's user, with all that it says in FILE.
sub _become
{
    my ($file, @command) = @_;
    my ($uid, $gid) = UploadPool::Httpd::owner();
    open STDIN, '<', '/dev/null';
    open STDOUT, '>>', $file;
    open STDERR, '>&', \*STDOUT;
    if ($> == 0) {
        $) = "$gid $gid";
        ($(, $<, $>) = ($gid, $uid, $uid);
    }
    # Nobody has a home.
    $ENV{HOME} = '/nonexistent';
    exec @command or POSIX::_exit(127);
}

sub run
{
    my ($self, @command) = @_;
    my $said = $self->dir('logs/said');
    unlink $said;
    defined(my $pid = fork) or croak "fork: $!";
    _become($said, @command) if $pid == 0;
    waitpid $pid, 0;
    croak "$command[0] fails: " . slurp($said) if $?;
    return slurp($said);
}

sub daemon
{
    my ($self, $name, $ready, @command) = @_;
    my $log = $self->dir("logs/$name");
    defined(my $pid = fork) or croak "fork: $!";
    _become($log, @command) if $pid == 0;
    push @{ $self->{daemons} }, $pid;
    wait_for($ready, 30) or croak "$name does not answer: " . slurp($log);
    return $pid;
}

sub _program
{
    my (@names) = @_;
    my ($found) = reverse sort grep { -x } map { my $name = $_;
        map { glob "$_/$name" } qw(/usr/sbin /usr/bin /usr/local/sbin) } @names;
    return $found || croak "$names[0] is missing: this suite needs it";
}

# Tables of rights it has none, and needs none: who reaches the socket, may.
sub database
{
    my ($self) = @_;
    my ($data, $run) = map { $self->make_dir($_) } qw(database run);
    my $socket = "$run/database";
    $self->daemon('database', sub {
            -S $socket && IO::Socket::UNIX->new(Peer => $socket);
        }, _program('mariadbd'), '--no-defaults', '--skip-networking',
        '--skip-grant-tables', '--skip-log-bin', '--performance-schema=OFF',
        "--datadir=$data", "--tmpdir=$run", "--socket=$socket",
        "--pid-file=$run/database.pid", '--lc-messages-dir=/usr/share/mysql',
        qw(--default-storage-engine=Aria --innodb-buffer-pool-size=16M
        --innodb-log-file-size=4M --innodb-flush-log-at-trx-commit=0));
    return $socket;
}

sub fpm
{
    my ($self, %set) = @_;
    my $environment = delete $set{environment} || {};
    my $socket = $self->make_dir('run') . '/fpm';
    my $file = $self->dir('fpm.conf');
    my $log = $self->dir('logs');
    chown UploadPool::Httpd::owner(), $log if $> == 0;
    spew($file, join '', "[global]\nerror_log = $log/fpm\ndaemonize = no\n",
        "[www]\nlisten = $socket\npm = static\npm.max_children = 2\n",
        "catch_workers_output = yes\n",
        "php_admin_value[sys_temp_dir] = ", $self->make_dir('tmp'), "\n",
        "php_admin_value[session.save_path] = ", $self->make_dir('tmp'), "\n",
        "php_admin_value[opcache.enable] = 1\n",
        (map { "php_admin_value[$_] = $set{$_}\n" } sort keys %set),
        map { "env[$_] = $environment->{$_}\n" } sort keys %$environment);
    $self->daemon('php', sub { -S $socket
            && IO::Socket::UNIX->new(Peer => $socket) },
        _program('php-fpm*'), '-F', '-y', $file);
    return "SetHandler \"proxy:unix:$socket|fcgi://php\"\n";
}

sub stop
{
    my ($self) = @_;
    return if $self->{owner} != $$;
    local ($?, $@);
    $self->{httpd}->stop;
    for my $pid (splice @{ $self->{daemons} }) {
        kill 'TERM', $pid;
        wait_for(sub { waitpid $pid, POSIX::WNOHANG() })
            or kill('KILL', $pid) && waitpid $pid, 0;
    }
    return;
}

sub DESTROY { $_[0]->stop }

# --- httpd ------------------------------------------------------------------

sub environment
{
    my ($self, %values) = @_;
    $self->{httpd}{environment} = \%values;
    return;
}

sub serve
{
    my ($self, $config) = @_;
    my $log = $self->dir('logs/passed');
    $self->{httpd}->stop;
    unlink $log;
    $self->{httpd}->start("CustomLog \"$log\" \"%m %U %>s\" "
        . "env=UPLOAD_POOL_STATE\n$config");
    return;
}

sub example
{
    my ($self, $name, %to) = @_;
    my $text = slurp(var('top') . "/conf/examples/$name");
    %to = ('/var/lib/upload_pool' => $self->{pool}, %to);
    for my $from (sort keys %to) {
        $text =~ s/\Q$from\E/$to{$from}/g or croak "$name has no $from";
    }
    return $text;
}

sub in_front
{
    my ($self, $path, @lines) = @_;
    return join "\n", "<Location \"$path\">", "UploadPool \"$self->{pool}\"",
        'UploadPassAs form', 'UploadKeep claimed', @lines, "</Location>\n";
}

sub passed
{
    my ($self, $count) = @_;
    my $log = $self->dir('logs/passed');
    my @line;
    wait_for(sub {
        @line = -f $log ? split /\n/, slurp($log) : ();
        @line >= $count;
    });
    # An upload by tus has an address of its own.
    return map { s{/[0-9a-f-]{36}(?= )}{}r } @line;
}

sub kept
{
    my ($self) = @_;
    my @file;
    wait_for(sub {
        @file = grep { /\.bin$/ } UploadPool::Test::pool_files($self->{pool});
        !@file;
    });
    return @file;
}

# --- A browser --------------------------------------------------------------

sub browser
{
    my $agent = LWP::UserAgent->new(cookie_jar => {}, timeout => 60,
        agent => 'Mozilla/5.0 (X11; Linux x86_64)',
        requests_redirectable => [qw(GET HEAD POST)]);
    $agent->default_header(Accept => 'text/html,*/*;q=0.8');
    return $agent;
}

sub form
{
    my ($page, @has) = @_;
    my $found = first { my $form = $_;
        !grep { !$form->find_input($_) } @has
    } HTML::Form->parse($page);
    return $found || croak $page->request->uri . ' has no form with '
        . join(', ', @has) . ': ' . $page->status_line
        . "\n"
        . substr $page->decoded_content =~ s/\s+/ /gr =~ s/<[^>]*>//gr, 0, 1000;
}

sub submit
{
    my ($agent, $page, $inputs, $button) = @_;
    my ($by, $label) = split /=/, $button // '';
    my $form = form($page, keys %$inputs, $by // ());
    for my $name (sort keys %$inputs) {
        fill($form->find_input($name), $inputs->{$name});
    }
    return press($agent, $form, $by, $label);
}

sub fill
{
    my ($input, $value) = @_;
    return $input->value($value) unless ref $value;
    my ($file, $bytes, $type) = @$value;
    $input->filename($file);
    $input->content($bytes);
    $input->headers('Content-Type' => $type // 'application/octet-stream');
    return;
}

sub press
{
    my ($agent, $form, $by, $label) = @_;
    my $pressed = first { !defined $label || $_->value eq $label }
        $form->find_input($by, 'submit');
    local $pressed->{clicked} = [1, 1];
    my $request = $form->make_request;
    if ($form->enctype eq 'multipart/form-data') {
        my ($body, $type)
            = multipart([map { _parts($form, $_) } $form->inputs]);
        $request->content($body);
        $request->header('Content-Type' => $type,
                         'Content-Length' => length $body);
    }
    return $agent->request($request);
}

# As browsers do, and HTML::Form does not, inputs without a file, too; all text
# in UTF-8.
sub _parts
{
    my ($form, $input) = @_;
    my $bytes = sub { my ($text) = @_; utf8::encode($text); return $text };
    if ($input->type eq 'file') {
        my %header = $input->headers;
        return {name => $bytes->($input->name),
                filename => $bytes->($input->filename // ''),
                content => $input->content // '',
                type => $header{'Content-Type'} // 'application/octet-stream'};
    }
    my @pair = $input->form_name_value($form) or return;
    return {name => $bytes->($pair[0]), value => $bytes->($pair[1] // '')};
}

sub cookies
{
    my ($agent, $url) = @_;
    my $request = HTTP::Request->new(GET => $url);
    $agent->cookie_jar->add_cookie_header($request);
    return $request->header('Cookie');
}

sub digest { return Digest::SHA::sha256_hex($_[0]) }

sub digest_of
{
    my ($file) = @_;
    return 'nothing' unless defined $file && -f $file;
    return Digest::SHA->new(256)->addfile($file, 'b')->hexdigest;
}

1;
