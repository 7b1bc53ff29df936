# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::InFront;

=head1 NAME

UploadPool::InFront - the proxies of conf/examples/in-front, started, and what
uploads through them must be

=head1 SYNOPSIS

    my $front = UploadPool::InFront->new('nginx');
    passes($front);
    bears_silence('nginx');
    ends_silence('nginx');

=head1 DESCRIPTION

The example runs as it is shipped, except for the addresses, with the lines
around it that the program needs to run in its own directory below t/logs. It
listens on C<freeport>, and the server of the suites is behind it: the contexts
of F<t/conf/site/in_front.conf.in>.

=over

=item new(NAME, %OPTIONS)

Starts the program; dies if it does not come up. C<seconds> replaces the 300 of
the example; C<edit> is called with its text and returns another. The program is
stopped when the object goes out of scope.

=item passes(FRONT, %OPTIONS)

Forms, event streams, tus, IETF, refusals, Expect, HEAD and DELETE. C<refused>:
the status for a client that sends too much without asking (413). C<options>:
the front answers OPTIONS itself.

=item bears_silence(NAME, %OPTIONS), ends_silence(NAME)

A client stops in the middle of its body: for less than the (scaled down)
time-out of the example, and for longer. C<unlimited>: the program has no such
time-out.

=back

=cut

use strict;
use warnings FATAL => 'all';
use Carp qw(croak);
use Exporter 'import';
use File::Path ();
use IO::Socket::INET;
use POSIX ();
use Test::More;
use UploadPool::Httpd;
use UploadPool::Ietf ();
use UploadPool::Stream;
use UploadPool::Test;
use UploadPool::Tus ();

our @EXPORT = qw(passes bears_silence ends_silence);

my $serial = 0;

