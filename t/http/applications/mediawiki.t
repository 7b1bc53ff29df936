# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# MediaWiki as Debian has it: Special:Upload, and api.php, also in pieces.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Applications;
use UploadPool::Test;

my $secret = 'secret-of-tests';
my $root = '/usr/share/mediawiki';
my $site = UploadPool::Applications->new;
END { undef $site }
my $own = $site->make_dir('mediawiki');
$site->make_dir("mediawiki/$_") for qw(data images cache);
$site->run('php', "$root/maintenance/install.php", '--dbtype=sqlite',
    "--dbpath=$own/data", "--confpath=$own", '--dbname=wiki',
    '--scriptpath=/wiki', '--server=' . $site->url(''), "--pass=$secret",
    'Tests', 'Admin');
spew("$own/LocalSettings.php", slurp("$own/LocalSettings.php") . <<"END");
\$wgEnableUploads = true;
\$wgUploadDirectory = "$own/images";
\$wgUploadPath = '/images';
\$wgCacheDirectory = "$own/cache";
\$wgTmpDirectory = "$own/cache";
\$wgFileExtensions[] = 'bin';
\$wgVerifyMimeType = false;
\$wgMaxShellMemory = 0;
END
my $php = $site->fpm(upload_max_filesize => '32M', post_max_size => '33M',
    environment => {MW_CONFIG_FILE => "$own/LocalSettings.php"});
my $config = "Alias /wiki $root\nAlias /images $own/images\n"
    . "DirectoryIndex index.php\n"
    . "<FilesMatch \"\\.php\$\">\n$php</FilesMatch>\n";

sub stored
{
    my ($name) = @_;
    my ($file) = glob "$own/images/?/??/$name";
    return $file ? digest(slurp($file)) : 'nothing';
}

sub by_page
{
    my ($agent, $how) = @_;
    my $bytes = random_bytes(300_000);
    my $page = $agent->get($site->url('/wiki/index.php/Special:Upload'));
    $page = submit($agent, $page, {wpUploadFile => ['picture.bin', $bytes],
        wpDestFile => "$how page.bin", wpUploadDescription => "Caf\xe9"},
        'wpUpload');
    like $page->request->uri, qr{title=File:${how}_page\.bin}i,
        "$how: Special:Upload";
    like $page->decoded_content, qr/Caf\xe9/, "$how: Special:Upload: the text";
    is stored("${how}_page.bin"), digest($bytes),
        "$how: Special:Upload: every byte";
    return;
}

sub ask
{
    my ($agent, @form) = @_;
    my $api = $site->url('/wiki/api.php');
    my $token = decode_json_text($agent->get(
        "$api?action=query&meta=tokens&format=json")->content);
    my $answer = $agent->post($api, Content_Type => 'form-data', Content => [
        action => 'upload', format => 'json', ignorewarnings => 1,
        token => $token->{query}{tokens}{csrftoken}, @form]);
    my $said = decode_json_text($answer->content);
    return $said->{upload} // {result => $answer->content};
}

sub by_api
{
    my ($agent, $how) = @_;
    my $bytes = random_bytes(300_000);
    my $said = ask($agent, filename => "$how api.bin",
                   file => [undef, 'x.bin', Content => $bytes]);
    is $said->{result}, 'Success', "$how: api.php";
    is stored("${how}_api.bin"), digest($bytes), "$how: api.php: every byte";
    # Its own way to send a large file.
    my $at = 0;
    my $key;
    for my $piece (unpack '(a100000)*', $bytes) {
        $said = ask($agent, filename => "$how pieces.bin", stash => 1,
            filesize => length $bytes, offset => $at,
            $key ? (filekey => $key) : (),
            chunk => [undef, 'blob', Content => $piece]);
        $key = $said->{filekey};
        $at += length $piece;
    }
    is $said->{result}, 'Success', "$how: api.php, in pieces";
    ask($agent, filename => "$how pieces.bin", filekey => $key);
    is stored("${how}_pieces.bin"), digest($bytes),
        "$how: api.php, in pieces: every byte";
    return;
}

my @fronts = ('', join '', map { $site->in_front("/wiki/$_") }
              qw(index.php api.php));
for my $how (qw(Alone Behind)) {
    $site->serve($config . shift @fronts);
    my $agent = browser();
    submit($agent, $agent->get($site->url('/wiki/index.php/Special:UserLogin')),
           {wpName => 'Admin', wpPassword => $secret}, 'wploginattempt');
    by_page($agent, $how);
    by_api($agent, $how);
}
is_deeply [$site->passed(6)], ['POST /wiki/index.php 302',
    ('POST /wiki/api.php 200') x 5], 'each came out of the pool';
is_deeply [$site->kept], [], 'the pool keeps no file';

done_testing;
