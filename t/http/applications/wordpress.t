# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# WordPress as Debian has it, behind conf/examples/wordpress.conf: the media
# library, the plain form of media-new.php, and tus-js-client.

use strict;
use warnings FATAL => 'all';
use JSON::PP ();
use Test::More;
use UploadPool::Applications;
use UploadPool::Test;

my $secret = 'secret-of-tests';
my $site = UploadPool::Applications->new;
END { undef $site }
my $database = $site->database;
my $root = $site->dir('wordpress');
system('cp', '-RL', '/usr/share/wordpress', $root) == 0 or die "cp: $?";
my $uploads = $site->make_dir('wordpress/wp-content/uploads');
spew("$root/wp-config.php", <<"END");
<?php
define('DB_NAME', 'wordpress');
define('DB_USER', 'root');
define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:$database');
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('DISABLE_WP_CRON', true);
foreach (array('AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE') as \$name) {
    define(\$name . '_KEY', \$name . ' key of the tests');
    define(\$name . '_SALT', \$name . ' salt of the tests');
}
\$table_prefix = 'wp_';
define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
END
system('mariadb', '--no-defaults', '-S', $database, '-e',
       'create database wordpress') == 0 or die "mariadb: $?";
my $php = $site->fpm(upload_max_filesize => '256M', post_max_size => '257M');
my $config = "DocumentRoot \"$root\"\nDirectoryIndex index.php\n"
    . "<FilesMatch \"\\.php\$\">\n$php</FilesMatch>\n";

sub settings
{
    my ($page) = @_;
    my ($said) = $page->content =~ /_wpPluploadSettings = (\{.*?\});\n/
        or die 'the media library tells no settings';
    return JSON::PP::decode_json($said)->{defaults};
}

sub sent_is_stored
{
    my ($agent, $what, $answer, $name, $bytes) = @_;
    is $answer->{data}{mime}, 'video/mp4', "$what: its type";
    like $answer->{data}{filename}, qr/^\Q$name\E(?:-\d+)?\.mp4$/,
        "$what: name";
    my $url = $answer->{data}{url} // $site->url('/nowhere');
    is digest($agent->get($url)->content), digest($bytes), "$what: every byte";
    return;
}

# What the pages of the media library do.
sub by_library
{
    my ($agent, $how) = @_;
    my $bytes = random_bytes(3_000_000);
    my $said = settings($agent->get($site->url('/wp-admin/upload.php')));
    my $answer = $agent->post($site->url($said->{url}),
        Content_Type => 'form-data', Content => [
            name => 'my talk.mp4', %{ $said->{multipart_params} },
            $said->{file_data_name} => [undef, 'my talk.mp4',
                'Content-Type' => 'video/mp4', Content => $bytes]]);
    is $answer->code, 200, "$how: media library";
    sent_is_stored($agent, "$how: media library",
                   decode_json_text($answer->content), 'my-talk', $bytes);
    return;
}

# The smallest picture there is.
my $photo = pack 'H*', '89504e470d0a1a0a0000000d494844520000000100000001080600'
    . '00001f15c4890000000c49444154789c63606060000000040001f617385500000000'
    . '49454e44ae426082';

sub by_form
{
    my ($agent, $how) = @_;
    my $page = $agent->get(
        $site->url('/wp-admin/media-new.php?browser-uploader'));
    my %before = map { $_ => 1 } glob "$uploads/*/*/*.png";
    $page = submit($agent, $page,
        {'async-upload' => ["photo.png", $photo, 'image/png']}, 'html-upload');
    like $page->request->uri, qr{/upload\.php}, "$how: plain form";
    my ($new) = grep { !$before{$_} } glob "$uploads/*/*/*.png";
    is digest(slurp($new)), digest($photo), "$how: plain form: every byte";
    return;
}

# 200 MB from a page in a real browser, with one cut.
sub by_tus
{
    my $size = 200 << 20;
    my $file = $site->dir('film.mp4');
    open my $out, '>', $file or die "$file: $!";
    print $out 'begin';
    truncate $out, $size;
    seek $out, -3, 2;
    print $out 'end';
    close $out;
    my ($chromium) = grep { -x } map { "/usr/bin/$_" }
        qw(chromium chromium-browser google-chrome);
    my $said = decode_json_text($site->run('node',
        var('top') . '/t/apps/media.js', $site->url(''), 'admin', $secret,
        $file, $chromium // 'chromium', $site->make_dir('profile')));
    is $said->{cuts}, 1, 'tus: was cut';
    my $answer = decode_json_text($said->{body});
    is $answer->{data}{filename}, 'film.mp4', 'tus: name';
    my ($stored) = glob "$uploads/*/*/film.mp4";
    is digest_of($stored), digest_of($file), 'tus: every byte';
    return;
}

my $agent = browser();
$site->serve($config);
my $page = submit($agent,
    $agent->get($site->url('/wp-admin/install.php?step=1')),
    {weblog_title => 'Tests', user_name => 'admin', admin_password => $secret,
     admin_password2 => $secret, pw_weak => 'on',
     admin_email => 'admin@example.org'});
like $page->content, qr/Success/, 'WordPress is installed';
submit($agent, $agent->get($site->url('/wp-login.php')),
       {log => 'admin', pwd => $secret});
by_library($agent, 'alone');
by_form($agent, 'alone');

$site->serve($config . $site->example('wordpress.conf'));
$agent = browser();
submit($agent, $agent->get($site->url('/wp-login.php')),
       {log => 'admin', pwd => $secret});
by_library($agent, 'behind the module');
by_form($agent, 'behind the module');
by_tus();
is_deeply [$site->passed(3)], ['POST /wp-admin/async-upload.php 200',
    'POST /wp-admin/media-new.php 302', 'POST /wp-admin/async-upload.php 200'],
    'each came out of the pool';
is_deeply [$site->kept], [], 'the pool keeps no file';

done_testing;
