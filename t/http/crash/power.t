# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The power is cut, with UploadSync On: record.c records what changes in the
# pool and what is answered, and the test makes every state that a disk may have
# after any line of that record (UploadPool::PowerCut). In none of these states
# is an upload done without its bytes, an offset ahead of them, or anything lost
# that a client was told had arrived. UPOOL_SEED repeats a run.

# D2, R6: every prefix of what happened, with what was not synced dropped

use strict;
use warnings FATAL => 'all';
use Digest::SHA qw(sha256_hex);
use JSON::PP ();
use List::Util qw(max min sum shuffle);
use Test::More;
use Time::HiRes qw(sleep);
use UploadPool::Bucket ();
use UploadPool::Crash;
use UploadPool::Httpd;
use UploadPool::PowerCut;
use UploadPool::Test;

my $seed = $ENV{UPOOL_SEED} || time ^ $$ << 12;
srand $seed;
note "UPOOL_SEED=$seed";
# As long as one that is numbered.
my $ID = 'cut-0000000';
my $number = 0;
my %sum;

my $httpd = UploadPool::Httpd->new;
my $shim = $httpd->dir('record.so');
my $log = $httpd->dir('record.log');
is system('cc', '-shared', '-fPIC', '-O1', '-o', $shim,
          var('top') . '/t/http/crash/record.c', '-ldl', '-lpthread'), 0,
    'what writes it down' or BAIL_OUT('no record.so');
$httpd->{preload} = join ' ', grep { defined } $ENV{UPOOL_PRELOAD}, $shim;
$httpd->{environment} = {UPOOL_RECORD_BELOW => $httpd->dir('pools/crash'),
                         UPOOL_RECORD_TO => $log};
my $crash = UploadPool::Crash->new(httpd => $httpd, least => 3000,
    most => 9000, context => "UploadSync On\n");
my $root = (stat $crash->{pool})[1];

# In pieces, so that there is something between one write and the next.
sub send_all
{
    my ($u) = @_;
    1 while $crash->advance($u, 1700) && sleep 0.004;
    return $u;
}

# A trace: the uploads, and the lines where a new one, or the end, begins.
sub trace
{
    my ($what) = @_;
    my $from = -s $log;
    my %t = (what => $what);
    my $kind = $what eq 'replacing' || $what eq 'clearing' ? 'form' : $what;
    for my $n (1 .. ($what eq 'replacing' ? 2 : 1)) {
        my $u = $crash->begin($kind, id => $ID);
        push @{ $t{uploads} }, $u;
        push @{ $t{plan} }, map { +{%$_, upload => $n - 1} }
            @{ $u->{requests} };
        send_all($u);
        ok $u->{done}, "$what: done" or diag explain $u->{why};
        close $u->{c}{socket};
    }
    $t{ends} = -s $log if $what eq 'clearing';
    my $whole = slice($from);
    my $disk = UploadPool::PowerCut->new($root);
    $disk->apply($_) for @$whole;
    is_deeply summary($disk->now), summary(on_disk()),
        "$what: nothing escaped the record";
    request('DELETE', "/up?X-Progress-ID=$ID", port => $crash->port);
    $t{log} = $what eq 'clearing' ? slice($from) : $whole;
    $t{ends} = @$whole if $what eq 'clearing';
    return \%t;
}

sub slice
{
    my ($from) = @_;
    my $part = "$log.part";
    spew($part, substr slurp($log), $from);
    return [UploadPool::PowerCut::read_log($part)];
}

sub on_disk
{
    my %state = map { +"$_/" => '' } pool_dirs($crash->{pool});
    $state{$_} = slurp("$crash->{pool}/$_") for pool_files($crash->{pool});
    return \%state;
}

sub summary
{
    my ($state) = @_;
    return {map { $_ => sha256_hex($state->{$_}) } keys %$state};
}

# --- A reader of its own ----------------------------------------------------

sub decoded { return eval { JSON::PP->new->utf8->decode($_[0]) } }

