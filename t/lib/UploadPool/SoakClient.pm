# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::SoakClient;

=head1 NAME

UploadPool::SoakClient - a client of any kind, with everything that may happen
to one

=head1 SYNOPSIS

    my $client = UploadPool::SoakClient->new(port => 8080, calm => 1, name => 's1');
    my $u = $client->run('tus');

=head1 DESCRIPTION

Each run is one upload, or one identifier that several uploads fight for, from
its beginning to what becomes of it. It sends in pieces of any size, is cut off
at any byte, asks and goes on, sends again, at once or later, asks for the
status meanwhile, gives up, clears. What the server says is compared with what
the server can know at that moment; run() returns what is left to compare:

    kind, id
    wrong      texts; none is good
    attempts   of each content that was sent under the identifier: sum (what the
               application has to have seen), told (it was said to have run),
               whole (all of it was sent, so it may have)
    expect     of the pool: done, with the sum of that attempt; partial, with
               held bytes of content at least; absent; unfinished: anything that
               is not done; any

A client that is C<calm> expects no kill, and accepts no broken connection.

=cut

use strict;
use warnings FATAL => 'all';
use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(sha256_hex);
use IO::Select;
use List::Util qw(max min shuffle);
use MIME::Base64 qw(encode_base64);
use Time::HiRes qw(sleep time);
use UploadPool::Bucket ();
use UploadPool::H2 ();
use UploadPool::Test qw(chunked connect_raw multipart sign status wait_for);
use UploadPool::Tus ();

our $KEY = 'what the identifiers of the soak are signed with';
our @KINDS = qw(form form form twins interrupted http2 told raw raw chunked
                django dropzone fine flow plupload session tus tus tus
                concat ietf ietf whole);
my @TUS = ('Tus-Resumable', '1.0.0');
my @IETF = ('Upload-Draft-Interop-Version', 8);
my $NOISE = 1 << 19;

sub new
{
    my ($class, %o) = @_;
    my $self = bless {most => 200_000, serial => 0, %o}, $class;
    $self->{noise} = join '', map { pack 'N', rand 2**32 } 1 .. $NOISE / 4;
    return $self;
}

sub run
{
    my ($self, $kind) = @_;
    my $u = {kind => $kind, id => "$self->{name}-" . ++$self->{serial},
             wrong => [], attempts => [], expect => 'any', url => '/json'};
    $self->{u} = $u;
    $self->_note('begins');
    my $method = "_run_$kind";
    eval { $self->$method($u); 1 } or $self->wrong("died: $@");
    return $u;
}

sub wrong
{
    my ($self, @text) = @_;
    push @{ $self->{u}{wrong} }, "$self->{u}{kind} $self->{u}{id}: @text";
    return;
}

# Remembers the last steps, for a developer who looks for a fault.
sub _note
{
    my ($self, $text) = @_;
    my $done = $self->{u}{history} ||= [];
    push @$done, sprintf '%.3f %s', time, $text;
    shift @$done if @$done > 30;
    return;
}

sub chance { return rand() < $_[0] }
sub any { return $_[rand @_] }

# --- Contents ---------------------------------------------------------------

# Content of each upload's own, so that a digest tells to which it belongs.
sub content
{
    my ($self, %o) = @_;
    my $length = chance(0.1) ? int rand 4 : int rand $self->{most};
    my $mark = "$self->{name}/" . ++$self->{serial} . '|';
    $length = max($length, length $mark) if !$o{empty} || $length;
    return $length ? $mark . substr $self->{noise},
        int rand($NOISE - $length), $length - length $mark : '';
}

sub attempt
{
    my ($self, $u, $contents, @fields) = @_;
    my $run = {sum => join(' ', join(',', map { sha256_hex($_) } @$contents),
                         join ';', @fields), told => 0, whole => 0};
    push @{ $u->{attempts} }, $run;
    return $run;
}

