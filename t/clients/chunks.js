/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Libraries that send a file in chunks, as their pages say they are used:
 * jQuery File Upload, Dropzone, Flow.js, Resumable.js, simple-uploader.js and
 * Fine Uploader. */
"use strict";

const crypto = require("crypto");
const fs = require("fs");
const path = require("path");
const { base, is, ok, sha256, application, run } = require("tap.js");
const browser = require("browser.js");

const SIZE = 250000;
const CHUNK = 100000;
const NAME = "Grüße 100%.bin";
const wanted = sha256(bytes(SIZE));

function bytes(size) {
    return Buffer.from(new Uint8Array(size).map((_, i) => (i * i + i) % 251));
}

/* In the page: a File of that size, and what one library does with it. */
const inPage = `
    const { jQuery, Dropzone, Flow, Resumable, Uploader, qq } = window.chunks;

    function file(size, name) {
        const data = new Uint8Array(size).map((_, i) => (i * i + i) % 251);
        return new File([data], name, { type: "application/x-test" });
    }

    function jquery(size, name, options) {
        return new Promise((resolve) => {
            const $form = jQuery("<form>").appendTo("body");
            const fields = options.fields || [];
            let chunks = 0;

            $form.fileupload(Object.assign({
                dataType: "json", maxChunkSize: ${CHUNK}, paramName: "file",
                formData: fields
            }, options.own));
            $form.on("fileuploadchunkdone", (e, data) => {
                chunks += 1;
                if (options.copy && fields.length < 1) {
                    /* The glue of django-chunked-upload's own page. */
                    fields.push({ name: "upload_id",
                                  value: data.result.upload_id });
                }
            });
            $form.on("fileuploadchunksend",
                     () => !(options.stopAfterFirst && chunks > 0));
            $form.on("fileuploaddone", (e, data) => resolve({
                body: JSON.stringify(data.result), chunks }));
            $form.on("fileuploadfail", (e, data) => resolve({
                error: data.jqXHR ? data.jqXHR.responseText : data.textStatus,
                chunks }));
            const sent = { files: [file(size, name)] };
            if (options.uploadedBytes) {
                sent.uploadedBytes = options.uploadedBytes;
            }
            $form.fileupload("send", sent);
        });
    }

    function dropzone(url, size, name, options) {
        return new Promise((resolve) => {
            const box = document.createElement("div");
            document.body.append(box);
            const zone = new Dropzone(box, Object.assign({
                url, chunking: true, chunkSize: ${CHUNK},
                createImageThumbnails: false, params(files, xhr, chunk) {
                    return Object.assign({ title: "Holiday" }, chunk ? {
                        dzuuid: chunk.file.upload.uuid,
                        dzchunkindex: chunk.index,
                        dztotalfilesize: chunk.file.size,
                        dzchunksize: this.options.chunkSize,
                        dztotalchunkcount: chunk.file.upload.totalChunkCount,
                        dzchunkbyteoffset:
                            chunk.index * this.options.chunkSize } : {});
                }
            }, options));
            const bodies = [];
            zone.on("sending", (f, xhr) => {
                xhr.addEventListener("load", () =>
                    bodies.push(xhr.responseText));
            });
            /* Its listeners come before ours. */
            zone.on("success", () => setTimeout(resolve, 0, { bodies }));
            zone.on("error", (f, message) => resolve({
                error: JSON.stringify(message), bodies }));
            zone.addFile(file(size, name));
        });
    }

    function numbered(Class, target, size, name, options) {
        return new Promise((resolve) => {
            const up = new Class(Object.assign({
                target, chunkSize: ${CHUNK}, query: { title: "Holiday" }
            }, options));
            const last = [];
            const told = { bodies: last };
            up.on("fileSuccess", (...args) => {
                args.forEach((a) => typeof a === "string" && last.push(a));
                resolve(told);
            });
            up.on("fileError", (...args) => resolve({
                error: args.filter((a) => typeof a === "string").join(" ") }));
            const added = up.addFile(file(size, name));
            const begin = () => up.upload();
            if (Class === Resumable) {
                up.on("fileAdded", begin);
            } else {
                setTimeout(begin, 50);
            }
        });
    }

    function fine(endpoint, size, name, options) {
        return new Promise((resolve) => {
            const bodies = [];
            const up = new qq.FineUploaderBasic(Object.assign({
                request: { endpoint },
                chunking: { enabled: true, partSize: ${CHUNK} },
                callbacks: {
                    onUploadChunkSuccess: (id, data, json, xhr) =>
                        bodies.push(xhr.responseText),
                    onComplete: (id, n, json, xhr) => resolve({
                        bodies: bodies.concat(xhr ? xhr.responseText : []),
                        success: json.success }),
                    onError: (id, n, why, xhr) => resolve({
                        error: why + " " + (xhr && xhr.responseText) })
                }
            }, options));
            up.addFiles([file(size, name)]);
        });
    }
`;

