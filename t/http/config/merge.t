# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Virtual hosts with pools of their own, and how server, virtual host,
# <Directory>, <Location> and .htaccess are merged.

use strict;
use warnings FATAL => 'all';
use Test::More;
use File::Path ();
use UploadPool::Test;
use UploadPool::Httpd;

my $httpd = UploadPool::Httpd->new;
my ($main, $one, $two, $place) = map { $httpd->make_pool($_) }
    qw(main one two place);
my $docs = $httpd->dir('htdocs');
File::Path::make_path(map { "$docs/$_" } qw(dir/sub plain off));
my @key = map { "the key of the virtual host $_, long" } 0 .. 2;
my $port = $httpd->port;
$httpd->start(<<"END");
SetHandler upload-pool
UploadPool "$main"
UploadMaxSize 4000B
UploadMaxParts 3
UploadAllow png jpg
<Directory "$docs/dir">
    AllowOverride All
    UploadMaxSize 3000B
    UploadDigest md5
</Directory>
<Location /dir/sub>
    UploadMaxSize 2000B
</Location>
<Location /off>
    UploadPool off
</Location>
<Location /off/again>
    UploadPool "$place"
</Location>
<Location /wide>
    UploadMaxSize 0
    UploadAllow gif
</Location>
<Location /closed>
    UploadProtocol tus
    UploadProtocol resumable
</Location>
<Location /closed/open>
    UploadProtocol multipart
</Location>
<Location /closed/required>
    UploadRequire multipart
</Location>
<LocationMatch "^/mint">
    UploadMint On
</LocationMatch>
<VirtualHost 127.0.0.1:$port>
    ServerName main.test
</VirtualHost>
<VirtualHost 127.0.0.1:$port>
    ServerName one.test
    UploadPool "$one"
    UploadKey "$key[1]"
    UploadMaxSize 1000B
</VirtualHost>
<VirtualHost 127.0.0.1:$port>
    ServerName two.test
    UploadPool "$two"
    UploadKey "$key[2]" "$key[0]"
    <Location /place>
        UploadPool "$place"
    </Location>
</VirtualHost>
<VirtualHost 127.0.0.1:$port>
    ServerName off.test
    UploadPool off
</VirtualHost>
END
my @port = (port => $port);

sub send_to
{
    my ($host, $url, %o) = @_;
    my $size = delete $o{size} || 0;
    my @form = ({name => 'f', filename => $o{name} || 'a.png',
                 content => 'x'});
    my ($empty) = multipart([@form, {name => 'p', value => ''}]);
    push @form, {name => 'p', value => 'v' x ($size - length $empty)} if $size;
    my $id = exists $o{id} ? $o{id} : new_id();
    return upload($url, \@form, id => $id, accept => 'application/json', @port,
                  headers => ['Host', $host]);
}

sub count_in { return scalar grep { /\.bin$/ } pool_files($_[0]) }

# --- Which pool -----------------------------------------------------------------

for my $case (['main.test', '/x', $main, undef],
              ['unknown.test', '/x', $main, undef],
              ['one.test', '/x', $one, $key[1]],
              ['two.test', '/x', $two, $key[2]],
              ['two.test', '/y', $two, $key[0]],
              ['two.test', '/place', $place, $key[2]],
              ['main.test', '/off/again', $place, undef],
              ['off.test', '/off/again', $place, undef]) {
    my ($host, $url, $pool, $key) = @$case;
    my %before = map { $_ => count_in($_) } $main, $one, $two, $place;
    my $id = new_id();
    my $r = send_to($host, $url, id => $key ? sign($key, $id) : $id);
    is $r->{status}, 200, "$host$url: taken" or diag $r->{body};
    my %grew = map { count_in($_) > $before{$_} ? ($_ => 1) : () } keys %before;
    is_deeply [sort keys %grew], [$pool], "$host$url: into its own pool";
}
for my $case (['off.test', '/x'], ['main.test', '/off/x'],
              ['main.test', '/off/deeper']) {
    my ($host, $url) = @$case;
    is send_to($host, $url)->{status}, 404, "$host$url: off";
}
for my $case (['one.test', $key[2]], ['two.test', $key[1]], ['one.test', undef],
              ['main.test', $key[1]], ['one.test', $key[0]]) {
    my ($host, $key) = @$case;
    my $id = new_id();
    is send_to($host, '/x', id => $key ? sign($key, $id) : $id)->{status}, 403,
        "$host: a signature of another host, or none";
    is status('/x', $key ? sign($key, $id) : $id, @port,
              headers => ['Host', $host])->{status}, 403,
        "$host: nor does its status tell";
}
{
    # The same identifier in two pools is two uploads.
    my $id = new_id();
    is send_to('one.test', '/x', id => sign($key[1], $id))->{status}, 200,
        'an identifier in one pool';
    is send_to('two.test', '/x', id => sign($key[2], $id))->{status}, 200,
        'and the same in another';
    ok -e "$one/$id/metadata.json" && -e "$two/$id/metadata.json",
        'both are there';
    my $gone = request('DELETE', "/x?X-Progress-ID=" . sign($key[1], $id),
                       @port, headers => ['Host', 'one.test']);
    is $gone->{status}, 200, 'the first goes';
    ok !-e "$one/$id", 'it is gone';
    ok -e "$two/$id/metadata.json", 'the second is there';
    is status('/x', sign($key[2], $id), @port,
              headers => ['Host', 'two.test'])->{state}, 'done',
        'and its status says so';
}

