# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The programs that the manual and conf/examples print are run unchanged, except
# for the directory that they move files to.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my $taken = pool('handlers/taken');

# The lines behind the one that matches, as far as they are indented.
sub program
{
    my ($file, $after, $prefix) = @_;
    my $text = slurp(var('top') . "/$file");
    my ($block) = $text
        =~ /$after\n+((?:$prefix(?:    .*)?\n)+)/ or return;
    $block =~ s/^$prefix(?:    )?//mg;
    $block =~ s{/srv/photos}{$taken}g;
    return $block;
}

my %programs = (
    'php.php' => "<?php\n" . program('conf/examples/php.conf',
        'reads php://input:', '# ?') . "echo 'ran';\n",
    'manual.php' => "<?php\n" . program('conf/manual/application', 'PHP:', '')
        . "echo 'ran';\n",
    'perl.cgi' => program('conf/examples/cgi.conf',
        'in the same file system\.', '# ?') =~ s/\A\n//r,
    'python.cgi' => "#!/usr/bin/python3\n" . program('conf/manual/application',
        'CGI in Python:', '')
        . qq(print("Content-Type: text/plain\\n")\n)
        . qq(print(upload["files"][0]["filename"])\n),
);
my $content = random_bytes(50_000);
for my $name (sort keys %programs) {
    my $file = pool('handlers/snippets') . "/$name";
    spew($file, $programs{$name});
    chmod 0755, $file;
    empty_pool('handlers/taken');
    my $id = new_id();
    my $r = upload("/h/snippets/$name", [
        {name => 'file', filename => "my $name.jpg", content => $content},
        {name => 'text', value => 'x'},
    ], id => $id);
    is $r->{status}, 200, "$name: status" or diag $r->{body};
    like $r->{body}, $name =~ /php/ ? qr/^ran$/ : qr/^my[ _]\Q$name\E\.jpg$/,
        "$name: its answer";
    next if $name =~ /python/;
    my ($moved) = glob pool('handlers/taken') . "/*my_$name.jpg";
    ok $moved && slurp($moved) eq $content, "$name: the file is there";
    is scalar(grep { m{^\Q$id\E/.*\.bin} } pool_files('handlers/pool')),
        $name =~ /manual/ ? 1 : 0, "$name: a copy, or moved";
    is status("/h/snippets/$name", $id)->{state}, 'done', "$name: done";
    $r = request('POST', "/h/snippets/$name", body => '{"files":[]}',
                 headers => ['Content-Type', 'application/json']);
    is $r->{body}, $name =~ /php/ ? 'ran' : '', "$name: no upload, no file";
}
empty_pool('handlers/taken');
empty_pool('handlers/snippets');
is crashes_since($mark), 0, 'no child died';

done_testing;
