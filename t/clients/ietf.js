/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* tus-js-client speaking two drafts of the IETF's protocol, in Node and in
 * Chromium, and curl speaking the newest by hand. */
"use strict";

const { execFileSync } = require("child_process");
const crypto = require("crypto");
const fs = require("fs");
const path = require("path");
const tus = require("tus-js-client");
const { base, dir, is, ok, sha256, application, children, until, run } =
    require("tap.js");
const browser = require("browser.js");

const endpoint = base + "/ietf/echo.pl";
const drafts = ["ietf-draft-03", "ietf-draft-05"];

/* Uploads, and resolves with the last answer's body. */
function upload(bytes, options) {
    return new Promise((resolve, reject) => {
        let last = "";
        const up = new tus.Upload(bytes, {
            endpoint,
            retryDelays: [0, 100, 500, 1000],
            metadata: { filename: "Grüße.bin", filetype: "application/x-test" },
            onAfterResponse: (req, res) => { last = res.getBody(); },
            onError: reject,
            onSuccess: () => resolve(last),
            ...options
        });

        if (options.hold) {
            options.hold(up);
        }
        up.start();
    });
}

function check(text, bytes, name) {
    const seen = application(text);

    is(seen.state, "done", name + ": the application has it");
    is(seen.files && seen.files[0].digests["sha-256"], sha256(bytes),
       name + ": bytes");
    return seen;
}

async function single(protocol, name, options) {
    const bytes = crypto.randomBytes(700001);
    const seen = check(await upload(bytes, { protocol, ...options }), bytes,
                       protocol + " " + name);

    is(seen.files[0].filename, "Grüße.bin", protocol + " " + name + ": name");
    is(seen.files[0]["content-type"], "application/x-test",
       protocol + " " + name + ": type");
}

/* Aborted in the middle, another client goes on. */
async function aborted(protocol) {
    const bytes = crypto.randomBytes(900000);
    const seen = await new Promise((resolve, reject) => {
        let up;

        upload(bytes, {
            protocol,
            chunkSize: 200000,
            hold: (made) => { up = made; },
            onChunkComplete: (size, accepted) => {
                if (accepted === 400000) {
                    up.abort().then(() => resolve(up.url));
                }
            }
        }).then(() => reject(new Error("not aborted")), reject);
    });
    const starts = [];
    const text = await upload(bytes, {
        protocol,
        uploadUrl: seen,
        chunkSize: 200000,
        onBeforeRequest: (req) => {
            if (req.getMethod() === "PATCH") {
                starts.push(req.getHeader("Upload-Offset"));
            }
        }
    });

    is(starts, ["400000", "600000", "800000"],
       protocol + " aborted: goes on where it was");
    check(text, bytes, protocol + " aborted");
}

/* The child that serves it is killed in the middle of a request. */
async function killed(protocol) {
    const bytes = crypto.randomBytes(3000000);
    let struck = false;
    const text = await upload(bytes, {
        protocol,
        chunkSize: 500000,
        onProgress: (sent) => {
            if (sent >= 1200000 && !struck) {
                struck = true;
                children().forEach((pid) => { process.kill(pid, "SIGKILL"); });
            }
        }
    });

    ok(struck, protocol + " killed: the server's children");
    check(text, bytes, protocol + " killed");
}

async function terminated(protocol) {
    const bytes = crypto.randomBytes(300000);
    const url = await new Promise((resolve, reject) => {
        let up;

        upload(bytes, {
            protocol,
            chunkSize: 100000,
            hold: (made) => { up = made; },
            onChunkComplete: () => {
                up.abort(true).then(() => resolve(up.url), reject);
            }
        }).then(() => reject(new Error("not aborted")), reject);
    });
    const gone = await fetch(url, {
        method: "HEAD", headers: { "Upload-Draft-Interop-Version": "6" }
    });

    is(gone.status, 404, protocol + " terminated: it is gone");
}

async function inBrowser() {
    const { page, close } = await browser.open("ietf", "tus");

    for (const protocol of drafts) {
        const text = await page.evaluate(([url, speaks]) => new Promise(
            (resolve, reject) => {
                const bytes =
                    new Uint8Array(600000).map((_, i) => (i * 7) % 253);
                let last;

                new window.tus.Upload(new File([bytes], "a b.txt"), {
                    endpoint: url, protocol: speaks, chunkSize: 250000,
                    metadata: { filename: "a b.txt", filetype: "text/plain" },
                    onAfterResponse: (req, res) => { last = res.getBody(); },
                    onError: reject, onSuccess: () => resolve(last)
                }).start();
            }), [endpoint, protocol]);
        const bytes = Buffer.from(
            new Uint8Array(600000).map((_, i) => (i * 7) % 253));

        is(check(text, bytes, "Chromium " + protocol).files[0].filename,
           "a b.txt", "Chromium " + protocol + ": name");
    }
    await close();
}

function curl(...args) {
    return execFileSync("curl", ["--silent", "--show-error", "--include",
                                 "--max-time", "30", ...args]).toString();
}

/* A connection that breaks, and the rest of the file: as the manual tells. */
async function withCurl() {
    const bytes = crypto.randomBytes(1500000);
    const file = path.join(dir, "whole");
    const rest = path.join(dir, "rest");
    const version = ["-H", "Upload-Draft-Interop-Version: 8"];

    fs.writeFileSync(file, bytes);
    const begun = curl(...version, "-H", "Upload-Complete: ?1",
                       "-H", "Content-Type: application/x-test",
                       "-T", file, "-X", "POST", endpoint);
    const location = /^HTTP\/1.1 104 .*?^location: (\S+)/ims.exec(begun);

    ok(location, "curl: sees where the upload is", begun);
    check(begun.slice(begun.lastIndexOf("\r\n\r\n")), bytes, "curl at once");

    fs.writeFileSync(rest, bytes.subarray(0, 600000));
    const part = curl(...version, "-H", "Upload-Complete: ?0",
                      "-T", rest, "-X", "POST", endpoint);
    const url = base + /^HTTP\/1.1 201 .*?^location: (\S+)/ims.exec(part)[1];
    const head = curl(...version, "--head", url);
    const offset = Number(/^upload-offset: (\d+)/im.exec(head)[1]);

    is(offset, 600000, "curl: asks how far it is");
    fs.writeFileSync(rest, bytes.subarray(offset));
    const end = curl(...version, "-H", "Upload-Complete: ?1",
                     "-H", "Upload-Offset: " + offset,
                     "-H", "Content-Type: application/partial-upload",
                     "-T", rest, "-X", "PATCH", url);

    check(end.slice(end.lastIndexOf("\r\n\r\n")), bytes, "curl in parts");
    ok(/^upload-complete: \?1/im.test(end), "curl: it is complete", end);
}

run(async () => {
    for (const protocol of drafts) {
        await single(protocol, "whole", {});
        await single(protocol, "chunks", { chunkSize: 150000 });
        await single(protocol, "at creation",
                     { uploadDataDuringCreation: true });
        await single(protocol, "unknown length",
                     { uploadLengthDeferred: true, chunkSize: 300000 });
        await aborted(protocol);
        await killed(protocol);
        await terminated(protocol);
    }
    await inBrowser();
    await withCurl();
    await until(() => children().length > 0);
});
