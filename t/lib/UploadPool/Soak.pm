# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Soak;

=head1 NAME

UploadPool::Soak - many clients of every kind, a server in trouble, and a model

=head1 SYNOPSIS

    my $soak = UploadPool::Soak->new(seed => 1);
    my @wrong = $soak->round(calm => 1, seconds => 5, at_once => 6);

=head1 DESCRIPTION

In a round, clients (L<UploadPool::SoakClient>) in separate processes make one
upload after the other, while this process restarts the server gracefully, looks
at its pools and sweeps them with the tool, and, unless the round is calm, kills
children or the whole server. When the clients are done everything is compared:

  - of each content that was sent, how often the application ran with it: once
    where its client was told so, not at all where it was refused or cut off,
    never with anything else than was sent; more often than once only where
    something was killed
  - what lies in the pools, with what has to be there
  - locks, and the quota's ledger
  - when all of it has expired: nothing is left, the ledger has nothing, and the
    metrics add up

round() returns what is wrong as lines of text.

=cut

use strict;
use warnings FATAL => 'all';
use parent 'UploadPool::Crash';
use Digest::SHA qw(sha256_hex);
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(sleep time);
use UploadPool::Bucket ();
use UploadPool::SoakClient;
use UploadPool::Test qw(request slurp spew var wait_for);

my @POOLS = qw(open tight signed);

sub new
{
    my ($class, %o) = @_;
    my $httpd = UploadPool::Httpd->new(children => 4, modules => ['http2']);
    my $self = bless {httpd => $httpd, seed => 1, tally => {}, %o}, $class;
    srand $self->{seed};
    $self->{pools} = {map { $_ => $httpd->make_pool($_) } @POOLS};
    $self->{ran} = $httpd->make_pool('ran');
    $self->{said} = $httpd->make_pool('said');
    $self->start;
    return $self;
}

sub start
{
    my ($self) = @_;
    my $cgi = var('cgibin');
    my %pools = %{ $self->{pools} };
    my $every = "UploadProtocol multipart chunked tus resumable\n"
        . "UploadDigest sha-256\nUploadServe On\nUploadExpires 1h\n";
    my $open = "UploadPool \"$pools{open}\"\nUploadQuota pool 200M owner 150M\n"
        . "UploadOwner ip\n$every";
    $self->{httpd}->start(join "\n",
        var('mpm') eq 'prefork' ? "StartServers 10\nMinSpareServers 6\n"
            . "MaxSpareServers 12\nMaxRequestWorkers 48\nServerLimit 200"
            : var('mpm') eq 'event' ? 'AsyncRequestWorkerFactor 20' : (),
        'Protocols h2c http/1.1', 'UploadSweepInterval 1s', 'Timeout 30',
        map({ "ScriptAlias /$_ \"$cgi/soak.pl\"" }
            qw(json form tight signed django told)),
        "<Directory \"$cgi\">", 'Options ExecCGI', '</Directory>',
        "SetEnv UPOOL_RAN \"$self->{ran}\"",
        '<Location /metrics>', 'SetHandler upload-pool-metrics', '</Location>',
        '<Location /json>', "${open}UploadChunkedAuto On", '</Location>',
        '<Location /form>', "${open}UploadChunkedAuto On", 'UploadPassAs form',
        '</Location>',
        '<Location /django>', $open, '</Location>',
        '<Location /tight>', "UploadPool \"$pools{tight}\"",
        "${every}UploadQuota pool 600K", '</Location>',
        '<Location /signed>', "UploadPool \"$pools{signed}\"",
        "${every}UploadQuota pool 100M",
        "UploadKey \"$UploadPool::SoakClient::KEY\"", '</Location>',
        '<Location /told>', 'UploadPool off', 'UploadURL http://up.example/signed',
        "UploadKey \"$UploadPool::SoakClient::KEY\"", 'UploadMint On',
        '</Location>', '');
    return;
}

=head1 METHODS

=head2 round(%OPTIONS)

C<calm>: nothing is killed. C<seconds> during which clients begin uploads,
C<at_once> how many clients.

=cut

