# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Crash;

=head1 NAME

UploadPool::Crash - a server that is killed, and clients that resume

=head1 SYNOPSIS

    my $crash = UploadPool::Crash->new;
    my $u = $crash->begin('tus');
    $crash->advance($u, 5000);              # so many bytes more
    $crash->kill_child($u);                 # the one that serves it
    my @wrong = $crash->judge($u);          # goes on to its end
    push @wrong, $crash->pool_is_right;

=head1 DESCRIPTION

An upload is a list of requests that are sent piece by piece, so that a kill may
come between any two bytes of any of them. The object remembers what the client
has been told, and compares it after the kill with what the server says and what
is in the pool. All randomness comes from rand().

This module makes no assertions: it returns faults as lines of text.

=cut

use strict;
use warnings FATAL => 'all';
use Digest::MD5 ();
use Digest::SHA qw(sha256_hex);
use Fcntl qw(:flock O_RDONLY O_DIRECTORY);
use IO::Select;
use JSON::PP ();
use Socket qw(MSG_PEEK MSG_DONTWAIT);
use Time::HiRes qw(sleep time);
use UploadPool::Bucket ();
use UploadPool::Httpd;
use UploadPool::Test qw(as_json chunked connect_raw multipart new_id request
                        sign slurp status var wait_for);
use UploadPool::Tus ();

our @KINDS = qw(form forms tus chunked ietf parts);
my $KEY = 'what sessions of the crash suite are signed with';
my $NOISE = 1 << 20;

sub new
{
    my ($class, %o) = @_;
    my $httpd = delete $o{httpd} || UploadPool::Httpd->new(children => 3);
    my $self = bless {context => "UploadQuota pool 64M\n", httpd => $httpd,
        pool => $httpd->make_pool('crash'), contents => {}, least => 1,
        most => 300_000, %o}, $class;
    # One long run of noise, of which every content is a part: rand() alone
    # would take longer than the uploads.
    $self->{noise} = join '', map { pack 'N', rand 2**32 } 1 .. $NOISE / 4;
    $self->start;
    return $self;
}

sub port { return $_[0]{httpd}->port }

sub start
{
    my ($self) = @_;
    my $cgi = var('cgibin');
    my $context = join "\n", "UploadPool \"$self->{pool}\"",
        'UploadProtocol multipart chunked tus resumable',
        'UploadDigest sha-256', 'UploadChunkedAuto On', $self->{context};
    $self->{httpd}->start(join "\n",
        var('mpm') eq 'prefork' ? "StartServers 10\nMinSpareServers 6\n"
            . "MaxSpareServers 12\nMaxRequestWorkers 32" : '',
        'UploadSweepInterval 1s', "ScriptAlias /app/ \"$cgi/\"",
        "<Directory \"$cgi\">", 'Options ExecCGI', '</Directory>',
        '<Location /up>', $context . 'SetHandler upload-pool', '</Location>',
        '<Location /app/>', $context . '</Location>',
        '<Location /signed>', $context . 'SetHandler upload-pool',
        "UploadKey \"$KEY\"", '</Location>', '');
    return;
}

sub content
{
    my ($self, $least, $most) = @_;
    my $length = $least + int rand($most - $least + 1);
    return substr $self->{noise}, int rand($NOISE - $length), $length;
}

# --- Uploads ----------------------------------------------------------------

=head1 METHODS

=over

=item new(%OPTIONS)

C<httpd> in place of one of its own, C<context>: directives for each context in
place of a quota, C<least> and C<most> bytes of a content.

=item begin(KIND, %OPTIONS)

An upload of which nothing is sent yet. KIND: form (one file), forms (three, and
a field), tus, chunked, ietf (some requests in order each), parts (of a session,
out of order). C<id> of one that is there to replace it; C<url>.

=cut

sub begin
{
    my ($self, $kind, %o) = @_;
    my $u = {kind => $kind, id => $o{id} || new_id(), url => $o{url} || '/up',
             told => 0, tried => 0, requests => []};
    my @contents = map { $self->content(@{$self}{qw(least most)}) }
        1 .. ($kind eq 'forms' ? 3 : 1);
    $u->{contents} = \@contents;
    $u->{content} = $contents[0];
    push @{ $self->{contents}{ $u->{id} } }, [map { sha256_hex($_) } @contents];
    my $plan = "_plan_$kind";
    $self->$plan($u, 0);
    return $u;
}

