/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors
 *
 * Receives uploads behind mod_proxy: with Node's http alone, and, under
 * /express, as a middleware.
 *
 *     ProxyPass "/app/" "http://127.0.0.1:3000/"
 *     <Location "/app/">
 *         UploadPool /var/lib/upload_pool
 *         UploadKeyFile /etc/apache2/upload_pool.key
 *         UploadKeep claimed
 *     </Location>
 *
 *     PORT=3000 UPLOADS_KEY=/etc/myapp/upload_pool.key \
 *         UPLOADS_DIR=/srv/uploads node server.js */
"use strict";

const http = require("http");
const uploads = require("./uploads.js");

const { PORT = "3000", UPLOADS_KEY, UPLOADS_DIR } = process.env;

/* What both say: takes the files. */
async function taken(upload) {
    const files = [];
    for (const file of upload.files) {
        files.push({ field: file.field, filename: file.filename,
                     stored: await uploads.take(file, UPLOADS_DIR) });
    }
    const fields = upload.fields.map((field) => (
        { name: field.name, bytes: Buffer.byteLength(field.value) }));
    return { identifier: upload.identifier, files, fields };
}

function send(res, status, said) {
    res.statusCode = status;
    res.setHeader("Content-Type", "application/json");
    res.end(JSON.stringify(said));
}

async function plain(req, res) {
    const upload = await uploads.receive(req, await uploads.keys(UPLOADS_KEY));
    const said = await taken(upload);
    uploads.claim(res, upload);
    send(res, 200, said);
}

/* Express calls a middleware, and the view as its next, in the same way. */
const parse = uploads.middleware(UPLOADS_KEY);

function express(req, res) {
    return parse(req, res, async (error) => {
        if (error) {
            failed(res, error);
            return;
        }
        try {
            const said = await taken(req.upload);
            uploads.claim(res, req.upload);
            send(res, 200, said);
        } catch (thrown) {
            failed(res, thrown);
        }
    });
}

/* What is no refusal is nobody's business. */
function failed(res, error) {
    if (!(error instanceof uploads.Refused)) {
        console.error(error);
    }
    send(res, error.status || 500,
         { error: error.status ? error.message : "failed" });
}

http.createServer((req, res) => {
    const answer = req.url.startsWith("/express") ? express : plain;
    answer(req, res).catch((error) => failed(res, error));
}).listen(Number(PORT), "127.0.0.1");