sub round
{
    my ($self, %o) = @_;
    my $n = ++$self->{rounds};
    spew("$self->{ran}/log", '');
    chmod 0666, "$self->{ran}/log";
    my $until = time + $o{seconds};
    my %clients = map { $self->_client("r$n-$_", $until, %o) => 1 }
        1 .. $o{at_once};
    my @wrong = $self->_trouble(\%clients, $until, $o{calm});
    push @wrong, $self->recover ? () : 'the server does not answer';
    my @uploads = $self->_uploads("r$n");
    push @wrong, 'no upload came to its end' unless @uploads;
    push @wrong, map { @{ $_->{wrong} } } @uploads;
    push @wrong, $self->_runs_are_right(\@uploads, $o{calm});
    push @wrong, $self->_pools_are_right(\@uploads, $o{calm});
    push @wrong, $self->_nothing_is_left($o{calm});
    $self->_remember(\@uploads, \@wrong);
    $self->{tally}{uploads} += @uploads;
    $self->{tally}{"uploads by $_->{kind}"}++ for @uploads;
    return @wrong;
}

# Writes down what the clients did with the uploads that are wrong.
sub _remember
{
    my ($self, $uploads, $wrong) = @_;
    my $text = join "\n", @$wrong;
    $self->{history} = join '', map { "$_->{kind} $_->{id}\n"
        . join '', map { "    $_\n" } @{ $_->{history} } }
        grep { $text =~ /\b\Q$_->{id}\E\b/ } @$uploads;
    return;
}

=head2 history()

The last steps of the clients whose uploads were wrong in the last round.

=cut

sub history { return $_[0]{history} }

# One client process; what it knows is in a file when it ends.
sub _client
{
    my ($self, $name, $until, %o) = @_;
    my $seed = int rand 2**31;
    defined(my $pid = fork) or die "fork: $!";
    return $pid if $pid;
    srand $seed;
    my $client = UploadPool::SoakClient->new(calm => $o{calm}, name => $name,
        port => $self->port, dir => $self->{said}, pools => {
            map { ("/$_" => $self->{pools}{ /^(?:tight|signed)$/ ? $_ : 'open' }) }
            qw(json form django tight signed)});
    my @done;
    do {
        my @kinds = @UploadPool::SoakClient::KINDS;
        push @done, $client->run($kinds[rand @kinds]);
    } while time < $until;
    delete $_->{content} for grep { $_->{expect} ne 'partial' } @done;
    for my $u (grep { exists $_->{content} } @done) {
        $u->{content} = unpack 'H*', $u->{content};
    }
    spew("$self->{said}/$name.json", JSON::PP->new->latin1->encode(\@done));
    # Nothing of the parent's is to be tidied up by this one.
    POSIX::_exit(0);
}

sub _uploads
{
    my ($self, $round) = @_;
    my @uploads;
    for my $file (glob "$self->{said}/$round-*.json") {
        push @uploads, @{ JSON::PP->new->latin1->decode(slurp($file)) };
        unlink $file;
    }
    return @uploads;
}

# --- Trouble ----------------------------------------------------------------

sub _trouble
{
    my ($self, $clients, $until, $calm) = @_;
    my @wrong;
    my %troubles = (restart => 3, look => 3, sweep => 2,
                    $calm ? () : (child => 5, children => 1, all => 1));
    my @troubles = map { ($_) x $troubles{$_} } sort keys %troubles;
    while (%$clients) {
        while ((my $pid = waitpid -1, POSIX::WNOHANG()) > 0) {
            push @wrong, "a client ended with $?" if delete $clients->{$pid} && $?;
        }
        if (time > $until) {
            sleep 0.05;
            next;
        }
        sleep 0.2 + rand 1.2;
        my $trouble = $troubles[rand @troubles];
        $self->{tally}{"trouble: $trouble"}++;
        my $method = "_trouble_$trouble";
        push @wrong, $self->$method($calm);
    }
    return @wrong;
}

sub _trouble_restart { $_[0]{httpd}->restart_graceful; return }

sub _trouble_child
{
    my ($self) = @_;
    my @children = $self->children;
    UploadPool::Crash::_kill($children[rand @children]) if @children;
    return;
}

