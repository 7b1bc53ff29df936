// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_upload_pool authors
//
// An Express application with a page that uploads by multer: a session, a token
// against forged requests, which is read from the form, and two inputs for
// files.
//
//   PORT=3000 GALLERY=DIRECTORY node server.js

'use strict';

const crypto = require('crypto');
const express = require('express');
const multer = require('multer');

const app = express();
const sessions = new Map();
const upload = multer({dest: process.env.GALLERY, limits: {fileSize: 64e6}});

app.use((req, res, next) => {
    const named = /(?:^|;\s*)session=([0-9a-f]+)/.exec(
        req.headers.cookie || '');
    req.session = named && sessions.get(named[1]);
    if (!req.session) {
        const name = crypto.randomBytes(16).toString('hex');
        req.session = {token: crypto.randomBytes(16).toString('hex')};
        sessions.set(name, req.session);
        res.cookie('session', name, {httpOnly: true});
    }
    next();
});

app.get('/gallery', (req, res) => {
    res.send(`<!DOCTYPE html><title>Gallery</title>
<form method="post" action="/gallery" enctype="multipart/form-data">
<input type="hidden" name="token" value="${req.session.token}">
<input name="title">
<input type="file" name="photo">
<input type="file" name="sheets" multiple>
<input type="submit" name="send" value="Send">
</form>`);
});

const inputs = [{name: 'photo', maxCount: 1}, {name: 'sheets', maxCount: 9}];

app.post('/gallery', upload.fields(inputs), (req, res) => {
    if (req.body.token !== req.session.token) {
        res.status(403).send('forged');
        return;
    }
    res.json({body: req.body, files: req.files});
});

app.use((error, req, res, next) => {
    res.status(error.status || 500).send(String(error.code || error));
});

app.listen(process.env.PORT, '127.0.0.1');
