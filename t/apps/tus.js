// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_upload_pool authors
//
// node tus.js ENDPOINT FILE METADATA COOKIE: sends FILE by tus-js-client, with
// one cut in the middle, and prints what the application answered.

'use strict';

const fs = require('fs');
const tus = require('tus-js-client');

const [endpoint, file, metadata, cookie] = process.argv.slice(2);
const bytes = fs.readFileSync(file);
let cuts = 0;

function send(uploadUrl) {
    const upload = new tus.Upload(bytes, {
        endpoint,
        uploadUrl,
        metadata: JSON.parse(metadata),
        headers: {Cookie: cookie},
        chunkSize: bytes.length >> 3,
        retryDelays: null,
        onChunkComplete: (size, accepted, total) => {
            if (!cuts && accepted * 2 > total) {
                cuts += 1;
                upload.abort().then(() => send(upload.url));
            }
        },
        onError: (error) => {
            console.error(error);
            process.exit(1);
        },
        onSuccess: ({lastResponse}) => {
            console.log(JSON.stringify({cuts,
                status: lastResponse.getStatus(),
                body: lastResponse.getBody()}));
        },
    });
    upload.start();
}

send(null);