sub _trouble_children { $_[0]->kill_children; return }

sub _trouble_all
{
    my ($self) = @_;
    $self->kill_all;
    $self->recover;
    return;
}

sub _some_pool { return $_[0]{pools}{ $POOLS[rand @POOLS] } }

sub _trouble_look
{
    my ($self, $calm) = @_;
    my $pool = $self->_some_pool;
    my ($exit, $out, $said) = UploadPool::Bucket::tool(
        qw(--json), ('list', 'stat')[rand 2], $pool);
    return ($exit ? "the tool ends with $exit: $said" : (),
            $self->_check($pool, $calm));
}

sub _trouble_sweep
{
    my ($self) = @_;
    my ($exit, undef, $said) = UploadPool::Bucket::tool('clean', '-e', '1h',
        rand() < 0.3 ? '-n' : (), $self->_some_pool);
    return $exit ? "clean ends with $exit: $said" : ();
}

# A process that was killed while it wrote or removed something has left a part.
sub _check
{
    my ($self, $pool, $calm) = @_;
    my (undef, $said) = UploadPool::Bucket::json('check', $pool);
    return map {
        "check: $_->{identifier} " . ($_->{file} || '') . " $_->{text}"
    } grep { $calm || $_->{text} !~ /^is named by no record/ }
        @{ $said->{problems} };
}

# --- The model --------------------------------------------------------------

# What the application has seen, as "ID SUM", and how often.
sub _runs
{
    my ($self) = @_;
    my (%runs, %open);
    for my $line (split /\n/, slurp("$self->{ran}/log")) {
        my ($which, $pid, $rest) = split / /, $line, 3;
        $which eq 'B' ? $open{"$pid $rest"}++ : $runs{$rest}++;
        if ($which eq 'E') {
            my ($id) = split / /, $rest;
            delete $open{"$pid $id"};
        }
    }
    return (\%runs, \%open);
}

sub _runs_are_right
{
    my ($self, $uploads, $calm) = @_;
    # A program goes on when its server is killed, and ends with mod_cgid.
    my ($runs, $open, @wrong);
    wait_for(sub {
        ($runs, $open) = $self->_runs;
        return !grep { UploadPool::Crash::_is_alive((split)[0]) } keys %$open;
    });
    ($runs, $open) = $self->_runs;
    for my $u (@$uploads) {
        for my $attempt (@{ $u->{attempts} }) {
            my $seen = delete $runs->{"$u->{id} $attempt->{sum}"} || 0;
            $self->{tally}{runs} += $seen;
            $self->{tally}{'told that it ran'} += $attempt->{told};
            my $most = !$attempt->{whole} && !$attempt->{told} ? 0
                : $calm ? 1 + ($u->{failed} || 0) : 1e9;
            my $least = $attempt->{told} ? 1 : 0;
            push @wrong, "$u->{kind} $u->{id}: ran $seen times"
                . ($attempt->{told} ? ', and was told so' : ', without being told')
                if $seen < $least || $seen > $most;
        }
    }
    # One whose server was killed has nobody who keeps its files for it.
    push @wrong, map { "ran with what nobody has sent: $_" }
        grep { $calm || !/[ ,]unreadable-/ } sort keys %$runs;
    return @wrong;
}

sub _pools_are_right
{
    my ($self, $uploads, $calm) = @_;
    my (%expected, @wrong);
    push @{ $expected{ $_->{id} } }, $_ for @$uploads;
    # Parts of a concatenation are there until they expire. The name of
    # one whose creation got no answer is not known.
    my %parts = map { $_ => 1 } map { @{ $_->{parts} || [] } } @$uploads;
    for my $pool (values %{ $self->{pools} }) {
        local $self->{pool} = $pool;
        push @wrong, $self->_check($pool, $calm), $self->nothing_is_locked;
        push @wrong, $self->ledger_is_right if $calm;
        for my $id ($self->buckets) {
            next if $parts{$id};
            my $known = delete $expected{$id};
            push @wrong, "$id is in the pool, and nobody's"
                if !$known && ($calm || $id !~ /^\w{8}-\w{4}-7\w{3}-/);
            for my $u (@{ $known || [] }) {
                my $text = $self->_is_expected($pool, $u);
                push @wrong, "$u->{kind} $id: $text" if defined $text;
            }
        }
    }
    for my $u (map { @$_ } values %expected) {
        push @wrong, "$u->{kind} $u->{id}: is $u->{expect}, and not there"
            if $u->{expect} eq 'done' || $u->{expect} eq 'partial' && $u->{held};
    }
    return @wrong;
}

