# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# D3: every system call on the pool is made to fail while clients of every
# protocol upload: the first, the second, ... once each, and from there on.
#
# One test is one run. Whatever fails, there is one clean answer, no upload is
# done with wrong bytes, the offset is right, the process survives, no
# descriptor or slot is leaked, and nothing stays in the pool that is never
# removed. The next uploads, under the same identifier and another, work, with
# as much room as before.
#
# By default a sample of all runs is made (UPOOL_SEED=N makes another); with
# UPOOL_FAULTS=all ("make faults"), every one, until no call is left to fail;
# with UPOOL_FAULTS='plain tus: flock EIO at 3', only that one.

use strict;
use warnings FATAL => 'all';
use Errno qw(EDQUOT EIO EINTR EMFILE ENOLCK ENOMEM ENOSPC EPERM EXDEV);
use Test::More;
use UploadPool::Fault;
use UploadPool::Flows;
use UploadPool::Httpd;
use UploadPool::Test;

my $SAMPLE = 300;
# The quota that one form may hold beside its head and two blocks.
my $ROOM = 125_000;

# The errors of each kind of call; 0: it does only part of its work.
my %errors = (
    open => [EMFILE, EIO, EINTR],
    create => [EMFILE, ENOSPC, EDQUOT, EINTR],
    make => [ENOSPC, EDQUOT, EIO],
    write => [EIO, ENOSPC, EDQUOT, EINTR, 0],
    read => [EIO, EINTR, 0],
    sync => [EIO, ENOSPC, EINTR],
    close => [EIO, ENOSPC, EINTR],
    rename => [EIO, ENOSPC],
    unlink => [EIO],
    flock => [ENOLCK, EIO, EINTR],
    lock => [ENOLCK, EINTR],
    truncate => [EIO],
    stat => [EIO],
    list => [EIO],
    mode => [EPERM],
    seek => [EIO],
    copy => [EIO, EXDEV, ENOSPC, 0],
    map => [ENOMEM],
    space => [EIO],
);
my %name = (0 => 'short', map { no strict 'refs'; &{"Errno::$_"}() => $_ }
            qw(EDQUOT EIO EINTR EMFILE ENOLCK ENOMEM ENOSPC EPERM EXDEV));
# An interrupted call, or one that does less, is no failure; nothing may come of
# it.
my %harmless = map { $_ => 1 } 'open EINTR', 'create EINTR',
    'write EINTR', 'write short',
    'read EINTR', 'read short', 'sync EINTR', 'flock EINTR', 'lock EINTR',
    'copy short', 'copy EIO', 'copy EXDEV';

my $mark = log_mark();
my $httpd = UploadPool::Httpd->new;
my $pool = $httpd->make_pool('fault');
my $fault = UploadPool::Fault->new($httpd, $pool);
my @pools = qw(plain synced);
my $config = '';
for my $way (@pools) {
    my $dir = $httpd->make_pool("fault/$way");
    my $sync = $way eq 'synced' ? "UploadSync On\nUploadFileMode 0640\n" : '';
    $config .= <<"END";
<Location /$way>
    SetHandler upload-pool
    UploadPool "$dir"
    UploadProtocol multipart chunked tus resumable
    UploadDigest sha-256
    UploadQuota pool 140000B
    UploadFreeSpace 1B
    UploadServe On
    $sync
</Location>
END
}
$httpd->start("UploadSweepInterval 1h\n$config"
    . "<Location /metrics>\nSetHandler upload-pool-metrics\n</Location>\n");
my $port = $httpd->port;

# --- What must be as it was -------------------------------------------------

# The one with the threads.
sub child
{
    my $parent = $httpd->pid;
    my ($child) = sort { $b->[1] <=> $a->[1] }
        map { [$_, scalar(() = glob "/proc/$_/task/*")] }
        map { split ' ', slurp($_) } glob "/proc/$parent/task/*/children";
    return $child->[0];
}

my $child;

sub descriptors
{
    return join "\n", sort map { readlink || () } glob "/proc/$child/fd/*";
}

# Sockets come and go with clients.
sub files_open
{
    return join "\n", grep { !/^socket:/ } split /\n/, descriptors();
}

sub live
{
    my $text = ask($port, 'GET', '/metrics')->{body};
    my ($running) = $text =~ /slots_used\{state="running"\} (\d+)/;
    my ($uploads) = $text =~ /^upload_pool_uploads_live (\d+)/m;
    return $running + $uploads;
}

sub left
{
    my ($way) = @_;
    return grep { $_ ne '.quota' } pool_files("$pool/$way"),
        pool_dirs("$pool/$way");
}

sub clear
{
    my ($way, $id) = @_;
    return ask($port, 'DELETE', "/$way?X-Progress-ID=$id")->{status};
}

sub is_same
{
    my ($got, $wanted) = @_;
    return $got && "@{[map { unpack 'H*', $_ } @$got]}"
        eq "@{[map { unpack 'H*', $_ } @$wanted]}";
}

# --- One run ----------------------------------------------------------------

