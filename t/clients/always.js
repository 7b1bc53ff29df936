/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* UploadPark Always, in Chromium over TLS: an upload begins over HTTP/2, comes
 * again over HTTP/1.1, parks, loses its connection in the middle, and arrives
 * once and whole; by upload-pool.js and by Uppy, as their pages use them. */
"use strict";

const fs = require("fs");
const path = require("path");
const { base, dir, is, ok, sha256, until, application, poolFiles, run } =
    require("tap.js");
const { Line } = require("../browser/kit.js");
const browser = require("browser.js");

const SIZE = 2000000;
const bytes = Buffer.from(new Uint8Array(SIZE).map((_, i) => (i * 7) % 251));

/* Run in the page: they begin an upload, and window.uploaded becomes the
 * promise of the application's answer, as text. */
function byLibrary(protocol) {
    const data = new Uint8Array(2000000).map((_, i) => (i * 7) % 251);
    const job = window.UploadPool.upload(
        new File([data], "cut.bin", { type: "application/x-test" }),
        { url: "/always/echo.pl", protocol });

    window.uploaded = job.done.then((answer) => answer.text);
}

function byUppy(plugin) {
    const data = new Uint8Array(2000000).map((_, i) => (i * 7) % 251);
    const uppy = new window.uppy.Uppy();
    let last = "";

    uppy.use(window.uppy[plugin], { endpoint: "/always/echo.pl",
        onAfterResponse: (one, two) => {
            const answer = one.responseText === undefined ? two : one;

            last = answer.responseText || answer.getBody() || last;
        } });
    uppy.addFile({ name: "cut.bin", type: "application/x-test",
                   data: new Blob([data]) });
    window.uploaded = uppy.upload().then((done) => {
        if (done.failed.length) {
            throw new Error(done.failed[0].error);
        }
        return last;
    });
}

async function metric(name) {
    const page = await (await fetch(base + "/metrics")).text();
    const [, value] = page.match(new RegExp("^upload_pool_" + name + " (\\d+)$",
                                            "m"));

    return Number(value);
}

/* The requests with a body since then, as "method protocol status state". */
function requests(since) {
    return fs.readFileSync(path.join(dir, "logs", "access_log"), "utf8")
        .slice(since).split("\n")
        .map((line) => line.match(/"(\w+) \/always\S* (\S+)" (\d+) \S+ (.*)$/))
        .filter((m) => m && /^(POST|PATCH)$/.test(m[1]))
        .map((m) => m.slice(1).join(" "));
}

function stored() {
    return poolFiles("always").filter((file) => file.endsWith(".bin"));
}

function size(file) {
    return fs.statSync(path.join(dir, "pools", "always", file)).size;
}

async function throughACut(name, bundles, begin, how) {
    const line = await Line.make(process.env.UPOOL_TLS_PORT);
    const site = line.base.replace("http:", "https:");
    const { page, close } = await browser.openAt(site, "always-" + name,
                                                 ...bundles);
    const since = fs.statSync(path.join(dir, "logs", "access_log")).size;
    const before = stored();
    const sentOver = await metric("uploads_sent_over_total");

    line.hold(SIZE / 2);
    await page.evaluate(begin, how);
    ok(await until(async () => line.reached()
                               && await metric("uploads_parked") === 1),
       name + ": it waits in the middle, without a thread");
    ok(await metric("uploads_sent_over_total") > sentOver,
       name + ": was sent over to HTTP/1.1");
    ok(await metric("uploads_live") >= await metric("uploads_parked"),
       name + ": what is parked is live");
    line.cut();
    line.mend();
    line.release();

    const seen = application(await page.evaluate(() => window.uploaded));

    is(seen.files && seen.files.map((file) => [file.filename,
                                               file.digests["sha-256"]]),
       [["cut.bin", sha256(bytes)]], name + ": the application has it, whole");
    is(stored().filter((file) => !before.includes(file)).map(size), [SIZE],
       name + ": and the pool has it once");
    ok(await until(() => requests(since).some((one) =>
        /^\w+ HTTP\/2\.0 403 http\/1\.1 required$/.test(one))),
       name + ": the log has it over HTTP/2 first",
       requests(since).join("\n"));
    is(requests(since).filter((one) => / HTTP\/1\.1 200 done$/.test(one)).length,
       1, name + ": and complete over HTTP/1.1, once");
    await close();
    line.close();
}

run(async () => {
    for (const protocol of ["form", "chunked", "tus"]) {
        await throughACut("upload-pool.js-" + protocol, ["upload-pool"],
                          byLibrary, protocol);
    }
    await throughACut("Uppy-Tus", ["uppy"], byUppy, "Tus");
    await throughACut("Uppy-XHRUpload", ["uppy"], byUppy, "XHRUpload");
});
