// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_upload_pool authors
//
// What busboy, multer and formidable read from each body of a file of
// UploadPool::Parsers: a line for each, "PARSER NUMBER READING".

'use strict';

const crypto = require('crypto');
const fs = require('fs');
const {Readable, Writable} = require('stream');
const busboy = require('busboy');
const multer = require('multer');
const {formidable} = require('formidable');

const digest = (bytes) =>
    crypto.createHash('sha256').update(bytes).digest('hex');

function request(type, body) {
    const req = Readable.from([body], {objectMode: false});
    req.headers = {'content-type': type, 'content-length': `${body.length}`};
    req.method = 'POST';
    return req;
}

function byBusboy(type, body) {
    return new Promise((resolve, reject) => {
        const req = request(type, body);
        const fields = [];
        const files = [];
        const parser = busboy({headers: req.headers, preservePath: true});
        parser.on('field', (name, value, info) =>
            fields.push([name, value, info]));
        parser.on('file', (name, stream, info) => {
            const file = [name, info];
            files.push(file);
            const chunks = [];
            stream.on('data', (chunk) => chunks.push(chunk));
            stream.on('end', () => file.push(digest(Buffer.concat(chunks))));
        });
        parser.on('error', reject);
        parser.on('close', () => resolve({fields, files}));
        req.pipe(parser);
    });
}

function byMulter(type, body) {
    return new Promise((resolve, reject) => {
        const req = request(type, body);
        multer().any()(req, {}, (error) => {
            if (error) {
                reject(error);
                return;
            }
            resolve({body: req.body, files: (req.files || []).map((file) => [
                file.fieldname, file.originalname, file.encoding,
                file.mimetype, file.size, digest(file.buffer)])});
        });
    });
}

async function byFormidable(type, body) {
    if (/^content-transfer-encoding:/im.test(body.toString('latin1'))) {
        throw new Error('not given to formidable: it knows no such header');
    }
    const nowhere = () => new Writable({write: (chunk, how, done) => done()});
    const form = formidable({allowEmptyFiles: true, minFileSize: 0,
        hashAlgorithm: 'sha256', fileWriteStreamHandler: nowhere});
    const [fields, files] = await form.parse(request(type, body));
    const seen = {};
    for (const name of Object.keys(files)) {
        seen[name] = files[name].map((file) => [
            file.originalFilename, file.mimetype, file.size, file.hash]);
    }
    return {fields, files: seen};
}

// Objects are equal whatever the order of their names.
function sorted(key, value) {
    if (!value || typeof value !== 'object' || Array.isArray(value)) {
        return value;
    }
    return Object.fromEntries(Object.entries(value).sort(
        ([a], [b]) => (a < b ? -1 : 1)));
}

async function main() {
    const bytes = fs.readFileSync(process.argv[2]);
    let at = 0;
    while (at < bytes.length) {
        const end = bytes.indexOf(10, at);
        const [number, typeLength, length] = bytes.toString('latin1', at, end)
            .split(' ').map(Number);
        const type = bytes.toString('latin1', end + 1, end + 1 + typeLength);
        at = end + 1 + typeLength;
        const body = bytes.subarray(at, at + length);
        at += length;
        for (const [name, read] of [['busboy', byBusboy],
            ['multer', byMulter], ['formidable', byFormidable]]) {
            let reading;
            try {
                reading = JSON.stringify(await read(type, body), sorted);
            } catch (error) {
                reading = `error: ${error.message.replace(/\n/g, ' ')}`;
            }
            process.stdout.write(`${name} ${number} ${reading}\n`);
        }
    }
}

main();
