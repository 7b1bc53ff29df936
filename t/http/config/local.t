# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# T8: every directive in .htaccess, once where the administrator allows Options,
# once where he allows something else; directives that only the administrator
# may use are also tried in a section of the file. No limit can be widened
# there.

use strict;
use warnings FATAL => 'all';
use File::Path ();
use Test::More;
use UploadPool::Httpd;
use UploadPool::Test;

# Something that each accepts, in the server's configuration at least.
my %args = (
    UploadPool => 'shop', UploadPoolRoot => 'pools', UploadPoolPublic => 'On',
    UploadMaxSize => '1M', UploadMaxFileSize => '1M', UploadMaxParts => 5,
    UploadMaxFieldSize => '1K', UploadMaxFields => '1M',
    UploadMaxHeaderSize => '1K', UploadURL => 'https://upload.example.com',
    UploadKey => '"a key of a customer, long enough for us"',
    UploadKeyFile => 'key', UploadIdentifierLifetime => '1h',
    UploadMint => 'On', UploadServe => 'On', UploadAllow => 'png',
    UploadDeny => 'php', UploadField => 'f max=1', UploadNames => 'utf8',
    UploadDigestField => 'digest', UploadDigest => 'md5', UploadInline => '1K',
    UploadScan => 'clamd:127.0.0.1:1', UploadScanTimeout => '1s',
    UploadScanFailure => 'refuse', UploadSniff => 'On',
    UploadHandler => 'digest', UploadPass => '/x', UploadPassAs => 'form',
    UploadPassField => '%{field} %{path}', UploadFileField => 'f',
    UploadKeyUse => 'handoff', UploadCleanup => '404',
    UploadExpires => '1h', UploadOwner => 'user', UploadProtocol => 'multipart',
    UploadCORS => 'Off', UploadChunkedMd5 => 'Off', UploadChunkedAuto => 'On',
    UploadInterim => 1, UploadRequire => 'any', UploadSync => 'On', UploadFileMode => '0600',
    UploadFileGroup => 0, UploadQuota => 'pool 1M', UploadFreeSpace => '1M',
    UploadRate => '1M', UploadMinRate => '1K', UploadPark => 'Off',
    UploadKeep => 'always', UploadProgress => 'shm',
    UploadProgressSlots => 64, UploadWatchers => 5, UploadReadSize => '64K',
    UploadSweepInterval => '1min',
);
my %context = slurp(var('top') . '/src/config/directives.c')
    =~ /AP_INIT_\w+\(\s*"(\w+)"\s*,[^"]*?,\s*(SDH|SD|S)\s*,\s*"/g;
is_deeply [sort keys %args], [sort keys %context],
    'every directive of the table is tried';

my $httpd = UploadPool::Httpd->new;
$httpd->make_pool($_) for qw(root root/shop);
my $fixed = $httpd->make_pool('fixed');
my $docs = $httpd->dir('htdocs');
File::Path::make_path(map { "$docs/$_" } qw(options other limits));
$httpd->start(<<"END");
UploadPoolRoot pools/root
SetHandler upload-pool
<Directory "$docs/options">
    AllowOverride Options
</Directory>
<Directory "$docs/other">
    AllowOverride AuthConfig FileInfo Indexes Limit
</Directory>
<Directory "$docs/limits">
    AllowOverride Options
    UploadPool "$fixed"
    UploadMaxFields 3000B
    UploadMaxFieldSize 2000B
    UploadMaxHeaderSize 500B
</Directory>
END
my @there = (port => $httpd->port);

sub answer_with
{
    my ($where, $text) = @_;
    spew("$docs/$where/.htaccess", "$text\n");
    my $at = length $httpd->error_log;
    my $r = request('GET', "/$where/x", @there);
    return ($r->{status}, substr $httpd->error_log, $at);
}

# --- Each of them -----------------------------------------------------------------

for my $name (sort keys %args) {
    my $line = "$name $args{$name}";
    my ($status, $log) = answer_with(other => $line);
    ok $status == 500 && $log =~ /$name not allowed here/,
        "$name, without Options: 500" or diag "$status: $log";
    ($status, $log) = answer_with(options => $line);
    if ($context{$name} eq 'SDH') {
        # Nothing was uploaded: 404 is the answer of one that is in force.
        ok $status != 500 && $log !~ /not allowed/, "$name, with Options: taken"
            or diag "$status: $log";
        next;
    }
    ok $status == 500 && $log =~ /$name not allowed here/,
        "$name is the administrator's: 500" or diag "$status: $log";
    ($status, $log) = answer_with(options => "<Files x>\n$line\n</Files>");
    ok $status == 500 && $log =~ /$name not allowed in <Files>/,
        "$name in a section: 500" or diag "$status: $log";
}

# --- Limits ---------------------------------------------------------------------

sub parts_of
{
    my ($name, $size) = @_;
    return [{name => 'f', value => 'v' x $size}] if $name eq 'UploadMaxFieldSize';
    return [{name => 'f', value => 'v', headers => ['X: ' . 'y' x $size]}]
        if $name eq 'UploadMaxHeaderSize';
    # The names count, too.
    return [map { {name => "f$_", value => 'v' x ($size / 2)} } 1, 2];
}

for my $case (['UploadMaxFieldSize', 2000], ['UploadMaxFields', 2900],
              ['UploadMaxHeaderSize', 400]) {
    my ($name, $limit) = @$case;
    my $try = sub {
        my ($line, $size) = @_;
        spew("$docs/limits/.htaccess", "$line\n");
        return upload('/limits/x', parts_of($name, $size), id => new_id(),
                      @there)->{status};
    };
    is $try->('', $limit), 200, "$name: what the server lets in";
    is $try->("$name 1M", $limit), 200, 'and still does with a higher one';
    is $try->("$name 1M", $limit + 200), 413, "$name 1M: no more than that";
    is $try->("$name 0", $limit + 200), 413, "$name 0: nor without limit";
    is $try->("$name 200B", $limit), 413, "$name 200B: less";
    is $try->("$name 200B", 60), 200, 'but as much as that';
}
$httpd->stop;
unlike $httpd->error_log, qr/exit signal/, 'no child died';

done_testing;
