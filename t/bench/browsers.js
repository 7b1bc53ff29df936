/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Slow uploads to 127.0.0.1 as browsers make them where UploadPark is Always:
 *
 *     node browsers.js PORT PATH COUNT BYTES PIECES MILLISECONDS
 *
 * Each begins over TLS and HTTP/2; when its stream ends with HTTP_1_1_REQUIRED,
 * it comes again over HTTP/1.1. The rest is as in slow.c: a "%n" in PATH is the
 * number of the upload, and all send their first piece and wait. "begun" is
 * said, a line is read, and the result is "status=count …", with "stayed" for
 * those that HTTP/2 did not end so. The sessions of HTTP/2 stay open, as those
 * of browsers do, for as long as the server keeps them. */
"use strict";

const http2 = require("http2");
const https = require("https");
const readline = require("readline");

const HTTP_1_1_REQUIRED = 0xd;
const [port, path, count, bytes, pieces, pause] = process.argv.slice(2)
    .map((value, n) => (n === 1 ? value : Number(value)));
const origin = "https://127.0.0.1:" + port;
const body = Buffer.from("--b\r\nContent-Disposition: form-data; name=\"file\"; "
    + "filename=\"slow.bin\"\r\n\r\n" + "s".repeat(bytes) + "\r\n--b--\r\n");
const piece = Math.ceil(body.length / pieces);
const headers = { "content-type": "multipart/form-data; boundary=b",
                  "content-length": body.length, "sec-fetch-mode": "cors",
                  accept: "application/json" };
const lines = readline.createInterface({ input: process.stdin });
const go = new Promise((resolve) => { lines.once("line", resolve); });

/* "over" when the server ends the stream so. */
function overHttp2(at) {
    return new Promise((resolve) => {
        const session = http2.connect(origin, { rejectUnauthorized: false });
        const stream = session.request({ ...headers, ":method": "POST",
                                         ":path": at });

        session.on("error", () => resolve("stayed"));
        stream.on("error", () => null);
        stream.on("response", () => resolve("stayed"));
        stream.on("close", () => resolve(stream.rstCode === HTTP_1_1_REQUIRED
            ? "over" : "stayed"));
        stream.write(body.subarray(0, piece));
    });
}

/* begun is called when the first piece is sent; the status, 0 for none. */
function overHttp1(at, begun) {
    return new Promise((resolve) => {
        const request = https.request(origin + at, { method: "POST", headers,
            agent: false, rejectUnauthorized: false }, (answer) => {
            answer.resume();
            answer.on("end", () => resolve(answer.statusCode));
        });
        const send = async () => {
            await go;
            for (let n = piece; n < body.length; n += piece) {
                await new Promise((done) => { setTimeout(done, pause); });
                request.write(body.subarray(n, n + piece));
            }
            request.end();
        };

        request.on("error", () => resolve(0));
        request.write(body.subarray(0, piece), () => { begun(); send(); });
    });
}

async function main() {
    const results = {};
    let waiting = 0;
    const begun = () => {
        waiting += 1;
        if (waiting === count) {
            console.log("begun");
        }
    };

    await Promise.all(Array.from({ length: count }, async (_, n) => {
        const at = path.replace("%n", n);
        const how = await overHttp2(at);
        const status = how === "over" ? await overHttp1(at, begun) : how;

        results[status] = (results[status] || 0) + 1;
        if (how !== "over") {
            begun();
        }
    }));
    console.log(Object.entries(results).map(([status, n]) => status + "=" + n)
        .join(" "));
    process.exit(results[200] === count ? 0 : 1);
}

main();
