# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadPoolPublic: a pool that a URL leads into is an error, unless the
# directive allows it.
#
# T4: nobody fetches, or runs, what a stranger has uploaded.

use strict;
use warnings FATAL => 'all';
use File::Path ();
use Test::More;
use UploadPool::Test;
use UploadPool::Httpd;

my $httpd = UploadPool::Httpd->new;
my $docs = $httpd->dir('htdocs');
my $port = $httpd->port;
my $inside = inside('pool');
my $outside = $httpd->make_pool('outside');
my $beside = inside('../htdocs-too');

sub inside
{
    my ($name) = @_;
    my $dir = "$docs/$name";
    File::Path::make_path($dir);
    chown((UploadPool::Httpd::owner())[0, 1], $dir) if $> == 0;
    chmod 0700, $dir;
    return $dir;
}

sub pool_at { return "<Location /x>\nUploadPool \"$_[0]\"\n</Location>\n" }

sub vhost
{
    my ($text, $n) = @_;
    return sprintf "<VirtualHost 127.0.0.1:%d>\nServerName v%d.test\n%s\n"
        . "</VirtualHost>\n", $port + ($n // 1), $n // 1, $text;
}

sub refuses
{
    my ($name, $text, $pool, $directive, $path) = @_;
    my ($exit, $said) = $httpd->check($text);
    ok $exit != 0, "refused: $name";
    like $said, qr/UPL0095:\ UploadPool\ \Q$pool\E\ \([^)]*httpd\.conf:\d+\):
                   \ $directive\ \Q$path\E\ .*UploadPoolPublic/x,
        'with both paths, and who names them';
    return;
}

sub accepts
{
    my ($name, $text) = @_;
    my ($exit, $said) = $httpd->check($text);
    ok $exit == 0 && $said =~ /Syntax OK/ && $said !~ /UPL0095/,
        "accepted: $name" or diag $said;
    return;
}

# --- DocumentRoot ---------------------------------------------------------------

accepts('a pool beside the DocumentRoot', pool_at($outside));
accepts('one whose path begins like it', pool_at($beside));
refuses('in the DocumentRoot', pool_at($inside), $inside, 'DocumentRoot', $docs);
refuses('the DocumentRoot itself', "DocumentRoot \"$outside/\"\n"
        . pool_at($outside), $outside, 'DocumentRoot', $outside);
mkdir "$outside/www";
refuses('the DocumentRoot in the pool', "DocumentRoot \"$outside/www\"\n"
        . pool_at($outside), $outside, 'DocumentRoot', "$outside/www");
rmdir "$outside/www";
refuses('a target in the pool that is not there yet',
        "Alias /a \"$outside/later/\"\n" . pool_at($outside), $outside, 'Alias',
        "$outside/later");
refuses('everything is the DocumentRoot', "DocumentRoot /\n"
        . pool_at($outside), $outside, 'DocumentRoot', '/');
my $site = $httpd->make_pool('site');
my $deep = $httpd->make_pool('site/a/b');
refuses('a virtual host\'s', vhost("DocumentRoot \"$site\"") . pool_at($deep),
        $deep, 'DocumentRoot', $site);
refuses('another virtual host\'s', vhost("DocumentRoot \"$site\"")
        . vhost(pool_at($deep), 2), $deep, 'DocumentRoot', $site);
refuses('of the server, the pool in a virtual host', vhost(pool_at($inside)),
        $inside, 'DocumentRoot', $docs);

# --- Aliases --------------------------------------------------------------------

for my $case (["Alias /a \"$site\"", 'Alias'], ["alias /a $site/", 'Alias'],
              ["Alias /a/ \"$deep\"", 'Alias', $deep],
              ["ScriptAlias /cgi-bin/ \"$site/\"", 'ScriptAlias'],
              ['Alias /a pools/site', 'Alias'],
              ["<IfModule alias_module>\nAlias /a $site\n</IfModule>", 'Alias'],
              ["<Location /a>\nAlias \"$site\"\n</Location>", 'Alias'],
              ["Define SITE \"$site\"\nAlias /a \${SITE}", 'Alias'],
              ["Alias /b /nowhere/at/all\nAlias /a $site", 'Alias']) {
    my ($text, $directive, $path) = @$case;
    (my $name = $text) =~ s/\n/ | /g;
    refuses($name, "$text\n" . pool_at($deep), $deep, $directive, $path || $site);
    next if $text =~ /^Define/;
    refuses("$name, in a virtual host", vhost($text) . pool_at($deep), $deep,
            $directive, $path || $site);
}
spew($httpd->dir('more.conf'), "Alias /a \"$site\"\n");
refuses('in a file that is included', "Include more.conf\n" . pool_at($deep),
        $deep, 'Alias', $site);
