# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Two servers, one pool and a real cache: an upload goes to one, and the other
# is asked for its status. Meanwhile both servers are restarted, and the cache
# is stopped, started and made to hang.

use strict;
use warnings FATAL => 'all';
use Test::More;
use JSON::PP ();
use UploadPool::Test;
use UploadPool::Farm;

my ($farm, $cache);

# Sends on until B has seen it; what is sent is of no consequence, only that
# the upload is alive.
sub seen_on_b
{
    my ($id, $up, $what) = @_;
    my $said = $farm->wait_status('b', $id, sub {
        $up->send(100) if $up->{sent} + 2000 < $up->{size};
        ($_[0]{received} || 0) > 20_000 && defined $_[0]{filename}
            && length $_[0]{filename};
    });
    is $said->{state}, 'uploading', "$what: B says that it uploads";
    is $said->{filename}, "of-$id.txt", "$what: B knows the name";
    is $said->{size}, $up->{size}, "$what: and the size";
    ok $said->{received} > 20_000 && $said->{received} <= $up->{sent},
        "$what: and how far it is";
    return;
}

sub finish
{
    my ($id, $up, $what) = @_;
    my $answer = $up->send->answer;
    is $answer->{status}, 200, "$what: the upload goes through";
    is $answer->{json}{state}, 'done', "$what: and is done";
    for my $name (qw(a b)) {
        my $said = $farm->wait_status($name, $id,
                                      sub { $_[0]{state} eq 'done' });
        is $said->{state}, 'done', "$what: done on $name";
        is $said->{received}, $up->{size}, "$what: all of it on $name";
        is $said->{filename}, "of-$id.txt", "$what: by its name on $name";
    }
    $up->close;
    return;
}

sub crossing
{
    my ($kind) = @_;
    my $id = new_id();
    is $farm->status('b', $id)->{state}, 'starting', "$kind: not known yet";
    my $up = $farm->begin('a', $id, 30_000);
    my $early;
    ok wait_for(sub { $early = $cache->get($farm->key($id)) }),
        "$kind: in the cache";
    seen_on_b($id, $up, $kind);
    is request('POST', "/up?X-Progress-ID=$id", body => '--b--', headers =>
               ['Content-Type', 'multipart/form-data; boundary=b'],
               port => $farm->{b}->port)->{status}, 409,
        "$kind: B takes no second one";
    unlike $cache->get($farm->key($id)), qr/\Q$id\E(?!\.txt)/,
        "$kind: the identifier is not in the cache";

    # Restarted: the upload goes on in a child that has to end.
    $_->restart_graceful for @{$farm}{qw(a b)};
    seen_on_b($id, $up, "$kind, restarted");
    finish($id, $up, $kind);

    # A machine's message may be overtaken by another's that is newer.
    $cache->set($farm->key($id), $early, 60);
    is $farm->wait_status($_, $id, sub { $_[0]{state} eq 'done' })->{state},
        'done', "$kind: an old word does not bring it back on $_" for qw(a b);

    # An error is told too.
    $id = new_id();
    $up = $farm->begin('a', $id, 30_000);
    seen_on_b($id, $up, "$kind, again");
    $up->close;
    my $said = $farm->wait_status('b', $id, sub { $_[0]{state} eq 'error' });
    is $said->{state}, 'error', "$kind: B learns that the client went";
    is $said->{error}, 'Upload is shorter than announced', "$kind: and why";
    return;
}

