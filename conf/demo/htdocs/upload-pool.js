/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* upload-pool.js: sends files to a URL that mod_upload_pool looks after.
 * One file, nothing else needed; any browser since about 2020, and Node 20.
 *
 *     <script src="upload-pool.js"></script>               UploadPool.upload
 *     import { upload } from "./upload-pool.mjs";          beside this file
 *     const { upload } = require("./upload-pool.js");
 *
 *     const job = upload(file, { url: "/upload", protocol: "tus",
 *                                onprogress: (p) => show(p) });
 *     const answer = await job.done;      what the application has answered
 *
 * upload(file, options) begins at once and returns the job.
 *
 *   url         where to send it (U in the manual)
 *   protocol    "form"     one POST; after a break it begins anew
 *               "chunked"  pieces (UploadProtocol chunked); goes on after one
 *               "tus"      tus 1.0.0 (UploadProtocol tus); likewise
 *   identifier  ID or ID:SIGNATURE, or a function that brings one, or a promise
 *               of it: mint(url) asks U/new. Else a random one, which a pool
 *               without a key takes.
 *   fields      {name: value} beside the file
 *   field       name of the file's field ("file")
 *   name        what the file is called (file.name)
 *   onprogress  function(progress), at every change; see below
 *   check       true: the server compares a SHA-256 of every piece ("chunked",
 *               "tus"; https or localhost)
 *   status      how to hear what has arrived: "stream" (server-sent events, and
 *               polling where they fail), "poll", "off"
 *   chunkSize   bytes of a piece (16 MiB)
 *   retries     how often in a row to try again without any progress (10)
 *   headers     {name: value} with every request; credentials: true for CORS
 *   storage     where unfinished uploads are noted (localStorage), or null
 *   fingerprint text that tells this file from others (name, size, date)
 *
 * The job:
 *
 *   done        promise of {status, body, text, identifier}: body is the
 *               answer's JSON, if it is any. Rejected with an UploadError,
 *               whose kind is "refused" (with status, body), "network" or
 *               "cancelled"
 *   pause()     stops sending; what has arrived stays
 *   resume()    goes on; also ends the wait for another try
 *   cancel()    stops, and has the server forget it
 *   progress    the object that onprogress gets:
 *     state     starting, uploading, paused, waiting (for the network),
 *               finishing (the application has it), done, error, cancelled
 *     loaded, size   bytes of the file: what the server has told of lately,
 *                    else what was handed to the network
 *     rate, left     bytes a second lately; seconds to go, null if unknown
 *     resumed        bytes that were there from an earlier visit
 *     retry, error   which try this is going to be; what went wrong
 *     identifier
 *
 * After a reload the browser will not read the file by itself: pending() lists
 * what is unfinished, and upload() of the same file goes on with it. forget(e)
 * drops an entry of that list, on the server too.
 *
 * limits(url) asks U/new (UploadMint On) what may be sent: a promise of an
 * object with those of max-size, max-file-size and max-request-size (bytes),
 * allow and deny (extensions) that the server has. objection(file, limits,
 * {protocol, name}) says why the server would refuse the file, or null: the
 * answer of the server counts all the same. */