my (%statuses, $baseline);

sub check_answers
{
    my ($up, $fault, $answers) = @_;
    my @wrong;
    for my $answer (@$answers) {
        push @wrong, "answer: $answer->{error}" if $answer->{error};
    }
    my $status = $answers->[-1]{status};
    return @wrong if $status >= 200 && $status < 300
        || $status == ($up->{usual} || 0);
    my $wanted = $fault->{name} =~ /^(?:ENOSPC|EDQUOT)$/ ? qr/^507$/
        : qr/^50[037]$/;
    push @wrong, "harmless, and yet $status" if $fault->{harmless};
    push @wrong, "status $status" unless $status =~ $wanted;
    return @wrong;
}

sub check_state
{
    my ($way, $up, $status, $onwards) = @_;
    my ($id, $dir) = ($up->{id}, "$pool/$way");
    my $there = stored($dir, $id);
    if ($status < 300) {
        return is_same($there, $up->{files}) ? () : 'done with wrong bytes';
    }
    return 'a failure replaced the old upload'
        if $up->{old} && !is_same($there, $up->{old});
    return is_same($there, $up->{files}) ? () : 'done with wrong bytes'
        if $there && !$up->{old};
    if (!$up->{offset}) {
        my $state = status("/$way", $id, port => $port)->{state};
        return $state =~ /^(?:error|starting)$/
            || $up->{old} && $state eq 'done'
            # It could not even be removed.
            || $onwards && $up->{name} eq 'concat' && $state eq 'uploading'
            ? () : "state $state";
    }
    my $offset = $up->{offset}->();
    return () unless defined $offset;
    my $about = decode_json_text(slurp("$dir/$id/resumable.json"));
    my $bytes = slurp("$dir/$id/$about->{file}{stored}");
    return length $bytes >= $offset
        && substr($bytes, 0, $offset) eq substr($up->{files}[0], 0, $offset)
        ? () : "offset $offset is of other bytes";
}

# As if so much time had passed.
sub age_pool
{
    my ($way, $seconds) = @_;
    my $then = time - $seconds;
    for my $file (map { "$pool/$way/$_" } pool_files("$pool/$way")) {
        if ($file =~ /\.json$/) {
            my $text = slurp($file);
            $text =~ s/("(?:updated|created)":)(\d+)/$1 . ($2 - $seconds * 1e6)/ge;
            spew($file, $text);
        }
        utime $then, $then, $file;
    }
    utime $then, $then, "$pool/$way/$_" for pool_dirs("$pool/$way");
    return;
}

# Sweeps the pool, as the server does.
sub sweep
{
    my ($way) = @_;
    age_pool($way, 86_400);
    my @tool = ($ENV{UPOOL_TOOL}, qw(clean -e 1h),
                $> == 0 ? ('-u', var('user')) : ());
    my $said = `@tool $pool/$way 2>&1`;
    my @left = left($way);
    return @left ? "after a sweep: @left ($said)" : ();
}

sub check_next
{
    my ($way, $up) = @_;
    my @wrong;
    # An upload joined from parts, and left behind, is in the way for some
    # seconds.
    age_pool($way, 60) if $up->{name} eq 'concat';
    if ($up->{resume}) {
        my $answer = $up->{resume}->();
        push @wrong, "going on: $answer->{status}" if $answer->{status} != 200;
        push @wrong, 'going on led to wrong bytes'
            unless is_same(stored("$pool/$way", $up->{id}), $up->{files});
    }
    my $again = post_form($port, "/$way", $up->{id}, 'again');
    push @wrong, "the same identifier again: $again->{status}"
        unless $again->{status} == 200
        && is_same(stored("$pool/$way", $up->{id}), ['again']);
    push @wrong, grep { $_ } map {
        clear($way, $_) == 200 ? '' : "$_ cannot be cleared" } @{ $up->{ids} };
    return @wrong;
}

# The quota that the files there hold: each its bytes, but a block at least.
sub held
{
    my ($way) = @_;
    my $sum = 0;
    for my $file (grep { /\.(?:bin|json)$/ } pool_files("$pool/$way")) {
        my $size = -s "$pool/$way/$file" || 0;
        $sum += $size < 4096 ? 4096 : $size;
    }
    return $sum;
}

sub fill
{
    my ($way, $bytes) = @_;
    my ($id, $status) = new_id();
    wait_for(sub {
        $status = post_form($port, "/$way", $id, 'x' x $bytes)->{status};
        return $status == 200;
    });
    clear($way, $id);
    return $status == 200 ? () : "no room for $bytes bytes: $status";
}

# A quota counts what an upload takes beside its bytes: its record, whole blocks.
# Nothing holds room but files. A part that could not even be removed, and whose
# name no client was told, holds its own until it is swept.
sub check_room
{
    my ($name, $way) = @_;
    my @wrong = fill($way, $ROOM - held($way));
    my @left = left($way);
    return @wrong, @left ? (sweep($way), fill($way, $ROOM)) : ()
        if $name eq 'concat';
    return (@wrong, @left ? "left: @left" : ());
}

