# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# T8: conf/examples/htaccess-hosting.conf, for two customers: each reaches only
# his own uploads, and neither gets past the limits that the administrator has
# set.

use strict;
use warnings FATAL => 'all';
use File::Path ();
use Test::More;
use UploadPool::Httpd;
use UploadPool::Test;

my $httpd = UploadPool::Httpd->new;
my $port = $httpd->port;
my ($uid, $gid) = UploadPool::Httpd::owner();
my $group = getgrgid $gid;
my %key = (anna => 'a' x 40, bert => 'b' x 40);
my $conf = slurp(var('top') . '/conf/examples/htaccess-hosting.conf');

# Smaller limits, and httpd's own upload server where the customer's would be.
my ($head, $host) = $conf =~ /\A(.*?)(<VirtualHost.*)\z/s;
for ($host) {
    s/\*:80/127.0.0.1:$port/;
    s/(UploadMaxSize) 100M/$1 100K/;
    s/(UploadMaxFileSize) 50M/$1 50K/;
    s/(UploadQuota pool) 1G/$1 160K/;
    s/(UploadPoolRoot \S+) 2G/$1 220K/;
    s/(UploadFreeSpace) 5G/$1 1B/;
    s/(UploadFileGroup) anna/$1 $group/;
    s/SetHandler "proxy:[^"]*"/SetHandler upload-pool/;
    s{/srv/customers}{$httpd->dir('htdocs')}ge;
    s{/var/lib/upload_pool}{$httpd->dir('pools')}ge;
    s{/etc/apache2/upload-(\w+)\.key}{$httpd->dir("$1.key")}ge;
}
my $hosts = join '', map { $host =~ s/\banna\b/$_/gr } sort keys %key;
for my $name (sort keys %key) {
    File::Path::make_path($httpd->dir("htdocs/$name/htdocs/upload"));
    spew($httpd->dir("htdocs/$name/htdocs/upload/index.php"), '');
    spew($httpd->dir("$name.key"), "$key{$name}\n");
    chmod 0600, $httpd->dir("$name.key");
    $httpd->make_pool("$name/photos", 0710);
    my $root = $httpd->dir("pools/$name");
    chown -1, $gid, $root if $> == 0;
    chmod 0750, $root;
}
my $known = "$head$hosts";
my ($exit, $said) = $httpd->check($known);
is $exit, 0, 'the configuration is accepted' or diag $said;
$httpd->start($known);

my $url = '/upload/index.php';
sub htaccess
{
    my ($name, @lines) = @_;
    spew($httpd->dir("htdocs/$name/htdocs/upload/.htaccess"),
         join '', map { "$_\n" } @lines);
    return;
}
sub at { return (port => $port, headers => [Host => "$_[0].example.org",
                                            Accept => 'application/json']) }
sub minted
{
    my ($name) = @_;
    return request('POST', "$url/new", body => '', at($name))
        ->{json}{identifier};
}
sub put
{
    my ($name, $id, %file) = @_;
    return upload($url, [{name => 'f', filename => 'a.txt', type =>
        'text/plain', content => 'hello', %file}], id => $id, at($name));
}
sub stored { return UploadPool::Test::pool_files($httpd->dir("pools/$_[0]")) }

# --- What each has ------------------------------------------------------------

