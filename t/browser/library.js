/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* upload-pool.js in Node: the same engine as in a page, on fetch. */
"use strict";

/* Node.js 18 has no global one. */
const { File } = require("buffer");
const crypto = require("crypto");
const { pathToFileURL } = require("url");
const { ok, is, sha256, sleep, until, Line } = require("./kit.js");

const HTDOCS = __dirname + "/../../conf/demo/htdocs/";
const pool = require(HTDOCS + "upload-pool.js");
const MiB = 1024 * 1024;

/* What a browser has as localStorage. */
class Storage {
    constructor() { this.map = new Map(); }
    get length() { return this.map.size; }
    key(n) { return Array.from(this.map.keys())[n]; }
    getItem(key) { return this.map.has(key) ? this.map.get(key) : null; }
    setItem(key, value) { this.map.set(key, String(value)); }
    removeItem(key) { this.map.delete(key); }
}

let url;
let server;

function file(name, bytes, type) {
    return new File([bytes], name, { type: type || "", lastModified: 1 });
}

function send(f, options) {
    return pool.upload(f, Object.assign({
        url, storage: null, chunkSize: MiB, status: "off"
    }, options));
}

async function fails(job) {
    try {
        await job.done;
    } catch (error) {
        return error;
    }
    return { kind: "none" };
}

async function everySize(protocol) {
    for (const size of [0, 1, MiB, MiB + 1, 3 * MiB]) {
        const bytes = crypto.randomBytes(size);
        const answer = await send(file("Ünï (1)'*.bin", bytes, "image/x-own"), {
            protocol, check: size > MiB,
            fields: { title: "Grüße", more: "2" }
        }).done;
        const body = answer.body.body;
        is([body.state, body.identifier, body.fields, body.files.map((f) =>
            [f.filename, f.size, f["content-type"], f.digests["sha-256"]])],
           ["done", answer.identifier,
            [{ name: "title", value: "Grüße" }, { name: "more", value: "2" }],
            [["Ünï (1)'*.bin", size, "image/x-own", sha256(bytes)]]],
           protocol + ": " + size + " bytes");
    }
    const bare = await send(file("bare", crypto.randomBytes(2 * MiB + 5)), {
        protocol, chunkSize: 700000, field: "file"
    }).done;
    is([bare.body.body.fields, bare.body.body.size >= 2 * MiB + 5], [[], true],
       protocol + ": no fields, pieces that do not fit");
    const asked = await send(file("query", "12"), {
        protocol, url: url + "?next=/a?b=c&d#e"
    }).done;
    ok(asked.body.environment.REQUEST_URI.includes("/upload?next=/a?b=c&d&"),
       protocol + ": " + asked.body.environment.REQUEST_URI);
}

async function throughCut(protocol) {
    const line = await Line.make(server);
    const bytes = crypto.randomBytes(6 * MiB);
    const storage = new Storage();
    const states = [];
    let most = 0;
    line.hold(4 * MiB);
    const job = send(file("cut.bin", bytes), {
        url: line.base + "/upload", protocol, storage, status: "poll",
        onprogress: (p) => {
            if (states[states.length - 1] !== p.state) {
                states.push(p.state);
            }
            most = Math.max(most, p.loaded);
        }
    });
    ok(await until(() => line.reached()), protocol + ": on its way");
    const noted = pool.pending({ storage }).length;
    line.cut();
    ok(await until(() => job.progress.state === "waiting"),
       protocol + ": the cut is seen");
    line.release();
    line.sent = 0;
    line.mend();
    const answer = await job.done;
    is(answer.body.body.files[0].digests["sha-256"], sha256(bytes),
       protocol + ": whole in spite of the cut");
    is(states.slice(-1), ["done"], protocol + ": " + states.join(", "));
    is(most, 6 * MiB, protocol + ": all of it was told");
    if (protocol === "form") {
        ok(line.sent > 6 * MiB, "form: began anew");
    } else {
        ok(line.sent < 5 * MiB, protocol + ": only the rest was sent",
           line.sent);
        is([noted, pool.pending({ storage }).length], [0, 0],
           protocol + ": in use, then over, it is not pending");
        is(storage.length, 0, protocol + ": no note is left");
    }
    line.close();
}

/* pause() stands for the page that goes: its note stays. */
async function nextVisit(protocol) {
    const line = await Line.make(server);
    const bytes = crypto.randomBytes(5 * MiB);
    const storage = new Storage();
    const given = { url: line.base + "/upload", protocol, storage };
    line.hold(2.5 * MiB);
    const first = send(file("visit.bin", bytes), given);
    await until(() => line.reached());
    first.pause();
    ok(await until(() => first.progress.state === "paused"),
       protocol + ": paused");
    line.flush();
    const before = line.sent;
    await sleep(300);
    is(line.sent, before, protocol + ": nothing is sent then");
    const notes = new Storage();
    storage.map.forEach((value, key) => notes.setItem(key, value));
    is(Array.from(notes.map.values()).map((n) => JSON.parse(n).name),
       ["visit.bin"], protocol + ": it is noted");

    /* Another page: nobody there holds the note. */
    delete require.cache[require.resolve(HTDOCS + "upload-pool.js")];
    const later = require(HTDOCS + "upload-pool.js");
    is(later.pending({ storage: notes }).map((e) => [e.name, e.size]),
       [["visit.bin", 5 * MiB]], protocol + ": it is pending");
    line.release();
    line.sent = 0;
    const second = later.upload(file("visit.bin", bytes), Object.assign(
        { chunkSize: MiB, status: "off" }, given, { storage: notes }));
    const answer = await second.done;
    is([answer.identifier, answer.body.body.files[0].digests["sha-256"]],
       [first.identifier, sha256(bytes)],
       protocol + ": the next visit goes on with the same upload");
    ok(second.progress.resumed >= MiB && line.sent < 4.5 * MiB,
       protocol + ": where it was",
       second.progress.resumed + " " + line.sent);
    is(notes.length, 0, protocol + ": and takes the note away");
    line.close();
}

