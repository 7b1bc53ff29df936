/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* TAP out of JavaScript, for t/browser and t/clients. */
"use strict";

const crypto = require("crypto");

let count = 0;
let failed = 0;

function ok(good, name, detail) {
    count += 1;
    console.log((good ? "ok " : "not ok ") + count + " - " + name);
    if (!good) {
        failed += 1;
        if (detail !== undefined) {
            console.log("# " + String(detail).replace(/\n/g, "\n# "));
        }
    }
    return Boolean(good);
}

function is(got, want, name) {
    const a = JSON.stringify(got);
    const b = JSON.stringify(want);
    return ok(a === b, name, "got  " + a + "\nwant " + b);
}

/* The last line.  The exit code. */
function plan() {
    console.log("1.." + count);
    return failed ? 1 : 0;
}

function sha256(bytes) {
    return crypto.createHash("sha256").update(bytes).digest("hex");
}

function sleep(ms) {
    return new Promise((resolve) => { setTimeout(resolve, ms); });
}

/* Calls condition until it gives something true, and gives that; undefined
 * when it did not in two minutes, so that a run ends. */
async function until(condition, ms) {
    const end = Date.now() + (ms || 120000);
    for (;;) {
        const value = await condition();
        if (value) {
            return value;
        }
        if (Date.now() > end) {
            return undefined;
        }
        await sleep(25);
    }
}

module.exports = { ok, is, plan, sha256, sleep, until };