sub _request
{
    my ($u, $method, $url, $headers, $body, %o) = @_;
    my $lines = "$method $url HTTP/1.1\r\nHost: localhost\r\n"
        . "Accept: application/json\r\n";
    my @headers = @$headers;
    while (my ($name, $value) = splice @headers, 0, 2) {
        $lines .= "$name: $value\r\n";
    }
    $lines .= $o{coded} ? "Transfer-Encoding: chunked\r\n"
        : 'Content-Length: ' . length($body) . "\r\n";
    $lines .= "\r\n";
    my $skip = length($lines) + ($o{skip} || 0);
    $lines .= $o{coded} ? chunked($body, 3000) : $body;
    push @{ $u->{requests} }, {bytes => $lines, at => 0, skip => $skip, %o};
    return;
}

sub _plan_form
{
    my ($self, $u) = @_;
    my $n = 0;
    my ($body, $type) = multipart([{name => 'title', value => 'some'},
        map { +{name => 'f' . $n++, filename => "$n.bin", content => $_} }
            @{ $u->{contents} }], boundary => "b$u->{id}");
    _request($u, 'POST', "$u->{url}?X-Progress-ID=$u->{id}",
             ['Content-Type', $type], $body, coded => rand() < 0.3,
             final => 1);
    return;
}

sub _plan_forms { goto &_plan_form }

# Some pieces, in order, from an offset on.
sub _pieces
{
    my ($u, $from) = @_;
    my $length = length $u->{content};
    my @pieces;
    while ($from < $length) {
        my $to = $from + 1 + int rand(1.5 * ($length - $from));
        $to = $length if $to > $length || @pieces == 4;
        push @pieces, [$from, $to];
        $from = $to;
    }
    return @pieces;
}

sub _plan_tus
{
    my ($self, $u, $from) = @_;
    my @tus = ('Tus-Resumable', '1.0.0');
    my $length = length $u->{content};
    _request($u, 'POST', "$u->{url}?X-Progress-ID=$u->{id}",
             [@tus, 'Upload-Length', $length], '', makes => 1)
        unless $u->{made};
    for my $piece (_pieces($u, $from)) {
        my $bytes = substr $u->{content}, $piece->[0], $piece->[1] - $piece->[0];
        _request($u, 'PATCH', "$u->{url}/$u->{id}",
            [@tus, 'Content-Type', $UploadPool::Tus::BYTES, 'Upload-Offset',
             $piece->[0], rand() < 0.3 ? ('Upload-Checksum',
                UploadPool::Tus::checksum('sha1', $bytes)) : ()], $bytes,
            from => $piece->[0], to => $piece->[1],
            final => $piece->[1] == $length);
    }
    return;
}

sub _plan_ietf
{
    my ($self, $u, $from) = @_;
    my $length = length $u->{content};
    my @common = ('Upload-Draft-Interop-Version', 8);
    for my $piece (_pieces($u, $from)) {
        my $last = $piece->[1] == $length;
        my $new = !$piece->[0] && !$u->{made};
        _request($u, $new ? ('POST', "$u->{url}?X-Progress-ID=$u->{id}")
                          : ('PATCH', "$u->{url}/$u->{id}"),
            [@common, 'Upload-Complete', $last ? '?1' : '?0',
             $new ? ('Upload-Length', $length)
                 : ('Upload-Offset', $piece->[0], 'Content-Type',
                    'application/partial-upload')],
            substr($u->{content}, $piece->[0], $piece->[1] - $piece->[0]),
            from => $piece->[0], to => $piece->[1], final => $last,
            makes => $new);
    }
    return;
}