htaccess($_, 'UploadPool photos', 'UploadMaxFileSize 40K') for sort keys %key;
my %id;
for my $name (sort keys %key) {
    $id{$name} = minted($name);
    like $id{$name}, qr/^[0-9a-f-]{36}:[0-9a-f]{64}$/, "$name: an identifier";
    is $id{$name}, sign($key{$name}, $id{$name} =~ s/:.*//r),
        "$name: under the customer's key";
    is put($name, $id{$name}, content => "of $name")->{status}, 200,
        "$name: an upload";
    my ($file) = grep { /bin$/ } stored($name);
    my @stat = stat $httpd->dir("pools/$name/$file");
    is sprintf('%04o', $stat[2] & 07777), '0640', "$name: the group may read";
    is $stat[5], $gid, "$name: the customer's";
    my $r = request('GET', "$url/file?X-Progress-ID=$id{$name}", at($name));
    is $r->{body}, "of $name", "$name: and back";
    is $r->{headers}{'content-type'}, 'application/octet-stream',
        "$name: of no type";
    like $r->{headers}{'content-disposition'}, qr/^attachment;/,
        "$name: as an attachment";
    is $r->{headers}{'x-content-type-options'}, 'nosniff', "$name: nosniff";
    is $r->{headers}{'content-security-policy'}, 'sandbox', "$name: sandbox";
}

# --- What they do not get -------------------------------------------------------

my @before = stored('bert');
is put('anna', $id{bert})->{status}, 403, 'with the identifier of another';
is put('anna', sign($key{bert}, new_id()))->{status}, 403, 'or with his key';
is put('anna', undef)->{status}, 403, 'or with none';
for my $where ('/status?', '/file?', '?clear&') {
    is request('GET', "$url${where}X-Progress-ID=$id{bert}", at('anna'))
        ->{status}, 403, "$where of another";
}
is put('anna', minted('anna'), filename => $_)->{status}, 415, "no $_"
    for 'x.php', 'x.php.txt', 'x.PhTmL', 'x.html', '.htaccess.sh';
is put('anna', minted('anna'), filename => 'a.png', type => 'image/png',
       content => '<!DOCTYPE html><html><script>1</script></html>')->{status},
    415, 'no page that is called a picture';
is put('anna', minted('anna'), content => 'x' x 45_000)->{status}, 413,
    'his own limit';
htaccess('anna', 'UploadPool photos', 'UploadMaxFileSize 1G');
isnt put('anna', minted('anna') || sign($key{anna}, new_id()),
         content => 'x' x 60_000)->{status}, 200, 'not more than yours';
symlink $httpd->dir('pools/bert/photos'), $httpd->dir('pools/anna/link')
    or die "link: $!";
for my $line ('UploadPool ../bert/photos', 'UploadPool link',
              'UploadPool "' . $httpd->dir('pools/bert/photos') . '"',
              'UploadPool ' . '../' x 12 . 'tmp') {
    htaccess('anna', $line);
    is put('anna', sign($key{anna}, new_id()))->{status}, 500,
        $line =~ s/\S*logs\S*/.../r;
}
for my $line ('UploadKey "a key that anna has made up, 36 bytes"',
              'UploadSniff Off', 'UploadFileMode 0777', 'UploadQuota pool 0',
              'UploadOwner none', 'UploadServe Off', 'UploadPass /server-info',
              'Options +ExecCGI', 'SetHandler cgi-script',
              'UploadPoolPublic On', 'Header unset Content-Security-Policy') {
    htaccess('anna', 'UploadPool photos', $line);
    is put('anna', sign($key{anna}, new_id()))->{status}, 500, $line;
}
is_deeply [stored('bert')], \@before, 'the other has what he had';

# --- The disk -------------------------------------------------------------------

htaccess('anna', 'UploadPool photos');
my @status = map { put('anna', minted('anna'), content => 'x' x 45_000)
                       ->{status} } 1 .. 3;
is_deeply \@status, [200, 200, 507], 'a part of the disk';
$httpd->make_pool('anna/papers', 0710);
htaccess('anna', 'UploadPool papers');
@status = map { put('anna', minted('anna'), content => 'x' x 45_000)
                    ->{status} } 1 .. 3;
is_deeply \@status, [200, 507, 507], 'which a second pool does not double';
is put('bert', minted('bert'))->{status}, 200, 'of which another has his own';

$httpd->stop;
unlike $httpd->error_log, qr/$key{anna}|$key{bert}/, 'no key in the log';
unlike $httpd->error_log, qr/exit signal/, 'no child died';
done_testing;
