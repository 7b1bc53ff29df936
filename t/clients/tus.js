/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* tus-js-client in Node and in Chromium. */
/* R9: A client that others wrote. */
"use strict";

const crypto = require("crypto");
const fs = require("fs");
const path = require("path");
const { spawn } = require("child_process");
const tus = require("tus-js-client");
const { base, dir, ok, is, sha256, application, children, sleep, until, run }
    = require("tap.js");
const browser = require("browser.js");

const endpoint = base + "/tus/echo.pl";
const bytes = crypto.randomBytes(3000000);
const metadata = { filename: "Grüße.bin", filetype: "application/x-test",
                   note: "a field" };

/* Runs one upload; change(upload, sent) may interfere when bytes are sent. */
function upload(options, change) {
    return new Promise((resolve) => {
        const said = { requests: [], url: null, error: null, body: null };
        const one = new tus.Upload(options.source || bytes, Object.assign({
            endpoint, metadata, retryDelays: [50, 100, 200, 400, 800],
            chunkSize: 1000000,
            onAfterResponse: (request, response) => {
                said.requests.push(request.getMethod() + " "
                                   + response.getStatus());
                said.body = response.getBody() || said.body;
            },
            onProgress: (sent) => change && change(one, sent),
            onError: (error) => {
                said.error = error;
                resolve(said);
            },
            onSuccess: () => {
                said.url = one.url;
                resolve(said);
            }
        }, options));

        said.upload = one;
        one.start();
    });
}

async function offset(url) {
    const answer = await fetch(url, { method: "HEAD",
                                      headers: { "Tus-Resumable": "1.0.0" } });

    return { status: answer.status,
             offset: answer.headers.get("Upload-Offset") };
}

async function single() {
    const said = await upload({});
    const seen = application(said.body);

    is(said.requests, ["POST 201", "PATCH 204", "PATCH 204", "PATCH 200"],
       "node, chunks: what was sent and answered");
    is(said.error, null, "node, chunks: success");
    is(seen.files[0].filename, "Grüße.bin", "node, chunks: name");
    is(seen.files[0]["content-type"], "application/x-test",
       "node, chunks: type");
    is(seen.fields, [{ name: "note", value: "a field" }],
       "node, chunks: field");
    is(seen.files[0].digests["sha-256"], sha256(bytes), "node, chunks: bytes");
    is((await upload({ chunkSize: Infinity })).requests,
       ["POST 201", "PATCH 200"], "node, at once");
    is((await upload({ chunkSize: Infinity, uploadDataDuringCreation: true }))
           .requests, ["POST 201"], "node, with the POST");
    is((await upload({ source: bytes.subarray(0, 0) })).requests, ["POST 201"],
       "node, an empty file");
    is((await upload({ overridePatchMethod: true })).requests,
       ["POST 201", "POST 204", "POST 204", "POST 200"],
       "node, X-HTTP-Method-Override");
}

async function parallel() {
    const said = await upload({ parallelUploads: 2, chunkSize: Infinity,
                                metadataForPartialUploads: { part: "y" } });
    const seen = application(said.body);

    is(said.requests.slice().sort(),
       ["PATCH 204", "PATCH 204", "POST 201", "POST 201", "POST 201"],
       "node, parallelUploads: two parts and one final");
    is(seen.files[0].digests["sha-256"], sha256(bytes),
       "node, parallelUploads: bytes");
    is(seen.fields, [{ name: "note", value: "a field" }],
       "node, parallelUploads: the metadata of the final one");
    is((await offset(said.url)).offset, String(bytes.length),
       "node, parallelUploads: HEAD of it");
}

/* The user stops it and goes on later, as another page of the client would. */
async function abortAndResume() {
    const url = await new Promise((resolve) => {
        const stopped = upload({ chunkSize: 500000 }, (one, sent) => {
            if (sent > 1200000) {
                one.abort().then(() => resolve(one.url));
            }
        });

        stopped.catch(() => resolve(null));
    });
    const half = await offset(url);

    ok(Number(half.offset) >= 1000000 && Number(half.offset) < bytes.length,
       "node, abort: what arrived is there", half.offset);
    const said = await upload({ uploadUrl: url });

    is(said.requests[0], "HEAD 200", "node, resume: it asks");
    is(application(said.body).files[0].digests["sha-256"], sha256(bytes),
       "node, resume: bytes");
    is(application(said.body).files[0].filename, "Grüße.bin",
       "node, resume: the name that was told first");
    await tus.Upload.terminate(url);
    is((await offset(url)).status, 404, "node, terminate: it is gone");
}

/* A client that is killed: another one takes it up. */
async function killedClient() {
    const script = "const tus=require('tus-js-client');"
        + "const u=new tus.Upload(Buffer.alloc(50000000,7),{endpoint:"
        + JSON.stringify(endpoint) + ",chunkSize:100000,onProgress:(n)=>{"
        + "if(n>2000000)console.log(u.url)}});u.start()";
    const child = spawn(process.execPath, ["-e", script],
                        { stdio: ["ignore", "pipe", "inherit"] });
    const url = await new Promise((resolve) => {
        child.stdout.once("data", (data) => resolve(
            String(data).split("\n")[0]));
    });

    child.kill("SIGKILL");
    const half = Number((await offset(url)).offset);

    ok(half >= 1900000 && half < 50000000, "killed client: what it had sent",
       half);
    const said = await upload({ uploadUrl: url,
                                source: Buffer.alloc(50000000, 7),
                                chunkSize: Infinity });

    is(application(said.body).files[0].digests["sha-256"],
       sha256(Buffer.alloc(50000000, 7)), "killed client: bytes");
}