sub _plan_chunked
{
    my ($self, $u, $from) = @_;
    my $length = length $u->{content};
    for my $piece (_pieces($u, $from)) {
        my $bytes = substr $u->{content}, $piece->[0], $piece->[1] - $piece->[0];
        my ($body, $type) = multipart([{name => 'file', filename => 'f.bin',
            content => $bytes}], boundary => "b$u->{id}");
        _request($u, 'POST', "$u->{url}?X-Progress-ID=$u->{id}",
            ['Content-Type', $type, 'Content-Range', sprintf 'bytes %d-%d/%d',
             $piece->[0], $piece->[1] - 1, $length], $body,
            skip => index($body, "\r\n\r\n") + 4,
            from => $piece->[0], to => $piece->[1], makes => !$piece->[0],
            final => $piece->[1] == $length);
    }
    return;
}

sub _plan_parts
{
    my ($self, $u) = @_;
    my $length = length $u->{content};
    my @pieces = _pieces($u, 0);
    push @pieces, splice @pieces, int rand @pieces, 1 for 1 .. 3;
    $u->{url} = '/signed';
    for my $piece (@pieces) {
        _request($u, 'POST', $u->{url},
            ['Session-ID', sign($KEY, $u->{id}), 'X-Content-Range',
             sprintf('bytes %d-%d/%d', $piece->[0], $piece->[1] - 1, $length),
             'Content-Type', 'application/octet-stream',
             'Content-Disposition', 'attachment; filename="f.bin"'],
            substr($u->{content}, $piece->[0], $piece->[1] - $piece->[0]),
            makes => $piece == $pieces[0], final => $piece == $pieces[-1],
            of_many => 1);
    }
    return;
}

=item advance(U, BYTES)

Sends that many more, over the ends of requests, whose answers are awaited.
Returns 1 while the connection lives and there is more to send, else 0.

=item advance_to(U, WHERE)

To the middle of the C<header> of a request, to a byte of its C<body>, or to its
C<last>, none of whose answer is awaited. C<final>: of the final request.

=cut

sub advance
{
    my ($self, $u, $bytes) = @_;
    while (!$u->{over} && !$u->{broken} && $bytes > 0) {
        my $r = $u->{requests}[0];
        $bytes -= $self->_send($u, $bytes);
        $self->_hear($u) if !$u->{broken} && $r->{at} == length $r->{bytes};
    }
    return !$u->{over} && !$u->{broken};
}

sub _send
{
    my ($self, $u, $bytes) = @_;
    my $r = $u->{requests}[0];
    $u->{c} ||= eval { connect_raw(port => $self->port) };
    if (!$u->{c}) {
        $u->{broken} = 1;
        return 0;
    }
    my $left = length($r->{bytes}) - $r->{at};
    $bytes = $left if $bytes > $left;
    $u->{c}{sent} = 0;
    $u->{c}->send(substr $r->{bytes}, $r->{at}, $bytes) or $u->{broken} = 1;
    $r->{at} += $u->{c}{sent};
    my $reached = ($r->{from} || 0) + $r->{at} - $r->{skip};
    if (defined $r->{from} && $reached > $u->{tried}) {
        $u->{tried} = $reached < $r->{to} ? $reached : $r->{to};
    }
    $u->{asked} = 1 if $r->{at} >= length($r->{bytes}) && $r->{final};
    return $bytes;
}

# The answer to a request that was sent.
sub _hear
{
    my ($self, $u) = @_;
    my $r = shift @{ $u->{requests} };
    my $answer = $u->{c}->answer;
    my $status = $answer->{status};
    $u->{made} = 1 if $r->{makes} && ($status >= 200 && $status < 300
        || grep { $_->{headers}{location} } @{ $answer->{interim} || [] });
    if ($status < 200 || $status > 299) {
        $u->{broken} = 1;
        $u->{refused} = $status if $status;
        $u->{why} = $answer->{body} || $answer->{error};
        return;
    }
    $u->{told} = $r->{to} if defined $r->{to};
    $u->{over} = $u->{done} = 1 if !@{ $u->{requests} };
    return;
}

sub advance_to
{
    my ($self, $u, $where, $final) = @_;
    if ($final) {
        while (@{ $u->{requests} } > 1 && !$u->{broken}) {
            my $r = $u->{requests}[0];
            $self->advance($u, length($r->{bytes}) - $r->{at});
        }
    }
    my $r = $u->{requests}[0] or return;
    my $to = $where eq 'header' ? rand $r->{skip}
        : $where eq 'last' ? length $r->{bytes}
        : $r->{skip} + rand(length($r->{bytes}) - $r->{skip});
    my $more = int($to) - $r->{at};
    $self->_send($u, $more) if $more > 0;
    return;
}