/* The application's answer among those that the client was given. */
function answered(result) {
    const texts = (result.bodies || [result.body]).filter(Boolean);

    for (const text of texts) {
        const seen = application(text);

        if (seen && seen.state === "done") {
            return seen;
        }
    }
    return { files: [{ digests: {} }], fields: [], told: result };
}

function check(result, what, sum) {
    const seen = answered(result);

    ok(!result.error, what + ": the client is content", result.error);
    is(seen.files.map((f) => f.filename), [NAME], what + ": its name");
    is(seen.files[0].digests["sha-256"], sum || wanted, what + ": its bytes");
    return seen;
}

const name = JSON.stringify(NAME);

async function tryJquery(call) {
    const id = crypto.randomUUID();
    const seen = check(await call(`return jquery(${SIZE}, ${name},
        { fields: [{ name: "title", value: "Holiday" }],
          own: { url: "/chunked/echo.pl?X-Progress-ID=${id}" } })`),
                       "jquery, id in the URL");
    is(seen.identifier, id, "jquery: of that identifier");
    is(seen.fields, [{ name: "title", value: "Holiday" }],
       "jquery: its fields, once");
    check(await call(`return jquery(${SIZE}, ${name},
        { copy: true, own: { url: "/chunked/echo.pl" } })`),
          "jquery, upload_id copied from the answer");
    check(await call(`return jquery(70000, ${name},
        { own: { url: "/chunked/echo.pl" } })`), "jquery, a small file",
          sha256(bytes(70000)));
}

/* The lines that the manual prints, with three files at once. */
async function tryJqueryOfTheManual(call) {
    const page = fs.readFileSync(
        path.join(__dirname, "../../conf/manual/clients"), "utf8");
    const printed = page.match(/^ {4}\$\("#files"\)(?:.*\n)+?\n/m)[0]
        .replaceAll("/upload", "/chunked/echo.pl")
        .replace(/maxChunkSize: \d+/, "maxChunkSize: " + CHUNK);
    const sizes = [SIZE, SIZE - 1, 70000];
    const results = await call(`
        const $ = jQuery;
        $('<input type="file" id="files" multiple>').appendTo("body");
        ${printed}
        const seen = [];
        return new Promise((resolve) => {
            const end = (result) => {
                seen.push(result);
                if (seen.length === ${sizes.length}) {
                    resolve(seen);
                }
            };
            $("#files").on("fileuploaddone", (e, data) => end({
                body: JSON.stringify(data.result) }));
            $("#files").on("fileuploadfail", (e, data) => end({
                error: data.jqXHR.responseText }));
            $("#files").fileupload("add", { files: ${JSON.stringify(sizes)}
                .map((size) => file(size, ${name})) });
        });`);
    is(results.map((r) => answered(r).files[0].digests["sha-256"]).sort(),
       sizes.map((size) => sha256(bytes(size))).sort(),
       "jquery, three files by the manual's lines");
}

