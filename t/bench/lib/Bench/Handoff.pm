# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package Bench::Handoff;

# What an application that reads a form costs with httpd alone, and with this
# module in front of it and "UploadPassAs form": by the same processes, at
# another URL.

use strict;
use warnings FATAL => 'all';
use Exporter 'import';

use Bench::Httpd;
use Bench::Options;
use Bench::Peers;
use Bench::Process;
use Bench::Report;
use Bench::Sections;

our @EXPORT = qw(section_handoff);

# The same places below /form.
sub behind
{
    return load_module('alias') . "Alias /form $opt{dir}/htdocs\n"
        . "LoadModule upload_pool_module $opt{module}\n"
        . pool_place('ram', $opt{fast}) . pool_place('disk', "$opt{dir}/data");
}

sub pool_place
{
    my ($place, $directory) = @_;
    return <<"CONF";
<Location /form/$place>
    UploadPool $directory/pool
    UploadPassAs form
    UploadKeep claimed
</Location>
CONF
}

sub start_proxied
{
    my ($cores) = @_;
    my $flask = start_python('flask', $cores, 8) or return undef;
    my $to = "http://127.0.0.1:$flask->{port}";
    my $server = httpd('proxied', load_module(qw(proxy proxy_http)) . behind()
        . join '', map { "ProxyPass /form$_ $to$_\nProxyPass $_ $to$_\n" }
            qw(/ram /disk));
    push @{ $server->{pids} }, @{ $flask->{pids} } if $server;
    return $server;
}

sub section_handoff
{
    my ($cores) = @_;
    my %server;
    $server{'mod_php'} = start_modphp(behind())
        if is_wanted('mod_php', php_module());
    $server{'php-fpm'} = start_fpm(behind())
        if is_wanted('php-fpm', fpm_program());
    $server{'proxy to flask'} = start_proxied($cores)
        if is_wanted('flask', has_python('flask'));
    for my $name (sort grep { $server{$_} } keys %server) {
        my $script = $name =~ /php/ ? '/up.php' : '';
        peer($name, $server{$name}, 'post', "/%P$script");
        peer("$name, form", $server{$name}, 'post', "/form/%P$script");
        many_files($_, $name, "$name, form")
            for ['100m', $opt{handoff}, 1], ['64k', 200 * $opt{handoff}, 4];
    }
    stop_peers();
    return;
}

# CPU of httpd and of the application together.
sub many_files
{
    my ($what, @names) = @_;
    my ($size, $n, $connections) = @$what;
    my @options = ('-s', $size, '-c', $connections);
    once($_, 'disk', @options, '-n', $connections) for @names;
    my $all = rounds(sub { once($_[0], 'disk', @options, '-n', $n) }, @names);
    compare("$names[0]: files of $size, $connections connections, $n files, "
        . "on $opt{disk}", [
        ['CPU ms/req', '%.2f', sub { $_[0]{cpu} * 1e3 / $_[0]{n} }],
        ['req/s', '%.1f', sub { $_[0]{n} / $_[0]{wall} }],
    ], $all, \@names, $names[0]);
    return;
}

1;