# --- Kills ------------------------------------------------------------------

=item server_of(U)

The process that has the other end of its connection.

=item kill_child(U), kill_all()

By SIGKILL. kill_child returns its number, 0 where it serves nobody yet (then
some child is killed); both wait until the locks of what they killed are gone.

=item recover()

Starts the server where there is none, and waits until it answers.

=cut

sub children
{
    my ($self) = @_;
    my $parent = $self->{httpd}->pid;
    my @found;
    for my $file (glob '/proc/[0-9]*/stat') {
        open my $in, '<', $file or next;
        my $stat = <$in>;
        push @found, $1 + 0 if defined $stat
            && $stat =~ /^(\d+) \(.*\) [^Z] (\d+) / && $2 == $parent;
    }
    return @found;
}

sub server_of
{
    my ($self, $u) = @_;
    my $socket = $u->{c} && $u->{c}->socket or return 0;
    my $port = $socket->sockport or return 0;
    my ($mine, $its) = map { sprintf '0100007F:%04X', $_ } $port, $self->port;
    my ($inode) = slurp('/proc/net/tcp')
        =~ /: $its $mine \S+ \S+ \S+ \S+ +\d+ +\d+ (\d+)/ or return 0;
    for my $pid ($self->children) {
        for my $fd (glob "/proc/$pid/fd/*") {
            my $to = readlink $fd;
            return $pid if defined $to && $to eq "socket:[$inode]";
        }
    }
    return 0;
}

# A zombie has closed its files.
sub _is_alive
{
    my ($pid) = @_;
    open my $in, '<', "/proc/$pid/stat" or return 0;
    my $stat = <$in>;
    return defined $stat && $stat !~ /^\d+ \(.*\) [ZX] /;
}

sub _kill
{
    my (@pids) = @_;
    kill 'KILL', @pids;
    wait_for(sub { !grep { _is_alive($_) } @pids })
        or die "not dead: @pids";
    return;
}

sub kill_child
{
    my ($self, $u) = @_;
    my $pid = $self->server_of($u);
    my @children = $self->children;
    _kill($pid || $children[rand @children]);
    return $pid;
}

sub kill_children
{
    my ($self) = @_;
    return _kill($self->children);
}

# The server's session has its children, its CGI daemon and their programs.
sub _all
{
    my ($self) = @_;
    my $session = $self->{httpd}->pid;
    my @found;
    for my $file (glob '/proc/[0-9]*/stat') {
        open my $in, '<', $file or next;
        my $stat = <$in>;
        push @found, $1 + 0 if defined $stat
            && $stat =~ /^(\d+) \(.*\) [^Z] \d+ \d+ (\d+) / && $2 == $session;
    }
    return @found;
}

sub kill_all
{
    my ($self) = @_;
    my $pid = $self->{httpd}->pid;
    # The parent first: it would make new ones of the others.
    _kill($pid);
    for (1 .. 5) {
        my @rest = $self->_all or last;
        _kill(@rest);
    }
    unlink $self->{httpd}->dir('logs/pid');
    delete $self->{httpd}{running};
    return;
}

sub recover
{
    my ($self) = @_;
    $self->start unless $self->{httpd}{running};
    return wait_for(sub {
        request('GET', '/', port => $self->port)->{status};
    });
}

# --- What is right after a kill ---------------------------------------------

=item judge(U)

What is wrong with the upload after a kill: takes what is still in its
connection, asks for its offset and its state, and brings it to its end. A list
of texts; none is good.

=cut

sub judge
{
    my ($self, $u) = @_;
    my @wrong;
    $self->_drain($u);
    if (!$u->{broken} && !$u->{over}) {
        # Another child has it.
        $self->advance($u, 1e9);
    }
    push @wrong, "$u->{refused} in the middle: $u->{why}"
        if $u->{refused} && $u->{refused} != 409;
    push @wrong, $u->{over} ? () : $self->_resume($u);
    push @wrong, $self->_is_done($u);
    close $u->{c}{socket} if $u->{c};
    return map { "$u->{kind} $u->{id}: $_" } @wrong;
}