async function tryJqueryResume(call) {
    const id = crypto.randomUUID();
    const url = `/chunked/echo.pl?X-Progress-ID=${id}`;
    const stopped = await call(`return jquery(${SIZE}, ${name},
        { stopAfterFirst: true, own: { url: "${url}" } })`);

    is(stopped.chunks, 1, "jquery, stopped after a chunk");
    const status = await (await fetch(
        `${base}/chunked/echo.pl/status?X-Progress-ID=${id}`)).json();
    ok(status.received >= CHUNK && status.received < SIZE,
       "jquery, stopped: what is there", JSON.stringify(status));
    check(await call(`return jquery(${SIZE}, ${name},
        { uploadedBytes: ${status.received}, own: { url: "${url}" } })`),
          "jquery, resumed");
}

async function tryDjango(call) {
    const md5 = crypto.createHash("md5").update(bytes(SIZE)).digest("hex");

    check(await call(`
        return jquery(${SIZE}, ${name},
                      { copy: true, own: { url: "/django/echo.pl" } })
        .then((up) => fetch("/django/echo.pl/complete", {
            method: "POST", body: new URLSearchParams({
                upload_id: JSON.parse(up.body).upload_id, md5: "${md5}" }) }))
        .then((r) => r.text()).then((body) => ({ body }))`),
          "jquery and django-chunked-upload's completion");
}

async function tryDropzone(call) {
    for (const parallel of [false, true]) {
        const seen = check(await call(`return dropzone("/chunked/echo.pl",
            ${SIZE}, ${name},
            { parallelChunkUploads: ${parallel} })`),
                           "dropzone, parallel: " + parallel);
        is(seen.fields, [{ name: "title", value: "Holiday" }],
           "dropzone: its own fields are not the application's");
    }
    check(await call(`return dropzone("/chunked/echo.pl", 70000,
        ${name}, {})`), "dropzone, a small file",
          sha256(bytes(70000)));
}

async function tryNumbered(call) {
    for (const library of ["Flow", "Resumable", "Uploader"]) {
        for (const [how, options] of [
            ["one by one", "{ simultaneousUploads: 1 }"],
            ["side by side, chunks not asked for",
             "{ simultaneousUploads: 3, testChunks: false }"]]) {
            const unique = crypto.randomUUID();
            const own = `Object.assign(${options},
                { generateUniqueIdentifier: () => "${unique}" })`;
            const result = await call(`return numbered(${library},
                "/chunked/echo.pl", ${SIZE}, ${name},
                ${own})`);

            /* Side by side these tell the last chunk's answer, which need
             * not be that of the chunk that came last. */
            if (how === "one by one") {
                check(result, library + ", " + how);
            }
            else {
                ok(!result.error, library + ", " + how, result.error);
            }
        }
    }
    /* As it is by default, the id made of name and size. */
    check(await call(`return numbered(Flow, "/chunked/echo.pl", ${SIZE + 1},
        ${name}, { simultaneousUploads: 1 })`),
          "Flow with its own ids", sha256(bytes(SIZE + 1)));
}

async function tryFine(call) {
    const result = await call(`return fine("/chunked/echo.pl", ${SIZE},
        ${name}, {})`);

    /* It wants "success" in every answer: those to chunks have it, the last
     * one is the application's, which here has not. */
    ok(String(result.error).includes(wanted), "fine-uploader: its bytes",
       JSON.stringify(result));
}

run(async () => {
    const { page, close } = await browser.open("chunks", "chunks");
    const call = (body) => page.evaluate(`(() => { ${inPage} ${body} })()`);

    await tryJquery(call);
    await tryJqueryOfTheManual(call);
    await tryJqueryResume(call);
    await tryDjango(call);
    await tryDropzone(call);
    await tryNumbered(call);
    await tryFine(call);
    await close();
});