# The file that the example becomes, and the command that runs it.
my %kind = (
    nginx => {file => 'nginx.conf', listen => 'listen 80;', make => sub {
        my ($dir, $port, $text) = @_;
        $text =~ s/listen 80;/listen 127.0.0.1:$port;/;
        my $user = $> == 0
            ? 'user ' . var('user') . ' ' . getgrgid((getpwnam var('user'))[3])
              . ";\n" : '';
        spew("$dir/nginx.conf", "daemon off;\n${user}pid $dir/pid;\n"
            . "error_log $dir/error;\nevents { }\nhttp {\n"
            . "access_log off;\nclient_body_temp_path $dir/body;\n"
            . "proxy_temp_path $dir/proxy;\n$text}\n");
        return ('nginx', '-c', "$dir/nginx.conf", '-e', "$dir/error");
    }},
    haproxy => {file => 'haproxy.cfg', listen => 'bind :80', make => sub {
        my ($dir, $port, $text) = @_;
        $text =~ s/bind :80/bind 127.0.0.1:$port/;
        spew("$dir/haproxy.cfg", $text);
        return ('haproxy', '-db', '-f', "$dir/haproxy.cfg");
    }},
    varnish => {file => 'varnish.vcl', listen => 'vcl 4.1;', make => sub {
        my ($dir, $port, $text) = @_;
        my @settings = $text =~ /(-p) (\w+=\d+)/g
            or croak 'varnish.vcl names no settings';
        spew("$dir/varnish.vcl", $text);
        return ('varnishd', '-F', '-j', 'none', '-n', "$dir/work", '-T', 'none',
                '-a', "127.0.0.1:$port", '-s', 'malloc,16m', '-f',
                "$dir/varnish.vcl", @settings);
    }},
    caddy => {file => 'Caddyfile', listen => 'upload.example.com', make => sub {
        my ($dir, $port, $text) = @_;
        # A name would have Caddy ask for a certificate.
        $text =~ s{^upload\.example\.com}
                  {http://127.0.0.1:$port, http://localhost:$port}m;
        spew("$dir/Caddyfile", "{\n\tadmin off\n}\n$text");
        $ENV{XDG_DATA_HOME} = $ENV{XDG_CONFIG_HOME} = $dir;
        return ('caddy', 'run', '--adapter', 'caddyfile', '--config',
                "$dir/Caddyfile");
    }},
    lighttpd => {file => 'lighttpd.conf', listen => 'server.modules', make => sub {
        my ($dir, $port, $text) = @_;
        spew("$dir/lighttpd.conf", "server.document-root = \"$dir\"\n"
            . "server.bind = \"127.0.0.1\"\nserver.port = $port\n"
            . "server.upload-dirs = ( \"$dir\" )\n$text");
        return ('lighttpd', '-D', '-f', "$dir/lighttpd.conf");
    }},
    vite => {file => 'vite.config.js', listen => 'proxy', make => sub {
        my ($dir, $port, $text) = @_;
        spew("$dir/vite.config.mjs", $text);
        spew("$dir/package.json", '{"private": true}');
        spew("$dir/index.html", '<!DOCTYPE html><title>Vite</title>');
        system("cd '$dir' && npm install --ignore-scripts --no-audit --no-fund"
            . ' --no-package-lock vite@6.4.6 >npm.log 2>&1') == 0
            or croak 'Vite is not installed: ' . slurp("$dir/npm.log");
        return ("$dir/node_modules/.bin/vite", $dir, '--host', '127.0.0.1',
                '--port', $port, '--strictPort');
    }},
);

sub _port { return var('freeport') }

sub new
{
    my ($class, $name, %o) = @_;
    my $dir = var('t_logs') . "/in-front-$$-" . ++$serial;
    File::Path::make_path($dir);
    chmod 0755, $dir;
    my $file = $name eq 'httpd' ? 'httpd.conf' : $kind{$name}{file};
    my $text = slurp(var('top') . "/conf/examples/in-front/$file");
    my $behind = var('port');
    $text = $o{edit}->($text) if $o{edit};
    $text =~ s/127\.0\.0\.1:8080\b/127.0.0.1:$behind/g
        + $text =~ s/(port\W+(?:=>)?[ "]*)8080\b/$1$behind/g
        or croak "$file: no address of the upload server";
    if ($o{seconds}) {
        $text =~ s/\b300(?=s?\b)/$o{seconds}/g
            or croak "$file: no time to scale down";
    }
    my $self = bless {name => $name, dir => $dir}, $class;
    if ($name eq 'httpd') {
        $self->{httpd} = UploadPool::Httpd->new(
            modules => [qw(proxy proxy_http headers reqtimeout)]);
        $self->{httpd}->start($text);
        return $self;
    }
    index($text, $kind{$name}{listen}) >= 0
        or croak "$file: no $kind{$name}{listen}";
    local %ENV = (%ENV, PATH => "$ENV{PATH}:/usr/sbin:/usr/local/sbin");
    my @command = $kind{$name}{make}->($dir, _port(), $text);
    defined(my $pid = fork) or croak "fork: $!";
    if ($pid == 0) {
        # A group of its own: some have workers.
        setpgrp 0, 0;
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$dir/said";
        open STDERR, '>&', \*STDOUT;
        exec @command or POSIX::_exit(127);
    }
    $self->{pid} = $pid;
    wait_for(sub { IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                         PeerPort => _port()) })
        or croak "$name does not listen: " . slurp("$dir/said");
    # Some listen before what is behind them is known.
    wait_for(sub { request('GET', '/upload/status?X-Progress-ID=none',
                           port => _port())->{json} })
        or croak "$name does not pass: " . slurp("$dir/said");
    return $self;
}

sub stop
{
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    kill 'TERM', -$pid;
    wait_for(sub { waitpid($pid, 1) != 0 }) or kill 'KILL', -$pid;
    wait_for(sub { !IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                          PeerPort => _port()) });
    return;
}

sub DESTROY
{
    my ($self) = @_;
    local ($?, $@);
    $self->stop;
    return;
}

# --- What must be so behind each -------------------------------------------

my $url = '/upload/echo.pl';
# Varnish collects what is smaller than its buffers.
my $slow = 's' x 2_000_000;
my $part = 1_000_000;
my ($body, $type) = multipart([{name => 'f', filename => 'f.bin',
                                content => $slow}], boundary => 'b');

# The head of an upload and its first bytes, through the front.
sub _begin
{
    my ($id) = @_;
    my $c = connect_raw(port => _port(), timeout => 60);
    $c->send("POST $url?X-Progress-ID=$id HTTP/1.1\r\nHost: localhost\r\n"
        . "Content-Type: $type\r\nContent-Length: " . length($body)
        . "\r\n\r\n" . substr $body, 0, $part);
    return $c;
}

sub _every_byte
{
    my ($r, $content, $what) = @_;
    is $r->{status}, 200, "$what: answered" or diag $r->{error} // $r->{body};
    my $path = (application($r) || {})->{files}[0]{path};
    ok defined $path && -f $path && slurp($path) eq $content,
        "$what: every byte";
    return;
}

# Below the URL that the front knows, whatever host the module names.
sub _path
{
    my ($location) = @_;
    return ($location // '') =~ s{^https?://[^/]*}{}r;
}

sub _forms
{
    my $id = new_id();
    my $stream = UploadPool::Stream->new($url, $id, port => _port());
    is $stream->{status}, 200, 'event stream: answered';
    is $stream->next->{data}{state}, 'starting', 'event stream: at once';
    my $c = _begin($id);
    my $on = $stream->next;
    $on = $stream->next while $on && $on->{data}{received} < $part;
    is $on->{data}{received}, $part, 'event stream: true to the byte';
    my $state = status($url, $id, port => _port());
    is $state->{state}, 'uploading', 'form: it is coming';
    is $state->{received}, $part, 'form: true to the byte';
    $c->send(substr $body, $part);
    _every_byte($c->answer, $slow, 'form');
    my $end;
    while (my $event = $stream->next) {
        $end = $event;
    }
    is $end->{data}{state}, 'done', 'event stream: done ends it';

    my $content = random_bytes(300_000);
    _every_byte(upload($url, [{name => 'f', filename => 'f.bin',
        content => $content}], chunked => 7777, port => _port()), $content,
        'form in chunks');

    $id = new_id();
    $c = connect_raw(port => _port());
    $c->send("POST $url?X-Progress-ID=$id HTTP/1.1\r\nHost: localhost\r\n"
        . "Content-Type: $type\r\nTransfer-Encoding: chunked\r\n\r\n"
        . sprintf "%x\r\n%s\r\n", $part, substr $body, 0, $part);
    ok wait_for(sub { (status($url, $id)->{received} // 0) == $part }),
        'form in chunks: as it comes';
    $c->send(sprintf "%x\r\n%s\r\n0\r\n\r\n", length($body) - $part,
             substr $body, $part);
    _every_byte($c->answer, $slow, 'form in chunks, slow');

    $id = new_id();
    $c = _begin($id);
    ok wait_for(sub { (status($url, $id)->{received} // 0) == $part }),
        'form, cut: it came';
    $c->close;
    ok wait_for(sub { status($url, $id, port => _port())->{state} eq 'error' },
                20), 'form, cut: the state says so';
    return;
}

sub _tus
{
    my $content = random_bytes(200_000);
    my $r = UploadPool::Tus::create($url, length => length $content,
                                    port => _port());
    is $r->{status}, 201, 'tus: created';
    my $at = _path($r->{headers}{location});
    my $c = connect_raw(port => _port());
    $c->send("PATCH $at HTTP/1.1\r\nHost: localhost\r\n"
        . "Tus-Resumable: 1.0.0\r\nContent-Type: $UploadPool::Tus::BYTES\r\n"
        . "Upload-Offset: 0\r\nContent-Length: 200000\r\n\r\n"
        . substr $content, 0, 150_000);
    # Not by HEAD, which takes over from the request that is coming in.
    my ($id) = $at =~ m{([^/]+)$};
    ok wait_for(sub { (status($url, $id)->{received} // 0) == 150_000 }),
        'tus: what was sent is there before the rest';
    $c->close;
    my $head;
    wait_for(sub { $head = UploadPool::Tus::head($at, port => _port());
                   $head->{status} == 200 });
    is $head->{headers}{'upload-offset'}, 150_000,
        'tus, cut: HEAD tells what was sent';
    my $again;
    wait_for(sub { $again = UploadPool::Tus::append($at, 150_000,
                       substr($content, 150_000), port => _port());
                   $again->{status} == 200 });
    _every_byte($again, $content, 'tus, resumed');

    $r = UploadPool::Tus::create($url, length => 10, port => _port());
    $at = _path($r->{headers}{location});
    is UploadPool::Tus::tus('DELETE', $at, [], port => _port())->{status}, 204,
        'tus: DELETE';
    like UploadPool::Tus::head($at, port => _port())->{status}, qr/^4(?:04|10)$/,
        'tus: it is gone';
    return;
}

sub _ietf
{
    my $file = var('t_logs') . '/in-front-40m.bin';
    spew($file, random_bytes(1_048_576) x 40);
    # Not by our own client, which stops sending when an answer is there.
    my $r = curl('-X', 'POST', '-T', $file, '-H', 'Expect:',
        '-H', 'Upload-Draft-Interop-Version: 8', '-H', 'Upload-Complete: ?1',
        '-H', 'Content-Disposition: inline; filename="f.bin"',
        'http://127.0.0.1:' . _port() . $url);
    is $r->{status}, 200, 'IETF, 40 MiB: answered'
        or diag $r->{error} // $r->{body};
    my $path = (application($r) || {})->{files}[0]{path};
    is -s ($path // '/nowhere'), -s $file, 'IETF, 40 MiB: all of it';
    is scalar(grep { $_->{status} != 104 } @{ $r->{interim} || [] }), 0,
        'IETF: 104 or nothing in between';
    unlink $file;

    $r = UploadPool::Ietf::create($url, 'first half', complete => 0, of => 20,
                                  port => _port());
    my $at = _path(UploadPool::Ietf::location_of($r));
    my $state = UploadPool::Ietf::state_of($at, port => _port());
    is $state->{headers}{'upload-offset'}, 10, 'IETF: HEAD tells the offset';
    $r = UploadPool::Ietf::append($at, 10, 'other half', port => _port());
    is +(application($r) || {})->{size}, 20, 'IETF, resumed: all of it';

    $r = UploadPool::Ietf::create($url, 'first half', complete => 0, of => 20,
                                  port => _port());
    $at = _path(UploadPool::Ietf::location_of($r));
    is UploadPool::Ietf::state_of($at, method => 'DELETE',
        port => _port())->{status}, 204, 'IETF: DELETE';
    return;
}

sub _refusals
{
    my ($refused) = @_;
    my @file = {name => 'f', filename => 'f.bin', content => 'x' x 5_000_000};
    is upload('/upload/small/echo.pl', \@file, port => _port(),
              timeout => 60)->{status}, $refused,
        "too large, sent without asking: $refused";
    is upload('/upload/auth/echo.pl', [{name => 'f', filename => 'f',
        content => 'x' x 1000}], port => _port())->{status}, 401,
        'no password: 401';
    my $file = var('t_logs') . '/in-front.bin';
    spew($file, 'y' x 1_500_000);
    my $through = 'http://127.0.0.1:' . _port();
    is curl('-H', 'Expect: 100-continue', '-F', "f=\@$file",
            "$through/upload/small/echo.pl")->{status}, $refused,
        'too large, with Expect';
    _every_byte(curl('-H', 'Expect: 100-continue', '-F', "f=\@$file",
                     "$through$url"), 'y' x 1_500_000, 'Expect');
    return;
}

sub passes
{
    my ($front, %o) = @_;
    _forms();
    _tus();
    _ietf();
    _refusals($o{refused} || 413);
    is request('OPTIONS', $url, port => _port())->{headers}{'tus-version'},
        $o{options} ? undef : '1.0.0',
        $o{options} ? 'OPTIONS: the front answers itself' : 'OPTIONS';
    return;
}

# --- Silence ----------------------------------------------------------------

sub bears_silence
{
    my ($name, %o) = @_;
    my $front = __PACKAGE__->new($name,
        $o{unlimited} ? () : (seconds => 10));
    my $c = _begin(new_id());
    sleep 3;
    $c->send(substr $body, $part);
    _every_byte($c->answer, $slow, 'silent for less than its time');
    return;
}

sub ends_silence
{
    my ($name) = @_;
    my $front = __PACKAGE__->new($name, seconds => 2);
    my $id = new_id();
    my $c = _begin($id);
    isnt $c->answer->{status}, 200, 'silent for longer: it is ended';
    ok wait_for(sub { status($url, $id)->{state} eq 'error' }),
        'silent for longer: the state says so';
    return;
}

1;