# Is its connection gone?  An answer may be in it all the same.
sub _drain
{
    my ($self, $u) = @_;
    my $c = $u->{c};
    my $r = $u->{requests}[0];
    return if $u->{over} || $u->{broken} || !$c;
    if ($r && $r->{at} == length $r->{bytes}) {
        $self->_hear($u);
        return;
    }
    return unless IO::Select->new($c->socket)->can_read(0);
    my $got = recv $c->socket, my $bytes, 1, MSG_PEEK | MSG_DONTWAIT;
    $u->{broken} = 1 unless defined $got && length $bytes;
    return;
}

sub _ask_offset
{
    my ($self, $u) = @_;
    my @port = (port => $self->port);
    if ($u->{kind} eq 'tus') {
        my $r = UploadPool::Tus::head("$u->{url}/$u->{id}", @port);
        return ($r->{status}, $r->{headers}{'upload-offset'});
    }
    if ($u->{kind} eq 'ietf') {
        my $r = UploadPool::Tus::tus('HEAD', "$u->{url}/$u->{id}",
            ['Upload-Draft-Interop-Version', 8, 'Tus-Resumable', undef], @port);
        return ($r->{status}, $r->{headers}{'upload-offset'});
    }
    my $s = status($u->{url}, $u->{id}, @port);
    return (($s->{state} || '') eq 'starting' ? 404 : 200, $s->{received});
}

# On to its end, as its client would.
sub _resume
{
    my ($self, $u) = @_;
    my @wrong;
    my $whole = $u->{kind} =~ /^(?:form|parts)/;
    my $from = 0;
    if (!$whole) {
        my ($status, $offset) = $self->_ask_offset($u);
        if ($status == 404 || $status == 410) {
            push @wrong, "was made, and is $status" if $u->{made};
            $u->{made} = 0;
        }
        elsif (!defined $offset) {
            return "no offset, but $status";
        }
        else {
            push @wrong, $self->_offset_is_true($u, $offset);
            ($u->{made}, $from) = (1, $offset);
        }
        $self->{tally}{ $status == 200 || $status == 204 ? 'resumed' : 'anew' }
            ++;
    }
    else {
        push @wrong, $self->_state_is_true($u) if $u->{kind} ne 'parts';
        $self->{tally}{again}++;
    }
    my $c = delete $u->{c};
    close $c->{socket} if $c;
    @{$u}{qw(requests broken refused)} = ([], 0, undef);
    if ($from < length $u->{content} || $whole) {
        my $plan = "_plan_$u->{kind}";
        $self->$plan($u, $from);
        $self->advance($u, 1e9);
    }
    elsif (!$u->{asked}) {
        push @wrong, 'all of it, of which the end was not sent';
    }
    else {
        $self->_ask_for_the_end($u);
    }
    push @wrong, 'is refused, ' . ($u->{refused} || 'no answer') . ': '
        . ($u->{why} || '') unless $u->{over};
    return @wrong;
}

# All bytes are there, and whoever was to complete it was killed: it may be
# complete, or wait for an empty request.
sub _ask_for_the_end
{
    my ($self, $u) = @_;
    my $length = length $u->{content};
    if ($u->{kind} eq 'tus') {
        _request($u, 'PATCH', "$u->{url}/$u->{id}", ['Tus-Resumable', '1.0.0',
            'Content-Type', $UploadPool::Tus::BYTES, 'Upload-Offset', $length],
            '', from => $length, to => $length, final => 1);
    }
    elsif ($u->{kind} eq 'ietf') {
        if (-e "$self->{pool}/$u->{id}/metadata.json") {
            # An answer that was lost cannot be had again.
            return $u->{over} = 1;
        }
        _request($u, 'PATCH', "$u->{url}/$u->{id}",
            ['Upload-Draft-Interop-Version', 8, 'Upload-Complete', '?1',
             'Upload-Offset', $length, 'Content-Type',
             'application/partial-upload'], '', from => $length,
            to => $length, final => 1);
    }
    else {
        return $u->{over} = 1 if -e "$self->{pool}/$u->{id}/metadata.json";
        my ($body, $type) = ("upload_id=$u->{id}&md5="
            . Digest::MD5::md5_hex($u->{content}),
            'application/x-www-form-urlencoded');
        _request($u, 'POST', "$u->{url}/complete", ['Content-Type', $type],
                 $body, final => 1);
    }
    return $self->advance($u, 1e9);
}