# The answer says that the application ran, and with what.
sub told
{
    my ($self, $u, $run, $answer) = @_;
    my $ran = ($answer->{body} // '') eq "ran $u->{id} $run->{sum}";
    $self->wrong("$answer->{status}, but the answer is \"",
                 substr($answer->{body} // '', 0, 300), "\" for $run->{sum}")
        unless $ran || ($answer->{body} // '') eq '' && $answer->{status} == 204;
    $run->{told} = $run->{whole} = 1;
    @{$u}{qw(expect sum)} = ('done', $run->{sum});
    return 1;
}

# --- Requests ---------------------------------------------------------------

=head2 ask(METHOD, URL, \@HEADERS, BODY, %OPTIONS)

The answer; status 0 without one. C<cut>: the client is gone after so many bytes
of the body. C<twin>: the same is sent on a second connection, and ends at the
same moment; the answer of that one is in C<twin>.

=cut

sub _text
{
    my ($method, $url, $headers, $body, %o) = @_;
    my $head = "$method $url HTTP/1.1\r\nHost: localhost\r\n"
        . "Connection: close\r\n";
    my @headers = @$headers;
    while (my ($name, $value) = splice @headers, 0, 2) {
        $head .= "$name: $value\r\n";
    }
    $head .= "X-Requested-With: soak\r\n";
    $head .= $o{coded} ? "Transfer-Encoding: chunked\r\n"
        : 'Content-Length: ' . length($body) . "\r\n";
    return ("$head\r\n", $o{coded} ? chunked($body, 1 + int rand 20_000)
                                   : $body);
}

sub ask
{
    my ($self, $method, $url, $headers, $body, %o) = @_;
    my ($head, $wire) = _text($method, $url, $headers, $body, %o);
    my $all = $head . $wire;
    # A cut body is never whole, whatever it is coded in.
    my $end = defined $o{cut} ? length($head) + min($o{cut}, length($wire) - 1)
        : length $all;
    my @c = map { $self->_connection } 0 .. ($o{twin} ? 1 : 0);
    return {status => 0, error => 'no connection'} if grep { !$_ } @c;
    my $at = 0;
    my $last = $o{twin} ? $end - 1 : $end;
    while ($at < $last) {
        my $n = min($last - $at, 1 + int rand(chance(0.3) ? 600 : 80_000));
        my $sent = grep { $_->send(substr $all, $at, $n) } @c;
        last unless $sent;
        $at += $n;
        sleep rand 0.03 if chance(0.2);
        $self->poll if chance(0.06);
    }
    $_->send(substr $all, $last, 1) for $o{twin} ? @c : ();
    if (defined $o{cut}) {
        chance(0.5) ? $c[0]->reset : $c[0]->close;
        $self->{u}{was_cut} = 1;
        $self->_note("$method $url, cut off at $o{cut}");
        return {status => 0, cut => 1};
    }
    my @answers = map { $_->answer(head => $method eq 'HEAD') } @c;
    $_->close for @c;
    $self->_note("$method $url: $_->{status} " . substr $_->{body} // '', 0, 100)
        for @answers;
    $self->_broken($method, $url, $_) for @answers;
    # When the server restarts, mod_cgid's programs end with it; a client that
    # asks again has the program run again.
    $self->{u}{failed} += grep { $_->{status} == 503 } @answers;
    $answers[0]{twin} = $answers[1];
    return $answers[0];
}

sub _connection
{
    my ($self) = @_;
    my $c;
    wait_for(sub { $c = eval { connect_raw(port => $self->{port}) } });
    return $c;
}

sub _broken
{
    my ($self, $method, $url, $answer) = @_;
    return if $answer->{status} && $answer->{status} != 500;
    my $said = $answer->{error} || substr $answer->{body}, 0, 200;
    if ($self->{calm}) {
        $self->wrong("$method $url: $answer->{status} $said");
    }
    sleep 0.1;
    return;
}

# What anybody may be told of the upload at any time.
sub poll
{
    my ($self) = @_;
    my $u = $self->{u};
    my $s = eval { status($u->{base} || $u->{url}, $u->{name} || $u->{id},
                          port => $self->{port}) } or return;
    return if !$self->{calm} && !defined $s->{state};
    my $state = $s->{state} // '';
    if ($state !~ /^(?:starting|uploading|done|error)$/) {
        return $self->wrong('status: ' . ($s->{status} // '') . ' '
                            . ($s->{body} // ''));
    }
    $self->wrong('is done, and nobody has sent all of it')
        if $state eq 'done' && !$u->{replaced}
        && !grep { $_->{whole} || $_->{ending} } @{ $u->{attempts} };
    my $size = $s->{size};
    $self->wrong("has received $s->{received} of $size")
        if $state eq 'uploading' && defined $size && $s->{received} > $size;
    return;
}

# --- Forms ------------------------------------------------------------------

sub _form_of
{
    my ($self, $u) = @_;
    my @contents = map { $self->content(empty => 1) } 1 .. any(1, 1, 1, 2, 4);
    my $title = $self->{name} . '/' . ++$self->{serial};
    my $n = 0;
    my @parts = map { +{name => 'f' . $n++, filename => "f $n.bin",
                        content => $_} } @contents;
    # A file input that was left empty is neither a file nor a field.
    push @parts, {name => 'none', filename => '', content => ''}
        if chance(0.2);
    splice @parts, rand @parts, 0, {name => 'title', value => $title};
    my ($body, $type) = multipart(\@parts, boundary => "b$u->{id}");
    return ($self->attempt($u, \@contents, "title=$title"), $body,
            ['Content-Type', $type]);
}

sub _named { return "$_[0]{url}?X-Progress-ID=" . ($_[0]{name} || $_[0]{id}) }

sub _run_form
{
    my ($self, $u, @url) = @_;
    $u->{url} = any(@url ? @url : qw(/json /json /form /tight));
    for my $time (1 .. any(1, 1, 2, 3)) {
        my ($run, $body, $headers) = $self->_form_of($u);
        $self->_post_form($u, $run, $body, $headers) or last;
        # If the answer is lost, the client cannot know that the upload was
        # replaced.
        $u->{replaced} = $u->{expect} eq 'done';
    }
    $self->_serve($u) if $u->{expect} eq 'done' && chance(0.2);
    $self->clear($u) if chance(0.3);
    return;
}

# Returns 0 where nothing further can be known.
sub _post_form
{
    my ($self, $u, $run, $body, $headers) = @_;
    my $cut = chance(0.3) ? int rand length $body : undef;
    my $coded = chance(0.3);
    for my $try (1 .. 400) {
        $run->{ending} = !defined $cut;
        my $r = $self->ask('POST', _named($u), $headers, $body, cut => $cut,
                           coded => $coded);
        $run->{ending} = 0;
        if ($r->{cut}) {
            $u->{expect} = 'unfinished' if $u->{expect} ne 'done';
            return 1;
        }
        if ($r->{status} == 0) {
            $run->{whole} = 1;
            $u->{expect} = 'any';
            return 0;
        }
        return $self->told($u, $run, $r) if $r->{status} == 200;
        return $self->_refused($u, $r) if $r->{status} !~ /^(?:409|503)$/;
        # The one before it is not over yet.
        sleep 0.05;
    }
    $self->wrong('409 without an end');
    return 0;
}

# Judges a refusal: a full pool, or a killed child, may cause some, and all
# others are wrong. Returns 0.
sub _refused
{
    my ($self, $u, $r) = @_;
    my $may = $u->{url} eq '/tight' && $r->{status} == 507
        || $r->{status} == 503
        || !$self->{calm} && $r->{status} =~ /^(?:0|408|500)$/;
    $self->wrong("refused with $r->{status}: " . ($r->{body} // ''))
        unless $may;
    # One whose application was not there (503) is complete.
    if ($r->{status} != 507 || $u->{failed}) {
        $u->{expect} = 'any';
    }
    elsif ($u->{expect} ne 'done') {
        $u->{expect} = 'unfinished';
    }
    return 0;
}

# Two at once with one identifier: each runs if it is told so.
sub _run_twins
{
    my ($self, $u) = @_;
    my @forms = map { [$self->_form_of($u)] } 1, 2;
    my @c = map { $self->_connection } 1, 2;
    my @texts = map { join '', _text('POST', _named($u), $_->[2], $_->[1]) }
        @forms;
    my @at = (0, 0);
    while ($at[0] < length $texts[0] || $at[1] < length $texts[1]) {
        for my $n (0, 1) {
            my $more = min(length($texts[$n]) - $at[$n], int rand 90_000);
            $c[$n]->send(substr $texts[$n], $at[$n], $more) if $more > 0;
            $at[$n] += max($more, 0);
            $forms[$n][0]{whole} = 1;
        }
    }
    my @answers = map { $_->answer } @c;
    $self->_note("both: $answers[0]{status} $answers[1]{status}");
    for my $n (0, 1) {
        my ($run, $r) = ($forms[$n][0], $answers[$n]);
        $self->_broken('POST', $u->{url}, $r);
        $run->{whole} = $r->{status} == 200 || !$r->{status} ? 1 : 0;
        if ($r->{status} == 200) {
            $self->told($u, $run, $r);
        }
        elsif ($r->{status} != 409) {
            $self->_refused($u, $r);
        }
    }
    $self->{u}{failed} += grep { $_->{status} == 503 } @answers;
    $self->wrong('both are refused') if $self->{calm}
        && !grep { $_->{status} =~ /^(?:200|503)$/ } @answers;
    my @told = grep { $_->[0]{told} } @forms;
    # One whose application was not there (503) has replaced the other, or not.
    $u->{expect} = 'any' if @told != 1
        || grep { !$_->{status} || $_->{status} == 503 } @answers;
    $self->clear($u) if chance(0.2);
    return;
}

# An upload that is cleared by another client while it comes.
sub _run_interrupted
{
    my ($self, $u) = @_;
    $u->{url} = any(qw(/json /form));
    my ($run, $body, $headers) = $self->_form_of($u);
    my ($head, $wire) = _text('POST', _named($u), $headers, $body);
    my $c = $self->_connection;
    my $half = int(length($wire) / 2);
    $c->send($head . substr $wire, 0, $half);
    my $began = wait_for(sub {
        my $s = eval { status($u->{url}, $u->{id}, port => $self->{port}) };
        return $s && ($s->{state} // '') eq 'uploading'
            || IO::Select->new($c->socket)->can_read(0);
    });
    $self->_note("$half bytes of " . length($wire) . ' are sent');
    $self->clear($u);
    # It is told within two seconds, or when it goes on.
    sleep rand 3 if chance(0.5);
    $c->send(substr $wire, $half);
    my $r = $c->answer;
    $c->close;
    $self->_note("the rest is sent: $r->{status}");
    $self->wrong('was cleared, and is told that it ran')
        if $r->{status} == 200 && $self->{calm};
    $self->_broken('POST', "$u->{url}, cleared", $r)
        if $r->{status} == 500;
    if (!$self->{calm}) {
        # The clear and the kill may meet: a killed child may not have seen the
        # clear, and the upload may outlive the child.
        $run->{told} = $r->{status} == 200 ? 1 : 0;
        $run->{whole} = 1;
        $u->{expect} = 'any';
    }
    return;
}

sub _serve
{
    my ($self, $u) = @_;
    my $r = $self->ask('GET', "$u->{url}/file?X-Progress-ID="
                       . ($u->{name} || $u->{id}), [], '');
    my ($first) = $u->{sum} =~ /^(\w+)/;
    return if !$r->{status};
    $self->wrong("what is served is $r->{status}, another file")
        if $r->{status} != 200 || sha256_hex($r->{body}) ne $first;
    return;
}

# --- Clearing ---------------------------------------------------------------

# Clears the upload in one of the ways there are. It is gone once that is
# answered.
sub clear
{
    my ($self, $u) = @_;
    my $to = _named($u);
    my $how = any(qw(DELETE GET POST tool));
    # A connection that was cut off may not even have been taken yet, though later
    # ones have been answered: another child took those.
    my $may_begin = $u->{was_cut};
    my $r;
    for my $try (1 .. 100) {
        if ($how eq 'tool' && $self->{pools}{ $u->{url} }) {
            my ($exit, undef, $said) = UploadPool::Bucket::tool('clear',
                $self->{pools}{ $u->{url} }, $u->{id});
            # 1: it was not there.
            $self->wrong("upload-pool clear: $exit $said") if $exit > 1;
            $self->_note("upload-pool clear: $exit");
            $r = {status => 200};
        }
        else {
            $r = $how =~ /GET|POST/
                ? $self->ask($how, "$to&clear", [], '')
                : $self->ask('DELETE', $to, [], '');
        }
        last if $r->{status} == 200;
        $self->wrong("$how, to clear it: $r->{status} " . ($r->{body} // ''))
            if $r->{status} && $self->{calm};
        sleep 0.1;
    }
    # A bucket that was removed from the disk is noticed a moment later.
    my $state = '';
    my $may_go_on = $may_begin
        && $u->{kind} !~ /^(?:form|twins|interrupted|http2|told)$/;
    my $may_not_be = $may_go_on ? qr/^done$/ : qr/^(?:done|uploading)$/;
    wait_for(sub {
        $state = $self->_state($u);
        return $how ne 'tool' && !$may_begin || $state !~ $may_not_be;
    });
    $self->wrong("was cleared by $how, and is $state")
        if $state =~ $may_not_be;
    $u->{expect} = $may_begin ? 'unfinished' : 'absent';
    return;
}

sub _state
{
    my ($self, $u) = @_;
    my $s = eval { status($u->{url}, $u->{name} || $u->{id},
                          port => $self->{port}) } || {};
    return $s->{state} // '';
}

# --- Over HTTP/2 ------------------------------------------------------------

sub _run_http2
{
    my ($self, $u) = @_;
    return $self->_run_reset($u) if chance(0.4);
    my ($run, $body, $headers) = $self->_form_of($u);
    my $file = "$self->{dir}/$u->{id}.body";
    UploadPool::Test::spew($file, $body);
    my $cut = chance(0.4);
    my @cut = $cut ? ('timeout', '-s', any(qw(KILL TERM)), 0.05 + rand 0.4) : ();
    open my $pipe, '-|', @cut, qw(curl -s -o - -w %{http_code}
        --http2-prior-knowledge --max-time 120 -H), 'Expect:', '-H',
        "Content-Type: $headers->[1]", '-H', 'X-Requested-With: soak',
        $cut ? ('--limit-rate', '200K') : (), '--data-binary', "\@$file",
        "http://127.0.0.1:$self->{port}" . _named($u) or die "curl: $!";
    local $/;
    my $said = <$pipe> // '';
    close $pipe;
    unlink $file;
    $self->_note("curl: $said");
    my ($answer, $status) = $said =~ /^(.*)(\d\d\d)\z/s;
    $run->{whole} = 1;
    if (($status || 0) == 200) {
        $self->told($u, $run, {status => 200, body => $answer});
        $self->clear($u) if chance(0.3);
    }
    elsif ($status && $status ne '000' || $self->{calm} && !$cut) {
        $self->_refused($u, {status => $status || 0, body => $said});
    }
    return;
}

# A stream that is reset, or a connection that goes, at any moment.
sub _run_reset
{
    my ($self, $u) = @_;
    $u->{url} = any(qw(/json /form));
    my ($run, $body, $headers) = $self->_form_of($u);
    my $h2 = UploadPool::H2->new;
    my $length = chance(0.5) ? int rand length $body : length $body;
    $run->{whole} = $length == length $body ? 1 : 0;
    my $r = $h2->request('POST', _named($u), substr($body, 0, $length),
        {'content-type' => $headers->[1]}, port => $self->{port},
        end => $run->{whole}, any(qw(reset go)) => sub { sleep rand 0.3 });
    $self->_note("$length of " . length($body) . " bytes: $r->{status}");
    return $self->told($u, $run, $r) if $r->{status} == 200;
    $u->{expect} = $run->{whole} ? 'any' : 'unfinished';
    return;
}

# --- Where another server takes them ----------------------------------------

sub _run_told
{
    my ($self, $u) = @_;
    my $r = $self->ask('GET', '/told', [], '');
    return if $r->{status} =~ /^(?:0|503)$/;
    my ($url, $name) = split / /, $r->{body};
    my ($id) = ($name // '') =~ /^([^:]+):[0-9a-f]{64}$/
        or return $self->wrong("was told \"$r->{body}\"");
    @{$u}{qw(id name)} = ($id, $name);
    $self->wrong("is sent to $url") unless $url eq 'http://up.example/signed/upload';
    return $self->_run_form($u, '/signed');
}

# --- In several requests ----------------------------------------------------

=head2 through(U, ATTEMPT, PROTOCOL)

Sends a content to its end as a client does that loses connections. PROTOCOL has
C<put>(FROM, TO, %OPTIONS), which is an ask(); C<offset>(), which returns the
offset, or nothing and the status; C<end>(), where nothing is left to send and
the answer was lost; C<least>, the fewest bytes of a piece. Returns 1 when it is
told that the application ran.

=cut

sub through
{
    my ($self, $u, $run, $p) = @_;
    my $length = $p->{length};
    my ($offset, $told, $tried) = ($p->{from} || 0) x 3;
    for my $try (1 .. 300) {
        return $self->_give_up($u, $run, $told)
            if $p->{may_give_up} && chance(0.04);
        my $rest = $length - $offset;
        my $to = chance(0.35) ? $length
            : $offset + max($p->{least}, int rand($rest + 1));
        $to = $length if $to > $length;
        my $is_last = $to == $length;
        my ($r, $cut);
        if (!$rest && $try > 1) {
            $run->{ending} = 1;
            $r = $p->{end}->();
        }
        else {
            $cut = $to > $offset && chance(0.3) ? int rand($to - $offset + 1)
                : undef;
            $run->{ending} = 1 if $is_last;
            $r = $p->{put}->($offset, $to, cut => $cut, coded => chance(0.15),
                             twin => !defined $cut && chance(0.1));
            $tried = max($tried, defined $cut ? $offset + $cut : $to);
        }
        my ($good) = grep { $_ && $_->{status} >= 200 && $_->{status} < 300 }
            $r, $r->{twin};
        if ($good) {
            $told = max($told, $to);
            return $p->{inner} ? 1 : $self->told($u, $run, $good) if $is_last;
            $offset = $to;
            next if chance(0.7);
        }
        elsif (!$r->{cut}) {
            $run->{whole} = 1 if !$r->{status} && $is_last;
            if ($r->{status} == 507 || $r->{status} !~ /^(?:0|400|409|404|410|423|500|503)$/) {
                $self->_refused($u, $r);
                return 0;
            }
            sleep 0.05;
        }
        my ($now, $status) = $p->{offset}->();
        if (!defined $now) {
            # 423: the application was asked again, and failed again.
            next if !$status || $status =~ /^(?:409|423|5..)$/;
            $self->wrong("has no offset, but $status, after "
                . "$told bytes that were acknowledged") if $self->{calm} || $told;
            $u->{expect} = 'any';
            return 0;
        }
        $self->wrong("offset $now, but $told had been acknowledged")
            if $now < $told && !$p->{drops};
        $self->wrong("offset $now, but only $tried were sent")
            if $now > $tried;
        $offset = $now;
    }
    $self->wrong('comes to no end');
    return 0;
}

sub _give_up
{
    my ($self, $u, $run, $told) = @_;
    if (chance(0.5)) {
        $self->clear($u);
        return 0;
    }
    # The end was sent, and nobody has said what became of it.
    $run->{whole} = 1 if $run->{ending};
    @{$u}{qw(expect held)} = ($run->{ending} ? 'any' : 'partial', $told);
    return 0;
}

sub _is_good { return $_[0]{status} >= 200 && $_[0]{status} < 300 }

# Tries to create an upload until an answer says that it is there.
sub _create
{
    my ($self, $u, $make) = @_;
    my $r;
    for my $try (1 .. 100) {
        $r = $make->();
        return $r if _is_good($r);
        if ($r->{status} == 507 || $r->{status} !~ /^(?:0|409|500|503)$/) {
            $self->_refused($u, $r);
            return undef;
        }
        sleep 0.05;
    }
    # A killed server may have made it, and nobody said so.
    $self->wrong('is not created') unless !$self->{calm} && $r->{status} == 409;
    return undef;
}

sub _head_offset
{
    my ($self, $url, @headers) = @_;
    my $r = $self->ask('HEAD', $url, [@headers], '');
    return ($r->{status} < 300 ? $r->{headers}{'upload-offset'} : undef,
            $r->{status});
}

sub _run_tus
{
    my ($self, $u) = @_;
    $u->{url} = any(qw(/json /json /form /tight));
    my $content = $u->{content} = $self->content(empty => 1);
    my $title = $self->{name} . '/' . ++$self->{serial};
    my $run = $self->attempt($u, [$content], "title=$title");
    $self->_tus($u, $run, $content, ['Upload-Metadata', UploadPool::Tus::metadata(
        filename => 'a.bin', title => $title)]) or return;
    $self->_serve($u) if chance(0.1);
    $self->clear($u) if chance(0.3);
    return;
}

sub _tus
{
    my ($self, $u, $run, $content, $more, %o) = @_;
    my $length = length $content;
    my $defer = chance(0.2);
    # What is empty is complete with its creation.
    $run->{ending} = 1 if !$length && !$defer;
    my $made = $self->_create($u, sub {
        return $self->ask('POST', _named($u), [@TUS, @$more,
            $defer ? ('Upload-Defer-Length', 1) : ('Upload-Length', $length)],
            '');
    }) or return 0;
    ($u->{id}) = $made->{headers}{location} =~ m{([^/]+)$};
    return $o{inner} ? 1 : $self->told($u, $run, $made) if !$length && !$defer;
    my $url = "$u->{url}/$u->{id}";
    return $self->through($u, $run, {
        length => $length, least => 0, may_give_up => !$o{inner}, %o,
        put => sub { $self->_tus_put($url, $content, $defer, @_) },
        end => sub { $self->_tus_put($url, $content, $defer, $length, $length) },
        offset => sub { $self->_head_offset($url, @TUS) },
    });
}

sub _tus_put
{
    my ($self, $url, $content, $defer, $from, $to, %o) = @_;
    my $bytes = substr $content, $from, $to - $from;
    return $self->ask('PATCH', $url, [@TUS, 'Content-Type', $UploadPool::Tus::BYTES,
        'Upload-Offset', $from,
        $defer && $to == length $content ? ('Upload-Length', $to) : (),
        chance(0.3) ? ('Upload-Checksum', UploadPool::Tus::checksum(
            any(qw(md5 sha1 sha256)), $bytes)) : ()], $bytes, %o);
}

sub _run_concat
{
    my ($self, $u) = @_;
    my (@urls, $all);
    $all = '';
    for my $n (1 .. any(2, 2, 3)) {
        my $content = $self->content(empty => 1);
        # A part has a name of its own.
        my $part = {%$u, attempts => []};
        local $self->{u} = $part;
        my $is_there = $self->_tus($part, {}, $content,
                                   ['Upload-Concat', 'partial'], inner => 1);
        push @{ $u->{parts} }, $part->{id};
        return unless $is_there;
        push @urls, "$part->{url}/$part->{id}";
        $all .= $content;
    }
    my $run = $self->attempt($u, [$all]);
    my $r;
    for my $try (1 .. 100) {
        $run->{whole} = 1;
        $r = $self->ask('POST', _named($u), [@TUS, 'Upload-Concat',
            'final;' . join ' ', @urls], '', twin => chance(0.3));
        my ($good) = grep { $_ && _is_good($_) } $r, $r->{twin};
        return $self->told($u, $run, $good) if $good;
        last if $r->{status} !~ /^(?:0|409|500|503)$/;
        sleep 0.1;
    }
    return $self->_refused($u, $r);
}

sub _run_ietf
{
    my ($self, $u) = @_;
    $u->{url} = any(qw(/json /json /form /tight));
    my $content = $u->{content} = $self->content;
    my $run = $self->attempt($u, [$content]);
    my $length = length $content;
    my $url = "$u->{url}/$u->{id}";
    my $from = chance(0.5) ? 0 : int rand $length;
    $self->_create($u, sub {
        return $self->ask('POST', _named($u), [@IETF, 'Upload-Complete', '?0',
            chance(0.5) ? ('Upload-Length', $length) : ()],
            substr($content, 0, $from));
    }) or return;
    my $put = sub {
        my ($at, $to, %o) = @_;
        return $self->ask('PATCH', $url, [@IETF, 'Content-Type',
            'application/partial-upload', 'Upload-Offset', $at,
            'Upload-Complete', $to == $length ? '?1' : '?0'],
            substr($content, $at, $to - $at), %o);
    };
    $self->through($u, $run, {
        length => $length, from => $from, least => 0, may_give_up => 1,
        put => $put, end => sub { $put->($length, $length) },
        offset => sub { $self->_head_offset($url, @IETF) },
    }) or return;
    $self->clear($u) if chance(0.3);
    return;
}

# A request that is the whole upload, twice at once or again.
sub _run_whole
{
    my ($self, $u) = @_;
    $u->{url} = any(qw(/json /form));
    my $content = $self->content;
    my $run = $self->attempt($u, [$content]);
    my $length = length $content;
    my @how = @{ any(
        [@TUS, 'Upload-Length', $length, 'Content-Type', $UploadPool::Tus::BYTES],
        [@IETF, 'Upload-Complete', '?1', 'Content-Type', 'application/x-a'],
        ['Content-Range', 'bytes 0-' . ($length - 1) . "/$length"]) };
    my ($r, $from) = (undef, 0);
    for my $try (1 .. 100) {
        $run->{whole} = 1;
        $r = $self->ask('POST', _named($u), \@how, substr($content, $from),
                        twin => chance(0.5));
        for my $good (grep { $_ && _is_good($_) } $r, $r->{twin}) {
            $self->told($u, $run, $good);
        }
        last if $run->{told} || $r->{status} !~ /^(?:0|400|409|500|503)$/;
        # One was taken over by the other in the middle.
        my $offset = ($r->{json} || {})->{offset};
        if ($how[0] eq 'Content-Range' && defined $offset) {
            $from = $offset == $length ? 0 : $offset;
            @how = ('Content-Range', _range($from, $length, $length));
        }
        sleep 0.1;
    }
    # A kill in the middle leaves an upload on its way, which keeps creations out
    # until somebody goes on with it, or it expires.
    return if !$run->{told} && !$self->{calm} && $r->{status} == 409;
    return $self->_refused($u, $r) unless $run->{told};
    $self->clear($u) if chance(0.3);
    return;
}

# --- With Content-Range -----------------------------------------------------

sub _range { return sprintf 'bytes %d-%d/%d', $_[0], $_[1] - 1, $_[2] }

# Asks for the offset, as a client does; this ends a request that still writes.
sub _ask_range
{
    my ($self, $u, $length) = @_;
    my $r = $self->ask('POST', _named($u), ['Content-Range', "bytes */$length"],
                       '');
    return (defined $r->{json} && defined $r->{json}{offset} ? $r->{json}{offset}
            : $r->{status} == 404 ? 0 : undef, $r->{status});
}

sub _by_range
{
    my ($self, $u, $content, $run, $put) = @_;
    my $length = length $content;
    return $self->through($u, $run, {
        length => $length, least => 1, put => $put,
        end => sub { $put->(int rand $length, $length) },
        offset => sub { $self->_ask_range($u, $length) },
        # A form that breaks off in the middle of a part keeps what was there.
        drops => 0,
    });
}

sub _run_raw
{
    my ($self, $u) = @_;
    $u->{url} = any(qw(/json /json /form /tight));
    my $content = $self->content;
    my $run = $self->attempt($u, [$content]);
    $self->_by_range($u, $content, $run, sub {
        my ($from, $to, %o) = @_;
        return $self->ask(any(qw(POST PUT)), _named($u), ['Content-Type', 'application/x-a',
            'Content-Range', _range($from, $to, length $content)],
            substr($content, $from, $to - $from), %o);
    }) or return;
    $self->clear($u) if chance(0.3);
    return;
}

sub _piece_form
{
    my ($self, $u, $bytes, @fields) = @_;
    my @parts;
    while (my ($name, $value) = splice @fields, 0, 2) {
        push @parts, {name => $name, value => $value};
    }
    my ($body, $type) = multipart([@parts, {name => 'file', content => $bytes,
        filename => 'a.bin'}], boundary => "b$u->{id}");
    return ($body, $type);
}

sub _run_chunked
{
    my ($self, $u) = @_;
    my $content = $self->content;
    my $run = $self->attempt($u, [$content]);
    $self->_by_range($u, $content, $run, sub {
        my ($from, $to, %o) = @_;
        my ($body, $type) = $self->_piece_form($u,
            substr $content, $from, $to - $from);
        # In a form the bytes of the file begin behind the head of the part.
        $o{cut} += index $body, "\r\n\r\n" if defined $o{cut};
        return $self->ask('POST', _named($u), ['Content-Type', $type,
            'Content-Range', _range($from, $to, length $content)], $body, %o);
    }) or return;
    $self->clear($u) if chance(0.3);
    return;
}

sub _run_django
{
    my ($self, $u) = @_;
    $u->{url} = '/django';
    my $content = $self->content;
    my $run = $self->attempt($u, [$content]);
    my $length = length $content;
    my $at = 0;
    for my $try (1 .. 200) {
        my $to = min($length, $at + 1 + int rand $length);
        my ($body, $type) = $self->_piece_form($u,
            substr($content, $at, $to - $at), $at ? (upload_id => $u->{id}) : ());
        my $r = $self->ask('POST', _named($u), ['Content-Type', $type,
            'Content-Range', _range($at, $to, $length)], $body,
            cut => chance(0.2) ? int rand length $body : undef);
        if (_is_good($r)) {
            $at = $to;
        }
        elsif ($r->{status} =~ /^(?:0|400|409|500|503)$/) {
            sleep 0.05;
            my ($now) = $self->_ask_range($u, $length);
            $at = $now if defined $now;
        }
        else {
            return $self->_refused($u, $r);
        }
        last if $at == $length;
    }
    for my $try (1 .. 100) {
        $run->{whole} = 1;
        my $r = $self->ask('POST', "$u->{url}/complete", ['Content-Type',
            'application/x-www-form-urlencoded'],
            "upload_id=$u->{id}&md5=" . md5_hex($content), twin => chance(0.3));
        my ($good) = grep { $_ && _is_good($_) } $r, $r->{twin};
        return $self->told($u, $run, $good) if $good;
        if ($r->{status} == 400 && $try > 1) {
            # It is complete already: the answer was lost.
            $u->{expect} = 'any';
            return;
        }
        sleep 0.1;
    }
    return $self->wrong('is not completed');
}

# --- Libraries that number their chunks -------------------------------------

my %library = (
    dropzone => sub {
        my ($n, $count, $size, $total, $name) = @_;
        return (dzuuid => $name, dzchunkindex => $n, dztotalfilesize => $total,
                dzchunksize => $size, dztotalchunkcount => $count,
                dzchunkbyteoffset => $n * $size);
    },
    fine => sub {
        my ($n, $count, $size, $total, $name, $length) = @_;
        return (qqpartindex => $n, qqpartbyteoffset => $n * $size,
                qqchunksize => $length, qqtotalparts => $count,
                qqtotalfilesize => $total, qqfilename => 'a.bin',
                qquuid => $name);
    },
    flow => sub {
        my ($n, $count, $size, $total, $name, $length) = @_;
        return (flowChunkNumber => $n + 1, flowChunkSize => $size,
                flowCurrentChunkSize => $length, flowTotalSize => $total,
                flowIdentifier => $name, flowFilename => 'a.bin',
                flowRelativePath => 'a.bin', flowTotalChunks => $count);
    },
    plupload => sub {
        my ($n, $count, $size, $total, $name) = @_;
        return (name => $name, chunk => $n, chunks => $count);
    },
);

# Parameters that an application may want to see are fields like any other.
my %remain = (fine => ['qqfilename=a.bin'],
              flow => ['flowFilename=a.bin', 'flowRelativePath=a.bin']);

sub _run_library
{
    my ($self, $u) = @_;
    my $content = $self->content;
    my $run = $self->attempt($u, [$content], @{ $remain{ $u->{kind} } || [] });
    my $total = length $content;
    # A file in one chunk is a form as any other to plupload.
    my $count = min(any($u->{kind} eq 'plupload' ? () : 1, 2, 3, 5), $total);
    my $size = int(($total + $count - 1) / $count);
    $count = int(($total + $size - 1) / $size);
    my $send = sub {
        my ($n, %o) = @_;
        my $length = min($size, $total - $n * $size);
        my ($body, $type) = $self->_piece_form($u,
            substr($content, $n * $size, $length), $library{ $u->{kind} }->(
                $n, $count, $size, $total, "$u->{id}.bin", $length));
        $o{cut} = int rand length $body if defined $o{cut};
        return $self->ask('POST', _named($u), ['Content-Type', $type], $body,
                          %o);
    };
    return $self->_numbered($u, $run, $count, $send,
                            $u->{kind} ne 'plupload' && $count > 1);
}

sub _run_dropzone { goto &_run_library }
sub _run_fine { goto &_run_library }
sub _run_flow { goto &_run_library }
sub _run_plupload { goto &_run_library }

# Pieces in some order, some of them again; the last of those that come is the
# one that the application answers.
sub _numbered
{
    my ($self, $u, $run, $count, $send, $in_any_order) = @_;
    my @order = 0 .. $count - 1;
    @order = shuffle(@order) if $in_any_order;
    my %left = map { $_ => 1 } @order;
    my $ran;
    for my $n (@order, $order[-1]) {
        next if $ran;
        my $is_again = !$left{$n};
        for my $try (1 .. 200) {
            $run->{ending} = 1 if !grep { $_ != $n } keys %left;
            my $r = $send->($n, cut => chance(0.2) ? 1 : undef);
            if (_is_good($r)) {
                delete $left{$n};
                $ran = $r if ($r->{body} // '') =~ /^ran /;
                last;
            }
            $run->{whole} = 1 if !$r->{cut} && !$r->{status} && $run->{ending};
            return $self->_refused($u, $r)
                if $r->{status} !~ /^(?:0|400|409|500|503)$/;
            sleep 0.05;
        }
        $self->wrong("piece $n is never taken") if $left{$n};
        last if !%left && $ran;
    }
    return $self->told($u, $run, $ran) if $ran;
    return $self->wrong('all pieces are there, and nothing ran');
}

sub _run_session
{
    my ($self, $u) = @_;
    @{$u}{qw(url name)} = ('/signed', sign($KEY, $u->{id}));
    my $content = $self->content;
    my $run = $self->attempt($u, [$content]);
    my $total = length $content;
    my @cuts = sort { $a <=> $b } map { 1 + int rand($total - 1) } 1 .. any(0, 1, 3);
    my %seen;
    my @at = (0, (grep { !$seen{$_}++ } @cuts), $total);
    return $self->_numbered($u, $run, $#at, sub {
        my ($n, %o) = @_;
        my $bytes = substr $content, $at[$n], $at[$n + 1] - $at[$n];
        $o{cut} = int rand length $bytes if defined $o{cut};
        return $self->ask('POST', $u->{url}, ['Session-ID', $u->{name},
            'X-Content-Range', _range($at[$n], $at[$n + 1], $total),
            'Content-Type', 'application/octet-stream', 'Content-Disposition',
            'attachment; filename="a.bin"'], $bytes, %o);
    }, 1);
}

1;
