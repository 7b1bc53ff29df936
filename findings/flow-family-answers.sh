#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Resumable.js, Flow.js and simple-uploader.js: one family, three readings of a
# status
#
# Versions: resumablejs 1.1.0, @flowjs/flow.js 2.14.1, simple-uploader.js 0.6.0
#   (in jsdom 24.1.3)
# Guess: the three are alike. A test request (GET) that is answered 404 means
#   "this piece is not here" and the piece is sent; 202 to a piece is success;
#   413 is final.
# Seen:                     Resumable.js   Flow.js       simple-uploader
#   GET answered 404        piece is sent  file fails    file fails
#   GET answered 204        piece is sent  piece is sent piece is sent
#   POST answered 202       piece again    success       success
#   POST answered 413       piece again    file fails    piece again
# Who meets it: a server for these libraries (they share their parameters, and
#   examples for one are used for another). To a test request 204 is the only
#   answer for "not here" that all take, and 200 for "here"; a stored piece is
#   200 or 201, never 202; a piece that is too large comes again maxChunkRetries
#   times (100 by default with Resumable.js), so a limit has to be told to the
#   page as well.

. "$(dirname "$0")/lib/folder.sh"
npm_packages resumablejs@1.1.0 @flowjs/flow.js@2.14.1 simple-uploader.js@0.6.0 \
    jsdom@24.1.3
cat >"$folder/family.mjs" <<'EOF'
import http from 'node:http';
import { createRequire } from 'node:module';
import { JSDOM } from 'jsdom';
const [library, method, status, port] = process.argv.slice(2);
const asked = [];
let refused = false;
const server = http.createServer((request, response) => {
    request.resume().on('end', () => {
        asked.push(request.method);
        let code = request.method === 'GET' ? 204 : 200;
        if (request.method === method && !refused) {
            refused = true;
            code = +status;
        }
        response.writeHead(code).end();
    });
}).listen(+port, '127.0.0.1', () => {
    const { window } = new JSDOM('', { url: `http://127.0.0.1:${port}/` });
    for (const name of ['window', 'document', 'XMLHttpRequest', 'File', 'Blob',
        'FormData', 'FileReader', 'FileList', 'HTMLElement', 'Event'])
        globalThis[name] = name === 'window' ? window : window[name];
    Object.defineProperty(globalThis, 'navigator',
        { value: window.navigator, configurable: true });
    const Uploader = createRequire(import.meta.url)(library);
    const uploader = new Uploader({ target: `http://127.0.0.1:${port}/up`,
        chunkSize: 1000, testChunks: method === 'GET', chunkRetryInterval: 10,
        maxChunkRetries: 2 });
    const end = (how) => {
        console.log(`${asked.join(' ')} ${how}`);
        process.exit();
    };
    uploader.on('fileSuccess', () => end('success'));
    uploader.on('fileError', () => end('fails'));
    uploader.on('fileAdded', () => setTimeout(() => uploader.upload(), 1));
    uploader.addFile(new window.File([new window.Uint8Array(1000)], 'a.bin'));
});
EOF
answered()
{
    node "$folder/family.mjs" "$1" "$2" "$3" 22303 2>/dev/null
}
resumable=resumablejs
flow=@flowjs/flow.js
simple=simple-uploader.js
is "Resumable.js, GET 404" "$(answered $resumable GET 404)" "GET POST success"
is "Flow.js, GET 404" "$(answered $flow GET 404)" "GET fails"
is "simple-uploader, GET 404" "$(answered $simple GET 404)" "GET fails"
for library in $resumable $flow $simple; do
    is "$library, GET 204" "$(answered $library GET 204)" "GET POST success"
done
is "Resumable.js, POST 202" "$(answered $resumable POST 202)" \
    "POST POST success"
is "Flow.js, POST 202" "$(answered $flow POST 202)" "POST success"
is "simple-uploader, POST 202" "$(answered $simple POST 202)" "POST success"
is "Resumable.js, POST 413" "$(answered $resumable POST 413)" \
    "POST POST success"
is "Flow.js, POST 413" "$(answered $flow POST 413)" "POST fails"
is "simple-uploader, POST 413" "$(answered $simple POST 413)" \
    "POST POST success"
finish