sub _data
{
    my ($self, $id) = @_;
    # The first goes when the second is there.
    my ($said) = grep { defined } map {
        my $name = "$self->{pool}/$id/$_.json";
        scalar eval { slurp($name) }
    } qw(resumable metadata);
    return undef unless defined $said;
    my $about = JSON::PP->new->utf8->decode($said);
    my $file = $about->{file} || $about->{files}[0];
    return slurp("$self->{pool}/$id/$file->{stored}");
}

sub _offset_is_true
{
    my ($self, $u, $offset) = @_;
    my @wrong;
    push @wrong, "offset $offset, but $u->{told} had been acknowledged"
        if $offset < $u->{told};
    push @wrong, "offset $offset, but only $u->{tried} were sent"
        if $offset > $u->{tried};
    my $bytes = $self->_data($u->{id});
    push @wrong, "offset $offset, but other bytes in the pool"
        if $offset && !defined $bytes || length($bytes || '') < $offset
        || $offset
        && substr($bytes, 0, $offset) ne substr $u->{content}, 0, $offset;
    return @wrong;
}

# A form's child is dead: nobody says that it goes on.
sub _state_is_true
{
    my ($self, $u) = @_;
    my $said;
    wait_for(sub {
        $said = status($u->{url}, $u->{id}, port => $self->port)->{state};
        return ($said || '') ne 'uploading';
    });
    return if ($said || '') =~ /^(?:starting|error)$/
        || $u->{replaces} && $said eq 'done';
    # It may have been completed without an answer; then it is whole.
    return $said eq 'done' && $u->{asked} ? () : "state $said after the kill";
}

sub _is_done
{
    my ($self, $u) = @_;
    my $said;
    # As long as nobody has seen it die, the child counts as at work.
    wait_for(sub {
        $said = status($u->{url}, $u->{kind} eq 'parts'
            ? sign($KEY, $u->{id}) : $u->{id}, port => $self->port);
        return $said->{state} eq 'done';
    });
    return "state $said->{state} at the end" if $said->{state} ne 'done';
    my $last = [map { sha256_hex($_) } @{ $u->{contents} }];
    my $found = $self->_digests($u->{id});
    return $found && "@$found" eq "@$last" ? ()
        : 'done with other bytes than were sent';
}