/* A server process that is killed: the client tries again by itself. */
async function killedServer() {
    let killed = 0;
    const said = await upload({ chunkSize: 200000 }, (one, sent) => {
        if (!killed && sent > 1000000) {
            killed = children().length;
            children().forEach((pid) => process.kill(pid, "SIGKILL"));
        }
    });

    ok(killed > 0, "killed server: its children died", killed);
    is(said.error, null, "killed server: success all the same");
    is(application(said.body).files[0].digests["sha-256"], sha256(bytes),
       "killed server: bytes");
    /* Unless its connection was seen to be gone before it sent any more. */
    ok(said.requests.includes("HEAD 200")
       || said.requests.every((one) => / 20\d$/.test(one)),
       "killed server: it had asked, if a request failed", said.requests);
}

/* The trap: a client that asks after the last PATCH failed, finds the offset at
 * the end and reports success. */
async function failingApplication() {
    const flag = path.join(dir, "apps", "fails");

    fs.writeFileSync(flag, "");
    let tries = 0;
    const said = await upload({
        endpoint: base + "/tus/fails.pl", chunkSize: Infinity,
        onShouldRetry: () => {
            tries += 1;
            if (tries === 2) {
                fs.unlinkSync(flag);
            }
            return true;
        }
    });

    is(said.error, null, "failing application: success at last");
    is(said.requests, ["POST 201", "PATCH 500", "HEAD 423", "HEAD 200"],
       "failing application: when it had run well, and not before");
    const never = await upload({ endpoint: endpoint + "?status=422",
                                 chunkSize: Infinity });

    is(never.requests, ["POST 201", "PATCH 422"],
       "an application that refuses: no second try");
    ok(never.error, "an application that refuses: an error");
    is((await offset(never.upload.url)).status, 410,
       "an application that refuses: and no success later");
}

async function inBrowser() {
    const { page, close } = await browser.open("tus", "tus");
    const result = await page.evaluate(async (at) => {
        const bytes = new Uint8Array(3000000).map((_, i) => i % 251);
        const file = new File([bytes], "Grüße.bin");
        const one = (options, source) => new Promise((resolve) => {
            const seen = { requests: [], body: null, error: null };
            const upload = new window.tus.Upload(source || file, Object.assign({
                endpoint: at, metadata: { filename: file.name },
                chunkSize: 1000000, retryDelays: [100, 200],
                onAfterResponse: (request, response) => {
                    seen.requests.push(request.getMethod() + " "
                                       + response.getStatus());
                    seen.body = response.getBody() || seen.body;
                },
                onError: (error) => resolve(Object.assign(
                    seen, { error: String(error) })),
                onSuccess: () => resolve(seen),
                onProgress: (sent) => {
                    if (options.stopAt && sent > options.stopAt) {
                        upload.abort().then(() => resolve(seen));
                    }
                }
            }, options));

            upload.findPreviousUploads().then((found) => {
                seen.found = found.length;
                if (found.length) {
                    upload.resumeFromPreviousUpload(found[0]);
                }
                upload.start();
            });
        });

        return { single: await one({ storeFingerprintForResuming: false }),
                 parallel: await one({ parallelUploads: 2,
                                       storeFingerprintForResuming: false,
                                       chunkSize: Infinity }),
                 /* Of unknown length (not in Node: there this version of the
                  * client announces more than it sends). */
                 stream: await one({ uploadLengthDeferred: true,
                                     storeFingerprintForResuming: false },
                                   new Blob([bytes.subarray(1)]).stream()
                                       .getReader()),
                 stopped: await one({ stopAt: 1500000 }),
                 resumed: await one({ removeFingerprintOnSuccess: true }) };
    }, endpoint);
    const want = sha256(Buffer.from(
        new Uint8Array(3000000).map((_, i) => i % 251)));

    is(result.single.requests,
       ["POST 201", "PATCH 204", "PATCH 204", "PATCH 200"], "browser, chunks");
    is(application(result.single.body).files[0].digests["sha-256"], want,
       "browser, chunks: bytes");
    is(result.parallel.requests.length, 5, "browser, parallelUploads");
    is(application(result.parallel.body).files[0].digests["sha-256"], want,
       "browser, parallelUploads: bytes");
    is(result.stream.requests.slice(0, 3),
       ["POST 201", "PATCH 204", "PATCH 204"], "browser, a stream");
    is(application(result.stream.body).files[0].digests["sha-256"],
       sha256(Buffer.from(new Uint8Array(3000000).map((_, i) => i % 251)
           .subarray(1))), "browser, a stream: bytes");
    is(result.resumed.found, 1, "browser, resume: it remembers");
    is(result.resumed.requests[0], "HEAD 200", "browser, resume: it asks");
    is(application(result.resumed.body).files[0].digests["sha-256"], want,
       "browser, resume: bytes");
    await close();
}

run(async () => {
    await single();
    await parallel();
    await abortAndResume();
    await killedClient();
    await killedServer();
    await failingApplication();
    await inBrowser();
});
