# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Test;

=head1 NAME

UploadPool::Test - what the HTTP suites are written with

=head1 SYNOPSIS

    use strict;
    use warnings FATAL => 'all';
    use Test::More;
    use UploadPool::Test;

    my $r = upload('/form/echo.pl', [
        {name => 'title', value => 'Holiday'},
        {name => 'file', filename => 'a.txt', content => 'hello'},
    ], id => new_id());
    is $r->{status}, 200;
    is $r->{json}{env}{UPLOAD_POOL_STATE}, 'done';
    is application($r)->{fields}[0]{value}, 'Holiday';
    done_testing;

The contexts of a suite are in F<t/conf/site/SUITE.conf.in>; see
L<Apache::UploadPool::TestRun> for its variables. Never skip: a test that
cannot run fails.

An answer is a hash: C<status>, C<reason>, C<headers> (names in lower case,
repeated ones joined by ", "), C<body>, C<json> (undef if the body is not JSON),
C<interim> (list of the 1xx answers before it), C<closed> (the server closed the
connection). If there was no answer at all: status 0 and C<error>.

=cut

use strict;
use warnings FATAL => 'all';
use Exporter 'import';

use Carp qw(croak);
use Digest::SHA ();
use File::Find ();
use IO::Select ();
use IO::Socket::INET;
use JSON::PP ();
use MIME::Base64 ();
use Socket qw(SOL_SOCKET SO_LINGER IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(sleep time);

# Seconds after which a test gives up, so that a run ends.
use constant PATIENCE => 120;

our @EXPORT = qw(
    var port base pool age pool_files pool_dirs empty_pool slurp spew
    connect_raw raw_request request multipart upload status curl application
    sign new_id chunked log_mark error_log_since access_log_since wait_for
    rounds restart_graceful server_pid children crashes_since decode_json_text
    as_json random_bytes fresh_children
);

$SIG{PIPE} = 'IGNORE';
binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for $INC{'Test/More.pm'} ? qw(output failure_output todo_output) : ();

(my $t_dir = __FILE__) =~ s{/lib/UploadPool/Test\.pm$}{};
my $vars;

=head1 FUNCTIONS

=head2 Where things are

=over

=item var(NAME)

A value of F<t/conf/vars.json>: port, tlsport, secondport, thirdport,
backendport, freeport, pools, t_logs, mpm, top, …

=item port(), base()

The main port; C<http://127.0.0.1:PORT>.

=item pool(NAME)

The directory that a site file calls C<@Pools@/NAME>.

=item pool_files(NAME), pool_dirs(NAME)

Sorted paths, relative to the pool, of everything that is no directory, and of
the directories. C<empty_pool(NAME)> removes all of it.

=item age(POOL, ID, SECONDS)

Makes an upload of the pool that much older than now: nothing has to wait until
it expires, and nothing expires while a busy machine is slow.

=item slurp(FILE), spew(FILE, BYTES)

=back

=cut

sub var
{
    my ($name) = @_;
    $vars ||= JSON::PP->new->decode(slurp("$t_dir/conf/vars.json"));
    croak "no variable $name" unless exists $vars->{ lc $name };
    return $vars->{ lc $name };
}

sub port { return var('port') }
sub base { return 'http://127.0.0.1:' . port() }
sub pool { return var('pools') . "/$_[0]" }

sub age
{
    my ($name, $id, $seconds) = @_;
    my $dir = pool($name) . "/$id";
    my $then = int(time - $seconds);
    my @all = ($dir, grep { !m{/\.\.?$} } glob "$dir/* $dir/.*");
    utime($then, $then, @all) == @all or croak "$dir: $!";
    return;
}

sub slurp
{
    my ($file) = @_;
    open my $in, '<:raw', $file or croak "$file: $!";
    local $/;
    my $text = <$in>;
    return defined $text ? $text : '';
}

sub spew
{
    my ($file, $bytes) = @_;
    open my $out, '>:raw', $file or croak "$file: $!";
    print $out $bytes;
    close $out or croak "$file: $!";
    return;
}

sub _below
{
    my ($name, $keep) = @_;
    my $top = $name =~ m{^/} ? $name : pool($name);
    my @found;
    # Files that go in the meantime do not count.
    no warnings 'File::Find';
    File::Find::find({no_chdir => 1, wanted => sub {
        return if $_ eq $top;
        push @found, substr $_, length($top) + 1 if $keep->($_);
    }}, $top);
    my @sorted = sort @found;
    return @sorted;
}

sub pool_files { return _below($_[0], sub { -l $_[0] || !-d $_[0] }) }
sub pool_dirs { return _below($_[0], sub { !-l $_[0] && -d $_[0] }) }

sub empty_pool
{
    my ($name) = @_;
    unlink map { pool($name) . "/$_" } pool_files($name);
    rmdir pool($name) . "/$_" for reverse pool_dirs($name);
    return;
}

=head2 Identifiers

=over

=item new_id()

An identifier nobody used yet.

=item sign(KEY, ID)

C<ID:SIGNATURE>.

=back

=cut

my $serial = 0;

sub new_id { return sprintf 't%x-%x-%x', $$, time * 1e6, ++$serial }

sub sign
{
    my ($key, $id) = @_;
    return "$id:" . Digest::SHA::hmac_sha256_hex($id, $key);
}

sub random_bytes
{
    my ($count) = @_;
    open my $in, '<:raw', '/dev/urandom' or croak "urandom: $!";
    read $in, (my $bytes), $count;
    return $bytes;
}

=head2 Making bodies

=over

=item multipart(\@PARTS, boundary => TEXT)

Returns the body and the Content-Type. A part is a hash: C<name> and C<value>
make a field; C<name>, C<filename>, C<content>, C<type> a file (type defaults to
application/octet-stream; undef leaves it out). C<headers> is a list of further
header lines, C<disposition> replaces the whole Content-Disposition value. Names
are written as browsers do (C<"> as C<%22>, CR as C<%0D>, LF as C<%0A>). All
strings are bytes. A part that is a plain string is written as it is.

=item chunked(BYTES, SIZE)

The bytes in chunked transfer coding, the last chunk included.

=back

=cut

sub _quoted
{
    my ($text) = @_;
    $text =~ s/(["\r\n])/sprintf '%%%02X', ord $1/ge;
    return qq("$text");
}

sub multipart
{
    my ($parts, %o) = @_;
    my $boundary = $o{boundary} || '----UploadPoolTest7MA4YWxkTrZu0gW';
    my $body = '';
    for my $part (@$parts) {
        if (!ref $part) {
            $body .= $part;
            next;
        }
        my $file = exists $part->{filename};
        my @lines = 'Content-Disposition: '
            . (defined $part->{disposition} ? $part->{disposition}
               : join '; ', 'form-data', 'name=' . _quoted($part->{name}),
               $file ? 'filename=' . _quoted($part->{filename}) : ());
        my $type = exists $part->{type} ? $part->{type}
            : $file ? 'application/octet-stream' : undef;
        push @lines, "Content-Type: $type" if defined $type;
        push @lines, @{ $part->{headers} || [] };
        my ($content) = grep { defined } @{$part}{qw(content value)}, '';
        $body .= join "\r\n", "--$boundary", @lines, '', "$content\r\n";
    }
    $body .= "--$boundary--\r\n";
    return ($body, "multipart/form-data; boundary=$boundary");
}

sub chunked
{
    my ($bytes, $size) = @_;
    my $out = '';
    for (my $at = 0; $at < length $bytes; $at += $size) {
        my $piece = substr $bytes, $at, $size;
        $out .= sprintf "%x\r\n%s\r\n", length $piece, $piece;
    }
    return "${out}0\r\n\r\n";
}

=head2 Clients

=over

=item connect_raw(port => N, tls => BOOL, timeout => SECONDS, from => ADDRESS)

A connection, an object with C<send(BYTES)> (false when the server closed),
C<answer()> (the next final answer), C<interim()> (the next answer whatever its
status), C<finish()> (half close: no more will be sent), C<close()>,
C<reset()> (closes with RST), C<closed()> (waits until the server has closed
it; with SECONDS, no longer), C<socket>. C<from> is the client's own address:
127.0.0.2 is another one on this machine.

=item raw_request(WHAT, %OPTIONS)

Sends and reads one answer on a new connection. WHAT is bytes; or a list whose
strings are sent one after the other and whose number references are waited for
(C<["POST ", \0.2, "/ HTTP…"]>); or a sub that gets the connection. Options: as
for connect_raw; C<step =E<gt> N> sends N bytes at a time, with C<pause> seconds
between; C<abort =E<gt> 'fin'|'rst'> closes after sending without reading;
C<half_close =E<gt> 1>.

=item request(METHOD, URL, %OPTIONS)

C<headers> (list of name, value), C<body>, C<chunked =E<gt> SIZE>, C<length>
(Content-Length to send instead of the right one), and the options of
raw_request, which apply to the body.

=item upload(URL, \@PARTS, %OPTIONS)

A multipart POST; C<id> is sent as query parameter, C<id_header> as header;
C<accept> as Accept; C<method>; and the options of request and multipart.

=item status(URL, ID, %OPTIONS)

The decoded status object of URL/status, or the answer itself where it is none.

=item curl(ARGS...)

curl(1) as a second client (HTTP/2: C<'--http2-prior-knowledge'>). Returns an
answer; C<exit> is curl's exit status.

=item application(ANSWER)

The JSON object that the echo application received, decoded.

=back

=cut

sub connect_raw
{
    return UploadPool::Test::Connection->new(@_);
}

sub raw_request
{
    my ($what, %o) = @_;
    my $c = connect_raw(%o);
    my $sent = $c->send_all($what, %o);
    if ($o{abort}) {
        $o{abort} eq 'rst' ? $c->reset : $c->close;
        return {status => 0, error => 'aborted', sent => $sent};
    }
    $c->finish if $o{half_close};
    my $answer = $c->answer;
    $answer->{sent} = $sent;
    $c->close;
    return $answer;
}

sub _head
{
    my ($method, $url, $o, $length) = @_;
    my @headers = @{ $o->{headers} || [] };
    my $text = "$method $url HTTP/1.1\r\n";
    my %given = map { lc $headers[2 * $_] => 1 } 0 .. @headers / 2 - 1;
    $text .= "Host: localhost\r\n" unless $given{host};
    while (my ($name, $value) = splice @headers, 0, 2) {
        $text .= "$name: $value\r\n";
    }
    $text .= $o->{chunked} ? "Transfer-Encoding: chunked\r\n"
        : defined $length ? "Content-Length: $length\r\n" : '';
    $text .= "Connection: close\r\n"
        unless $o->{keep_alive} || $given{connection};
    return "$text\r\n";
}

sub request
{
    my ($method, $url, %o) = @_;
    my $body = $o{body};
    my $length = exists $o{length} ? $o{length}
        : defined $body ? length $body : undef;
    my $head = _head($method, $url, \%o, $length);
    $body = '' unless defined $body;
    $body = chunked($body, $o{chunked}) if $o{chunked};
    my @pieces = $head;
    if ($o{step}) {
        push @pieces, unpack "(a$o{step})*", $body;
        @pieces = map { ($_, \$o{pause}) } @pieces if $o{pause};
    }
    else {
        # One write for a small request, as most clients do.
        $pieces[0] .= $body;
    }
    delete $o{step};
    return raw_request(\@pieces, %o);
}

sub _query
{
    my ($url, $id) = @_;
    return $url unless defined $id;
    $id =~ s/([^A-Za-z0-9:.~_-])/sprintf '%%%02X', ord $1/ge;
    return $url . ($url =~ /\?/ ? '&' : '?') . "X-Progress-ID=$id";
}

sub upload
{
    my ($url, $parts, %o) = @_;
    my ($body, $type) = multipart($parts, %o);
    my @headers = ('Content-Type', $o{type} || $type,
                   defined $o{id_header}
                       ? ('X-Progress-ID', $o{id_header}) : (),
                   defined $o{accept} ? (Accept => $o{accept}) : (),
                   @{ delete $o{headers} || [] });
    return request($o{method} || 'POST', _query($url, $o{id}), %o,
                   headers => \@headers, body => $body);
}

sub status
{
    my ($url, $id, %o) = @_;
    my $answer = request('GET', _query("$url/status", $id), %o);
    return $answer->{json} || $answer;
}

sub curl
{
    my (@args) = @_;
    open my $pipe, '-|', 'curl', qw(--silent --show-error --include
        --max-time 120), @args or croak "curl: $!";
    binmode $pipe;
    local $/;
    my $text = <$pipe>;
    close $pipe;
    my $exit = $? >> 8;
    my ($answer, @interim);
    while (defined $text && $text =~ s/\A(HTTP.*?\r\n\r\n)//s) {
        push @interim, $answer if $answer;
        $answer = _parse_head($1);
        last if $answer->{status} >= 200;
    }
    $answer ||= {status => 0, error => "curl: exit $exit"};
    @{$answer}{qw(body exit interim)}
        = (defined $text ? $text : '', $exit, \@interim);
    $answer->{json} = decode_json_text($answer->{body});
    return $answer;
}

sub application
{
    my ($answer) = @_;
    my $body = $answer->{json} && $answer->{json}{body};
    return undef unless defined $body;
    my $bytes = $body;
    utf8::encode($bytes);
    return decode_json_text($bytes);
}

sub decode_json_text
{
    my ($bytes) = @_;
    return undef unless defined $bytes && $bytes =~ /\A\s*[\[{]/;
    return eval { JSON::PP->new->utf8->decode($bytes) };
}

sub as_json { return JSON::PP->new->utf8->canonical->encode($_[0]) }

sub _parse_head
{
    my ($text) = @_;
    my ($first, @lines) = split /\r\n/, $text;
    my ($status, $reason)
        = $first =~ m{^HTTP/[\d.]+ (\d{3})(?: (.*))?$} or return undef;
    my %headers;
    for my $line (@lines) {
        my ($name, $value) = $line =~ /^([^:]+):\s*(.*?)\s*$/ or next;
        $name = lc $name;
        $headers{$name} = exists $headers{$name}
            ? "$headers{$name}, $value" : $value;
    }
    return {status => $status + 0, reason => $reason, headers => \%headers,
            head => $text};
}

=head2 The server

=over

=item log_mark(), error_log_since(MARK), access_log_since(MARK)

What the log says since the mark (of the error log; the access log takes
C<log_mark('access_log')>).

=item wait_for(SUB)

Calls SUB until it is true; returns what it gave. Use it instead of sleeping:
nothing here measures time. It gives up after two minutes, which is long on a
machine that does twenty other things, too: a limit is there so that a run
ends, never to tell right from wrong.

=item rounds(SHORT, LONG)

How often to try what depends on chance: LONG with UPOOL_LONG=yes.

=item server_pid(), children(PID)

Process numbers; the children are those of the process PID, by default of the
server.

=item crashes_since(MARK)

How many children ended by a signal or a sanitizer report. Call at the end of a
suite of hostile input.

=item fresh_children()

After this no child of the server did anything for an earlier test: what those
counted (coverage) is not lost when these are killed.

=item restart_graceful()

Restarts gracefully and waits until the new generation answers.

=back

=cut

sub log_mark
{
    my ($log) = @_;
    return -s var('t_logs') . '/' . ($log || 'error_log') || 0;
}

sub _since
{
    my ($log, $mark) = @_;
    open my $in, '<:raw', var('t_logs') . "/$log" or croak "$log: $!";
    seek $in, $mark, 0;
    local $/;
    my $text = <$in>;
    return defined $text ? $text : '';
}

sub error_log_since { return _since('error_log', $_[0]) }
sub access_log_since { return _since('access_log', $_[0]) }

sub wait_for
{
    my ($sub) = @_;
    my $until = time + PATIENCE;
    my $pause = 0.01;
    while (1) {
        my $result = $sub->();
        return $result if $result || time > $until;
        sleep $pause;
        $pause = 0.1 if ($pause *= 1.5) > 0.1;
    }
}

sub rounds
{
    my ($short, $long) = @_;
    return ($ENV{UPOOL_LONG} || '') eq 'yes' ? $long : $short;
}

sub server_pid
{
    my ($pid) = slurp(var('pid_file')) =~ /(\d+)/;
    return $pid;
}

sub children
{
    my $parent = shift // server_pid();
    my @found;
    for my $file (glob '/proc/[0-9]*/stat') {
        open my $in, '<', $file or next;
        my $stat = <$in>;
        push @found, $1 + 0
            if defined $stat && $stat =~ /^(\d+) \(.*\) \S (\d+) /
            && $2 == $parent;
    }
    my @sorted = sort { $a <=> $b } @found;
    return @sorted;
}

sub crashes_since
{
    my ($mark) = @_;
    my $text = error_log_since($mark);
    my $count = () = $text =~ /exit signal|AddressSanitizer:|runtime error:/g;
    return $count;
}

sub restart_graceful
{
    my $mark = log_mark();
    kill 'USR1', server_pid() or croak "server: $!";
    wait_for(sub {
        error_log_since($mark) =~ /resuming normal operations/
    }) or croak 'graceful restart did not happen';
    wait_for(sub {
        IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => port())
    }) or croak 'the restarted server does not answer';
    return 1;
}

sub fresh_children
{
    my %old = map { $_ => 1 } children();
    restart_graceful();
    wait_for(sub { !grep { $old{$_} } children() })
        or croak 'children from before the restart do not end';
    return children();
}

package UploadPool::Test::Connection;

use strict;
use warnings FATAL => 'all';
use Socket qw(SOL_SOCKET SO_LINGER IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(sleep time);

sub new
{
    my ($class, %o) = @_;
    my $port = $o{port}
        || UploadPool::Test::var($o{tls} ? 'tlsport' : 'port');
    my %to = (PeerAddr => '127.0.0.1', PeerPort => $port,
              Timeout => UploadPool::Test::PATIENCE,
              $o{from} ? (LocalAddr => $o{from}) : ());
    my $socket;
    if ($o{tls}) {
        require IO::Socket::SSL;
        $socket = IO::Socket::SSL->new(%to, SSL_verify_mode => 0,
            SSL_alpn_protocols => ['http/1.1']);
    }
    else {
        $socket = IO::Socket::INET->new(%to);
    }
    die "cannot connect to port $port: $@\n" unless $socket;
    binmode $socket;
    setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
    return bless {socket => $socket, tls => $o{tls}, buffer => '',
                  timeout => $o{timeout} || UploadPool::Test::PATIENCE},
        $class;
}

sub socket { return $_[0]{socket} }

# Has the final answer begun? Interim ones stay in the buffer.
sub _is_answered
{
    my ($self) = @_;
    my ($rest) = $self->{buffer} =~ m{\A(?:HTTP/[\d.]+ 1.*?\r\n\r\n)*(.*)}s;
    return $rest =~ m{\AHTTP/[\d.]+ [2-5]};
}

# True when all was written: not when the server closed, or has answered and
# takes no more. One that is slow to read has said nothing yet by an interim
# answer (104).
sub send
{
    my ($self, $bytes) = @_;
    my $socket = $self->{socket};
    my $at = 0;
    my $until = time + $self->{timeout};
    $socket->blocking(0);
    while ($at < length $bytes) {
        my $wrote = syswrite $socket, $bytes, length($bytes) - $at, $at;
        if (defined $wrote) {
            $at += $wrote;
            $until = time + $self->{timeout};
            next;
        }
        last unless $!{EAGAIN} || $!{EWOULDBLOCK} || $!{EINTR};
        last if time > $until;
        next if IO::Select->new($socket)->can_write(0.2)
            || !IO::Select->new($socket)->can_read(0.5);
        last if !$self->_fill || $self->_is_answered;
    }
    $socket->blocking(1);
    $self->{sent} += $at;
    return $at == length $bytes;
}

sub send_all
{
    my ($self, $what, %o) = @_;
    $self->{sent} = 0;
    if (ref $what eq 'CODE') {
        $what->($self);
        return $self->{sent};
    }
    my @pieces = ref $what ? @$what : $what;
    if ($o{step}) {
        @pieces = map { ref $_ ? $_ : unpack "(a$o{step})*", $_ } @pieces;
        @pieces = map { ref $_ ? $_ : ($_, \$o{pause}) } @pieces if $o{pause};
    }
    for my $piece (@pieces) {
        if (ref $piece) {
            sleep $$piece;
            next;
        }
        $self->send($piece) or last;
    }
    return $self->{sent};
}

# One more read into the buffer; false at the end or after the timeout.
sub _fill
{
    my ($self) = @_;
    my $socket = $self->{socket};
    my $ready = $self->{tls} && $socket->pending
        || IO::Select->new($socket)->can_read($self->{timeout});
    if (!$ready) {
        $self->{why} = "no answer within $self->{timeout} s";
        return 0;
    }
    my $got = sysread $socket, $self->{buffer}, 65536, length $self->{buffer};
    return 1 if $got;
    $self->{ended} = 1;
    $self->{why} = defined $got ? 'closed without answer' : "read: $!";
    return 0;
}

sub _upto
{
    my ($self, $mark) = @_;
    my $at;
    until (($at = index $self->{buffer}, $mark) >= 0) {
        $self->_fill or return undef;
    }
    return substr $self->{buffer}, 0, $at + length $mark, '';
}

sub _exactly
{
    my ($self, $count) = @_;
    while (length $self->{buffer} < $count) {
        $self->_fill or last;
    }
    $count = length $self->{buffer} if $count > length $self->{buffer};
    return substr $self->{buffer}, 0, $count, '';
}

sub _chunks
{
    my ($self) = @_;
    my $body = '';
    while (defined(my $line = $self->_upto("\r\n"))) {
        my $length = $line =~ /^([0-9a-fA-F]+)/ ? hex $1 : 0;
        if ($length == 0) {
            1 while defined($line = $self->_upto("\r\n")) && $line ne "\r\n";
            last;
        }
        $body .= $self->_exactly($length);
        $self->_exactly(2);
    }
    return $body;
}

sub interim
{
    my ($self) = @_;
    my $head = $self->_upto("\r\n\r\n");
    my $answer = defined $head && UploadPool::Test::_parse_head($head);
    return $answer || {status => 0, headers => {}, body => '',
                       error => $self->{why} || 'no HTTP', interim => []};
}

sub answer
{
    my ($self, %o) = @_;
    my @interim;
    my $answer = $self->interim;
    while ($answer->{status} >= 100 && $answer->{status} < 200) {
        push @interim, $answer;
        $answer = $self->interim;
    }
    $answer->{interim} = \@interim;
    return $answer unless $answer->{status};
    my $h = $answer->{headers};
    if ($o{head} || $answer->{status} == 204 || $answer->{status} == 304) {
        $answer->{body} = '';
    }
    elsif (($h->{'transfer-encoding'} || '') =~ /chunked/i) {
        $answer->{body} = $self->_chunks;
    }
    elsif (defined $h->{'content-length'}) {
        $answer->{body} = $self->_exactly($h->{'content-length'});
    }
    else {
        1 while $self->_fill;
        $answer->{body} = $self->{buffer};
        $self->{buffer} = '';
    }
    $answer->{closed} = $self->{ended} || 0;
    $answer->{json} = UploadPool::Test::decode_json_text($answer->{body});
    return $answer;
}

sub closed
{
    my ($self, $seconds) = @_;
    my $until = time + ($seconds || UploadPool::Test::PATIENCE);
    while (!$self->{ended} && time < $until) {
        local $self->{timeout} = $until - time;
        $self->_fill or last;
    }
    return $self->{ended} && $self->{buffer} eq '';
}

sub finish
{
    my ($self) = @_;
    return shutdown $self->{socket}, 1;
}

sub close
{
    my ($self) = @_;
    return CORE::close $self->{socket};
}

sub reset
{
    my ($self) = @_;
    setsockopt $self->{socket}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    # IO::Socket::SSL would say goodbye first.
    return $self->{tls} ? $self->{socket}->close(SSL_no_shutdown => 1)
        : CORE::close $self->{socket};
}

1;
