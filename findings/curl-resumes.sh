#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# curl resumes an upload: what its Content-Range says
#
# Version: curl 8.14.1-2+deb13u7 (Debian 13)
# Guess: `-C - -T file` asks the server how much is there (HEAD) or sends the
#   file without Content-Range; `-C 400 -T -` from a pipe says bytes 400-*/*, the
#   rest of what comes; `-r 100-199 -T file` sends those hundred bytes.
# Seen: `-C -` asks nobody and sends all of it as bytes 0-999/1000. From a pipe
#   curl throws 400 bytes away and sends the rest as `bytes 400-398/399`, a range
#   that ends before it begins (RFC 9110 14.4: invalid). `-r` sends the whole
#   file under bytes 100-199/1000.
# Who meets it: scripts that upload by curl to a server that takes Content-Range.
#   Only `-C OFFSET -T FILE` is right, and the offset has to be asked for by the
#   script. A server must compare the length of the body with the range and
#   refuse the other two; one that believed the range would store a thousand bytes
#   in the place of a hundred.

. "$(dirname "$0")/lib/folder.sh"
debian_root trixie curl=8.14.1-2+deb13u7
cat >"$folder/server.pl" <<'EOF'
use strict;
use warnings;
use IO::Socket::INET;
my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1:22309',
    Listen => 5, ReuseAddr => 1) or die "$!";
while (my $client = $listen->accept) {
    my $head = '';
    while (my $line = <$client>) {
        last if $line eq "\r\n";
        $head .= $line;
    }
    next if $head eq '';
    my ($method) = $head =~ /^(\w+)/;
    my ($range) = $head =~ /^Content-Range: *([^\r]*)/im;
    my ($length) = $head =~ /^Content-Length: *(\d+)/im;
    my $body = '';
    if (defined $length) {
        read $client, $body, $length;
    } else {
        while (my $line = <$client>) {
            $line =~ s{\r\n}{};
            last unless hex $line;
            read $client, my $piece, hex $line;
            $body .= $piece;
            <$client>;
        }
    }
    my $said = join ' ', $method, $range // 'no range', length $body;
    print $client "HTTP/1.1 200 OK\r\nConnection: close\r\n",
        "Content-Length: ", length $said, "\r\n\r\n$said";
    close $client;
}
EOF
start perl "$folder/server.pl"
listening 22309
head -c 1000 /dev/zero >"$folder/root/srv/file"
send()
{
    inside curl -sS -m 20 -H Expect: "$@" http://127.0.0.1:22309/ \
        <"$folder/root/srv/file"
}
is "-C 400 -T file" "$(send -C 400 -T /srv/file)" "PUT bytes 400-999/1000 600"
is "-C - -T file" "$(send -C - -T /srv/file)" "PUT bytes 0-999/1000 1000"
is "-C 400 -T -" "$(send -C 400 -T -)" "PUT bytes 400-398/399 600"
is "-r 100-199 -T file" "$(send -r 100-199 -T /srv/file)" \
    "PUT bytes 100-199/1000 1000"
finish
