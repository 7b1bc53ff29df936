# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# A child is dead and its parent does not know it yet: an upload that is resumed
# meanwhile has no slot, because the dead child's slot counts as in use.
# Afterwards its status says what became of the upload.

# D9: what a dead process held keeps nobody waiting, and nobody misinformed

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Crash;
use UploadPool::Test;

my $crash = UploadPool::Crash->new;
my $parent = $crash->{httpd}->pid;
my @port = (port => $crash->port);
srand 1;
for my $kind (qw(tus ietf chunked)) {
    my $u = $crash->begin($kind);
    $crash->advance($u, length $u->{requests}[0]{bytes});
    $crash->advance_to($u, 'body');
    # On a busy machine the parent may not have made the others yet, and one
    # that is stopped makes none.
    wait_for(sub { $crash->children >= 3 }) or die 'no other child';
    kill 'STOP', $parent or die "stop: $!";
    isnt $crash->kill_child($u), 0, "$kind: its child is killed";
    $u->{broken} = 1;
    my @wrong = $crash->_resume($u);
    is "@wrong", '', "$kind: goes on at its offset";
    kill 'CONT', $parent or die "go on: $!";
    my $said;
    wait_for(sub {
        $said = status('/up', $u->{id}, @port);
        return $said->{state} ne 'uploading';
    });
    is $said->{state}, 'done', "$kind: done";
    is $said->{received}, length $u->{content}, "$kind: all of it";
    is $said->{error}, undef, "$kind: and no error";
}

# When an upload does not go on, the pool still tells how far it has come.
my $u = $crash->begin('tus');
$crash->advance($u, length $u->{requests}[0]{bytes});
$crash->advance_to($u, 'body');
my $pid = $crash->kill_child($u);
wait_for(sub { !-d "/proc/$pid" }) or die 'nobody sees it die';
my $said = status('/up', $u->{id}, @port);
is $said->{state}, 'uploading', 'not gone on with: it still can be';
is $said->{error}, undef, 'no error';
is "@{[ $crash->judge($u) ]}", '', 'and is';
done_testing;