# undef: not done; else which of the uploads it is, or what is wrong.
sub done_of
{
    my ($t, $state) = @_;
    my $text = $state->{"$ID/metadata.json"};
    return undef unless defined $text;
    my $record = decoded($text) or return 'metadata.json is torn';
    return 'it is not done' if $record->{state} ne 'done';
    my @found;
    for my $file (@{ $record->{files} }) {
        my $bytes = $state->{"$ID/$file->{stored}"};
        return 'done without its file' unless defined $bytes;
        return 'done with another size' if length $bytes != $file->{size};
        push @found, sha256_hex($bytes);
        return 'done with other bytes'
            if $found[-1] ne $file->{digests}{'sha-256'};
    }
    my ($which) = grep {
        "@found" eq join ' ', map { sha256_hex($_) }
            @{ $t->{uploads}[$_]{contents} }
    } 0 .. $#{ $t->{uploads} };
    return defined $which ? $which : 'done with what nobody has sent';
}

# undef: none to go on with; else how far it is, or what is wrong.
sub offset_of
{
    my ($t, $state) = @_;
    my $text = $state->{"$ID/resumable.json"};
    return undef unless defined $text;
    my $about = decoded($text) or return 'resumable.json is torn';
    my $bytes = $state->{"$ID/$about->{file}{stored}"};
    return undef unless defined $bytes;
    my $held = length $bytes;
    my $sent = $t->{uploads}[0]{content};
    if (my $ranges = $about->{ranges}) {
        for my $range (@$ranges) {
            my ($from, $to) = @$range;
            return 'a range with other bytes' if $to > $held
                || substr($bytes, $from, $to - $from)
                    ne substr $sent, $from, $to - $from;
        }
        return @$ranges && !$ranges->[0][0] ? $ranges->[0][1] : 0;
    }
    my $offset = min grep { defined } $about->{good}, $held, length $sent;
    return 'an offset with other bytes'
        if substr($bytes, 0, $offset) ne substr $sent, 0, $offset;
    return $offset;
}

# --- What the client was told -----------------------------------------------

sub hear
{
    my ($told, $plan, $bytes) = @_;
    while ($bytes =~ m{HTTP/1\.1 (\d+)[^\r]*\r\n(.*?\r\n)\r\n}sg) {
        my ($status, $headers) = ($1, "\r\n$2");
        if ($status < 200) {
            $told->{made} = 1 if $headers =~ /\r\nlocation:/i;
            $told->{offset} = max $told->{offset}, $1
                if $headers =~ /\r\nupload-offset: *(\d+)/i;
            next;
        }
        my $r = shift @$plan or next;
        next if $status > 299;
        $told->{made} = 1;
        $told->{offset} = max $told->{offset}, $r->{to} || 0;
        $told->{done} = $r->{upload} + 1 if $r->{final};
        $told->{offset} = 0 if $r->{of_many};
    }
    return;
}

sub judge
{
    my ($told, $done, $offset) = @_;
    my @wrong = grep { defined && /\D/ } $done, $offset;
    return @wrong if @wrong || $told->{ending};
    if ($told->{done}) {
        return 'what was done is not' unless defined $done;
        return 'what was replaced is there' if $done < $told->{done} - 1;
    }
    elsif ($told->{made} && !defined $done) {
        return 'what was made is gone' unless defined $offset;
        return "offset $offset, but $told->{offset} had been acknowledged"
            if $offset < $told->{offset};
    }
    return;
}

# Every state of a trace; each is a bucket of $pool, if given.
sub replay
{
    my ($t, $pool, @log) = @_;
    my $disk = UploadPool::PowerCut->new($root);
    my @plan = @{ $t->{plan} };
    my %told = (made => 0, offset => 0, done => 0, ending => 0);
    my (@wrong, @states);
    for my $n (0 .. $#log) {
        my $record = $log[$n];
        hear(\%told, \@plan, $record->{bytes})
            if $record->{kind} eq 'answer';
        $told{ending} = 1 if defined $t->{ends} && $n >= $t->{ends};
        $disk->apply($record);
        $disk->each_state(join(',', map { $told{$_} } sort keys %told), sub {
            my ($state) = @_;
            my ($done, $offset) = (done_of($t, $state), offset_of($t, $state));
            push @wrong, map { "line $n, $record->{kind}: $_" }
                judge(\%told, $done, $offset);
            push @states, {id => keep($pool, $state), done => $done,
                offset => $offset, told => {%told}} if $pool;
            $sum{states}++ if $pool;
        });
        last if @wrong && !$pool;
    }
    return (\@wrong, \@states);
}

