/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* What a client's test is written with: TAP, and a look at the server. */
"use strict";

const fs = require("fs");
const path = require("path");
const tap = require("../../lib/tap.js");

const base = process.env.UPOOL_BASE;
const dir = process.env.UPOOL_DIR;
let planned = false;

/* What the echo application received: the JSON object in its answer's body. */
function application(text) {
    try {
        return JSON.parse(JSON.parse(text).body);
    }
    catch (error) {
        return { error: String(error), text: String(text).slice(0, 400) };
    }
}

/* Everything in that pool, as paths relative to it. */
function poolFiles(name) {
    const top = path.join(dir, "pools", name);

    return fs.readdirSync(top, { recursive: true, withFileTypes: true })
        .filter((entry) => !entry.isDirectory())
        .map((entry) => path.relative(top, path.join(
            entry.parentPath || entry.path, entry.name)))
        .sort();
}

function serverPid() {
    return Number(fs.readFileSync(path.join(dir, "httpd.pid"), "utf8"));
}

/* Process numbers of the server's children, those that serve requests; not
 * the CGI daemon. */
function children() {
    const parent = serverPid();

    return fs.readdirSync("/proc").filter((pid) => {
        try {
            const stat = fs.readFileSync("/proc/" + pid + "/stat", "utf8");
            const rest = stat.slice(stat.lastIndexOf(")") + 2).split(" ");

            return /^\d+$/.test(pid) && Number(rest[1]) === parent
                   && Number(rest[17]) > 1; /* threads */
        }
        catch {
            return false;
        }
    }).map(Number);
}

/* Runs main, prints the plan and ends.  Nothing to wait for any more, and main
 * not at its end, is an error too. */
async function run(main) {
    process.on("exit", (code) => {
        if (code === 0 && !planned) {
            process.exitCode = 1;
        }
    });
    try {
        await main();
    }
    catch (error) {
        tap.ok(false, "no exception", error.stack);
    }
    planned = true;
    process.exit(tap.plan());
}

module.exports = { ...tap, base, dir, application, poolFiles, serverPid,
                   children, run };