sub outage
{
    my ($kind) = @_;
    my $id = new_id();
    my $up = $farm->begin('a', $id, 30_000);
    my %said = map { my $n = () = $farm->{$_}->error_log =~ /UPL0081/g;
                     $_ => $n } qw(a b);
    seen_on_b($id, $up, "$kind, before an outage");
    $cache->stop;
    seen_on_b($id, $up, "$kind away");
    finish($id, $up, "$kind away");
    my $mine = new_id();
    $up = $farm->begin('b', $mine, 30_000);
    my $said = $farm->wait_status('b', $mine, sub { ($_[0]{received} || 0) >= 30_000 });
    ok $said->{received} >= 30_000, "$kind away: B knows its own as ever";
    $said = $farm->wait_status('a', $mine, sub { $_[0]{state} eq 'uploading' });
    is $said->{state}, 'uploading', "$kind away: A finds it in the pool";
    for my $name (qw(a b)) {
        wait_for(sub { $farm->{$name}->error_log =~ /UPL0081/ });
        my $times = () = $farm->{$name}->error_log =~ /UPL0081/g;
        is $times - $said{$name}, 1, "$kind away: $name says so once";
        my ($last) = (grep { /UPL0081/ } split /\n/,
                      $farm->{$name}->error_log)[-1];
        like $last, qr/does not answer/, "$kind away: and what it is";
        my %cache = request('GET', '/metrics', port => $farm->{$name}->port)
            ->{body} =~ /^upload_pool_cache_(\w+) (\d+)$/mg;
        is_deeply \%cache, {up => 0, outages_total => $times},
            "$kind away: so do the metrics of $name";
    }

    if (var('mpm') ne 'event') {
        finish($mine, $up, "$kind away");
        return;
    }
    # The providers look every 5 s: once is enough.
    $cache->start;
    ok wait_for(sub { $up->send(10); $cache->get($farm->key($mine)) }),
        "$kind is back: the upload is in it";
    finish($mine, $up, "$kind is back");
    ok wait_for(sub { grep { /UPL0082/ } $farm->logs }),
        "$kind is back: and that is said";
    return;
}

# The writer learns that its upload was cleared, whichever machine did it.
sub clearing
{
    my ($kind) = @_;
    my $id = new_id();
    my $up = $farm->begin('a', $id, 30_000);
    seen_on_b($id, $up, "$kind, to be cleared");
    is_deeply $farm->clear('b', $id)->{json}, {success => JSON::PP::true()},
        "$kind: cleared on B";
    my @left = glob $farm->pool_dir . "/$id*";
    is "@left", '', "$kind: cleared: nothing is left";
    wait_for(sub {
        $up->send(20) if $up->{sent} + 20 < $up->{size};
        $farm->{a}->error_log =~ /refused with 409: Upload was cleared/;
    });
    ok $up->{sent} + 20 < $up->{size},
        "$kind: cleared: the writer ends before its time";
    my $answer = $up->send->answer;
    is $answer->{status}, 409, "$kind: cleared: it is told";
    is $answer->{json}{error}, 'Upload was cleared', "$kind: cleared: why";
    $up->close;
    for my $name (qw(a b)) {
        my $said = $farm->wait_status($name, $id,
                                      sub { $_[0]{state} eq 'starting' });
        is_deeply $said, {state => 'starting'}, "$kind: cleared: $name forgets";
    }
    is $cache->get($farm->key($id)), undef, "$kind: cleared: so does the cache";

    # Cleared and uploaded anew elsewhere: what A remembers is old.
    finish($id, $farm->begin('a', $id, 3000), "$kind: anew on A");
    $farm->clear('b', $id);
    my $said = $farm->wait_status('a', $id, sub { $_[0]{state} eq 'starting' });
    is $said->{state}, 'starting', "$kind: A does not know better than the pool";
    $up = $farm->begin('b', $id, 9000);
    finish($id, $up, "$kind: anew on B");
    return;
}