spew($httpd->dir('page.html'), 'page');
accepts('what cannot be known, and what does not reach it', join "\n",
    'AliasMatch "^/a/(.*)" "' . $site . '/$1"', "<LocationMatch ^/b/(?<x>.*)>",
    "Alias \"$site/%{env:MATCH_X}\"", '</LocationMatch>', "Alias /c $site/a/c",
    'Alias /d ' . $httpd->dir('page.html'), pool_at($deep));

# --- Links ----------------------------------------------------------------------

my $link = $httpd->dir('pools/link');
symlink $site, $link or die;
refuses('by a link to the DocumentRoot', "DocumentRoot \"$link\"\n"
        . pool_at($deep), $deep, 'DocumentRoot', $link);
refuses('by a link on the way to the pool', "DocumentRoot \"$site\"\n"
        . pool_at("$link/a/b"), "$link/a/b", 'DocumentRoot', $site);
symlink "$site/a", "$link-a" or die;
refuses('by a link in the target of an Alias', "Alias /a \"$link-a\"\n"
        . pool_at("$link/a/b"), "$link/a/b", 'Alias', "$link-a");
accepts('a link that leads elsewhere', "Alias /a \"$link-a/../../outside\"\n"
        . pool_at($deep));

# --- What says otherwise ----------------------------------------------------------

my $on = "UploadPoolPublic On\n";
accepts('On where the pool stands', pool_at($inside) =~ s/(?=<\/)/$on/r);
accepts('On for the server', $on . pool_at($inside));
accepts('On for the server, the pool in a virtual host',
        $on . vhost(pool_at($inside)));
accepts('On for a virtual host', vhost($on . pool_at($inside)));
accepts('On for the pool of the server', "${on}UploadPool \"$inside\"\n");
accepts('On for its pools alone', vhost($on . pool_at($inside))
        . pool_at($outside));
refuses('Off where the pool stands', $on
        . pool_at($inside) =~ s/(?=<\/)/UploadPoolPublic Off\n/r, $inside,
        'DocumentRoot', $docs);
refuses('Off for a virtual host', $on
        . vhost("UploadPoolPublic Off\n" . pool_at($inside)), $inside,
        'DocumentRoot', $docs);
refuses('On for another virtual host', vhost($on) . vhost(pool_at($inside), 2),
        $inside, 'DocumentRoot', $docs);
refuses('one of two', pool_at($outside) . pool_at($inside), $inside,
        'DocumentRoot', $docs);
for my $word (qw(yes 1 public), '') {
    my ($exit, $said) = $httpd->check("UploadPoolPublic $word\n");
    ok $exit != 0 && $said =~ /UploadPoolPublic must be On or Off/,
        "refused: UploadPoolPublic $word" or diag $said;
}

# --- .htaccess --------------------------------------------------------------------

File::Path::make_path("$docs/shop", "$docs/inner", "$docs/said");
my $root = inside('pools');
inside('pools/shop');
symlink $root, $httpd->dir('root') or die;
$httpd->start(<<"END");
UploadPoolRoot root
SetHandler upload-pool
<Directory "$docs">
    AllowOverride Options
</Directory>
<Directory "$docs/said">
    UploadPoolPublic On
</Directory>
END

sub try_upload
{
    my ($url) = @_;
    my $at = length $httpd->error_log;
    my $r = upload($url, [{name => 'f', filename => 'a', content => 'a'}],
                   id => new_id(), accept => 'application/json', port => $port);
    return ($r, substr $httpd->error_log, $at);
}

spew("$docs/$_/.htaccess", "UploadPool shop\n") for qw(shop said);
my ($r, $log) = try_upload('/shop/x');
is $r->{status}, 500, 'a pool of .htaccess in a DocumentRoot: 500';
like $log, qr{UPL0126:.*pool /\S*/shop: DocumentRoot \Q$docs\E .*UploadPoolPublic},
    'the error log tells why';
unlike $r->{body}, qr/htdocs|shop/, 'the answer does not';
is_deeply [pool_files("$root/shop")], [], 'nothing was stored';
is +(try_upload('/said/x'))[0]{status}, 200, 'On for that directory: taken';
spew("$docs/inner/.htaccess", "UploadPool shop\nUploadPoolPublic On\n");
($r, $log) = try_upload('/inner/x');
is $r->{status}, 500, '.htaccess itself may not say so';
like $log, qr/UploadPoolPublic not allowed here/, 'and httpd tells';

done_testing;