(function (root) {
    "use strict";

    const PREFIX = "upload-pool:";
    const KEEP_NOTES = 30 * 24 * 3600 * 1000;
    const STALL = 60000;     /* so long nothing is sent before it is a cut */
    const WINDOW = 6000;     /* of the rate */
    const FRESH = 3000;      /* so long the server's last word counts */
    const TUS = { "Tus-Resumable": "1.0.0" };
    /* Worth another try: too slow, still busy with the last one, locked, too
     * early, too many, a proxy without its server. */
    const AGAIN = [408, 409, 423, 425, 429, 502, 503, 504];
    const GONE = [403, 404, 410];
    const inUse = new Set();

    class UploadError extends Error {
        constructor(kind, message, reply) {
            super(message);
            this.name = "UploadError";
            this.kind = kind;
            this.status = reply ? reply.status : 0;
            this.body = reply ? reply.body : undefined;
            this.after = reply ? Number(reply.header("Retry-After")) || 0 : 0;
        }
    }

    function cut(text) {
        return new UploadError("network", text || "The connection was lost");
    }

    function stopped() {
        return new UploadError("stopped", "Stopped");
    }

    /* --- One request ----------------------------------------------------- */

    function reply(status, text, header) {
        const made = { status, text, header, body: undefined };
        made.ok = status >= 200 && status < 300;
        try {
            made.body = JSON.parse(text);
        } catch (ignored) {
            /* It is no JSON. */
        }
        return made;
    }

    /* Only XMLHttpRequest tells how much of a body has gone. */
    function byXhr(method, url, o) {
        return new Promise(function (resolve, reject) {
            const xhr = new root.XMLHttpRequest();
            let timer = null;
            const end = function (then, value) {
                clearTimeout(timer);
                o.signal.removeEventListener("abort", abort);
                then(value);
            };
            const abort = function () {
                xhr.abort();
                end(reject, o.signal.reason);
            };
            const alive = function () {
                clearTimeout(timer);
                timer = setTimeout(function () {
                    xhr.abort();
                    end(reject, cut());
                }, STALL);
            };
            xhr.open(method, url);
            xhr.withCredentials = o.credentials;
            Object.keys(o.headers).forEach(function (name) {
                xhr.setRequestHeader(name, o.headers[name]);
            });
            xhr.onload = function () {
                end(resolve, reply(xhr.status, xhr.responseText,
                    function (name) { return xhr.getResponseHeader(name); }));
            };
            xhr.onerror = function () { end(reject, cut()); };
            if (o.onsent) {
                xhr.upload.onprogress = function (event) {
                    alive();
                    o.onsent(event.loaded, event.total);
                };
                /* All is sent: now the application may take its time. */
                xhr.upload.onload = function () {
                    clearTimeout(timer);
                    o.onsent(1, 1);
                };
                alive();
            }
            o.signal.addEventListener("abort", abort);
            xhr.send(o.body);
        });
    }

    async function byFetch(method, url, o) {
        let response;
        let text;
        try {
            response = await root.fetch(url, {
                method, headers: o.headers, body: o.body, signal: o.signal,
                credentials: o.credentials ? "include" : "same-origin"
            });
            text = await response.text();
        } catch (error) {
            throw o.signal.aborted ? o.signal.reason : cut();
        }
        if (o.onsent) {
            o.onsent(1, 1);
        }
        return reply(response.status, text,
            function (name) { return response.headers.get(name); });
    }

    function request(job, method, url, headers, body, onsent) {
        const o = {
            headers: Object.assign({ Accept: "application/json" },
                job.options.headers, headers),
            body, onsent, signal: job.stop.signal,
            credentials: Boolean(job.options.credentials)
        };
        if (o.signal.aborted) {
            return Promise.reject(o.signal.reason);
        }
        return (root.XMLHttpRequest ? byXhr : byFetch)(method, url, o);
    }

    function refused(answer) {
        const told = answer.body || {};
        return new UploadError("refused", told.error || told.detail ||
            told.title || "The server answered " + answer.status, answer);
    }

    function good(answer) {
        if (!answer.ok) {
            throw refused(answer);
        }
        return answer;
    }

    /* --- Small things ---------------------------------------------------- */

    /* A query may have further question marks in it. */
    function split(url) {
        const plain = url.split("#")[0];
        const at = plain.indexOf("?");
        return at < 0 ? [plain, ""]
            : [plain.slice(0, at), plain.slice(at + 1)];
    }

    function withQuery(url, query) {
        const parts = split(url);
        return parts[0] + "?" + (parts[1] ? parts[1] + "&" : "") + query;
    }

    function endpoint(url, name) {
        const parts = split(url);
        return parts[0].replace(/\/$/, "") + "/" + name +
            (parts[1] ? "?" + parts[1] : "");
    }

    function named(job, url) {
        return withQuery(url,
            "X-Progress-ID=" + encodeURIComponent(job.identifier));
    }

    function randomIdentifier() {
        const bytes = root.crypto.getRandomValues(new Uint8Array(16));
        return Array.from(bytes, function (b) {
            return b.toString(16).padStart(2, "0");
        }).join("");
    }

    /* POST U/new: with "UploadMint On", an identifier that a pool with a key
     * takes. */
    async function fresh(url, options) {
        const job = { options: options || {}, stop: new AbortController() };
        const told = good(await request(job, "POST", endpoint(url, "new"), {}));
        return told.body;
    }

    async function mint(url, options) {
        return (await fresh(url, options)).identifier;
    }

    async function limits(url, options) {
        return (await fresh(url, options)).limits || {};
    }

    /* In the largest unit that leaves a whole number, as it was configured. */
    function inUnits(bytes) {
        const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
        let n = 0;
        while (n < units.length - 1 && bytes >= 1024 && bytes % 1024 === 0) {
            bytes /= 1024;
            n += 1;
        }
        return bytes + " " + units[n];
    }

    /* The directory part of a name has no extensions. */
    function extensions(name) {
        return name.toLowerCase().split(/[\\/]/).pop().split(".").slice(1);
    }

    function objection(file, told, options) {
        const o = options || {};
        const suffixes = extensions(o.name || file.name || "");
        const last = suffixes[suffixes.length - 1];
        const denied = suffixes.find((s) => (told.deny || []).includes(s));
        const most = [["max-file-size", "a file"], ["max-size", "an upload"]]
            .concat((o.protocol || DEFAULTS.protocol) === "form"
                ? [["max-request-size", "one request"]] : [])
            .find((pair) => file.size > told[pair[0]]);
        if (most) {
            return "Larger than " + inUnits(told[most[0]]) + ", the most for " +
                most[1];
        }
        if (denied) {
            return "Files with ." + denied + " are not taken";
        }
        return told.allow && !told.allow.includes(last)
            ? "Not one of: " + told.allow.join(", ") : null;
    }

    function base64(bytes) {
        let text = "";
        bytes.forEach(function (b) { text += String.fromCharCode(b); });
        return btoa(text);
    }

    function base64Text(text) {
        return base64(new TextEncoder().encode(text));
    }

    /* RFC 8187 */
    function extended(text) {
        return "UTF-8''" + encodeURIComponent(text).replace(/['()*!]/g,
            function (c) {
                return "%" + c.charCodeAt(0).toString(16).toUpperCase();
            });
    }

    async function sha256(blob) {
        const bytes = await blob.arrayBuffer();
        return base64(new Uint8Array(
            await root.crypto.subtle.digest("SHA-256", bytes)));
    }

    function entries(fields) {
        return Object.keys(fields || {}).map(function (name) {
            return [name, String(fields[name])];
        });
    }

    /* Tells how much of the file has gone, of a body that has length bytes of
     * it, with whatever stands around them. */
    function counter(job, offset, length) {
        return function (loaded, total) {
            job.sent(offset + Math.floor(total ? length * loaded / total : 0));
        };
    }

    function form(job, blob) {
        const data = new FormData();
        entries(job.options.fields).forEach(function (pair) {
            data.append(pair[0], pair[1]);
        });
        data.append(job.options.field, blob, job.name);
        return data;
    }

    function slice(job, from, to) {
        return job.file.slice(from, to, job.file.type);
    }

    function pieceEnd(job, offset) {
        return Math.min(job.size, offset + job.options.chunkSize);
    }

    /* --- The protocols ----------------------------------------------------
     * find() says where to go on: 0 for a new upload. piece() sends the next
     * bytes and returns the application's answer once there is one. */

    const whole = {
        resumable: false,
        async find(job) {
            /* Sent to its last byte, and then the answer got lost. */
            if (job.tries && job.gone === job.size) {
                const told = await request(job, "GET", job.statusUrl, {});
                if (told.ok && told.body && told.body.state === "done") {
                    job.answer = told;
                }
            }
            return 0;
        },
        async piece(job) {
            return good(await request(job, "POST", named(job, job.url), {},
                form(job, job.file), counter(job, 0, job.size)));
        }
    };

    /* The first piece is a form where there are fields; all others are raw
     * bodies, which the server completes by itself. A file of one piece is a
     * plain form. */
    const chunked = {
        resumable: true,
        async find(job) {
            if (!job.note || job.size <= job.options.chunkSize) {
                return whole.find(job);
            }
            const told = await request(job, "POST", named(job, job.url),
                { "Content-Range": "bytes */" + job.size });
            if (GONE.includes(told.status)) {
                return job.forgotten();
            }
            return good(told).body.offset;
        },
        async piece(job, offset) {
            if (job.size <= job.options.chunkSize) {
                return chunked.settle(job, await whole.piece(job));
            }
            /* All is there but for the answer: the last byte asks for it. */
            const from = Math.min(offset, job.size - 1);
            const to = pieceEnd(job, from);
            const blob = slice(job, from, to);
            const headers = {
                "Content-Range":
                    "bytes " + from + "-" + (to - 1) + "/" + job.size
            };
            job.remember();
            let body = blob;
            if (from === 0 && entries(job.options.fields).length) {
                body = form(job, blob);
            } else {
                headers["Content-Type"] =
                    job.file.type || "application/octet-stream";
                headers["Content-Disposition"] =
                    "attachment; filename*=" + extended(job.name);
                if (job.options.check) {
                    headers["Content-Digest"] =
                        "sha-256=:" + await sha256(blob) + ":";
                }
            }
            const told = await request(job, "POST", named(job, job.url),
                headers, body, counter(job, from, to - from));
            if (!told.ok && told.body && told.body.offset >= 0 &&
                told.body.offset !== from) {
                throw cut("The server is at another offset");
            }
            good(told);
            if (to < job.size) {
                job.offset = told.body.offset;
                return null;
            }
            return chunked.settle(job, told);
        },
        /* Where nothing completes by itself, and UploadChunkedMd5 is off. */
        async settle(job, told) {
            const is = told.body || {};
            if (!is.upload_id || !is.expires || is.offset !== job.size) {
                return told;
            }
            const data = new FormData();
            data.append("upload_id", is.upload_id);
            return good(await request(job, "POST",
                endpoint(job.url, "complete"), {}, data));
        }
    };

    const tus = {
        resumable: true,
        async find(job) {
            if (!job.location) {
                return tus.create(job);
            }
            const told = await request(job, "HEAD", job.location, TUS);
            if (GONE.includes(told.status)) {
                job.location = null;
                await job.forgotten();
                return tus.create(job);
            }
            return Number(good(told).header("Upload-Offset"));
        },
        async create(job) {
            const pairs = [["filename", job.name]]
                .concat(job.file.type ? [["filetype", job.file.type]] : [])
                .concat(entries(job.options.fields));
            const told = await request(job, "POST", named(job, job.url),
                Object.assign({
                    "Upload-Length": String(job.size),
                    "Upload-Metadata": pairs.map(function (pair) {
                        return pair[0] + " " + base64Text(pair[1]);
                    }).join(",")
                }, TUS));
            /* Created before, but the answer that said so got lost. */
            if (told.status === 409 && job.tries) {
                job.location = endpoint(job.url, job.identifier).split("?")[0];
                return tus.find(job);
            }
            job.location = root.location
                ? new URL(good(told).header("Location"),
                    new URL(job.url, root.location.href)).href
                : new URL(good(told).header("Location"), job.url).href;
            job.remember();
            if (job.size === 0) {
                job.answer = told;
            }
            return 0;
        },
        async piece(job, offset) {
            const to = pieceEnd(job, offset);
            const blob = slice(job, offset, to);
            const headers = Object.assign({
                "Content-Type": "application/offset+octet-stream",
                "Upload-Offset": String(offset)
            }, TUS);
            if (job.options.check && to > offset) {
                headers["Upload-Checksum"] = "sha256 " + await sha256(blob);
            }
            const told = await request(job, "PATCH", job.location, headers,
                blob, counter(job, offset, to - offset));
            good(told);
            job.offset = Number(told.header("Upload-Offset"));
            return to === job.size ? told : null;
        }
    };

    const protocols = { form: whole, chunked, tus };

    /* --- What the server says meanwhile ---------------------------------- */

    class Watcher {
        constructor(job) {
            this.job = job;
            this.source = null;
            this.timer = null;
            this.ends = false;
            if (job.options.status === "stream" && root.EventSource) {
                this.stream();
            } else if (job.options.status !== "off") {
                this.poll();
            }
        }
        stream() {
            const source = new root.EventSource(
                withQuery(this.job.statusUrl, "stream"),
                { withCredentials: Boolean(this.job.options.credentials) });
            this.source = source;
            source.addEventListener("status", (event) => {
                const told = JSON.parse(event.data);
                this.job.heard(told);
                if (told.state === "done" || told.state === "error") {
                    source.close();
                }
                /* Of a form that is sent again: the last time. */
                if (told.state === "error" && !this.ends) {
                    this.poll();
                }
            });
            /* It comes back by itself, unless it was refused: too many watch,
             * or somebody in between does not like streams. */
            source.onerror = () => {
                if (source.readyState === 2 && !this.ends) {
                    this.poll();
                }
            };
        }
        /* It tells of every change, so silence means that there is none. */
        isOpen() {
            return this.source !== null && this.source.readyState === 1;
        }
        async poll() {
            try {
                const told = await request(this.job, "GET",
                    this.job.statusUrl, {});
                if (told.ok && !this.ends) {
                    this.job.heard(told.body);
                }
            } catch (ignored) {
                /* The next one may get through. */
            }
            if (!this.ends) {
                this.timer = setTimeout(() => this.poll(), 700);
            }
        }
        end() {
            this.ends = true;
            clearTimeout(this.timer);
            if (this.source) {
                this.source.close();
            }
        }
    }

    /* --- The job ---------------------------------------------------------- */

    function storageOf(options) {
        try {
            return options.storage === undefined
                ? root.localStorage : options.storage;
        } catch (ignored) {
            return null; /* forbidden here */
        }
    }

    const DEFAULTS = { protocol: "form", field: "file", status: "stream",
                       chunkSize: 16 * 1024 * 1024, retries: 10 };

    class Job {
        constructor(file, options) {
            this.file = file;
            this.options = Object.assign({}, DEFAULTS, options);
            this.protocol = protocols[this.options.protocol];
            if (!this.protocol || !this.options.url) {
                throw new TypeError("upload() needs a url, and a protocol of " +
                                    Object.keys(protocols).join(", "));
            }
            this.url = this.options.url;
            this.name = this.options.name || file.name || "file";
            this.size = file.size;
            this.storage = storageOf(this.options);
            this.identifier = null;
            this.location = null;
            this.note = null;
            this.answer = null;
            this.offset = 0;
            this.gone = 0;
            this.tries = 0;
            this.samples = [];
            this.told = null;
            this.wake = null;
            this.paused = false;
            this.cancelled = false;
            this.stop = new AbortController();
            this.progress = { state: "starting", loaded: 0, size: file.size,
                              rate: 0, left: null, resumed: 0, retry: 0,
                              error: null, identifier: null };
            this.done = this.run();
            /* Who only looks at progress need not catch it. */
            this.done.catch(function () { return null; });
        }

        pause() {
            if (!this.ended() && !this.paused) {
                this.paused = true;
                this.stop.abort(stopped());
                this.rouse();
            }
        }

        resume() {
            if (this.ended()) {
                return;
            }
            this.paused = false;
            this.tries = 0;
            this.rouse();
        }

        async cancel() {
            if (this.ended()) {
                return;
            }
            this.cancelled = true;
            this.stop.abort(stopped());
            this.rouse();
            await this.done.catch(function () { return null; });
        }

        ended() {
            return ["done", "error", "cancelled"]
                .includes(this.progress.state);
        }

        /* --- progress --- */

        tell(change) {
            Object.assign(this.progress, change);
            if (this.options.onprogress) {
                this.options.onprogress(this.progress, this);
            }
        }

        sent(bytes) {
            this.gone = bytes;
            this.moved();
        }

        heard(status) {
            const about = status && status.size > 0 ? status.size : 0;
            if (!about || status.state !== "uploading") {
                return;
            }
            /* Of a form the size of the whole request is told. */
            this.told = {
                at: Date.now(),
                bytes: Math.min(this.size, about === this.size
                    ? status.received
                    : Math.floor(this.size * status.received / about))
            };
            this.moved();
        }

        moved() {
            const now = Date.now();
            const fresh = this.told && (now - this.told.at < FRESH ||
                this.watcher.isOpen());
            const loaded = Math.max(this.progress.loaded, this.offset,
                fresh ? this.told.bytes : this.gone);
            if (this.progress.state !== "uploading" &&
                this.progress.state !== "finishing") {
                return;
            }
            if (this.note && now - this.note.when > 1000) {
                this.progress.loaded = loaded;
                this.remember();
            }
            this.samples.push([now, loaded]);
            while (this.samples.length > 2 &&
                   now - this.samples[0][0] > WINDOW) {
                this.samples.shift();
            }
            const first = this.samples[0];
            const rate = now > first[0]
                ? 1000 * (loaded - first[1]) / (now - first[0]) : 0;
            this.tell({
                state: this.gone >= this.size && !(fresh &&
                    this.told.bytes < this.size) ? "finishing" : "uploading",
                loaded, rate,
                left: rate > 0 ? (this.size - loaded) / rate : null
            });
        }

        /* --- what is noted for after a reload --- */

        key() {
            const file = this.file;
            const print = this.options.fingerprint ||
                [this.name, file.type, file.size, file.lastModified].join("|");
            return PREFIX + [this.options.protocol, this.url, print].join("|");
        }

        remember() {
            if (!this.protocol.resumable) {
                return;
            }
            this.note = {
                identifier: this.identifier, location: this.location,
                protocol: this.options.protocol, url: this.url,
                name: this.name, size: this.size,
                offset: this.progress.loaded,
                when: Date.now()
            };
            this.write(JSON.stringify(this.note));
        }

        write(text) {
            try {
                if (this.storage && this.owns && text) {
                    this.storage.setItem(this.noteKey, text);
                } else if (this.storage && this.owns) {
                    this.storage.removeItem(this.noteKey);
                }
            } catch (ignored) {
                /* It is full: then a reload begins anew. */
            }
        }

        /* One job at a time has the note of a file. */
        recall() {
            this.noteKey = this.key();
            this.owns = !inUse.has(this.noteKey);
            if (!this.owns || !this.protocol.resumable || !this.storage) {
                return;
            }
            inUse.add(this.noteKey);
            try {
                this.note = JSON.parse(this.storage.getItem(this.noteKey));
            } catch (ignored) {
                this.note = null;
            }
            if (this.note) {
                this.identifier = this.note.identifier;
                this.location = this.note.location;
                this.progress.loaded = this.note.offset;
            }
        }

        /* The server does not know it any more: a new upload. */
        async forgotten() {
            this.note = null;
            this.write(null);
            await this.identify(true);
            return 0;
        }

        async identify(anew) {
            const given = this.options.identifier;
            if (!this.identifier || anew) {
                this.identifier = typeof given === "function"
                    ? await given() : await given || randomIdentifier();
            }
            this.statusUrl = named(this, endpoint(this.url, "status"));
            this.progress.identifier = this.identifier;
        }

        /* --- the way of an upload --- */

        /* Until resume(), the browser is online, or so many ms have passed. */
        rest(ms) {
            const job = this;
            return new Promise(function (resolve) {
                let timer = null;
                const end = function () {
                    clearTimeout(timer);
                    job.wake = null;
                    if (root.removeEventListener) {
                        root.removeEventListener("online", end);
                    }
                    resolve();
                };
                job.wake = end;
                if (ms !== null) {
                    timer = setTimeout(end, ms);
                    if (root.addEventListener) {
                        root.addEventListener("online", end);
                    }
                }
            });
        }

        rouse() {
            if (this.wake) {
                this.wake();
            }
        }

        async send() {
            const watcher = new Watcher(this);
            this.watcher = watcher;
            const stop = this.stop;
            const offline = function () { stop.abort(cut()); };
            if (root.addEventListener) {
                root.addEventListener("offline", offline);
            }
            try {
                this.offset = await this.protocol.find(this);
                this.gone = this.offset;
                this.samples = [];
                /* Buffers take megabytes at once: what is sent counts only
                 * where the server says nothing. */
                this.told = this.options.status === "off" ? null
                    : { at: Date.now(), bytes: this.offset };
                this.progress.loaded = this.offset;
                if (this.offset > 0 && !this.began) {
                    this.progress.resumed = this.offset;
                }
                this.began = true;
                this.tell({ state: "uploading", error: null, retry: 0 });
                this.moved();
                while (!this.answer) {
                    const before = this.offset;
                    this.answer = await this.protocol.piece(this, before);
                    this.moved();
                    if (this.offset > before) {
                        this.tries = 0;
                    }
                }
            } finally {
                watcher.end();
                if (root.removeEventListener) {
                    root.removeEventListener("offline", offline);
                }
            }
        }

        /* Decides what a failure means: returns where to go on, throws where
         * that is the end. */
        async failed(error) {
            if (this.cancelled) {
                throw new UploadError("cancelled", "Cancelled");
            }
            if (this.paused) {
                this.tell({ state: "paused", rate: 0, left: null });
                await this.rest(null);
                return;
            }
            if (error.kind === "stopped") {
                return; /* paused and resumed at once */
            }
            const again = error.kind === "network" ||
                AGAIN.includes(error.status);
            if (this.gone > this.mark) {
                this.tries = 0;
            }
            this.mark = this.gone;
            if (!again || this.tries >= this.options.retries) {
                throw error;
            }
            this.tries += 1;
            const wait = Math.max(1000 * error.after,
                Math.min(30000, 500 * Math.pow(2, this.tries - 1)));
            this.tell({ state: "waiting", rate: 0, left: null,
                        retry: this.tries, error: error.message });
            /* Not all of those who were cut off at the same moment come back
             * at the same moment. */
            await this.rest(wait * (0.75 + Math.random() / 2));
        }

        async run() {
            await null; /* the caller has the job before it hears of it */
            this.mark = 0;
            this.recall();
            this.tell({});
            try {
                while (!this.answer) {
                    try {
                        if (this.paused || this.cancelled) {
                            throw stopped();
                        }
                        this.stop = new AbortController();
                        await this.identify();
                        await this.send();
                    } catch (error) {
                        await this.failed(error instanceof UploadError
                            ? error : new UploadError("failed", String(error)));
                    }
                }
            } catch (error) {
                return await this.end(error);
            } finally {
                if (this.owns) {
                    inUse.delete(this.noteKey);
                }
            }
            return this.finish();
        }

        finish() {
            this.write(null);
            this.gone = this.size;
            this.tell({ state: "done", loaded: this.size, left: 0,
                        error: null });
            return { status: this.answer.status, body: this.answer.body,
                     text: this.answer.text, identifier: this.identifier };
        }

        /* What a later visit may go on with stays noted. */
        async end(error) {
            if (error.kind === "cancelled" || error.kind === "refused" &&
                error.status < 500) {
                this.write(null);
            }
            if (error.kind === "cancelled") {
                this.tell({ state: "cancelled", rate: 0, left: null });
                await clear(this);
            } else {
                this.tell({ state: "error", rate: 0, left: null,
                            error: error.message });
            }
            throw error;
        }
    }

    /* --- What is unfinished ---------------------------------------------- */

    async function clear(job) {
        job.stop = new AbortController();
        try {
            if (job.identifier) {
                await request(job, "DELETE", named(job, job.url), {});
            }
        } catch (ignored) {
            /* It expires. */
        }
    }

    /* [{name, size, offset, url, protocol, when, identifier, key}], newest
     * first. */
    function pending(options) {
        const storage = storageOf(options || {});
        const found = [];
        for (let n = 0; storage && n < storage.length; n += 1) {
            const key = storage.key(n);
            if (key.startsWith(PREFIX) && !inUse.has(key)) {
                try {
                    found.push(Object.assign({ key },
                        JSON.parse(storage.getItem(key))));
                } catch (ignored) {
                    /* Not ours. */
                }
            }
        }
        const now = Date.now();
        return found.filter(function (entry) {
            const keep = now - entry.when < KEEP_NOTES;
            if (!keep) {
                storage.removeItem(entry.key);
            }
            return keep;
        }).sort(function (a, b) { return b.when - a.when; });
    }

    async function forget(entry, options) {
        const storage = storageOf(options || {});
        if (storage) {
            storage.removeItem(entry.key);
        }
        await clear({ options: options || {}, url: entry.url,
                      identifier: entry.identifier });
    }

    function upload(file, options) {
        return new Job(file, options || {});
    }

    const api = { upload, mint, limits, objection, pending, forget,
                  UploadError };
    root.UploadPool = api;
    if (typeof module === "object" && module.exports) {
        module.exports = api;
    }
}(typeof globalThis === "object" ? globalThis : self));