my @owner = UploadPool::Httpd::owner();

# A state as a bucket with an identifier of its own, as long as the other.
sub keep
{
    my ($pool, $state) = @_;
    my $id = sprintf 'cut-%07d', ++$number;
    for my $path (sort keys %$state) {
        (my $to = "$pool/$path") =~ s{/\Q$ID\E/}{/$id/};
        if ($path =~ m{/$}) {
            mkdir $to, 0700 or die "$to: $!";
        }
        else {
            my $text = $state->{$path};
            $text =~ s/\Q$ID\E/$id/g if $path !~ /\.bin$/;
            spew($to, $text);
            chmod 0600, $to;
        }
        chown @owner, $to if $> == 0;
    }
    return $id;
}

# --- The traces -------------------------------------------------------------

my @traces = map { trace($_) } @UploadPool::Crash::KINDS, qw(replacing clearing);
$httpd->stop;
my $after = UploadPool::Crash->new(least => 1, most => 2000);

sub texts { my %n; $n{$_}++ for @_; return map { "$n{$_} x $_" } sort keys %n }

for my $t (@traces) {
    my ($what, @log) = ($t->{what}, @{ $t->{log} });
    my $before = $sum{states} || 0;
    my ($wrong, $states) = replay($t, $after->{pool}, @log);
    is join("\n", texts(@$wrong)), '', "$what: " . ($sum{states} - $before)
        . ' states after ' . @log . ' lines';
    $sum{lines} += @log;

    # Without a sync there must be something to find.
    my ($lost) = replay($t, undef, grep { $_->{kind} ne 'sync' } @log);
    cmp_ok scalar @$lost, '>', 0, "$what: without syncs, "
        . ($lost->[0] || 'nothing is wrong');

    is join("\n", texts(told_by_tool($states))), '',
        "$what: upload-pool says the same";
    my @some = (shuffle @$states)[0 .. rounds(min(5, $#$states), $#$states)];
    is join("\n", texts(map { go_on($t, $_) } @some)), '',
        "$what: after " . @some . ' of them it goes on to its end';
}

sub told_by_tool
{
    my ($states) = @_;
    my (undef, $list) = UploadPool::Bucket::json('list', $after->{pool});
    my %row = map { $_->{identifier} => $_ } @{ $list->{uploads} };
    my @wrong;
    for my $s (@$states) {
        my $row = $row{ $s->{id} } || {state => 'none'};
        my $is = defined $s->{done} ? 'done' : defined $s->{offset}
            ? 'uploading' : 'error or none';
        push @wrong, "list says $row->{state}, it is $is"
            if $is !~ /$row->{state}/;
    }
    my (undef, $check) = UploadPool::Bucket::json('check', $after->{pool},
        grep { -d "$after->{pool}/$_" } map { $_->{id} } @$states);
    # Files that no answer has told of may lie about. The application's answer
    # is kept for a retry, without a sync.
    return @wrong, map { "check: " . ($_->{file} || '') . " $_->{text}" }
        grep { $_->{text} !~ /^is named by no record/
                   && ($_->{file} || '') ne 'answer.json' }
        @{ $check->{problems} };
}

# The server is there again, and the client: as after a kill.
sub go_on
{
    my ($t, $s) = @_;
    my $from = $t->{uploads}[0];
    my $u = {kind => $from->{kind}, id => $s->{id}, url => '/up', told => 0,
        tried => length $from->{content}, requests => [], asked => 1,
        contents => $from->{contents}, content => $from->{content},
        replaces => 1, made => $s->{told}{made} && !$s->{told}{ending}};
    return if defined $s->{done} && $from->{kind} !~ /^form/;
    my @wrong = $after->_resume($u);
    push @wrong, $after->_is_done($u);
    close $u->{c}{socket} if $u->{c};
    return @wrong;
}

note "$sum{states} states of $sum{lines} lines in " . @traces . ' traces';
done_testing;
