#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Interim answers while a client still sends: Perl's LWP, PHP's streams, Java
#
# A server that takes resumable uploads sends 104 (draft-ietf-httpbis-
# resumable-upload) while the body comes, one or several; 102 and 103 are of the
# same kind. RFC 9110 15.2: a client skips those that it does not know.
#
# Versions: libwww-perl 6.78-1+deb13u1, perl-modules-5.40 5.40.1-6+deb13u1,
#   php8.4-cli 8.4.28-1~deb13u1, openjdk-21-jdk-headless 21.0.13.1+2-1~deb13u1
#   of Debian 13
# Guess: LWP and HTTP::Tiny skip them, PHP's http:// wrapper skips them, Java's
#   HttpClient takes the first for the final answer.
# Seen, by how many 104 come before the 200:
#                   1            2            8            9
#   HTTP::Tiny      200          200          200          200
#   LWP             104          104          104          104
#   PHP             200          104, false   104, false   104, false
#   HttpClient      200          200          200          exception
#   PHP skips exactly one and then returns false, with the status line of the
#   second; Java says "Too many interim responses received: 9 > 8" or, when it
#   was still sending, that the channel is closed.
# Who meets it: scripts in Perl and PHP that upload to a server, or through a
#   proxy, that sends 103 or 104; Java programs on uploads that send a 104 for
#   every megabyte. The upload is whole on the server and failed for the client,
#   which sends it again. A server does well to send one such answer, at most,
#   to clients that did not ask for more.

. "$(dirname "$0")/lib/folder.sh"
port=22301
debian_root trixie libwww-perl=6.78-1+deb13u1 \
    perl-modules-5.40=5.40.1-6+deb13u1 php8.4-cli=8.4.28-1~deb13u1 \
    openjdk-21-jdk-headless=21.0.13.1+2-1~deb13u1
cat >"$folder/server.pl" <<'EOF'
use strict;
use warnings;
use IO::Socket::INET;
my $listen = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$ARGV[0]",
    Listen => 5, ReuseAddr => 1) or die "$!";
while (my $client = $listen->accept) {
    my ($head, $got) = ('', 0);
    while (index($head, "\r\n\r\n") < 0) {
        sysread($client, $head, 1, length $head) or last;
    }
    my ($interim) = $head =~ m{^POST /(\d+)} or next;
    my ($length) = $head =~ /^Content-Length: *(\d+)/im;
    while ($got < $length) {
        $got += sysread($client, my $piece, 65536) || last;
        next if $got < 65536;
        print $client "HTTP/1.1 104 Upload Resumption Supported\r\n",
            "Upload-Offset: $got\r\n\r\n" while $interim-- > 0;
        $client->flush;
    }
    select undef, undef, undef, 0.3;
    print $client "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
        "Connection: close\r\n\r\nok";
    close $client;
}
EOF
start perl "$folder/server.pl" $port
listening $port
srv=$folder/root/srv
head -c 1000000 /dev/zero >"$srv/body"
cat >"$srv/lwp" <<'EOF'
use LWP::UserAgent;
local $/;
open my $file, '<', '/srv/body';
print LWP::UserAgent->new(timeout => 10)
    ->post($ARGV[0], Content => <$file>)->code;
EOF
cat >"$srv/tiny" <<'EOF'
use HTTP::Tiny;
local $/;
open my $file, '<', '/srv/body';
print HTTP::Tiny->new(timeout => 10)
    ->post($ARGV[0], { content => <$file> })->{status};
EOF
cat >"$srv/stream.php" <<'EOF'
<?php
$got = @file_get_contents($argv[1], false, stream_context_create(['http' => [
    'method' => 'POST', 'content' => file_get_contents('/srv/body'),
    'protocol_version' => 1.1, 'timeout' => 10,
    'header' => "Content-Type: application/octet-stream\r\nConnection: close"]]));
echo substr($http_response_header[0], 9, 3), $got === false ? ' false' : '';
EOF
cat >"$srv/Send.java" <<'EOF'
import java.net.URI;
import java.net.http.*;
import java.nio.file.*;
public class Send {
    public static void main(String[] arguments) throws Exception {
        try {
            System.out.print(HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1).build()
                .send(HttpRequest.newBuilder(URI.create(arguments[0]))
                    .POST(HttpRequest.BodyPublishers.ofByteArray(
                        Files.readAllBytes(Path.of("/srv/body"))))
                    .build(), HttpResponse.BodyHandlers.ofString()).statusCode());
        } catch (java.io.IOException error) {
            Throwable cause = error;
            while (cause.getCause() != null)
                cause = cause.getCause();
            System.err.print(cause);
            System.out.print(cause instanceof java.net.ProtocolException
                || cause instanceof java.nio.channels.ClosedChannelException
                ? "exception" : cause);
        }
        System.exit(0);
    }
}
EOF
java=$(cd "$folder/root" && ls -d usr/lib/jvm/java-21-openjdk-*/bin/java)
for interim in 1 2 8 9; do
    url=http://127.0.0.1:$port/$interim
    is "HTTP::Tiny, $interim" "$(inside perl /srv/tiny "$url")" 200
    is "LWP, $interim" "$(inside perl /srv/lwp "$url")" 104
    case $interim in 1) want=200 ;; *) want="104 false" ;; esac
    is "PHP, $interim" "$(inside php8.4 -n /srv/stream.php "$url")" "$want"
    case $interim in
    9) want=exception ;;
    *) want=200 ;;
    esac
    is "HttpClient, $interim" \
        "$(inside "/$java" /srv/Send.java "$url" 2>/dev/null)" "$want"
done
finish