# --- Which limit -----------------------------------------------------------------

sub holds
{
    my ($host, $url, $limit, $why) = @_;
    for my $over (0, 1) {
        my $id = new_id();
        my %key = ('one.test' => $key[1], 'two.test' => $key[2]);
        is send_to($host, $url, size => $limit + $over, id => $key{$host}
                   ? sign($key{$host}, $id) : $id)->{status},
            $over ? 413 : 200, "$why: $limit and $over";
    }
    return;
}

holds('main.test', '/x', 4000, 'the server');
holds('one.test', '/x', 1000, 'a virtual host of its own');
holds('two.test', '/x', 4000, 'a virtual host without');
holds('main.test', '/dir/x', 3000, '<Directory>');
holds('main.test', '/dir/sub/x', 2000, '<Location> over <Directory>');
spew("$docs/dir/.htaccess", "UploadMaxSize 2500B\n");
holds('main.test', '/dir/x', 2500, '.htaccess');
holds('main.test', '/dir/sub/x', 2000, '<Location> over .htaccess');
spew("$docs/dir/.htaccess", "UploadMaxSize 1500B\n");
holds('main.test', '/dir/sub/x', 1500, '.htaccess below <Location>');
spew("$docs/dir/.htaccess", "UploadMaxSize 1T\n");
holds('main.test', '/dir/x', 3000, '.htaccess above <Directory>');
is send_to('main.test', '/wide', size => 100_000, name => 'a.gif')->{status},
    200, '<Location> may lift it: 0 is no limit';
is send_to('main.test', '/wide', name => 'a.png')->{status}, 415,
    '<Location> has its own list';
is send_to('main.test', '/x', name => 'a.gif')->{status}, 415,
    'the list of the server';
{
    my $r = upload('/dir/x', [map { {name => "p$_", value => 'v'} } 1 .. 4],
                   id => new_id(), @port, headers => ['Host', 'main.test']);
    is $r->{status}, 413, 'what <Directory> does not say is as above it';
}
is request('POST', '/mint/new', @port)->{status}, 201, 'a flag of one place';
is request('POST', '/x/new', @port)->{status}, 404, 'is off elsewhere';

# --- Which protocol ---------------------------------------------------------------

for my $case (['/x', 200, 'forms are open'],
              ['/closed/x', 404, 'not where other protocols are named'],
              ['/closed/open/x', 200, 'a section takes the place of the outer'],
              ['/closed/required/x', 415, 'closed, and nothing else may pass']) {
    my ($url, $status, $what) = @$case;
    my $held = count_in($main);
    is send_to('main.test', $url)->{status}, $status, "UploadProtocol: $what";
    is count_in($main) - $held, $status == 200 ? 1 : 0, '... and the pool';
}

# --- A graceful restart with other values -------------------------------------------

my $conf = slurp($httpd->dir('httpd.conf'));
$conf =~ s/UploadMaxSize 4000B/UploadMaxSize 500B/;
$conf =~ s/UploadAllow png jpg\n/UploadAllow png jpg gif\nUploadProgressSlots 64\n/;
spew($httpd->dir('httpd.conf'), $conf);
my $at = length $httpd->error_log;
kill 'USR1', $httpd->pid;
ok wait_for(sub {
    substr($httpd->error_log, $at) =~ /resuming normal/
        && send_to('main.test', '/x', name => 'a.gif')->{status} == 200
}), 'after a graceful restart the new list holds';
holds('main.test', '/x', 500, 'after a graceful restart');
like substr($httpd->error_log, $at), qr/UPL0003: UploadProgressSlots stays 4096/,
    'another number of slots has to wait, and the log says so';
is scalar(() = $httpd->error_log =~ /exit signal/g), 0, 'no child died';

done_testing;