# The cache belongs to others too.
sub hostile
{
    my ($kind) = @_;
    my %plain = (size => 100, received => 42, filename => 'a.txt',
                 type => 'text/plain');
    my $id = new_id();
    $cache->set($farm->key($id), $cache->record(%plain), 30);
    is_deeply $farm->status('b', $id), {state => 'uploading', identifier => $id,
        filename => 'a.txt', 'content-type' => 'text/plain', size => 100,
        received => 42, expires => $farm->status('b', $id)->{expires}},
        "$kind: what is written there is shown";
    my $good = $cache->record(%plain);
    my %bad = (
        'nothing' => '', 'text' => 'hello', 'JSON' => '{"state": "done"}',
        'one byte less' => substr($good, 0, -1),
        'one byte more' => "$good\0", 'much more' => $good . 'x' x 3000,
        'far more' => 'UPP1' . 'x' x 1_000_000,
        'another version' => 'UPP2' . substr($good, 4),
        'no state' => $cache->record(%plain, state => 4),
        'a negative count' => $cache->record(%plain, received => -2),
        'the end of time' => $cache->record(%plain, updated => 2 ** 63 - 1),
        'no UTF-8' => $cache->record(%plain, filename => "\xff"),
        'a NUL' => $cache->record(%plain, filename => "a\0b"),
        'a long name' => $cache->record(%plain, filename => 'x' x 256),
    );
    for my $what (sort keys %bad) {
        $id = new_id();
        $cache->set($farm->key($id), $bad{$what}, 30);
        is_deeply $farm->status('b', $id), {state => 'starting'},
            "$kind: not believed: $what";
    }
    # A stranger's upload looks like none.
    $id = new_id();
    $cache->set($farm->key($id), $cache->record(%plain, owner => 'else'), 30);
    is_deeply $farm->status('b', $id), {state => 'starting'},
        "$kind: somebody else's";
    is $farm->clear('b', $id)->{status}, 403, "$kind: which cannot be cleared";
    is $farm->begin('b', $id, 10)->send->answer->{status}, 403,
        "$kind: nor uploaded over";
    return;
}

# It takes connections and says nothing: httpd's providers wait for ever.
sub hanging
{
    my ($kind) = @_;
    my @id = map { new_id() } 1 .. 6;
    my @up = map { $farm->begin('a', $_, 30_000) } @id;
    seen_on_b($id[0], $up[0], "$kind, before it hangs");
    $cache->hang;
    for (0 .. $#id) {
        seen_on_b($id[$_], $up[$_], "$kind hangs, upload $_");
    }
    for (0 .. $#id) {
        finish($id[$_], $up[$_], "$kind hangs, upload $_");
    }
    $cache->go_on;
    my $id = new_id();
    my $up = $farm->begin('b', $id, 30_000);
    ok wait_for(sub { $up->send(10); $cache->get($farm->key($id)) }),
        "$kind goes on: so do we";
    finish($id, $up, "$kind goes on");
    return;
}

for my $kind (qw(redis memcache)) {
    $farm = UploadPool::Farm->new($kind);
    $cache = $farm->cache;
    crossing($kind);
    if ($kind eq 'redis') {
        clearing($kind);
        hostile($kind);
        hanging($kind);
        outage($kind);
    }
    my @crashed = grep { /exit signal/ } $farm->logs;
    is "@crashed", '', "$kind: no child has crashed";
    undef $farm;
    undef $cache;
}

# It answers, but not what it is asked: a password is wanted.
{
    $farm = UploadPool::Farm->new('redis');
    $cache = $farm->cache;
    $cache->want_password;
    my $id = new_id();
    my $up = $farm->begin('a', $id, 3000);
    ok wait_for(sub { $farm->{a}->error_log =~ /UPL0081/ }), 'NOAUTH is seen';
    my ($said) = $farm->{a}->error_log =~ /(UPL0081.*)/;
    like $said, qr/or with an error/, 'and said';
    finish($id, $up, 'a cache that wants a password');
    undef $farm;
    undef $cache;
}

# One for each server, behind a mutex; others learn from the pool.
{
    $farm = UploadPool::Farm->new('shmcb');
    my $id = new_id();
    my $up = $farm->begin('a', $id, 30_000);
    is $farm->wait_status('a', $id, sub { ($_[0]{received} || 0) >= 30_000 })
        ->{received}, 30_000, 'shmcb: A knows its upload';
    is $farm->wait_status('b', $id, sub { $_[0]{state} eq 'uploading' })
        ->{state}, 'uploading', 'shmcb: B knows that there is one';
    $_->restart_graceful for @{$farm}{qw(a b)};
    finish($id, $up, 'shmcb');
    my @wrong = grep { /exit signal|UPL008\d/ } $farm->logs;
    is "@wrong", '', 'shmcb: nothing to complain of';
}

done_testing;
