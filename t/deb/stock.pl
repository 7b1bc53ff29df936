#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# sh t/deb/enter PACKAGE perl t/deb/stock.pl: called by t/deb/run, as root, in a
# root directory with a network of its own. Follows README, manual and examples
# on a Debian with the package: apache2ctl, conf-available, a2enmod, port 80, a
# service whose /tmp is another. Each block that a reader copies is typed by whom
# the page means, root or somebody; a block that is not run stands below, with
# the reason, and one that is neither fails.

use strict;
use warnings FATAL => 'all';
use utf8;
use POSIX ();
use Test::More;
use UploadPool::Manual;

binmode Test::More->builder->$_, ':encoding(UTF-8)' for qw(output failure_output);
$ENV{PATH} = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
my $pool = '/var/lib/upload_pool';
my $key = '/etc/apache2/upload_pool.key';

sub slurp
{
    my ($file) = @_;
    open my $in, '<:encoding(UTF-8)', $file or die "$file: $!";
    local $/;
    return scalar <$in>;
}

sub spew
{
    my ($file, $text) = @_;
    open my $out, '>:encoding(UTF-8)', $file or die "$file: $!";
    print {$out} $text;
    close $out or die "$file: $!";
    return;
}

# Root types it: is all well, and what was said.
sub typed
{
    my ($command) = @_;
    my $said = `{ $command\n} 2>&1`;
    return ($? == 0, $said);
}

sub well
{
    my ($command, $name) = @_;
    my ($good, $said) = typed($command);
    ok $good, $name // $command or diag $said;
    return $said;
}

# --- Debian ---------------------------------------------------------------------

spew('/usr/sbin/policy-rc.d', "#!/bin/sh\nexit 101\n");
chmod 0755, '/usr/sbin/policy-rc.d';
typed('dpkg --purge libapache2-mod-upload-pool');
typed("rm -rf $pool");
# What systemd does with PrivateTmp.
my $private = 'unshare --mount --propagation private sh -c '
    . q{'mount -t tmpfs -o mode=1777 tmp /tmp && mount -t tmpfs -o mode=1777 tmp /var/tmp && exec apache2ctl start'};

sub gone
{
    my ($pid) = @_;
    for (1 .. 1200) {
        # This is the first process here, to which orphans fall.
        1 while waitpid(-1, POSIX::WNOHANG) > 0;
        return 1 if !kill 0, $pid;
        select undef, undef, undef, 0.1;
    }
    return 0;
}

sub stop
{
    open my $in, '<', '/run/apache2/apache2.pid' or return;
    chomp(my $pid = <$in>);
    kill 'TERM', $pid;
    return gone($pid);
}
END { stop() }

sub start
{
    stop();
    return typed("mkdir -p /run/apache2 /var/log/apache2 && $private");
}

well('dpkg --install /tmp/package.deb', 'the package installs');
is +(stat $pool)[4], (getpwnam 'www-data')[2], 'the pool is there';
spew('/etc/apache2/conf-available/zz-name.conf', "ServerName localhost\n");
well('a2enconf -q zz-name && apache2ctl configtest', 'a stock Debian is well');

# --- The first example -------------------------------------------------------------

