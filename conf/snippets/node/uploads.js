/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors
 *
 * Uploads that mod_upload_pool has taken, for Node 16 or later behind
 * mod_proxy, without dependencies; server.js shows both uses. Nothing in a body
 * is believed before its signature is: whoever reaches this port without httpd
 * can send any header. */
"use strict";

const crypto = require("crypto");
const fs = require("fs/promises");
const path = require("path");

/* Bytes of JSON: UploadMaxFields, and UploadInline as base64. */
const MOST = 64 << 20;

const REMEDY = 'not readable for this user: have httpd say "UploadFileGroup'
    + ' GROUP" and "UploadFileMode 0640", and give that group the pool (chgrp'
    + " GROUP, chmod 710)";

class Refused extends Error {
    constructor(status, text) {
        super(text);
        this.status = status;
    }
}

/* The secrets of the server's UploadKeyFile, one a line, without its comments.
 * The file has to be readable for the application, and for nobody else. */
async function keys(file) {
    const text = await fs.readFile(file, "latin1").catch((error) => {
        throw trouble("the key cannot be read", file, error.code);
    });
    const lines = text.split("\n");
    const found = lines.map((line) => line.trim())
        .filter((line) => line && !line.startsWith("#"))
        .map((line) => Buffer.from(line, "latin1"));
    if (!found.length) {
        throw trouble("the key cannot be read", file, "no key in it");
    }
    return found;
}

/* What is the server's fault: the client is told no path, the log is. */
function trouble(text, file, reason) {
    console.error(`${file}: ${reason}`);
    return new Refused(500, text);
}

/* Over the bytes as they came: JSON that was parsed and written again is
 * another text. Takes the same time wherever the two differ. */
function isSigned(body, signature, secrets) {
    const given = Buffer.from(signature);
    return secrets.filter((secret) => {
        const expected = Buffer.from("sha256="
            + crypto.createHmac("sha256", secret).update(body).digest("hex"));
        return given.length === expected.length
            && crypto.timingSafeEqual(given, expected);
    }).length > 0;
}

async function readBody(req) {
    const pieces = [];
    let length = 0;
    for await (const piece of req) {
        length += piece.length;
        if (length > MOST) {
            throw new Refused(413, "too much JSON");
        }
        pieces.push(piece);
    }
    return Buffer.concat(pieces);
}

function isForbidden(error) {
    return error.code === "EACCES" || error.code === "EPERM";
}

/* Gone is final for a client: what only cannot be read is not gone. */
async function mustBeThere(file) {
    let size = -1;
    try {
        size = (await fs.stat(file.path || "")).size;
        await fs.access(file.path, fs.constants.R_OK);
    } catch (error) {
        if (isForbidden(error)) {
            throw trouble("the file cannot be read", file.path, REMEDY);
        }
    }
    if (size !== file.size) {
        throw new Refused(410, "the file is gone");
    }
}

/* The upload with that identifier in the directory POOL, for an application
 * that was told its identifier alone: as receive() gives it, without fields.
 * Null where there is no such upload that is done. The name is checked first,
 * because it becomes part of a path. */
async function find(pool, identifier) {
    if (!/^[A-Za-z0-9-]{1,64}$/.test(identifier)) {
        return null;
    }
    const bucket = path.join(pool, identifier);
    let upload;
    try {
        const text = await fs.readFile(path.join(bucket, "metadata.json"));
        upload = JSON.parse(text.toString("utf8"));
    } catch (error) {
        if (isForbidden(error)) {
            throw trouble("the upload cannot be read", bucket, REMEDY);
        }
        if (error.code === "ENOENT") {
            return null;
        }
        throw error;
    }
    if (upload.state !== "done") {
        return null;
    }
    for (const file of upload.files) {
        file.path = path.join(bucket, path.basename(file.stored));
        await mustBeThere(file);
    }
    return upload;
}

/* The upload of a request: the object of the JSON; values of fields that are
 * not UTF-8, and contents that came in the JSON, are Buffers. */
async function receive(req, secrets) {
    if (req.method !== "POST") {
        throw new Refused(405, "only POST");
    }
    const signature = req.headers["x-upload-signature"];
    if (!signature) {
        throw new Refused(403, "not signed");
    }
    const body = await readBody(req);
    if (!isSigned(body, signature, secrets)) {
        throw new Refused(403, "wrong signature");
    }
    const upload = JSON.parse(body.toString("utf8"));
    /* A signed body stays signed: it may not pass for another upload's. */
    if (upload.state !== "done"
        || !/^[A-Za-z0-9-]{1,64}$/.test(upload.identifier)
        || upload.identifier !== req.headers["x-upload-identifier"]) {
        throw new Refused(403, "another upload");
    }
    for (const field of upload.fields) {
        if (field.encoding === "base64") {
            field.value = Buffer.from(field.value, "base64");
        }
    }
    for (const file of upload.files) {
        if (file.content === undefined) {
            await mustBeThere(file);
        } else {
            file.content = Buffer.from(file.content, "base64");
        }
    }
    return upload;
}

/* A rename fails where the file is to go to another file system, or the
 * application is another user than httpd. */
async function move(from, to) {
    try {
        await fs.rename(from, to);
    } catch (_) {
        await fs.copyFile(from, to);
        await fs.unlink(from).catch(() => {});
    }
}

/* Moves a file to DIRECTORY/RANDOM/NAME and returns that path. Two files never
 * meet, whatever their clients call them. */
async function take(file, directory) {
    const random = file.path ? path.basename(file.path, ".bin")
        : crypto.randomBytes(8).toString("hex");
    const target = path.join(directory, random, file["safe-filename"]);
    await fs.mkdir(path.dirname(target), { recursive: true, mode: 0o750 });
    if (file.path) {
        await move(file.path, `${target}.part`);
    } else {
        await fs.writeFile(`${target}.part`, file.content);
    }
    /* Complete, or not there under its name. */
    await fs.rename(`${target}.part`, target);
    return target;
}

/* With "UploadKeep claimed": the upload was received; else it is deleted, also
 * when the application dies. */
function claim(res, upload) {
    res.setHeader("X-Upload-Claim", upload.identifier);
}

/* For Express and its like, before any parser of bodies:
 *
 *     app.post("/upload", middleware("/etc/myapp/upload_pool.key"), view);
 *
 * The view finds req.upload; what is no upload is answered here. */
function middleware(keyFile) {
    return async (req, res, next) => {
        try {
            req.upload = await receive(req, await keys(keyFile));
        } catch (error) {
            if (error instanceof Refused) {
                res.statusCode = error.status;
                res.end(JSON.stringify({ error: error.message }));
            } else {
                next(error);
            }
            return;
        }
        next();
    };
}

module.exports = {
    Refused, keys, receive, find, take, move, claim, middleware,
};
