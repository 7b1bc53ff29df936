# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# conf/snippets/php/prepend.php: a script finds in $_FILES and $_POST what PHP
# itself would have put there. The test learns this from PHP: the same form is
# sent to a context without a pool.

use strict;
use warnings FATAL => 'all';
use JSON::PP ();
use Test::More;
use UploadPool::Snippets;
use UploadPool::Test;

my ($key) = snippet_keys();

sub file
{
    my ($name, $filename, $content) = @_;
    return {name => $name, filename => $filename, content => $content,
            type => 'text/plain'};
}

# Where PHP keeps a file, and what the script did with it, differ.
sub plain
{
    my ($value) = @_;
    return $value unless ref $value;
    return [map { plain($_) } @$value] if ref $value eq 'ARRAY';
    return {map { $_ => plain($value->{$_}) }
            grep { !/^(?:tmp_name|stored|nothing)$/ } keys %$value};
}

my %form = (
    'one file' => [file('photo', 'a.txt', 'hello')],
    'a path' => [file('photo', 'C:\\dir\\a.txt', 'x'),
                 file('other', 'dir/b.txt', 'y')],
    'a list' => [map { file('f[]', "$_.txt", "of $_") } 1 .. 3],
    'names' => [file('f[one]', '1.txt', 'of 1'), file('f[two]', '2.txt', '22')],
    'nested' => [file('f[a][b][]', '1.txt', 'of 1'),
                 file('f[a][b][]', '2.txt', '22'),
                 file('f[a][c]', '3.txt', '333'), file('g', '4.txt', '4')],
    'the same name twice' => [file('f', '1.txt', 'of 1'),
                              file('f', '2.txt', '22')],
    'odd names' => [file('a.b c', '1.txt', 'of 1'),
                    {name => 'x.y z', value => 'v'},
                    {name => 'é&=+%41', value => 'é&=+%41'}],
    'fields' => [{name => 'a', value => "two\r\nlines"},
                 {name => 'l[]', value => 1}, {name => 'l[]', value => 2},
                 {name => 'h[x][y]', value => 3}, {name => 'a', value => 4},
                 {name => 'raw', value => "\xff\0\xfe"},
                 file('f', 'a.txt', '')],
);
for my $what (sort keys %form) {
    for my $where ('snippets', 'snippets-inline') {
        my $own = upload('/snippets-open/legacy', $form{$what});
        my $r = upload("/$where/legacy", $form{$what},
                       id => sign($key, new_id()));
        is $own->{status}, 200, "$what: PHP's own" or diag $own->{body};
        is $r->{status}, 200, "$where: $what" or diag $r->{body};
        is_deeply plain($r->{json}{post}), plain($own->{json}{post}),
            "$where: $what: \$_POST";
        is_deeply plain($r->{json}{files}), plain($own->{json}{files}),
            "$where: $what: \$_FILES" or diag $r->{body}, $own->{body};
    }
}

my $id = new_id();
my $r = upload('/snippets/legacy', $form{'one file'}, id => sign($key, $id));
is eval { slurp($r->{json}{files}{photo}{stored}) }, 'hello', 'it is moved';
is $r->{json}{files}{nothing}{error}, 4, 'an input left empty: no file';
is_deeply [glob pool('snippets') . "/$id/*.bin"], [],
    'and nothing is left, without a claim';
my $seen = seen($key);
$seen->{body} =~ s/"filename"/"Filename"/ or die;
$r = request('POST', '/snippets-open/legacy', body => $seen->{body},
             headers => [%{ $seen->{headers} }]);
is $r->{status}, 403, 'tampered with: the script does not run';
is $r->{body}, 'wrong signature', 'and says why';
$r = request('GET', '/snippets/legacy');
is_deeply $r->{json}, {files => [], post => []}, 'any other request passes';

done_testing;
