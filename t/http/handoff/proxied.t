# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# A form that mod_proxy_http sends on: with its length, as the application needs
# it, and without a second copy on disk, wherever the request was sent from.

use strict;
use warnings FATAL => 'all';
use IO::Socket::INET;
use POSIX ();
use Test::More;
use UploadPool::Httpd;
use UploadPool::Test;

# Answers with what came and how it was framed.
my $port = var('fakeport');
my $listener = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1',
    LocalPort => $port, ReuseAddr => 1) or die "listen: $!";
defined(my $sink = fork) or die "fork: $!";
if ($sink == 0) {
    while (my $client = $listener->accept) {
        my ($head, $body) = ('', '');
        $head .= <$client> until $head =~ /\r\n\r\n\z/;
        my ($length) = $head =~ /^Content-Length: (\d+)/mi;
        read $client, $body, $length if $length;
        my ($coding) = $head =~ /^Transfer-Encoding: (\S+)/mi;
        my $said = join ' ', length $body, $coding // 'length';
        print $client "HTTP/1.1 200 OK\r\nConnection: close\r\n"
            . 'Content-Length: ' . length($said) . "\r\n\r\n$said";
        close $client;
    }
    POSIX::_exit(0);
}
END {
    local $?;
    if ($sink) {
        kill 'KILL', $sink;
        waitpid $sink, 0;
    }
}

# Bytes that the server's processes have written, to files and to sockets.
sub written
{
    my ($httpd) = @_;
    my $sum = 0;
    for my $file (glob '/proc/[0-9]*/stat') {
        my ($pid) = $file =~ /(\d+)/;
        my $stat = eval { slurp($file) } // next;
        next unless $stat =~ /\) \S (\d+) / && $1 == $httpd->pid;
        my ($bytes) = slurp("/proc/$pid/io") =~ /^wchar: (\d+)/m;
        $sum += $bytes;
    }
    return $sum;
}

my $httpd = UploadPool::Httpd->new(modules => [qw(proxy proxy_http rewrite)]);
my $pool = $httpd->make_pool('proxied');
$httpd->start(<<"END");
ProxyPass /app http://127.0.0.1:$port/app
<LocationMatch "^/(?:app|rules)">
    UploadPool "$pool"
    UploadPassAs form
</LocationMatch>
<Location "/rules">
    RewriteEngine On
    RewriteRule . /app [PT]
</Location>
<Location "/app/passed">
    UploadPass /app/elsewhere
</Location>
END
my $size = 8 << 20;
my @parts = ({name => 'title', value => 'x'},
             {name => 'f', filename => 'f', content => 'x' x $size});
for my $url (qw(/app /rules/x /app/passed)) {
    upload($url, \@parts, port => $httpd->port);
    my $before = written($httpd);
    my $r = upload($url, \@parts, port => $httpd->port);
    my ($length, $how) = split / /, $r->{body};
    cmp_ok $length, '>', $size, "$url: the application has it";
    is $how, 'length', "$url: under its length";
    my $bytes = written($httpd) - $before;
    # Once into the pool, once to the application.
    cmp_ok $bytes, '>', 2 * $size, "$url: all of it is counted";
    cmp_ok $bytes, '<', 2.5 * $size, "$url: nothing is copied";
}

done_testing;