sub check_server
{
    my @wrong;
    return 'the process died' unless -d "/proc/$child";
    push @wrong, 'slots are taken' unless wait_for(sub { !live() });
    push @wrong, "descriptors:\n" . files_open()
        unless wait_for(sub { files_open() eq $baseline });
    return @wrong;
}

sub title
{
    my ($name, $way, $kind, $error, $onwards, $at) = @_;
    return join ' ', $way, "$name:", $kind, $name{$error},
        $onwards ? 'from' : 'at', $at;
}

# Returns how many calls have failed.
sub run
{
    my ($name, $way, $kind, $error, $onwards, $at) = @_;
    my %fault = (name => $name{$error});
    $fault{harmless} = $harmless{"$kind $fault{name}"};
    my $up = flow($name, "/$way", $port, "$pool/$way");
    $up->{prepare}->();
    $fault->arm($kind, $error, at => $at,
                count => !$onwards ? 1 : $error == EINTR ? 3 : 0);
    my @answers;
    for my $step (@{ $up->{steps} }) {
        push @answers, $step->();
        last if $answers[-1]{status} < 200 || $answers[-1]{status} >= 300;
    }
    my $fired = $fault->disarm;
    my $status = $answers[-1]{status};
    my $judged = $up->{judge} && $up->{judge}->($answers[-1]);
    my @wrong = $up->{judge} ? $judged || () : check_state($way, $up, $status, $onwards);
    push @wrong, check_answers($up, \%fault, \@answers);
    push @wrong, sweep($way) if $at % 2 && $name ne 'serve';
    push @wrong, check_next($way, $up), check_room($name, $way), check_server();
    $statuses{$fired ? $status : 'no fault'}++;
    ok !@wrong, title(@_) . ': ' . join ' ', map { $_->{status} } @answers
        or diag join "\n", @wrong, map { $_->{body} || '' } @answers;
    return $fired;
}

# --- All of them ------------------------------------------------------------

# Calls of each kind where nothing fails.
sub count_calls
{
    my ($name, $way) = @_;
    my $up = flow($name, "/$way", $port, "$pool/$way");
    $up->{prepare}->();
    $fault->forget;
    my @answers = map { $_->() } @{ $up->{steps} };
    my %seen = $fault->seen;
    my @wrong = grep { $_->{error} || $_->{status} >= 300
                       && $_->{status} != ($up->{usual} || 0) } @answers;
    $up->{judge}->($answers[-1]) if $up->{judge};
    push @wrong, check_state($way, $up, 200) unless $up->{judge};
    ok !@wrong && $seen{open}, "$way $name: well where nothing fails"
        or diag explain(\@answers), explain(\@wrong);
    clear($way, $_) for @{ $up->{ids} };
    return \%seen;
}

my %first;
my @series;
for my $way (@pools) {
    for my $name (flows()) {
        my $seen = count_calls($name, $way);
        $child ||= child();
        for my $kind (UploadPool::Fault::kinds()) {
            # In no order that calls of one kind share.
            next unless $seen->{$kind};
            $first{$kind} ||= "$way $name";
            for my $error (@{ $errors{$kind} }) {
                push @series, map { [$name, $way, $kind, $error, $_,
                                     $seen->{$kind}] } 0, 1;
            }
        }
    }
}
is_deeply [grep { !$first{$_} } keys %errors], [],
    'each kind of call is made by something';
$baseline = files_open();
my $runs = 0;
if (($ENV{UPOOL_FAULTS} || '') eq 'all') {
    for my $series (@series) {
        my @what = @$series[0 .. 4];
        my $at = 1;
        $at++ while run(@what, $at) && ++$runs && $at < 1000;
        cmp_ok $at, '<', 1000, "@what[0 .. 2]: it ends";
    }
}
else {
    my $seed = $ENV{UPOOL_SEED} || 0;
    my @all = map { my @what = @$_[0 .. 4];
                    map { [@what, $_] } 1 .. $_->[5] } @series;
    my $step = int(@all / $SAMPLE) + 1;
    # One of them, as the title of its test names it.
    my ($one) = ($ENV{UPOOL_FAULTS} || '') =~ /^(\w+ \w+: \w+ \w+ \w+ \d+)/;
    @all = grep { title(@$_) eq $one } @all if $one;
    $SAMPLE = 1 if $one;
    diag sprintf '%d runs, every %dth from %d on: UPOOL_SEED=%d', scalar @all,
        $step, $seed % $step, $seed;
    for (my $n = $seed % $step; $n < @all; $n += $step) {
        $runs += run(@{ $all[$n] }) > 0;
    }
    cmp_ok $runs, '>', $SAMPLE / 2, 'faults fired';
}
diag "$runs runs with a fault: ",
    join ', ', map { "$_: $statuses{$_}" } sort keys %statuses;
is scalar(() = $httpd->error_log =~ /exit signal/g), 0, 'no child died';
is crashes_since($mark), 0, 'nor one of the other server';

done_testing;
