#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# tus-js-client resumes, and the server is busy for a moment
#
# Version: tus-js-client 4.3.1
# Guess: a 503 or 429 to the HEAD with which a stored upload is resumed is
#   treated like one to a PATCH: waited for by retryDelays, then asked again.
# Seen: 423 alone is asked again. With 429, 500, 502 or 503 the client forgets
#   the upload and makes a new one at once: POST, and all bytes from 0. The same
#   after a PATCH that failed: 503 to the PATCH is retried by HEAD, and when that
#   HEAD gets a 503 too, the upload begins again. A 429 to the PATCH itself is
#   not retried at all.
# Who meets it: pages with tus-js-client or Uppy behind a proxy or a server that
#   restarts or limits rates: a 503 of two seconds costs the gigabytes that were
#   there, and what was uploaded stays until it expires and counts in the quota.
#   A restart should keep connections waiting, not answer 503; a rate limit
#   should leave HEAD out; 423 is the answer for "busy, ask again".

. "$(dirname "$0")/lib/folder.sh"
npm_packages tus-js-client@4.3.1
cat >"$folder/resume.mjs" <<'EOF'
import http from 'node:http';
import * as tus from 'tus-js-client';
const [status, order, port] = process.argv.slice(2);
const asked = [];
// Refused once each, in this order.
const refused = order.split(',');
let offset = 500;
const server = http.createServer((request, response) => {
    let length = 0;
    request.on('data', (piece) => { length += piece.length; });
    request.on('end', () => {
        asked.push(request.method === 'PATCH'
            ? `PATCH@${request.headers['upload-offset']}` : request.method);
        const send = (code, headers) => response.writeHead(code,
            { 'Tus-Resumable': '1.0.0', ...headers }).end();
        if (request.method === refused[0]) {
            refused.shift();
            return send(+status);
        }
        if (request.method === 'POST') {
            offset = 0;
            return send(201, { Location: '/files/new' });
        }
        if (request.method === 'HEAD')
            return send(200, { 'Upload-Offset': offset, 'Upload-Length': 1000 });
        offset += length;
        return send(204, { 'Upload-Offset': offset });
    });
}).listen(+port, '127.0.0.1', () => {
    const end = (how) => { console.log(`${asked.join(' ')} ${how}`); process.exit(); };
    new tus.Upload(Buffer.alloc(1000), {
        endpoint: `http://127.0.0.1:${port}/files/`,
        uploadUrl: `http://127.0.0.1:${port}/files/old`,
        retryDelays: [10, 10, 10],
        onSuccess: () => end('done'), onError: () => end('error'),
    }).start();
});
EOF
resume()
{
    node "$folder/resume.mjs" "$1" "$2" 22302
}
is "HEAD answered 423" "$(resume 423 HEAD)" "HEAD HEAD PATCH@500 done"
for status in 429 500 502 503; do
    is "HEAD answered $status" "$(resume $status HEAD)" \
        "HEAD POST PATCH@0 done"
done
is "PATCH answered 503" "$(resume 503 PATCH)" \
    "HEAD PATCH@500 HEAD PATCH@500 done"
is "PATCH and HEAD answered 503" "$(resume 503 PATCH,HEAD)" \
    "HEAD PATCH@500 HEAD POST PATCH@0 done"
is "PATCH answered 429" "$(resume 429 PATCH)" "HEAD PATCH@500 error"
finish