sub _is_expected
{
    my ($self, $pool, $u) = @_;
    my $found = $self->_digests($u->{id});
    my $is = $found ? join ',', @$found : undef;
    return undef if $u->{expect} eq 'any';
    if ($u->{expect} eq 'done') {
        my ($sums) = split / /, $u->{sum}, 2;
        return 'is not done' unless defined $is;
        return $is eq $sums ? undef : "is done with $is, not $sums";
    }
    return "is done, and has to be $u->{expect}" if defined $is;
    my $file = "$pool/$u->{id}/resumable.json";
    return undef if $u->{expect} eq 'unfinished';
    return -e $file ? 'was cleared, and goes on' : undef
        if $u->{expect} eq 'absent';
    return "has lost $u->{held} bytes" if $u->{held} && !-e $file;
    return undef unless $u->{held};
    my $content = pack 'H*', $u->{content};
    my $bytes = $self->_data($u->{id}) // '';
    my $length = $u->{held};
    return substr($bytes, 0, $length) eq substr($content, 0, $length) ? undef
        : "has other bytes than were sent";
}

# --- When all of it has expired ---------------------------------------------

sub _nothing_is_left
{
    my ($self, $calm) = @_;
    my @wrong;
    my $then = int time - 3 * 3600;
    for my $pool (values %{ $self->{pools} }) {
        local $self->{pool} = $pool;
        $self->_age("$pool/$_", $then) for $self->buckets;
        wait_for(sub { !$self->buckets });
        push @wrong, "is not swept: $_" for $self->buckets;
        push @wrong, $self->ledger_is_right;
    }
    push @wrong, $self->_metrics_are_right($calm);
    my $log = $self->{httpd}->error_log;
    push @wrong, map { "the log: $_" } $log
        =~ /^(.*(?:exit signal (?!Killed)|Sanitizer|runtime error|UPL0060).*)$/mg;
    return @wrong;
}

# Ages an upload: its files, and the times in its records.
sub _age
{
    my ($self, $dir, $then) = @_;
    for my $record (grep { -e } map { "$dir/$_.json" } qw(metadata attempt)) {
        my $text = slurp($record);
        $text =~ s/("(?:created|updated)": *)\d+/$1${then}000000/g;
        spew($record, $text);
    }
    utime $then, $then, $dir, glob "$dir/*";
    return;
}

sub _metrics
{
    my ($self) = @_;
    my %value;
    my $r = request('GET', '/metrics', port => $self->port);
    for (split /\n/, $r->{body} // '') {
        $value{$1} += $2 if /^upload_pool_(\w+)(?:\{[^}]*\})? (\S+)$/;
        $value{running} = $1
            if /^upload_pool_slots_used\{state="running"\} (\S+)$/;
    }
    return \%value;
}

# Other processes settle the cell of one that was killed; they look now and
# then.
sub _metrics_are_right
{
    my ($self, $calm) = @_;
    my ($m, @wrong);
    wait_for(sub {
        @wrong = ();
        $m = $self->_metrics;
        push @wrong, map { "metrics: $_ is $m->{$_}" } grep { $m->{$_} }
            qw(uploads_live uploads_parked watchers watchers_on_threads running);
        my ($begun, $ended) = ($m->{uploads_started_total} // -1,
            sum(@{$m}{map { "uploads_${_}_total" } qw(done failed paused)}));
        push @wrong, "metrics: $begun began, $ended ended" if $begun != $ended;
        return !@wrong;
    });
    return @wrong;
}

sub sum { my $sum = 0; $sum += $_ // 0 for @_; return $sum }

1;
