/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* The same requests to us and to @tus/server, the reference implementation for
 * Node: status and protocol headers of both are compared.  Where they differ
 * the step says why. */
/* R9: The same as another server. */
"use strict";

const fs = require("fs");
const http = require("http");
const path = require("path");
const { createHash } = require("crypto");
const { base, is, ok, run } = require("tap.js");

const TYPE = "application/offset+octet-stream";
const sha1 = (text) => "sha1 "
    + createHash("sha1").update(text).digest("base64");

/* Of Location and Upload-Expires it counts that they are there. */
const HEADERS = ["location", "upload-offset", "upload-length",
                 "upload-defer-length", "upload-metadata", "upload-concat",
                 "tus-resumable", "tus-version", "cache-control"];

function send(at, method, url, headers, body) {
    return new Promise((resolve, reject) => {
        const request = http.request(new URL(url, at), {
            method,
            headers: Object.assign(
                { "Tus-Resumable": "1.0.0" },
                body === undefined ? {} : { "Content-Length": body.length },
                headers)
        }, (response) => {
            response.resume();
            response.on("end", () => resolve(response));
        });

        Object.entries(headers).forEach(([name, value]) => {
            if (value === null) {
                request.removeHeader(name);
            }
        });
        request.on("error", reject);
        request.end(body);
    });
}

/* That an error is not to be kept either is our own rule. */
function digestOf(response, method) {
    const said = { status: response.statusCode };
    const isOffset = method === "HEAD" && response.statusCode < 300;

    HEADERS.forEach((name) => {
        if (response.headers[name] !== undefined
            && (name !== "cache-control" || isOffset)) {
            said[name] = name === "location" ? "yes" : response.headers[name];
        }
    });
    return said;
}

/* send: method, URL or the name of an upload, headers, body.  as: what the
 * upload of a creation is called.  differs: what of our answer is other than
 * theirs (null: not there), and why. */