async function pauseAndCancel(protocol) {
    const line = await Line.make(server);
    const bytes = crypto.randomBytes(4 * MiB);
    line.hold(1.5 * MiB);
    const job = send(file("pause.bin", bytes),
                     { url: line.base + "/upload", protocol });
    await until(() => line.reached());
    job.pause();
    await until(() => job.progress.state === "paused");
    line.flush();
    line.release();
    job.resume();
    is((await job.done).body.body.files[0].digests["sha-256"], sha256(bytes),
       protocol + ": paused and resumed");
    line.hold(1.5 * MiB);
    const other = send(file("cancel.bin", bytes),
                       { url: line.base + "/upload", protocol });
    await until(() => line.reached());
    await other.cancel();
    line.flush();
    is([(await fails(other)).kind, other.progress.state],
       ["cancelled", "cancelled"], protocol + ": cancelled");
    const status = await fetch(url + "/status?X-Progress-ID=" +
                               other.identifier);
    is(await status.json(), { state: "starting" },
       protocol + ": the server has forgotten it");
    line.close();
}

async function forgottenOnServer(protocol) {
    const bytes = crypto.randomBytes(3 * MiB);
    const storage = new Storage();
    const line = await Line.make(server);
    line.hold(1.5 * MiB);
    const job = send(file("gone.bin", bytes),
                     { url: line.base + "/upload", protocol, storage });
    await until(() => line.reached());
    job.pause();
    await until(() => job.progress.state === "paused");
    line.flush();
    const old = job.identifier;
    await fetch(url + "?X-Progress-ID=" + old, { method: "DELETE" });
    line.release();
    job.resume();
    const answer = await job.done;
    ok(answer.identifier !== old &&
       answer.body.body.files[0].digests["sha-256"] === sha256(bytes),
       protocol + ": what the server has forgotten begins anew");
    line.close();
}

async function refusals() {
    const bad = await fails(send(file("a", "x"), { identifier: "no such: x" }));
    is([bad.kind, bad.status], ["refused", 400],
       "an identifier that is none is refused");
    const nowhere = await fails(send(file("a", "x"),
        { url: "http://127.0.0.1:9/upload", retries: 0 }));
    is(nowhere.kind, "network", "nobody there");
    let thrown = "";
    try {
        send(file("a", "x"), { protocol: "smoke" });
    } catch (error) {
        thrown = error.message;
    }
    ok(/form, chunked, tus/.test(thrown), "a protocol that is none");
    ok(/^[0-9a-f-]{36}$/.test(await pool.mint(url)), "mint");
    is(await pool.limits(url),
       { "max-size": 4294967296, "max-request-size": 4294967296,
         "deny": ["php", "phtml", "phar", "cgi"] },
       "limits: what the server tells before a file is sent");
    const told = { "max-size": 4096, "max-file-size": 2048,
                   "max-request-size": 1024, "allow": ["jpg", "png"],
                   "deny": ["php"] };
    is([["a.jpg", 1024, "tus"], ["a.JPG", 2049, "tus"], ["b.gif", 1, "tus"],
        ["jpg", 1, "tus"], ["a.php.jpg", 1, "tus"], ["a.png", 1025, "form"],
        ["a.png", 1025, "chunked"]]
        .map(([name, size, protocol]) => pool.objection(
            { name, size }, told, { protocol })),
       [null, "Larger than 2 KiB, the most for a file",
        "Not one of: jpg, png", "Not one of: jpg, png",
        "Files with .php are not taken",
        "Larger than 1 KiB, the most for one request", null],
       "objection: what is not worth sending");
    is(pool.objection({ name: "a", size: 4097 }, { "max-size": 4096 }),
       "Larger than 4 KiB, the most for an upload", "objection: all of it");
    is(pool.objection({ name: "a", size: 4097 }, {}), null,
       "objection: none without limits");
    const module = await import(pathToFileURL(HTDOCS + "upload-pool.mjs"));
    is(Object.keys(module).sort(),
       ["UploadError", "forget", "limits", "mint", "objection", "pending",
        "upload"],
       "the module exports what the script has");
}

async function forgets() {
    const storage = new Storage();
    const line = await Line.make(server);
    line.hold(1.5 * MiB);
    const job = send(file("forget.bin", crypto.randomBytes(3 * MiB)),
        { url: line.base + "/upload", protocol: "tus", storage });
    await until(() => line.reached());
    job.pause();
    await until(() => job.progress.state === "paused");
    const key = storage.key(0);
    await pool.forget({ key, url, identifier: job.identifier }, { storage });
    const status = await fetch(url + "/status?X-Progress-ID=" +
                               job.identifier);
    is([storage.length, await status.json()], [0, { state: "starting" }],
       "forget: here and on the server");
    line.close();
}

async function run(base) {
    server = Number(new URL(base).port);
    url = base + "/upload";
    for (const protocol of ["form", "chunked", "tus"]) {
        await everySize(protocol);
        await throughCut(protocol);
        await pauseAndCancel(protocol);
    }
    for (const protocol of ["chunked", "tus"]) {
        await nextVisit(protocol);
        await forgottenOnServer(protocol);
    }
    await forgets();
    await refusals();
}

module.exports = { run };
