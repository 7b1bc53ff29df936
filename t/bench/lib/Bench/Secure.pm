# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package Bench::Secure;

# The floor and this module behind TLS, by HTTP/1.1 and by HTTP/2: what is left
# of a difference when both pay for the encryption and the frames. h2load
# (nghttp2) is the client.

use strict;
use warnings FATAL => 'all';
use Exporter 'import';

use Bench::Httpd;
use Bench::Options;
use Bench::Peers;
use Bench::Process;
use Bench::Report;
use Bench::Sections qw(empty_pools);
use Time::HiRes ();

our @EXPORT = qw(section_secure);

my $boundary = 'UpoolBenchBoundary';

sub tls_conf
{
    return load_module(qw(socache_shmcb ssl http2)) . <<"CONF";
SSLEngine on
SSLCertificateFile $opt{dir}/cert.pem
SSLCertificateKeyFile $opt{dir}/key.pem
Protocols h2 http/1.1
CONF
}

sub make_certificate
{
    run_or_die("$opt{dir}/build/cert.log", 'openssl', 'req', '-x509',
        '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
        '-subj', '/CN=localhost', '-days', 2, '-keyout', "$opt{dir}/key.pem",
        '-out', "$opt{dir}/cert.pem");
    return;
}

# A form with one file of random bytes.
sub make_form
{
    my ($name, $size) = @_;
    my $left = bytes_of($size);
    my $file = "$opt{fast}/$name";
    open my $random, '<:raw', '/dev/urandom' or die "urandom: $!";
    read $random, my $block, 2**20;
    close $random;
    open my $out, '>:raw', $file or die "$file: $!";
    print {$out} "--$boundary\r\nContent-Disposition: form-data; name=\"file\";"
        . " filename=\"load.bin\"\r\nContent-Type: application/octet-stream"
        . "\r\n\r\n";
    for (; $left > 0; $left -= length $block) {
        print {$out} substr $block, 0, $left;
    }
    print {$out} "\r\n--$boundary--\r\n";
    close $out or die "$file: $!";
    return $file;
}

sub one_run
{
    my ($server, $protocol, $form, $n, $connections) = @_;
    empty_pools();
    my $before = cpu(@{ $server->{pids} });
    my $begun = Time::HiRes::time();
    open my $out, '-|', 'h2load', '-n', $n, '-c', $connections, '-m', 1,
        $protocol eq 'HTTP/2' ? () : '--h1', '-d', $form, '-H',
        "content-type: multipart/form-data; boundary=$boundary",
        "https://127.0.0.1:$server->{port}/ram" or die "h2load: $!";
    my $said = do { local $/; <$out> };
    close $out;
    my ($good) = $said =~ /^status codes: (\d+) 2xx/m;
    die "*** $server->{name}: $said\n" if ($good // 0) != $n;
    my ($spoken) = $said =~ /^Application protocol: (\S+)/m;
    die "*** $server->{name}: spoke $spoken\n"
        if ($spoken eq 'h2') != ($protocol eq 'HTTP/2');
    return { cpu => cpu(@{ $server->{pids} }) - $before, n => $n,
        wall => Time::HiRes::time() - $begun };
}

sub section_secure
{
    my @lacking = ((grep { !in_path($_) } qw(h2load openssl)),
        grep { !-e modules() . "/$_" } qw(mod_ssl.so mod_http2.so));
    if (@lacking) {
        note("*** TLS: no @lacking, its tables are missing");
        return;
    }
    make_certificate();
    my %server = (floor => httpd('floor-tls', tls_conf() . floor_conf()));
    for my $build (builds()) {
        (my $file = "tls-$build->[0]") =~ tr/ /-/;
        $server{ $build->[0] } = httpd($file, tls_conf() . with_build($build));
    }
    my @names = grep { $server{$_} } 'floor', map { $_->[0] } builds();
    for my $case ([$opt{big}, 1, 1], ['64k', $opt{secure}, 16]) {
        my ($size, $n, $connections) = @$case;
        my $form = make_form("form-$size", $size);
        for my $protocol ('HTTP/1.1', 'HTTP/2') {
            one_run($server{$_}, $protocol, $form, $connections, $connections)
                for @names;
            my $all = rounds(sub { one_run($server{ $_[0] }, $protocol, $form,
                $n, $connections) }, @names);
            compare("Files of $size by TLS, $protocol, $connections "
                . "connections, $n files, on $opt{ram}", [
                ['CPU us/req', '%.0f', sub { $_[0]{cpu} * 1e6 / $_[0]{n} }],
                ['req/s', '%.1f', sub { $_[0]{n} / $_[0]{wall} }],
            ], $all, \@names, 'floor', "at $opt{commit}");
        }
        unlink $form;
    }
    stop($_) for map { @{ $server{$_}{pids} } } @names;
    empty_pools();
    return;
}

1;
