/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* demo.js BASE CHROMIUM PROFILE OUT: the demo's pages as people use them. */
"use strict";

const crypto = require("crypto");
const path = require("path");
const { chromium } = require("playwright-core");

const [base, executablePath, profile, out] = process.argv.slice(2);
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
}

function is(got, want, name) {
    const a = JSON.stringify(got);
    const b = JSON.stringify(want);
    ok(a === b, name, "got  " + a + "\nwant " + b);
}

function file(name, content) {
    return { name, mimeType: "application/octet-stream",
             buffer: Buffer.from(content) };
}

function sha256(buffer) {
    return crypto.createHash("sha256").update(buffer).digest("hex");
}

/* Names that browsers, forms and shells find hard. */
const three = [
    file("Ünï – 漢字 😀.txt", "first\r\n--boundary?\r\n"),
    file("it's a \"quote\"; filename=x.txt", "second"),
    file("plain.bin", crypto.randomBytes(300000))
];

function launch(name, options) {
    const dir = path.join(profile, name);
    return chromium.launchPersistentContext(dir, Object.assign({
        executablePath, headless: true,
        viewport: { width: 960, height: 900 },
        args: ["--no-sandbox", "--disable-gpu", "--disable-quic",
               "--no-first-run", "--disable-background-networking",
               "--disable-component-update", "--disable-sync"]
    }, options));
}

function picture(page, name) {
    return page.screenshot({ path: path.join(out, name + ".png"),
                             fullPage: true });
}

async function fits(page, name) {
    ok(await page.evaluate(() => document.documentElement.scrollWidth
                                 <= window.innerWidth),
       name + ": no sideways scrolling");
}

/* What the files' links bring back. */
async function downloads(page, links) {
    const bytes = [];
    for (const link of links) {
        const response = await page.request.get(new URL(link, base).href);
        bytes.push(sha256(await response.body()));
    }
    return bytes;
}

async function withoutScript() {
    const context = await launch("plain", { javaScriptEnabled: false });
    const page = context.pages()[0];
    await page.goto(base + "/");
    await page.setInputFiles("#file", three);
    await page.fill("input[name=title]", "Grüße & <b>\"more\"</b>");
    await picture(page, "plain-form");
    await page.click("button[type=submit]");
    await page.waitForSelector("ul.files li");
    await picture(page, "plain-answer");
    await fits(page, "plain form, answer");

    is(await page.locator("ul.files a").allTextContents(),
       three.map((f) => f.name), "plain form: the page lists three files");
    const body = JSON.parse(await page.locator("pre").first().textContent());
    is(body.state, "done", "plain form: state");
    is(body.fields,
       [{ name: "title", value: "Grüße & <b>\"more\"</b>" }],
       "plain form: the text field");
    is(body.files.map((f) => f.filename), three.map((f) => f.name),
       "plain form: names");
    is(body.files.map((f) => f.size), three.map((f) => f.buffer.length),
       "plain form: sizes");
    is(body.files.map((f) => f.digests["sha-256"]),
       three.map((f) => sha256(f.buffer)), "plain form: digests");
    const links = await page.locator("ul.files a")
        .evaluateAll((all) => all.map((a) => a.getAttribute("href")));
    is(await downloads(page, links), three.map((f) => sha256(f.buffer)),
       "plain form: the links bring the files back");
    await page.click("a.button");
    await page.waitForSelector("#form");
    await page.setInputFiles("#file", []);
    await page.click("button[type=submit]");
    is(new URL(page.url()).pathname, "/",
       "plain form: the browser wants a file");
    await context.close();
}

async function chooseAndSend(page, files) {
    await page.setInputFiles("#file", files);
    await page.click("button[type=submit]");
}

async function withScript(page) {
    await page.goto(base + "/");
    await picture(page, "script-form");
    await chooseAndSend(page, three);
    await page.waitForFunction(
        () => document.querySelectorAll("#uploads details").length === 3);
    await picture(page, "script-done");
    await fits(page, "script");
    const rows = page.locator("#uploads li");
    is((await rows.locator(".name").allTextContents()).sort(),
       three.map((f) => f.name).sort(), "script: a row for each file");
    is(await rows.locator(".state").evaluateAll((all) =>
        all.every((e) => /, done$/.test(e.textContent))), true,
       "script: all are done");
    const answers = (await rows.locator("pre").allTextContents())
        .map((text) => JSON.parse(text));
    const seen = answers.map((a) => a.body.files[0].digests["sha-256"]);
    is(seen.sort(), three.map((f) => sha256(f.buffer)).sort(),
       "script: the JSON is shown");
    is(new Set(answers.map((a) => a.body.identifier)).size, 3,
       "script: an identifier each");
    const links = await rows.locator(".name a")
        .evaluateAll((all) => all.map((a) => a.getAttribute("href")));
    is((await downloads(page, links)).sort(),
       three.map((f) => sha256(f.buffer)).sort(),
       "script: the links bring the files back");
}