my $readme = slurp('README');
my @first = grep { $_->{kind} ne 'config' || $_->{text} =~ /UploadPool/ }
    blocks($readme =~ /^(.*?)^# Installing$/ms ? $1 : '');
is $first[0]{kind}, 'config', 'the README has a first example';
spew('/etc/apache2/conf-available/uploads.conf', $first[0]{text});
well('a2enconf -q uploads && apache2ctl configtest');
ok +(start())[0], 'it starts, as a service with PrivateTmp';
typed('install -d -o games /srv/reader');
spew('/srv/reader/photo.jpg', 'x' x 123_210);
like said_to('games', 'curl -s http://localhost/upload'), qr/<form /,
    'a form for a browser';
my @session = map { commands($_->{text}) } grep { $_->{kind} eq 'session' } @first;
cmp_ok scalar @session, '>=', 2, 'requests of the README';
for (@session[0, 1]) {
    my ($command, $printed) = @$_;
    # How long a boundary is, is curl's.
    my $said = said_to('games', "cd /srv/reader && { $command; } 2>/dev/null");
    s/\b1235\d\d\b/…/g for $said, $printed;
    utf8::decode($said) if !utf8::is_utf8($said);
    $printed =~ s/\s+/ /g;
    ok like_printed($said, $printed), 'as printed: ' . $command =~ s/\n.*//sr
        or diag "$said\n$printed";
}
is scalar(() = glob "$pool/my-upload-1/*.bin"), 1, 'the file is in the pool';
unlike said_to('games', "ls $pool"), qr/my-upload/, 'where others see nothing';

# To see what stands in front of it: here nothing does.
my ($look) = grep { $_->{text} =~ /look-1/ } blocks(slurp('conf/manual/front'));
{
    my ($sends, $asks) = commands($look->{text} =~ s{https://www\.example\.com}{http://localhost}gr);
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        # Until it is asked, however slow the machine is.
        said_to('games', 'cd /srv/reader && ' . $sends->[0] =~ s/ &$//r
            =~ s/--limit-rate 1M/--limit-rate 100K/r);
        POSIX::_exit(0);
    }
    my $said;
    for (1 .. 600) {
        $said = said_to('games', $asks->[0]);
        last if like_printed($said, $asks->[1]);
        select undef, undef, undef, 0.2;
    }
    ok like_printed($said, $asks->[1]), 'a status while it comes in' or diag $said;
    ok stop(), 'it stops';
    waitpid $pid, 0;
}

# --- PrivateTmp --------------------------------------------------------------------

typed('install -d -o www-data -m 700 /tmp/uploads');
spew('/etc/apache2/conf-available/uploads.conf',
     $first[0]{text} =~ s/\Q$pool/\/tmp\/uploads/r);
my ($good, $said) = typed('apache2ctl configtest');
ok $good, 'a pool in /tmp: root does not see what is wrong';
like $said, qr/UPL0430: .*PrivateTmp/, 'a pool in /tmp: but is told';
($good, $said) = start();
ok !$good, 'a pool in /tmp: the service has another';
like $said, qr/UPL0004: .*PrivateTmp/, 'a pool in /tmp: and says so';
stop();
typed('a2disconf -q uploads');

# --- Configurations ------------------------------------------------------------------

# What stands for the reader's own machine.
typed("(umask 77; openssl rand -hex 32 >$key); cp $key upload_pool.key");
typed('useradd -m anna; install -d /srv/customers/anna/htdocs '
    . '/srv/customers/shop /etc/apache2/x');
spew('/etc/apache2/upload.users', "anna:x\n");
my %stock = map { $_ => 1 } glob '/etc/apache2/mods-enabled/*';

# What the page has root type, before.
sub before
{
    my ($text) = @_;
    return grep { !/^mount / } map { s/\s+#.*//r }
        $text =~ /^\s*# +((?:a2enmod|usermod|chgrp|chmod|chown|install -[dm]|\(umask) .*)/mg;
}

sub back_to_stock
{
    typed('a2disconf -q example');
    typed("install -d -o www-data -g www-data -m 700 $pool $pool/shop");
    typed("chown www-data:www-data $pool; chmod 700 $pool");
    unlink grep { !$stock{$_} } glob '/etc/apache2/mods-enabled/*';
    return;
}

sub accepted
{
    my ($name, $text, $whole) = @_;
    back_to_stock();
    for (before($whole // $text)) {
        my ($good, $said) = typed($_);
        ok $good, "$name: $_" or diag $said;
    }
    spew('/etc/apache2/conf-available/example.conf', $text);
    typed('a2enconf -q example');
    well('apache2ctl configtest', "$name: a stock Debian accepts it");
    return;
}

for my $file (sort glob('conf/examples/*.conf'), 'conf/examples/in-front/httpd.conf') {
    accepted($file =~ s{^conf/}{}r, slurp($file));
}
my @task = howto('conf/manual/howto');
cmp_ok scalar @task, '>=', 17, 'tasks';
for my $task (@task) {
    accepted($task->{title}, join '', map { $_->{text} }
        grep { $_->{kind} eq 'config' } @{ $task->{blocks} });
}
back_to_stock();

# --- Every other block ----------------------------------------------------------------

# By the first line. Those of the how-to are run by t/http/manual/howto.t, those
# of "When it does not work" by t/http/manual/symptoms.t.
my @not_run = (
    [qr/^sh (?:conf\/demo|t)\/run|^sh t\/run/, 't/bare/run runs it, in bare Debians'],
    [qr/^make -f Makefile\.apxs(?: deb)?(?: |\n)/, 't/bare/run and t/deb/run build;'
        . ' what root types behind it, t/http/config/install.t and this'],
    [qr/^make -f Makefile\.apxs help/, 'goals of the workshop, a list'],
    [qr/^apxs -i -a -c/, 'the module is built and loaded by "make probes"'],
    [qr/^\$ curl -F title=Holiday/, 'its application stands in t/http/manual/readme.t'],
    [qr/^(?:if \(\(\$_SERVER|import json|expected = |id \+ ":"|text = )/,
        't/http/snippets and t/http/handoff run whole programs with it'],
    [qr/^(?:async function|const source|<script |\$\("#files"\))/,
        't/browser and t/http/chunked run pages and requests with it'],
    [qr/^#include "mod_upload_pool\.h"/, 't/c-modules has it, built and loaded'],
    [qr/^chgrp uploads /, 't/http/storage/group.t, with a group of the test'],
    [qr/^SecRule /, 't/http/other_modules/security.t'],
    [qr/^upload-pool /, 't/tool/commands.t'],
    [qr/^RequestReadTimeout body=60/, 'a line of conf/examples/standalone.conf'],
    [qr/^(?:Protocols h2|<Location "\/upload-pool-metrics">|<Location \/upload>)/,
        't/http/parking/http2.t, t/http/metrics and t/http/ietf'],
    [qr/^include in-front\//, 't/http/in_front runs the file'],
    [qr/^sub vcl_recv/, 't/http/in_front/varnish.t'],
    [qr/^(?:route|entryPoints):/, 'Envoy and Traefik are not among the packages'
        . ' of Debian: the page says that they are not run'],
    [qr/^\$ head -c 20M /, 'run above'],
    [qr/^X-Upload-(?:Claim|Identifier)/, 'headers, nothing to type'],
    [qr/^Upload: [0-9a-f]/, 'what /proc and mod_status show'],
    [qr/^(?:parse  +bytes |I have |Installing  |start   |Limit a site|mod_upload_pool\.c|how a multipart)/,
        'a table of contents'],
    [qr/^(?:Debian 12  +Debian 13|UPLOAD_POOL_|json  |GET U\/|a form; fetch|parameters  |client  |handle_raw_input|413  |C \* \(|php\/  |Upload(?:Pool|MaxSize|Allow|Key|Handler|PassAs|Protocol|Progress) Upload)/,
        'a table, nothing to type'],
);

# A block stands behind an empty line, and not further in than others.
sub printed_in { return $_[0] =~ /(?:\A|\n\n)((?: {4}\S.*\n)(?:(?: {4}.*)?\n)*)/g }

my %page = map { $_ => slurp($_) } 'README', grep { -f && !/\.(?:pl|html)\z/
    && !m{/(?:pages|directives|howto|symptoms|logtags)\z} } glob 'conf/manual/*';
my (@left, $count);
for my $file (sort keys %page) {
    my $text = $page{$file} =~ s/^# (?:Directives|Change notes)\n.*?(?=^# |\z)//msgr;
    for my $block (printed_in($text)) {
        my $bare = $block =~ s/^ {4}//mgr;
        $count++;
        next if grep { $bare eq $_->{text} || $bare =~ /^\Q$_->{text}/ }
            $file eq 'README' ? @first : ();
        next if $file eq 'README' && grep {
            index($bare, $_->{text} =~ s/\s+\z//r) == 0 } @first;
        push @left, "$file: " . $bare =~ s/\n.*//sr
            unless grep { $bare =~ $_->[0] } @not_run;
    }
}
cmp_ok $count, '>=', 15, 'blocks';
is_deeply \@left, [], 'every block is run, or says why it is not';

# What root types on a page that is run elsewhere under other names.
for my $e (grep { ($_->{block} // '') =~ /\A# / } symptoms('conf/manual/symptoms')) {
    well($e->{block} =~ s/^# //mgr, "$e->{title}: root types its remedy");
}
well($1, "README: $1") while $readme =~ /^ {4}((?:install -d|a2enmod) .*?)(?: {2,}.*)?$/mg;

done_testing;
