# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# D4: a disk of 8 MiB that fills up under uploads of every protocol. the answer
# is 507 and the offset is right; when there is space again, the same upload
# ends with the right bytes. Nothing of a form is kept.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Disk;
use UploadPool::Flows;
use UploadPool::Httpd;
use UploadPool::Test;

my $SIZE = 8 << 20;

my $httpd = UploadPool::Httpd->new;
my $disk = UploadPool::Disk->new($httpd, 'disk', bytes => $SIZE,
                                 entries => 199);
my $dir = $disk->dir;
$httpd->start(<<"END");
<Location /up>
    SetHandler upload-pool
    UploadPool "$dir"
    UploadProtocol multipart chunked tus resumable
    UploadDigest sha-256
</Location>
END
my $port = $httpd->port;
my @kinds = qw(form chunked tus checksum ietf);

sub left { return pool_files($dir), pool_dirs($dir) }

sub new_flow
{
    my ($name, $bytes) = @_;
    return flow($name, '/up', $port, $dir, $bytes);
}

# The first answer that is no success, or the last.
sub go
{
    my ($up) = @_;
    my $answer;
    for my $step (@{ $up->{steps} }) {
        $answer = $step->();
        last if $answer->{status} >= 300;
    }
    return $answer;
}

sub clear
{
    my ($up) = @_;
    return ask($port, 'DELETE', "/up?X-Progress-ID=$up->{id}")->{status};
}

# The part of a failed upload that is kept; undef: none.
sub kept
{
    my ($up) = @_;
    my $about = "$dir/$up->{id}/resumable.json";
    return undef unless -e $about;
    return slurp("$dir/$up->{id}/"
                 . decode_json_text(slurp($about))->{file}{stored});
}

sub is_truthful
{
    my ($up, $name) = @_;
    my $offset = $up->{offset}->();
    if (!defined $offset) {
        return ok !defined kept($up), "$name: nothing is kept, and it says so";
    }
    my $bytes = kept($up);
    return ok length $bytes >= $offset
        && substr($bytes, 0, $offset) eq substr($up->{files}[0], 0, $offset),
        "$name: offset $offset";
}

sub has_no_data
{
    my ($up, $name) = @_;
    return is_deeply [grep { /\.bin$/ } glob "$dir/$up->{id}/*"], [],
        "$name: nothing is kept";
}

sub ends_well
{
    my ($up, $name) = @_;
    my $answer = $up->{resume}->();
    is $answer->{status}, 200, "$name: with space again it ends"
        or diag explain($answer);
    my $files = stored($dir, $up->{id});
    return ok $files && $files->[0] eq $up->{files}[0], "$name: the right bytes";
}

# --- Larger than the disk ---------------------------------------------------

for my $name (@kinds) {
    my $up = new_flow($name, 9 << 20);
    my $answer = go($up);
    is $answer->{status}, 507, "$name: 9 MiB"
        or diag $answer->{error} || '', $answer->{body} || '';
    is $answer->{error}, undef, "$name: one whole answer";
    $up->{offset} ? is_truthful($up, "$name: 9 MiB")
        : has_no_data($up, "$name: 9 MiB");
    clear($up);
    my $small = new_flow($name);
    cmp_ok go($small)->{status}, '<', 300, "$name: then a small one works";
    clear($small);
    is_deeply [left()], [], "$name: and nothing is left";
}

# Its size was not announced.
{
    my ($body, $type) = multipart([{name => 'f', filename => 'f',
                                    content => 'x' x (9 << 20)}]);
    my $id = new_id();
    my $answer = request('POST', "/up?X-Progress-ID=$id", port => $port,
        headers => ['Content-Type', $type], body => $body, chunked => 65536);
    is $answer->{status}, 507, 'a form of unknown size';
    has_no_data({id => $id}, 'of unknown size');
    clear({id => $id});
}

# --- Full before the start: of bytes, of names ------------------------------

for my $name (@kinds) {
    for my $of (qw(fill crowd)) {
        my $up = new_flow($name, 100_000);
        $disk->$of;
        my $answer = go($up);
        is $answer->{status}, 507, "$name, $of: before the start"
            or diag $answer->{body};
        $up->{offset} ? is_truthful($up, "$name, $of")
            : has_no_data($up, "$name, $of");
        $disk->free;
        ends_well($up, "$name, $of");
        clear($up);
    }
}

# --- Full in the middle -----------------------------------------------------

for my $name (grep { $_ ne 'form' } @kinds) {
    for my $of (qw(fill crowd)) {
        my $up = new_flow($name, 100_000);
        my @steps = @{ $up->{steps} };
        my $last = pop @steps;
        my @answers = map { $_->() } @steps;
        is_deeply [grep { $_->{status} >= 300 } @answers], [],
            "$name, $of: begins";
        $disk->$of;
        # The last chunk of the chunked protocol has been taken: only the
        # record of the whole wants a place.
        my $answer = $last->();
        is $answer->{status}, 507, "$name, $of: in the middle"
            or diag $answer->{body};
        is_truthful($up, "$name, $of: in the middle");
        $disk->free;
        ends_well($up, "$name, $of: in the middle");
        clear($up);
    }
}

# --- Two at a time ----------------------------------------------------------

for my $name (@kinds) {
    my @pair = map { new_flow($name, 5 << 20) } 1, 2;
    my @pid;
    for my $up (@pair) {
        my $file = $httpd->dir("answer-$up->{id}");
        my $pid = fork;
        die "fork: $!" unless defined $pid;
        if (!$pid) {
            my $answer = eval { go($up) } || {status => 0, error => $@};
            spew($file, $answer->{error} || $answer->{status});
            require POSIX;
            POSIX::_exit(0);
        }
        push @pid, $pid;
        $up->{said} = $file;
    }
    waitpid $_, 0 for @pid;
    my @status = map { slurp($_->{said}) } @pair;
    ok !(grep { !/^(?:20\d|507)$/ } @status), "$name, two at a time: @status";
    ok scalar(grep { $_ eq '507' } @status), "$name: both cannot fit";
    for my $n (0, 1) {
        my $up = $pair[$n];
        if ($status[$n] ne '507') {
            my $files = stored($dir, $up->{id});
            ok $files && $files->[0] eq $up->{files}[0],
                "$name: what is done is right";
        }
        elsif ($up->{offset}) {
            is_truthful($up, "$name, two at a time");
        }
        else {
            has_no_data($up, "$name, two at a time");
        }
    }
    # With what the first has, the other finds no room; without it, it does.
    my ($first, $other) = $status[0] eq '507' ? @pair[1, 0] : @pair;
    clear($first);
    ends_well($other, "$name, the other");
    clear($other);
    is_deeply [left()], [], "$name: nothing is left of two";
}

is scalar(() = $httpd->error_log =~ /exit signal/g), 0, 'no child died';

done_testing;