# Digests of the files that metadata.json names; undef without one. The upload
# may be replaced, or go, between two looks: then the digests read mean nothing.
sub _digests
{
    my ($self, $id) = @_;
    my $name = "$self->{pool}/$id/metadata.json";
    my ($said, $found);
    do {
        $said = eval { slurp($name) };
        return -e $name ? ['unreadable'] : undef unless defined $said;
        $found = _digests_of("$self->{pool}/$id", $said);
    } until (eval { slurp($name) } // '') eq $said;
    return $found;
}

sub _digests_of
{
    my ($dir, $said) = @_;
    my $record = eval { JSON::PP->new->utf8->decode($said) }
        || return ['unreadable'];
    my @found;
    for my $file (@{ $record->{files} }) {
        my $bytes = eval { slurp("$dir/$file->{stored}") } // '';
        my $digest = sha256_hex($bytes);
        push @found, length($bytes) != $file->{size} ? 'another size'
            : $digest ne $file->{digests}{'sha-256'} ? 'another digest'
            : $digest;
    }
    return \@found;
}

=item pool_is_right()

What is wrong in the pool: complete uploads against what their clients sent, and
what upload-pool check finds.

=item nothing_is_locked()

Which buckets are, where no upload goes on.

=item ledger_is_right()

Waits for a sweep, and holds the quota's ledger against the pool.

=item clean()

Clears what is complete.

=cut

sub buckets
{
    my ($self) = @_;
    opendir my $in, $self->{pool} or die "$self->{pool}: $!";
    my @found = sort grep { !/^\./ } readdir $in;
    return @found;
}

sub pool_is_right
{
    my ($self) = @_;
    my @wrong;
    for my $id ($self->buckets) {
        # Others are there to be swept, at this very moment.
        my $known = $self->{contents}{$id} or next;
        my $found = $self->_digests($id) or next;
        $self->{tally}{records}++;
        push @wrong, "$id is done with @$found"
            unless grep { "@$_" eq "@$found" } @$known;
    }
    my (undef, $said) = UploadPool::Bucket::json('check', $self->{pool});
    # A process that was killed while it removed something has left a part of
    # it.
    push @wrong, map {
        "check: $_->{identifier} " . ($_->{file} || '') . " $_->{text}"
    } grep { $_->{text} !~ /^is named by no record/ } @{ $said->{problems} };
    push @wrong, 'check has seen nothing' unless $said->{digests};
    return @wrong;
}

sub nothing_is_locked
{
    my ($self) = @_;
    my @locked;
    for my $id ($self->buckets) {
        sysopen my $dir, "$self->{pool}/$id", O_RDONLY | O_DIRECTORY or next;
        wait_for(sub { flock $dir, LOCK_EX | LOCK_NB })
            or push @locked, "$id is locked";
    }
    return @locked;
}

sub _ledger
{
    my ($self) = @_;
    my $bytes = slurp("$self->{pool}/.quota");
    my %stored;
    for my $entry (unpack '(a128)*', substr $bytes, 256) {
        my ($id, $stored, $reserved)
            = unpack 'Z64 x20 x4 q< q<', $entry;
        next if $id eq '';
        $stored{$id} += $stored;
        $stored{"$id reserves"} = $reserved if $reserved;
    }
    return (unpack('x8 q<', $bytes), \%stored);
}

# As the reference says: what an upload leaves is a block at least.
sub _weighed
{
    my ($self) = @_;
    my %found;
    for my $id ($self->buckets) {
        my $dir = "$self->{pool}/$id";
        my $sum = 0;
        $sum += -s > 4096 ? -s _ : 4096 for grep { -f } glob("$dir/*.bin"),
            map { "$dir/$_.json" } qw(metadata attempt resumable);
        $sum += -s for grep { -f } map { "$dir/$_" }
            qw(run yield answer.json answer.new metadata.new attempt.new resumable.new);
        $found{$id} = $sum if $sum;
    }
    return \%found;
}

sub ledger_is_right
{
    my ($self) = @_;
    # The first upload makes it.
    return if !-e "$self->{pool}/.quota" && !$self->buckets;
    my $since = time * 1e6;
    my ($counted, $ledger);
    wait_for(sub {
        ($counted, $ledger) = $self->_ledger;
        return $counted > $since;
    }) or return 'no sweep has counted';
    my ($says, $is) = map { as_json($_) } $ledger, $self->_weighed;
    return $says eq $is ? () : "the ledger says $says, the pool holds $is";
}

sub clean
{
    my ($self) = @_;
    for my $id ($self->buckets) {
        request('DELETE', "/up?X-Progress-ID=$id", port => $self->port);
        delete $self->{contents}{$id};
    }
    return;
}

=item expire(COUNT)

So many uploads that the next sweep removes. Returns a sub that is true when it
has begun.

=back

=cut

sub expire
{
    my ($self, $count) = @_;
    my @owner = UploadPool::Httpd::owner();
    # Old before the sweep can see them: made elsewhere, moved here whole.
    my $aside = $self->{httpd}->make_pool('aside');
    my @ids = map { new_id() } 1 .. $count;
    for my $id (@ids) {
        my $path = UploadPool::Bucket::bucket($aside, $id, 'x' x 100,
                                              age => 3 * 86400);
        chown @owner, "$aside/$id", glob "$aside/$id/*" if $> == 0;
        rename "$aside/$id", "$self->{pool}/$id" or die "$id: $!";
    }
    return sub { return scalar grep { !-d "$self->{pool}/$_" } @ids };
}

sub tally { return $_[0]{tally} || {} }

1;
