# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# A front controller with its rules in .htaccess, behind
# conf/examples/nextcloud-like.conf: what $_FILES has for several files of a
# directory, for an input left empty and for a file that is too large; and tus.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Applications;
use UploadPool::Test;

my $site = UploadPool::Applications->new;
END { undef $site }
my $root = $site->make_dir('front');
my $php = $site->fpm(environment => {FILES => $site->make_dir('taken')},
    upload_max_filesize => '8M', post_max_size => '9M');
my $config = "DocumentRoot \"$root\"\nDirectoryIndex index.php\n"
    . "<Directory \"$root\">\nAllowOverride FileInfo\n</Directory>\n"
    . "<FilesMatch \"\\.php\$\">\n$php</FilesMatch>\n";
spew("$root/index.php", slurp(var('top') . '/t/apps/front/index.php'));
my ($rules) = slurp(var('top') . '/conf/examples/nextcloud-like.conf')
    =~ /^((?:#     .*\n)+)/m;
spew("$root/.htaccess", $rules =~ s/^#     //mgr);

sub page { return $_[0]->get($site->url('/apps/files/')) }

# What it says of the files of one form, with digests for the files themselves.
sub by_page
{
    my ($agent, $how, $path, @files) = @_;
    my $form = form(page($agent), 'files[]');
    $form->action($site->url($path));
    $form->value('about[title]', "Caf\xe9");
    my @inputs = $form->find_input('files[]');
    for my $n (0 .. $#files) {
        fill($inputs[$n], $files[$n]) if $files[$n];
    }
    my $answer = press($agent, $form, 'send');
    is $answer->code, 200, "$how: $path";
    my $said = decode_json_text($answer->content) // {};
    delete $said->{fields}{token};
    for my $file (@{ $said->{files} }) {
        my $stored = delete $file->{stored} or next;
        $file->{digest} = digest(slurp($stored));
    }
    return $said;
}

my @forms = (
    ['/apps/files/upload', ['holiday/a.jpg', random_bytes(300_000)],
     ["holiday/b/caf\xe9.txt", '']],
    ['/index.php/apps/files/upload', ['a.txt', "x\n"], undef, ['b', '0']],
    # More than MAX_FILE_SIZE, a field that stands before it.
    ['/apps/files/upload', ['large', random_bytes(1_000_001)], ['c', 'c']],
);
my @said;
for my $front ('', $site->example('nextcloud-like.conf')) {
    $site->serve($config . $front);
    my $agent = browser();
    my $how = $front ? 'behind' : 'alone';
    push @said, [map { by_page($agent, $how, @$_) } @forms];
}
is_deeply $said[1], $said[0], '$_FILES and $_POST are the same';
my $first = $said[1][0]{files};
is $first->[0]{digest}, digest($forms[0][1][1]), 'every byte';
is $first->[1]{full_path}, "holiday/b/caf\xe9.txt", 'and where it was';
is $first->[2]{error}, 4, 'the input that was left empty';
is $said[1][2]{files}[0]{error}, 2, 'the file that is too large';

# By tus, the input's name is the server's to say.
{
    my $agent = browser();
    my $token = form(page($agent), 'token')->value('token');
    my $url = $site->url('/apps/files/upload');
    my $bytes = random_bytes(5_000_000);
    spew($site->dir('large.bin'), $bytes);
    my %metadata = (filename => 'large.bin', filetype => 'image/x',
                    token => $token);
    my $answer = decode_json_text($site->run('node',
        var('top') . '/t/apps/tus.js', $url, $site->dir('large.bin'),
        as_json(\%metadata), cookies($agent, $url)));
    is $answer->{cuts}, 1, 'tus: was cut';
    my $file = (decode_json_text($answer->{body}) // {})->{files}[0];
    is $file->{name}, 'large.bin', 'tus: name';
    is $file->{type}, 'image/x', 'tus: type';
    is $file->{stored} && digest(slurp($file->{stored})), digest($bytes),
        'tus: every byte';
}
is_deeply [map { s/ \S+$//r } $site->passed(4)],
    [('POST /apps/files/upload', 'POST /index.php/apps/files/upload',
      'POST /apps/files/upload', 'POST /apps/files/upload')],
    'each came out of the pool';
is_deeply [$site->kept], [], 'the pool keeps no file';

done_testing;