async function dropped(page) {
    await page.goto(base + "/");
    const data = await page.evaluateHandle(() => {
        const transfer = new DataTransfer();
        transfer.items.add(new File(["dropped"], "dropped.txt"));
        return transfer;
    });
    await page.dispatchEvent("#drop", "drop", { dataTransfer: data });
    is(await page.textContent("#choice"), "dropped.txt",
       "drop: the name is shown");
    await page.click("button[type=submit]");
    await page.waitForSelector("#uploads details");
    is(await page.textContent("#uploads .name"), "dropped.txt",
       "drop: it was sent");
}

/* A slow line: 5 MB at 1.5 MB a second. */
async function throttle(page, bytes) {
    const session = await page.context().newCDPSession(page);
    await session.send("Network.enable");
    await session.send("Network.emulateNetworkConditions", {
        offline: false, latency: 0, downloadThroughput: -1,
        uploadThroughput: bytes });
    return session;
}

/* Every status object that the page gets. */
function listen(page) {
    const heard = [];
    page.on("response", async (response) => {
        if (new URL(response.url()).pathname.endsWith("/status")) {
            heard.push(await response.json().catch(() => ({})));
        }
    });
    return heard;
}

async function progress(page) {
    const slow = file("slow.bin", crypto.randomBytes(5000000));
    const heard = listen(page);
    await page.goto(base + "/");
    await throttle(page, 1500000);
    await chooseAndSend(page, slow);
    const half = await page.waitForFunction(() => {
        const bar = document.querySelector("#uploads progress");
        return bar && bar.value > 0.2 && bar.value < 1 ? bar.value : 0;
    });
    ok(await half.jsonValue() > 0, "progress: the bar moves");
    await picture(page, "progress");
    await page.waitForSelector("#uploads details");

    const on = heard.filter((s) => s.state === "uploading");
    const received = on.map((s) => s.received);
    ok(new Set(received).size >= 3, "progress: received grows",
       JSON.stringify(heard));
    is(received, received.slice().sort((a, b) => a - b),
       "progress: and never shrinks");
    ok(on.every((s) => s.size === null || s.size > slow.buffer.length),
       "progress: size is that of the request", JSON.stringify(on));
    ok(on.every((s) => !("path" in s) && !("fields" in s)),
       "progress: no path, no field in it");
    const told = JSON.parse(await page.textContent("#uploads pre"));
    is(told.body.files[0].digests["sha-256"], sha256(slow.buffer),
       "progress: the file is right");
    return told.body.identifier;
}

async function cancelled(page) {
    const heard = listen(page);
    await page.goto(base + "/");
    await chooseAndSend(page, file("cancel.bin", Buffer.alloc(5000000)));
    await page.waitForFunction(() => {
        const bar = document.querySelector("#uploads progress");
        return bar && bar.value > 0.1;
    });
    const id = heard.find((s) => s.identifier).identifier;
    /* Not through the page, whose line is slow. */
    const cleared = await fetch(base + "/upload?X-Progress-ID=" + id,
                                { method: "DELETE" });
    is(await cleared.json(), { success: true }, "cancel: cleared");
    await page.waitForSelector("#uploads .error");
    await picture(page, "cancelled");
    ok((await page.textContent("#uploads .state")).length > 3,
       "cancel: the page says so");
    is(await page.locator("#uploads details").count(), 0,
       "cancel: the application did not run");
}

async function main() {
    await withoutScript();
    const context = await launch("script", {});
    const page = context.pages()[0];
    const errors = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    await withScript(page);
    await dropped(page);
    await progress(page);
    await cancelled(page);
    await page.setViewportSize({ width: 360, height: 740 });
    await page.emulateMedia({ colorScheme: "dark" });
    await page.goto(base + "/");
    await chooseAndSend(page, file("small.txt", "small"));
    await page.waitForSelector("#uploads details");
    await picture(page, "small-dark");
    await fits(page, "small screen");
    is(errors, [], "no script failed");
    await context.close();
}

const limit = setTimeout(() => {
    console.log("not ok " + (count + 1) + " - in time");
    process.exit(1);
}, 90000);
main().catch((error) => ok(false, "ran to its end", error.stack))
    .finally(() => {
        clearTimeout(limit);
        console.log("1.." + count);
        process.exit(failed ? 1 : 0);
    });