const steps = [
    { name: "OPTIONS", send: ["OPTIONS", "", { "Tus-Resumable": null }],
      differs: [{ status: 200 },
                "the application is asked, and our headers go with its answer"] },
    { name: "creation", as: "a",
      send: ["POST", "", { "Upload-Length": "11",
                           "Upload-Metadata": "filename YS50eHQ=,x" }] },
    { name: "HEAD", send: ["HEAD", "a", {}] },
    { name: "PATCH", send: ["PATCH", "a", { "Upload-Offset": "0",
                                            "Content-Type": TYPE }, "hello "] },
    { name: "HEAD after it", send: ["HEAD", "a", {}] },
    { name: "PATCH at a wrong offset",
      send: ["PATCH", "a", { "Upload-Offset": "3", "Content-Type": TYPE },
             "x"],
      differs: [{ "upload-offset": "6" },
                "the right one is told along"] },
    { name: "PATCH without an offset",
      send: ["PATCH", "a", { "Content-Type": TYPE }, "x"],
      differs: [{ status: 400 },
                "what is missing is malformed, not forbidden"] },
    { name: "PATCH with a negative offset",
      send: ["PATCH", "a", { "Upload-Offset": "-1", "Content-Type": TYPE },
             "x"] },
    { name: "PATCH of another type",
      send: ["PATCH", "a", { "Upload-Offset": "6",
                             "Content-Type": "text/plain" }, "x"],
      differs: [{ status: 415 },
                "the protocol's own status"] },
    { name: "PATCH of no type",
      send: ["PATCH", "a", { "Upload-Offset": "6" }, "x"],
      differs: [{ status: 415 },
                "the protocol's own status"] },
    { name: "PATCH without Tus-Resumable",
      send: ["PATCH", "a", { "Upload-Offset": "6", "Content-Type": TYPE,
                             "Tus-Resumable": null }, "x"],
      differs: [{ "tus-version": "1.0.0" },
                "412 has to have Tus-Version"] },
    { name: "PATCH of another version",
      send: ["PATCH", "a", { "Upload-Offset": "6", "Content-Type": TYPE,
                             "Tus-Resumable": "0.2.2" }, "x"],
      differs: [{ status: 412, "tus-version": "1.0.0" },
                "the protocol's own status"] },
    { name: "PATCH of nothing",
      send: ["PATCH", "a", { "Upload-Offset": "6", "Content-Type": TYPE },
             ""] },
    { name: "PATCH of more than the length",
      send: ["PATCH", "a", { "Upload-Offset": "6", "Content-Type": TYPE },
             "world and more"] },
    { name: "the last PATCH",
      send: ["PATCH", "a", { "Upload-Offset": "6", "Content-Type": TYPE },
             "world"],
      differs: [{ status: 200 },
                "the application's answer has a body"] },
    { name: "HEAD at the end", send: ["HEAD", "a", {}] },
    { name: "DELETE", send: ["DELETE", "a", {}] },
    { name: "HEAD after DELETE", send: ["HEAD", "a", {}] },
    { name: "PATCH after DELETE",
      send: ["PATCH", "a", { "Upload-Offset": "0", "Content-Type": TYPE },
             "x"] },
    { name: "DELETE after DELETE", send: ["DELETE", "a", {}] },
    { name: "HEAD of the unknown", send: ["HEAD", "/unknown", {}] },
    { name: "creation without a length", send: ["POST", "", {}] },
    { name: "creation with a negative length",
      send: ["POST", "", { "Upload-Length": "-1" }] },
    { name: "creation with a length that is none",
      send: ["POST", "", { "Upload-Length": "ten" }] },
    { name: "creation with both",
      send: ["POST", "", { "Upload-Length": "1",
                           "Upload-Defer-Length": "1" }] },
    { name: "creation with a bad deferral",
      send: ["POST", "", { "Upload-Defer-Length": "2" }] },
    { name: "creation with bad metadata",
      send: ["POST", "", { "Upload-Length": "1",
                           "Upload-Metadata": "a  Zg==" }] },
    { name: "creation with a key given twice",
      send: ["POST", "", { "Upload-Length": "1",
                           "Upload-Metadata": "a Zg==,a Zg==" }] },
    { name: "creation of another version",
      send: ["POST", "", { "Upload-Length": "1", "Tus-Resumable": "9" }],
      differs: [{ status: 412, "tus-version": "1.0.0" },
                "the protocol's own status"] },
    { name: "creation that defers", as: "d",
      send: ["POST", "", { "Upload-Defer-Length": "1" }] },
    { name: "HEAD of it", send: ["HEAD", "d", {}] },
    { name: "PATCH with a length",
      send: ["PATCH", "d", { "Upload-Offset": "0", "Content-Type": TYPE,
                             "Upload-Length": "5" }, "hel"] },
    { name: "HEAD with it", send: ["HEAD", "d", {}] },
    { name: "PATCH with another length",
      send: ["PATCH", "d", { "Upload-Offset": "3", "Content-Type": TYPE,
                             "Upload-Length": "6" }, "lo"] },
    { name: "creation with upload", as: "u",
      send: ["POST", "", { "Upload-Length": "11", "Content-Type": TYPE },
             "hello"] },
    { name: "HEAD of that", send: ["HEAD", "u", {}] },
    { name: "creation with all of it",
      send: ["POST", "", { "Upload-Length": "5", "Content-Type": TYPE },
             "hello"] },
    { name: "creation of an empty file", as: "e",
      send: ["POST", "", { "Upload-Length": "0" }],
      differs: [{ "upload-offset": "0" },
                "it is complete, so its offset is told"] },
    { name: "HEAD of the empty file", send: ["HEAD", "e", {}] },
    { name: "an override of the method",
      send: ["POST", "u", { "X-HTTP-Method-Override": "PATCH",
                            "Upload-Offset": "5", "Content-Type": TYPE },
             " world"],
      differs: [{ status: 200, "upload-offset": "11" },
                "they judge the head of a PATCH as that of a POST"] },
    { name: "PATCH with a checksum", as: undefined,
      send: ["PATCH", "d", { "Upload-Offset": "3", "Content-Type": TYPE,
                             "Upload-Checksum": sha1("xx") }, "lo"],
      differs: [{ status: 460, "upload-offset": null },
                "they do not know the extension"] },
    { name: "a partial upload",
      send: ["POST", "", { "Upload-Length": "5",
                           "Upload-Concat": "partial" }],
      differs: [{ status: 201, location: "yes" },
                "they do not know the extension"] }
];

function sorted(object) {
    return Object.fromEntries(Object.entries(object).sort());
}

async function reference() {
    const { Server } = await import(require.resolve("@tus/server"));
    const { FileStore } = await import(require.resolve("@tus/file-store"));
    const directory = path.join(process.env.UPOOL_PROFILE, "reference");

    fs.mkdirSync(directory);
    const server = http.createServer();
    const tus = new Server({ path: "/files", relativeLocation: true,
                             datastore: new FileStore({ directory }) });

    server.on("request", tus.handle.bind(tus));
    await new Promise((resolve) => {
        server.listen(0, "127.0.0.1", resolve);
    });
    return "http://127.0.0.1:" + server.address().port + "/files";
}

async function play(at) {
    const known = {};
    const said = [];

    for (const step of steps) {
        const [method, where, headers, body] = step.send;
        const url = where === "" ? at
            : where.startsWith("/") ? at + where : known[where];
        const response = await send(at, method, url, headers, body);

        if (step.as) {
            known[step.as] = new URL(response.headers.location, at).href;
        }
        said.push(digestOf(response, method));
    }
    return said;
}

run(async () => {
    const theirs = await play(await reference());
    const ours = await play(base + "/tus/echo.pl");

    steps.forEach((step, i) => {
        const [differences, why] = step.differs || [{}, "the same"];
        const want = Object.assign({}, theirs[i], differences);

        Object.keys(differences).forEach((name) => {
            ok(theirs[i][name] !== differences[name],
               step.name + ": " + name + " differs still");
            if (differences[name] === null) {
                delete want[name];
            }
        });
        is(sorted(ours[i]), sorted(want), step.name + ": " + why);
    });
});
