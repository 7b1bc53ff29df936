# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Ikiwiki as Debian has it, in Perl with CGI.pm: attachments of a page.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Applications;
use UploadPool::Test;

my $site = UploadPool::Applications->new;
END { undef $site }
my $own = $site->make_dir('ikiwiki');
my $url = $site->url('');
my $source = $site->make_dir('ikiwiki/source');
$site->make_dir('ikiwiki/html');
spew("$source/index.mdwn", "Tests\n");
spew("$own/setup", <<"END");
# IkiWiki::Setup::Yaml - YAML formatted setup file
wikiname: Tests
srcdir: $source
destdir: $own/html
url: $url/wiki
cgiurl: $url/ikiwiki.cgi
cgi_wrapper: $own/ikiwiki.cgi
cgi_wrappermode: 0755
adminuser: [admin]
add_plugins: [attachment]
disable_plugins: [openid, emailauth]
allowed_attachments: "*"
END
$site->run('ikiwiki', '--setup', "$own/setup");
my $config = "ScriptAlias /ikiwiki.cgi $own/ikiwiki.cgi\n"
    . "Alias /wiki $own/html\nDirectoryIndex index.html\n";

sub attach
{
    my ($agent, $how) = @_;
    my $bytes = random_bytes(3_000_000);
    my $page = $agent->get($site->url('/ikiwiki.cgi?do=edit&page=index'));
    $page = submit($agent, $page, {attachment => ["$how scan.bin", $bytes]},
                   '_submit=Upload Attachment');
    like $page->content, qr/${how}_scan\.bin/, "$how: is attached";
    submit($agent, $page, {editcontent => "By $how.\n"}, '_submit=Save Page');
    my $stored = "$source/${how}_scan.bin";
    is -f $stored && digest(slurp($stored)), digest($bytes),
        "$how: every byte";
    is slurp("$source/index.mdwn"), "By $how.\n", "$how: the text";
    return;
}

$site->serve($config);
my $agent = browser();
my $page = $agent->get($site->url('/ikiwiki.cgi?do=signin'));
$page = submit($agent, $page, {name => ''}, '_submit=Register');
submit($agent, $page, {name => 'admin', password => 'secret',
    confirm_password => 'secret', email => 'admin@example.org'}, '_submit');
for my $front ('', $site->in_front('/ikiwiki.cgi')) {
    $site->serve($config . $front);
    $agent = browser();
    submit($agent, $agent->get($site->url('/ikiwiki.cgi?do=signin')),
           {name => 'admin', password => 'secret'}, '_submit');
    attach($agent, $front ? 'behind' : 'alone');
}
is_deeply [$site->passed(2)],
    ['POST /ikiwiki.cgi 200', 'POST /ikiwiki.cgi 302'],
    'each came out of the pool';
is_deeply [$site->kept], [], 'the pool keeps no file';

done_testing;
