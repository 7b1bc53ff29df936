#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UpChunk: an empty file is a success that the server never hears of
#
# Version: @mux/upchunk 3.5.0 (in jsdom 24.1.3)
# Guess: an empty file is one PUT, with Content-Range bytes 0--1/0 or */0 or
#   without; 308 with a Range goes on behind that Range; 500 is tried again like
#   503.
# Seen: an empty file sends no request at all and fires "success". 308 with a
#   Range that ends within the piece sends the whole piece again from its
#   beginning, so a server that appends at what it told has the first half
#   twice; 308 without a Range counts as taken. 500 and 507 end the upload at
#   the first time, 502, 503 and 504 are tried again.
# Who meets it: pages that send what people pick, empty files too (a log,
#   a .gitkeep): the page says done, the server has nothing, so the application
#   must not wait for it. A server must take a piece whole or not at all, and
#   say 503, not 500 or 507, where trying again helps.

. "$(dirname "$0")/lib/folder.sh"
npm_packages @mux/upchunk@3.5.0 jsdom@24.1.3
cat >"$folder/upchunk.mjs" <<'EOF'
import http from 'node:http';
import { JSDOM } from 'jsdom';
const [length, status, range, port] = process.argv.slice(2);
const asked = [];
http.createServer((request, response) => {
    request.resume().on('end', () => {
        asked.push(request.headers['content-range'].replace('bytes ', ''));
        const first = asked.length === 1;
        response.writeHead(first ? +status : 200,
            first && range ? { Range: range } : {}).end();
    });
}).listen(+port, '127.0.0.1', async () => {
    const { window } = new JSDOM('', { url: `http://127.0.0.1:${port}/` });
    for (const name of ['window', 'document', 'XMLHttpRequest', 'File', 'Blob',
        'CustomEvent', 'EventTarget', 'Event'])
        globalThis[name] = name === 'window' ? window : window[name];
    // What browsers have and jsdom does not.
    window.Blob.prototype.stream = function stream() {
        const size = this.size;
        return new ReadableStream({ start(control) {
            if (size > 0)
                control.enqueue(new Uint8Array(size));
            control.close();
        } });
    };
    const { createUpload } = (await import('@mux/upchunk'));
    const upload = createUpload({ endpoint: `http://127.0.0.1:${port}/up`,
        file: new window.File([new window.Uint8Array(+length)], 'a.bin'),
        chunkSize: 256, attempts: 2, delayBeforeAttempt: 0.01 });
    const end = (how) => {
        console.log([...asked, how].join(' '));
        process.exit();
    };
    upload.on('success', () => end('success'));
    upload.on('error', () => end('error'));
});
EOF
upload()
{
    node "$folder/upchunk.mjs" "$1" "$2" "${3:-}" 22304 2>&1
}
first=0-262143/524288
second=262144-524287/524288
is "two pieces" "$(upload 524288 200)" "$first $second success"
is "an empty file" "$(upload 0 200)" "success"
is "308, half of the piece" "$(upload 524288 308 bytes=0-131071)" \
    "$first $first $second success"
is "308 without a Range" "$(upload 524288 308)" "$first $second success"
for status in 500 507; do
    is "$status" "$(upload 524288 $status)" "$first error"
done
for status in 502 503 504; do
    is "$status" "$(upload 524288 $status)" "$first $first $second success"
done
finish
