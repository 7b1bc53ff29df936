/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Uppy with its plugins, as their pages say they are used. */
"use strict";

const { base, is, ok, sha256, application, run } = require("tap.js");
const browser = require("browser.js");

async function xhrUpload(page) {
    const result = await page.evaluate(async (endpoint) => {
        const bytes = new Uint8Array(300000).map((_, i) => i % 251);
        const uppy = new window.uppy.Uppy();

        uppy.use(window.uppy.XHRUpload, { endpoint });
        uppy.addFile({ name: "Grüße.bin", type: "application/x-test",
                       data: new Blob([bytes]) });
        const done = await uppy.upload();
        return { failed: done.failed.length,
                 bodies: done.successful.map((file) => file.response.body) };
    }, base + "/form/echo.pl");
    const seen = application(JSON.stringify(result.bodies[0]));

    is(result.failed, 0, "xhr-upload: Uppy is content");
    is(seen.files.map((file) => file.filename), ["Grüße.bin"],
       "xhr-upload: name");
    is(seen.files[0].digests["sha-256"],
       sha256(Buffer.from(new Uint8Array(300000).map((_, i) => i % 251))),
       "xhr-upload: bytes");
    ok(seen.fields.some((field) => field.name === "type"
                                   && field.value === "application/x-test"),
       "xhr-upload: the fields that Uppy adds");
}

async function tusPlugin(page) {
    const result = await page.evaluate(async (endpoint) => {
        const uppy = new window.uppy.Uppy();
        const bodies = [];

        uppy.use(window.uppy.Tus, {
            endpoint, chunkSize: 100000,
            onAfterResponse: (request, response) => {
                bodies.push(response.getBody());
            }
        });
        [1, 2].forEach((n) => uppy.addFile({
            name: "n" + n + ".bin", type: "application/x-test",
            data: new Blob([new Uint8Array(250000).fill(n)]) }));
        const done = await uppy.upload();
        return { failed: done.failed.length,
                 urls: done.successful.map((file) => file.uploadURL),
                 bodies: bodies.filter((body) => body) };
    }, base + "/tus/echo.pl");
    const seen = result.bodies.map(application)
        .sort((a, b) => (a.filename < b.filename ? -1 : 1));

    is(result.failed, 0, "tus: Uppy is content");
    is(result.urls.every((url) => url.startsWith(base + "/tus/echo.pl/")),
       true, "tus: where the files are");
    is(seen.map((one) => [one.filename, one["content-type"]]),
       [["n1.bin", "application/x-test"], ["n2.bin", "application/x-test"]],
       "tus: names and types");
    is(seen.map((one) => one.files[0].digests["sha-256"]),
       [1, 2].map((n) => sha256(Buffer.alloc(250000, n))), "tus: bytes");
}

run(async () => {
    const { page, close } = await browser.open("uppy", "uppy");

    await xhrUpload(page);
    await tusPlugin(page);
    await close();
});
