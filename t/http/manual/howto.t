# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Every task of the how-to: the server starts with its configuration, its
# programs and commands are run as printed, and print what the page says. Only
# paths, addresses and ports are the test's. Most tasks share a server, each
# with a name of its own.

use strict;
use warnings FATAL => 'all';
use utf8;
use Cwd ();
use Test::More;
use UploadPool::Cache;
use UploadPool::Clamd;
use UploadPool::Httpd;
use UploadPool::Manual;
use UploadPool::Test;

my @modules = qw(alias rewrite remoteip auth_basic authn_file authz_user
                 socache_redis proxy proxy_fcgi php);
my $application = <<'END';
#!/bin/sh
echo 'Content-Type: application/json'
echo
[ "$UPLOAD_POOL_STATE" = done ] && cat
exit 0
END

# The smallest picture there is.
my $photo = pack 'H*', '89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489'
    . '0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082';

my $ran = 0;
my @server;
my $top = sub { return $server[0]->dir($_[0]) };

# Puts the machines and files of the test in place of the manual's.
sub here
{
    my ($task, $text) = @_;
    my %to = ('192.0.2.11' => '127.0.0.1:' . $server[0]->port,
              '192.0.2.12' => '127.0.0.1:' . $server[-1]->port,
              localhost => "$task->{host}:" . $server[0]->port);
    $text =~ s{http://(localhost|192\.0\.2\.1[12])(?=[/:\$])}{http://$to{$1}}g;
    $text =~ s{192\.0\.2\.0/24}{127.0.0.1}g;
    $text =~ s{127\.0\.0\.1:6379}{'127.0.0.1:' . var('cacheport')}ge;
    $text =~ s{/var/lib/upload_pool\b}{$top->("pools/$task->{host}")}ge;
    $text =~ s{/etc/apache2/}{$top->('etc/')}ge;
    $text =~ s{/srv/customers}{$top->('customers')}ge;
    $text =~ s{/run/clamav/clamd\.ctl}{UploadPool::Clamd::socket_path()}ge;
    return $text;
}

# Its configuration, with an application behind /upload.
sub config_of
{
    my ($task) = @_;
    my $text = here($task, join '', map { $_->{text} } of($task, 'config'));
    # Other MPMs do not know these.
    $text =~ s/^(?:ThreadsPerChild|AsyncRequestWorkerFactor) .*\n//mg
        if var('mpm') ne 'event';
    return $text if $text =~ /SetHandler upload-pool$/m;
    return $text . 'ScriptAlias /upload ' . $top->('etc/app.cgi') . "\n";
}

sub of
{
    my ($task, $kind) = @_;
    return grep { $_->{kind} eq $kind } @{ $task->{blocks} };
}

# 1 for directives of the server as a whole, which a virtual host may not have.
sub needs_own_server
{
    my ($task) = @_;
    return grep { $_->{text} =~ /^\s*(?:UploadProgress|ServerLimit)/m }
        of($task, 'config');
}

sub prepare
{
    my ($task) = @_;
    $server[0]->make_pool("$task->{host}$_") for '', '/shop';
    for my $file (of($task, 'file')) {
        my $name = here($task, $file->{name});
        $name = $name =~ m{^/} ? $name
            : $top->(($name =~ /photos/ ? 'htdocs/' : 'work/') . $name);
        my $text = here($task, $file->{text});
        utf8::encode($text);
        spew($name, $text);
    }
    return;
}

# One shell runs all commands of a task, so that variables live on. The user is
# neither root nor the server's, unless the page says so.
sub check
{
    my ($task) = @_;
    my $end = 'end-of-command';
    my @session = of($task, 'session');
    my @command = map { commands($_->{text}) } @session;
    my $user = (grep { $_->{user} eq 'application' } @session)
        ? var('user') : 'games';
    my $script = 'cd ' . $top->('work') . "\n" . join '', map {
        here($task, $_->[0]) . "\necho; echo $end\n" } @command;
    utf8::encode($script);
    spew($top->('work/script'), $script);
    chown((getpwnam $user)[2, 3], $top->('work')) if $> == 0;
    my $said = said_to($user, 'exec sh ' . $top->('work/script'));
    utf8::decode($said);
    my @said = split /\n$end\n/, $said;
    for my $n (0 .. $#command) {
        $ran++;
        my ($first) = $command[$n][0] =~ /(.*)/;
        ok like_printed($said[$n] // 'nothing', $command[$n][1]),
            "$task->{title}: $first"
            or diag "said:\n$said[$n]\nprinted:\n$command[$n][1]";
    }
    ok @command > 0, "$task->{title}: has a check";
    return;
}

my @task = howto(var('top') . '/conf/manual/howto');
my $serial = 0;
$_->{host} = 'task' . ++$serial . '.localhost' for @task;

@server = UploadPool::Httpd->new(modules => \@modules);
push @server, UploadPool::Httpd->new(modules => \@modules,
                                     port => var('fakeport'));
mkdir $top->($_) for qw(etc work customers customers/shop);
chmod 0755, map { $top->($_) } qw(etc customers customers/shop);
spew($top->('etc/app.cgi'), $application);
chmod 0755, $top->('etc/app.cgi');
spew($top->('etc/upload_pool.key'), 'k' x 64 . "\n");
chown 0, (getpwnam var('user'))[3], $top->('etc/upload_pool.key') if $> == 0;
chmod 0640, $top->('etc/upload_pool.key');
spew($top->('etc/upload.users'), join '', map {
    `htpasswd -nbm $_ secret` =~ s/\s+//gr . "\n" } qw(anna bert));
spew($top->('work/photo.png'), $photo);
spew($top->('work/page.html'), "<!DOCTYPE html>\n<html><body>x</body></html>\n");
spew($top->('work/eicar.com'), "a $UploadPool::Clamd::PATTERN");
prepare($_) for @task;

# PHP as the suites run it.
my $php = "<FilesMatch \"\\.php\$\">\nSetHandler \""
    . (var('mpm') eq 'prefork' ? 'application/x-httpd-php'
       : 'proxy:fcgi://127.0.0.1:' . var('fpmport')) . "\"\n</FilesMatch>\n";
{
    my $clamd = UploadPool::Clamd->new;
    my @shared = grep { !needs_own_server($_) } @task;
    $server[0]->start(join '', $php, map {
        "<VirtualHost *>\nServerName $_->{host}\n" . config_of($_)
            . "</VirtualHost>\n" } @shared);
    check($_) for @shared;
    $server[0]->stop;
}
for my $task (grep { needs_own_server($_) } @task) {
    my $several = () = grep { $_->{text} =~ /192\.0\.2\.12/ } of($task, 'session');
    my $cache = $several ? UploadPool::Cache->new('redis') : undef;
    my @needed = @server[0 .. ($several ? 1 : 0)];
    $_->start($php . config_of($task)) for @needed;
    check($task);
    # Both end at once.
    kill 'TERM', map { $_->pid } @needed;
    $_->stop for @needed;
}
cmp_ok scalar @task, '>=', 17, 'tasks';
cmp_ok $ran, '>=', 40, 'commands';

done_testing;
