/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* FilePond: a form, in pieces (chunkUploads), resumed, taken back. */
"use strict";

const { base, is, sha256, poolFiles, run } = require("tap.js");
const browser = require("browser.js");

async function upload(page, url, options) {
    return page.evaluate(async ([at, more]) => {
        const bytes = new Uint8Array(1000000).map((_, i) => i % 251);
        const seen = { requests: [], id: null, error: null };
        const open = XMLHttpRequest.prototype.open;

        XMLHttpRequest.prototype.open = function (method, where, ...rest) {
            this.addEventListener("loadend", () => seen.requests.push(
                method + " " + this.status));
            return open.call(this, method, where, ...rest);
        };
        const pond = window.FilePond.create(Object.assign({
            server: at, name: "picture", chunkUploads: true,
            chunkSize: 300000, chunkForce: true, instantUpload: false,
            chunkRetryDelays: [50, 100, 200]
        }, more.pond));

        document.body.append(pond.element);
        pond.on("error", (error) => {
            seen.error = JSON.stringify(error);
        });
        await pond.addFile(new File([bytes], "Grüße.bin",
                                    { type: "application/x-test" }));
        try {
            seen.id = (await pond.processFile()).serverId;
        }
        catch (error) {
            seen.error = String(error && error.error && error.error.body
                                || error);
        }
        if (more.revert) {
            await pond.removeFile({ revert: true });
            await new Promise((resolve) => { setTimeout(resolve, 500); });
        }
        XMLHttpRequest.prototype.open = open;
        pond.destroy();
        return seen;
    }, [url, options || {}]);
}

async function status(id) {
    const answer = await fetch(base + "/filepond/echo.pl/status?X-Progress-ID="
                               + id);

    return answer.json();
}

run(async () => {
    const { page, close } = await browser.open("filepond", "filepond");
    const at = base + "/filepond/echo.pl";
    const want = sha256(Buffer.from(
        new Uint8Array(1000000).map((_, i) => i % 251)));
    const pieces = await upload(page, at);

    is(pieces.requests,
       ["POST 200", "PATCH 204", "PATCH 204", "PATCH 204", "PATCH 200"],
       "chunkUploads: what was sent and answered");
    is(pieces.error, null, "chunkUploads: FilePond is content");
    const known = await status(pieces.id);

    is([known.state, known.filename, known.size],
       ["done", "Grüße.bin", 1000000], "chunkUploads: the upload");
    const file = poolFiles("filepond")
        .filter((name) => name.startsWith(pieces.id + "/0-"));

    is(file.length, 1, "chunkUploads: one file");
    is(sha256(require("fs").readFileSync(
        require("path").join(process.env.UPOOL_DIR, "pools", "filepond",
                             file[0]))), want, "chunkUploads: bytes");
    let patches = 0;

    await page.route(/patch=/, (route) => {
        patches += 1;
        return patches === 2 ? route.abort() : route.continue();
    });
    const broken = await upload(page, at);

    await page.unroute(/patch=/);
    is(broken.requests, ["POST 200", "PATCH 204", "PATCH 0", "PATCH 204",
                         "PATCH 204", "PATCH 200"],
       "a broken PATCH: it goes on");
    is((await status(broken.id)).state, "done", "a broken PATCH: to the end");
    is(await page.evaluate(async (url) => {
        const answer = await fetch(url, { method: "HEAD" });

        return [answer.status, answer.headers.get("Upload-Offset")];
    }, at + "?patch=" + broken.id), [200, "1000000"],
       "HEAD, as FilePond sends it when it takes up an earlier upload");
    const back = await upload(page, at, { revert: true });

    is(back.requests[back.requests.length - 1], "DELETE 200",
       "taken back: DELETE");
    is((await status(back.id)).state, "starting", "taken back: it is gone");
    await close();
});
