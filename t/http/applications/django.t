# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Django's admin, behind conf/examples/django.conf, by mod_wsgi.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Applications;
use UploadPool::Test;

my $apps = var('top') . '/t/apps/django';
my $site = UploadPool::Applications->new;
END { undef $site }
my $own = $site->make_dir('library');
my %environment = (LIBRARY => $own, PYTHONPATH => $apps,
    PYTHONDONTWRITEBYTECODE => 1, DJANGO_SETTINGS_MODULE => 'library.settings');
my @django = ('env', (map { "$_=$environment{$_}" } sort keys %environment),
    'DJANGO_SUPERUSER_PASSWORD=secret', qw(/usr/bin/python3 -m django));
$site->run(@django, qw(migrate --run-syncdb -v 0));
$site->run(@django, qw(createsuperuser --noinput --username admin
                       --email admin@example.org));
$site->environment(%environment);
my $config = "WSGIDestroyInterpreter Off\n"
    . "WSGIScriptAlias /library $apps/library.wsgi\n";

sub by_admin
{
    my ($agent, $how) = @_;
    # Django keeps more than 2.5 MB in a file, less in memory.
    for my $size (3_000_000, 300, 0) {
        my $bytes = random_bytes($size);
        my $name = "${how}_$size.bin";
        my $page = $agent->get($site->url('/library/admin/library/book/add/'));
        $page = submit($agent, $page, {title => "Caf\xe9 $size",
            scan => [$name, $bytes]}, '_save');
        if (!$size) {
            like $page->decoded_content, qr/submitted file is empty/,
                "$how: an empty file";
            next;
        }
        like $page->decoded_content, qr/was added successfully/,
            "$how: $size bytes";
        is digest(slurp("$own/media/scans/$name")), digest($bytes),
            "$how: $size bytes: each of them";
        my ($url) = $page->decoded_content
            =~ m{href="(/library/admin/library/book/\d+/change/)"};
        $page = $agent->get($site->url($url));
        is form($page, 'title')->value('title'), "Caf\xe9 $size",
            "$how: $size bytes: the title";
        unlike $page->decoded_content, qr{covers/},
            "$how: $size bytes: the input that was left empty";
    }
    my $page = submit($agent,
        $agent->get($site->url('/library/admin/library/book/add/')),
        {title => 'none'}, '_save');
    like $page->decoded_content, qr/This field is required/, "$how: no file";
    return;
}

for my $front ('', $site->example('django.conf')) {
    $site->serve($config . $front);
    my $agent = browser();
    submit($agent, $agent->get($site->url('/library/admin/')),
           {username => 'admin', password => 'secret'});
    by_admin($agent, $front ? 'behind' : 'alone');
}
my $add = 'POST /library/admin/library/book/add/';
is_deeply [$site->passed(4)], ["$add 302", "$add 302", "$add 200", "$add 200"],
    'each came out of the pool';
is_deeply [$site->kept], [], 'the pool keeps no file';

done_testing;
