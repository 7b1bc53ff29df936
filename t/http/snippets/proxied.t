# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The adapters for Flask and Django behind a proxy, in a server that waits for
# every byte it is promised: unchanged views see what the client's own form would
# have shown them, and an administrator who has forgotten the key is told.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Snippets;
use UploadPool::Test;

my $server = var('top') . '/t/apps/wsgi/behind.py';
my $keyed = start_behind(var('freeport'),
    {UPLOADS_KEY => var('t_conf') . '/site/snippets.keys'},
    qw(python3 -B), $server, var('freeport'));
my $keyless = start_behind(var('cacheport'), {}, qw(python3 -B), $server,
                           var('cacheport'));

my $type = 'text/plain; charset=utf-16; format="a b"';
my @parts = (
    {name => 'title', value => 'Holiday'},
    {name => 'file', filename => 'dir/my file.txt', type => $type,
     content => 'x' x 10},
    {name => 'file', filename => "C:\\b\xc3\xa4r.bin", type => $type,
     content => 'y' x 2000},
);

# Flask and Werkzeug keep a name as it came; Django drops the directory.
sub sees
{
    my ($where, $how, $id) = @_;
    for my $query ('', 'before', 'after', 'before&after') {
        my $r = upload("$where/flask/" . ($query && "?$query"), \@parts,
                       id => $id->());
        is $r->{status}, 200, "Flask, $how, $query" or diag $r->{body};
        my $said = $r->{json};
        is_deeply [map { [@{$_}{qw(name bytes)}] } @{ $said->{files} }],
            [['dir/my file.txt', 10], ["C:\\b\xe4r.bin", 2000]],
            "Flask, $how, $query: files" or diag $r->{body};
        for my $file (@{ $said->{files} }) {
            is $file->{mimetype}, 'text/plain', "Flask, $how, $query: type";
            is_deeply $file->{params}, {charset => 'utf-16', format => 'a b'},
                "Flask, $how, $query: its parameters";
        }
        is_deeply $said->{fields}, [['title', 'Holiday']],
            "Flask, $how, $query: fields";
        for my $when (split /&/, $query) {
            cmp_ok $said->{$when}, '>', 500,
                "Flask, $how: get_data() $when request.files is the JSON";
        }
        is $said->{state}, 'done', "Flask, $how, $query: get_json()";
    }
    my $r = upload("$where/django/", \@parts, id => $id->());
    is $r->{status}, 200, "Django, $how" or diag $r->{body};
    my $said = $r->{json};
    is_deeply [map { [@{$_}{qw(name bytes kind)}] } @{ $said->{files} }],
        [['my file.txt', 10, 'InMemoryUploadedFile'],
         ["b\xe4r.bin", 2000, 'PoolFile']], "Django, $how: files"
        or diag $r->{body};
    for my $file (@{ $said->{files} }) {
        is_deeply [@{$file}{qw(type charset)}], ['text/plain', 'utf-16'],
            "Django, $how: type and charset";
        is_deeply $file->{extra}, {charset => 'utf-16', format => 'a b'},
            "Django, $how: content_type_extra";
    }
    is_deeply $said->{fields}, [['title', 'Holiday']], "Django, $how: fields";
    cmp_ok $said->{body}, '>', 500, "Django, $how: request.body is the JSON";
    return;
}

sees('/snippets-behind', 'a key for the hand-off', sub { undef });
sees('/snippets-minted', 'a key, and UploadMint', sub {
    request('POST', '/snippets-minted/flask/new', body => '')
        ->{json}{identifier} });
is $keyed->(), '', 'nothing went wrong there';

# --- Without a key ------------------------------------------------------------

for my $app (qw(flask django)) {
    my $r = upload("/snippets-keyless/behind/$app/", \@parts);
    is $r->{status}, 403, "$app, behind a proxy without a key: refused";
    like $r->{body}, qr/not signed/, "$app: and not called a form without a file";
    like $keyless->(), qr/needs a key: UploadKeyFile .*UPLOADS_KEY/s,
        "$app: standard error has the way out";
}
# In httpd itself the environment is the module's word.
for my $app (qw(wsgi flask/ django)) {
    my $r = upload("/snippets-keyless/$app", \@parts);
    is $r->{status}, 200, "$app, in the server without a key" or diag $r->{body};
    is scalar @{ $r->{json}{files} || [] }, 2, "$app: files";
}
for my $app (qw(wsgi flask/ django)) {
    my $r = request('POST', "/snippets-keyless/$app", body => '{"state":"done"}',
                    headers => ['Content-Type', 'application/json',
                                'X-Upload-State', 'done',
                                'X-Upload-Identifier', 'a']);
    is $r->{status}, 403, "$app: not where a client says so" or diag $r->{body};
}

done_testing;
