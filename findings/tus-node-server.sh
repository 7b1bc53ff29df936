#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# @tus/server where it is not what the protocol's other servers are
#
# Versions: @tus/server 2.4.5 with @tus/file-store 2.1.1
# Guess: POST with X-HTTP-Method-Override: PATCH is a PATCH (tus 1.0 demands it);
#   an upload that was deleted answers 410 to HEAD; onUploadFinish is called once
#   for an upload; a part for concatenation, which it does not offer, is taken as
#   an ordinary upload; a HEAD beside a running PATCH is answered while that goes
#   on.
# Seen: the override is not looked at: 400, as a creation without a length.
#   Deleted is 404. Every PATCH of nothing at the end of a finished upload calls
#   onUploadFinish again. A part is 501. A HEAD ends the running PATCH after
#   three seconds, which is answered 204 with the offset reached so far, and
#   only then gets its own answer.
# Who meets it: applications that move between tus servers. Clients with
#   overridePatchMethod (networks that let only GET and POST through) work with
#   servers that follow that sentence and not here; parallelUploads fails at
#   once; onUploadFinish has to bear being called twice, since clients that lost
#   the last answer ask with such a PATCH; a monitor that asks by HEAD slows the
#   upload that it watches.

. "$(dirname "$0")/lib/folder.sh"
npm_packages @tus/server@2.4.5 @tus/file-store@2.1.1
cat >"$folder/server.mjs" <<'EOF'
import { Server } from '@tus/server';
import { FileStore } from '@tus/file-store';
new Server({
    path: '/files',
    datastore: new FileStore({ directory: process.argv[2] }),
    onUploadFinish: async () => { console.log('finished'); return {}; },
}).listen({ host: '127.0.0.1', port: 22305 });
EOF
mkdir "$folder/files"
start node "$folder/server.mjs" "$folder/files" >"$folder/finished"
listening 22305
site=http://127.0.0.1:22305
tus()
{
    curl -s -m 20 -o "$folder/body" -D "$folder/head" -w '%{http_code}' \
        -H 'Tus-Resumable: 1.0.0' "$@"
}
header()
{
    tr -d '\r' <"$folder/head" | sed -n "s/^$1: //Ip"
}
create()
{
    tus -X POST -H "Upload-Length: $1" $site/files >/dev/null
    header location
}
patch="-X PATCH -H Content-Type:application/offset+octet-stream"

upload=$(create 3)
is "PATCH by X-HTTP-Method-Override" "$(tus -X POST \
    -H 'X-HTTP-Method-Override: PATCH' -H 'Upload-Offset: 0' \
    -H 'Content-Type: application/offset+octet-stream' -d abc "$upload")" 400
is "PATCH" "$(tus $patch -H 'Upload-Offset: 0' -d abc "$upload")" 204
is "finished, once" "$(grep -c finished "$folder/finished")" 1
is "PATCH of nothing at the end" \
    "$(tus $patch -H 'Upload-Offset: 3' -d '' "$upload")" 204
is "finished, again" "$(grep -c finished "$folder/finished")" 2
upload=$(create 3)
is "DELETE" "$(tus -X DELETE "$upload")" 204
is "HEAD of what was deleted" "$(tus -I "$upload")" 404
is "a part for concatenation" "$(tus -X POST -H 'Upload-Length: 3' \
    -H 'Upload-Concat: partial' $site/files)" 501
upload=$(create 100000)
cat >"$folder/half.pl" <<'EOF'
use strict;
use warnings;
use IO::Socket::INET;
my $server = IO::Socket::INET->new('127.0.0.1:22305') or die;
my ($path) = $ARGV[0] =~ m{//[^/]*(/.*)};
print $server "PATCH $path HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\n",
    "Content-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\n",
    "Content-Length: 100000\r\n\r\n", 'a' x 50000;
$server->flush;
my ($status) = <$server> =~ / (\d+)/;
my $offset = 'none';
while (my $line = <$server>) {
    $offset = $1 if $line =~ /^Upload-Offset: (\d+)/i;
    last if $line eq "\r\n";
}
print "$status $offset\n";
EOF
perl "$folder/half.pl" "$upload" >"$folder/half" &
half=$!
sleep 1
is "HEAD beside a PATCH that is half there" \
    "$(tus -I "$upload") $(header upload-offset)" "200 50000"
wait $half
is "that PATCH" "$(cat "$folder/half")" "204 50000"
finish
