/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* The demo's page in Chromium: every button, and what goes wrong. */
"use strict";

const crypto = require("crypto");
const fs = require("fs");
const path = require("path");
const { ok, is, sha256, until, Line } = require("./kit.js");

const MiB = 1024 * 1024;
let kit;
let page;
let line;

/* A PNG of one colour: what a preview is made of. */
const PIXEL = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlE" +
    "QVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==", "base64");

function random(name, size) {
    return kit.file(name, crypto.randomBytes(size));
}

async function settings() {
    const open = page.locator("#settings[open]");
    if (!await open.count()) {
        await page.click("#settings > summary");
        await open.waitFor();
    }
}

async function open(protocol) {
    line.rate = 0;
    line.release();
    await page.goto(line.base + "/");
    await settings();
    await page.locator("input[value=" + protocol + "]").check();
}

function row(name) {
    return page.locator("li.upload").filter({ hasText: name });
}

function press(name, label) {
    return row(name).getByRole("button", { name: label + " " + name }).click();
}

function state(name, word) {
    return page.locator("li.upload." + word).filter({ hasText: name }).waitFor();
}

async function answered(name) {
    return JSON.parse(await row(name).locator("details pre").textContent());
}

async function received(name) {
    return (await answered(name)).body;
}

async function arrived(f, what) {
    await state(f.name, "done");
    const body = await received(f.name);
    is([body.files[0].filename, body.files[0].digests["sha-256"]],
       [f.name, sha256(f.buffer)], what);
    return body;
}

async function choose(files) {
    await page.setInputFiles("#file", files);
}

async function threeFiles(protocol) {
    await open(protocol);
    await page.fill("#title", "Grüße");
    await page.locator("#check").check();
    await choose(kit.three);
    for (const f of kit.three) {
        const body = await arrived(f, protocol + ": " + f.name);
        is(body.fields, [{ name: "title", value: "Grüße" }],
           protocol + ": its title");
    }
    const links = await page.locator("a.get")
        .evaluateAll((all) => all.map((a) => a.getAttribute("href")));
    is((await kit.downloads(page, links)).sort(),
       kit.three.map((f) => sha256(f.buffer)).sort(),
       protocol + ": the links bring the files back");
    ok(/^3 of 3 done/.test(await page.textContent("#sum")),
       protocol + ": the sum");
    await kit.fits(page, protocol);
}

async function dropped() {
    await open("tus");
    const data = await page.evaluateHandle(() => {
        const transfer = new DataTransfer();
        transfer.items.add(new File(["dropped"], "dropped.txt",
                                    { type: "text/plain" }));
        return transfer;
    });
    await page.dispatchEvent("#drop", "dragenter", { dataTransfer: data });
    is(await page.locator("#drop.over").count(), 1, "drop: the area shows it");
    await page.dispatchEvent("#drop", "drop", { dataTransfer: data });
    await state("dropped.txt", "done");
    is((await received("dropped.txt")).files[0].size, 7, "drop: it was sent");
    is(await page.locator("#drop.over").count(), 0, "drop: and is over");
    await until(() => row("dropped.txt").locator(".thumb pre").count());
    is(await row("dropped.txt").locator(".thumb pre").textContent(), "dropped",
       "preview: of text");
}

async function previews() {
    await open("tus");
    await page.evaluate(() => {
        const all = { made: 0, revoked: 0 };
        const make = URL.createObjectURL;
        const revoke = URL.revokeObjectURL;
        URL.createObjectURL = (f) => { all.made += 1; return make(f); };
        URL.revokeObjectURL = (u) => { all.revoked += 1; revoke(u); };
        window.urls = all;
    });
    await choose([kit.file("pixel.png", PIXEL, "image/png"),
                  kit.file("broken.png", "no image", "image/png")]);
    await state("pixel.png", "done");
    await state("broken.png", "done");
    await until(() => page.evaluate(() => window.urls.revoked === 2));
    is(await page.evaluate(() => [
        document.querySelectorAll(".thumb img").length, window.urls.made,
        window.urls.revoked]), [1, 2, 2], "preview: and its URL is revoked");
    is(await row("broken.png").locator(".thumb").textContent(), "PNG",
       "preview: none of what is no image");
}

/* What the server says of it in the middle; the bar follows. */
async function moves(protocol) {
    const f = random("slow-" + protocol + ".bin", 16 * MiB);
    const seen = [0];
    await open(protocol);
    line.hold(3 * MiB);
    await choose(f);
    while (seen.length < 5) {
        const value = await until(async () => {
            const now = await row(f.name).locator("progress")
                .evaluate((bar) => bar.value);
            return now !== seen[seen.length - 1] && line.reached() && now;
        });
        seen.push(value);
        line.hold(2 * MiB);
    }
    is(seen, seen.slice().sort((a, b) => a - b),
       protocol + ": the bar moves, and forwards");
    ok(await until(async () => /[BG]\/s · [\d.]+ (s|min|h) left/.test(
        await row(f.name).locator(".state").textContent())),
       protocol + ": speed and time left");
    ok(await page.locator("#total-bar").evaluate((bar) => bar.value) > 0,
       protocol + ": the total moves");
    if (protocol === "tus") {
        await kit.picture(page, "uploading");
    }
    return f;
}

async function pauseResumeCancel(protocol) {
    const f = await moves(protocol);
    await press(f.name, "Pause");
    await state(f.name, "paused");
    line.flush();
    ok(/paused/.test(await row(f.name).locator(".state").textContent()),
       protocol + ": pause");
    is(await page.evaluate(() => document.activeElement.title), "Resume",
       protocol + ": the focus stays with the button");
    line.release();
    await press(f.name, "Resume");
    await arrived(f, protocol + ": resume");

    const other = random("cancel-" + protocol + ".bin", 5 * MiB);
    line.hold(MiB);
    await choose(other);
    await state(other.name, "uploading");
    const gone = page.waitForResponse((r) => r.request().method() === "DELETE");
    await press(other.name, "Cancel");
    is((await gone).status(), 200, protocol + ": cancel reaches the server");
    is(await row(other.name).count(), 0, protocol + ": its row is gone");
    ok(await page.evaluate(() => document.activeElement !== document.body),
       protocol + ": the focus is somewhere");
}

async function networkCut(protocol) {
    const f = random("cut-" + protocol + ".bin", 6 * MiB);
    await open(protocol);
    line.hold(3 * MiB);
    await choose(f);
    await state(f.name, "uploading");
    await until(() => line.reached());
    line.cut();
    await state(f.name, "waiting");
    if (protocol === "tus") {
        await kit.picture(page, "waiting");
    }
    line.mend();
    line.release();
    await arrived(f, protocol + ": whole in spite of a cut");
}

/* Every request for a status; what it is answered with is not asked, for the
 * body of a stream comes to no end. */
async function watched() {
    const f = random("watched.bin", 6 * MiB);
    const asked = { eventsource: 0, xhr: 0 };
    const count = (request) => {
        if (/\/status\?/.test(request.url())) {
            asked[request.resourceType()] += 1;
        }
    };
    await open("tus");
    page.on("request", count);
    line.hold(3 * MiB);
    await choose(f);
    await until(() => row(f.name).locator("progress")
        .evaluate((bar) => bar.value > 0.1));
    line.release();
    await arrived(f, "by events: it arrives");
    is(asked, { eventsource: 1, xhr: 0 }, "one stream, and nobody asks");
    await page.route("**/status?*stream", (route) => route.fulfill({
        status: 503, contentType: "application/json", body: "{}" }));
    line.hold(3 * MiB);
    await choose(random("asked.bin", 6 * MiB));
    await until(() => row("asked.bin").locator("progress")
        .evaluate((bar) => bar.value > 0.1 && bar.value < 0.9));
    ok(asked.xhr > 0, "where there are too many streams, it asks");
    line.release();
    await state("asked.bin", "done");
    await page.unroute("**/status?*stream");
    page.off("request", count);
}

async function offline() {
    const f = random("offline.bin", 6 * MiB);
    await open("tus");
    line.hold(3 * MiB);
    await choose(f);
    await until(() => line.reached());
    await page.context().setOffline(true);
    await state(f.name, "waiting");
    line.release();
    await page.context().setOffline(false);
    await arrived(f, "offline, and online again");
}

async function reloaded(protocol) {
    const f = random("reload-" + protocol + ".bin", 20 * MiB);
    /* A file has a date; what is only in memory has a new one each time. */
    const where = path.join(kit.out, f.name);
    fs.writeFileSync(where, f.buffer);
    await open(protocol);
    /* Chunks: the first is there and noted. */
    line.hold(18 * MiB);
    await choose(where);
    await until(() => line.reached());
    await page.reload();
    line.flush();
    await page.locator("#earlier").waitFor();
    ok((await page.textContent("#notes")).includes(f.name),
       protocol + ": after a reload the page names it");
    if (protocol === "tus") {
        await kit.picture(page, "earlier");
        await kit.accessible(page, "after a reload");
    }
    line.release();
    line.sent = 0;
    await settings();
    await page.locator("input[value=" + protocol + "]").check();
    await choose(where);
    await arrived(f, protocol + ": whole after a reload");
    ok(line.sent < 14 * MiB && /went on at/.test(
        await row(f.name).locator(".state").textContent()),
       protocol + ": only the rest was sent", line.sent);
    is(await page.locator("#earlier").isVisible(), false,
       protocol + ": nothing is left of it");
    fs.unlinkSync(where);
}

async function forgotten() {
    const f = random("forget.bin", 5 * MiB);
    await open("tus");
    line.hold(2 * MiB);
    await choose(f);
    await until(() => page.evaluate(() => localStorage.length > 0));
    await page.reload();
    line.release();
    await page.getByRole("button", { name: "Forget forget.bin" }).click();
    await page.locator("#earlier").waitFor({ state: "hidden" });
    is(await page.evaluate(() => localStorage.length), 0,
       "forget: no note is left");
}

async function failure() {
    const f = random("refused.bin", 1000);
    await open("form");
    await page.route("**/upload?X-Progress-ID=*", (route) => route.fulfill({
        status: 507, contentType: "application/json",
        body: "{\"state\": \"error\", \"error\": \"The pool is full\"}" }));
    await choose(f);
    await state(f.name, "error");
    is(await row(f.name).locator(".state").textContent(), "The pool is full",
       "error: the page says why");
    await kit.picture(page, "error");
    await kit.accessible(page, "an error");
    await page.unroute("**/upload?X-Progress-ID=*");
    await press(f.name, "Try again");
    await arrived(f, "error: and tries again");
    await page.route("**/upload/new", (route) => route.fulfill({
        status: 500, body: "" }));
    await choose(random("second.bin", 10));
    await state("second.bin", "error");
    await press("second.bin", "Remove");
    is(await row("second.bin").count(), 0, "error: its row can be removed");
    await page.unroute("**/upload/new");
}

async function allTogether() {
    const files = Array.from({ length: 20 }, (_, n) =>
        random("many-" + String(n).padStart(2, "0") + ".bin", 200000 + n));
    await open("tus");
    line.hold(100000);
    await choose(files);
    is(await page.locator("li.upload").count(), 20, "20 files: a row each");
    ok(await page.locator("li.upload.queued").count() >= 16,
       "20 files: they take turns");
    await page.click("#pause-all");
    await until(async () => await page.locator("li.upload.paused").count()
        + await page.locator("li.upload.done").count() === 20);
    ok(await page.locator("li.upload.paused").count() >= 16,
       "20 files: pause all");
    const done = await page.locator("li.upload.done").count();
    await kit.picture(page, "many");
    is(await buttons(), ["resume-all", "cancel-all", "tidy"].filter((id) =>
        id !== "tidy" || done), "no button that does nothing");
    line.flush();
    line.release();
    await page.click("#resume-all");
    await until(() => page.locator("li.upload.done").count()
        .then((n) => n === 20));
    const digests = await page.locator("details pre").evaluateAll((all) =>
        all.map((p) => JSON.parse(p.textContent).body.files[0]
            .digests["sha-256"]));
    is(digests.sort(), files.map((f) => sha256(f.buffer)).sort(),
       "20 files: all are there");
    await until(async () => (await buttons()).join() === "tidy");
    is(await buttons(), ["tidy"], "when all is done, there is one button");
    await page.click("#tidy");
    is(await page.locator("li.upload").count(), 0, "clear finished");
    line.hold(500000);
    await choose(files.slice(0, 3).map((f) =>
        random("x" + f.name, 2 * MiB)));
    await page.locator("li.upload.uploading").first().waitFor();
    await page.click("#cancel-all");
    is(await page.locator("li.upload").count(), 0, "cancel all");
    await page.locator("#total").waitFor({ state: "hidden" });
}

/* Those of all files that are there. */
function buttons() {
    return page.locator(".actions button:visible")
        .evaluateAll((all) => all.map((b) => b.id));
}

async function pasted() {
    await open("tus");
    await page.evaluate(() => {
        const transfer = new DataTransfer();
        transfer.items.add(new File(["pasted"], "image.png"));
        document.dispatchEvent(new ClipboardEvent("paste",
            { clipboardData: transfer, bubbles: true, cancelable: true }));
    });
    await state("image.png", "done");
    is((await received("image.png")).files[0].size, 6, "paste: it was sent");
    const kept = await page.evaluate(() => document.dispatchEvent(
        new ClipboardEvent("paste", { clipboardData: new DataTransfer(),
                                      cancelable: true })));
    is([kept, await page.locator("li.upload").count()], [true, 1],
       "paste: text goes where it belongs");
}

async function folders() {
    const where = path.join(kit.out, "folder");
    const paths = ["folder/a.txt", "folder/deep/b.txt", "folder/deep/c.txt"];
    fs.rmSync(where, { recursive: true, force: true });
    fs.mkdirSync(path.join(where, "deep"), { recursive: true });
    paths.forEach((p) => fs.writeFileSync(path.join(kit.out, p), p));
    await open("tus");
    await page.setInputFiles("#folder", where);
    await until(() => page.locator("li.upload.done").count()
        .then((n) => n === 3));
    is((await page.locator("li.upload .name").allTextContents()).sort(), paths,
       "folder: every file, with its path");
    for (const p of paths) {
        is((await received(p)).files[0].filename, p,
           "folder: the application gets the path of " + p);
    }
    fs.rmSync(where, { recursive: true });

    /* A drop that a script makes has no folders: this is what one looks like,
     * with a reader that brings some entries at a time. */
    await open("tus");
    await page.evaluate(() => {
        const file = (at) => ({
            isFile: true, fullPath: "/" + at,
            file: (then) => then(new File([at], at.split("/").pop()))
        });
        const folder = (at, inner) => ({
            isDirectory: true, fullPath: "/" + at,
            createReader: () => {
                const rest = inner.map((one) => [one]).concat([[]]);
                return { readEntries: (then) => then(rest.shift()) };
            }
        });
        const entries = [folder("d", [file("d/1"), folder("d/e",
            [file("d/e/2"), file("d/e/3")])]), file("4")];
        const drop = new Event("drop", { bubbles: true, cancelable: true });
        drop.dataTransfer = {
            files: [], items: entries.map((entry) => ({
                webkitGetAsEntry: () => entry }))
        };
        document.getElementById("drop").dispatchEvent(drop);
    });
    await until(() => page.locator("li.upload.done").count()
        .then((n) => n === 4));
    is((await page.locator("li.upload .name").allTextContents()).sort(),
       ["4", "d/1", "d/e/2", "d/e/3"], "folder: dropped");
}

/* What the server says it takes is told, and checked before a byte is sent. */
async function told() {
    const where = path.join(kit.out, "over.bin");
    await open("tus");
    await until(() => page.textContent("#most"));
    is(await page.textContent("#most"),
       "Up to 4 GiB each · no php, phtml, phar, cgi", "limits: they are told");
    ok(/only the rest is sent/.test(await page.textContent("#promise")),
       "a reload: what tus can do");
    await page.locator("input[value=form]").check();
    ok(/begins anew/.test(await page.textContent("#promise")),
       "a reload: what a form can do");
    fs.closeSync(fs.openSync(where, "w"));
    fs.truncateSync(where, 4096 * MiB + 1);
    line.sent = 0;
    await choose(where);
    await choose(kit.file("shell.php.txt", "<?php"));
    is([await row("over.bin").locator(".state").textContent(),
        await row("shell.php.txt").locator(".state").textContent()],
       ["Larger than 4 GiB, the most for an upload",
        "Files with .php are not taken"], "limits: they are checked");
    is(line.sent, 0, "limits: nothing was sent");
    is(await page.locator("li.upload button:visible").evaluateAll(
        (all) => all.map((b) => b.title)), ["Remove", "Remove"],
       "limits: there is nothing to try again");
    fs.unlinkSync(where);
    await page.route("**/new", (route) => route.abort());
    await page.goto(line.base + "/");
    await choose(kit.file("anyway.txt", "x"));
    await page.locator("li.upload.waiting, li.upload.error").waitFor();
    await page.unroute("**/new");
}

/* A telephone: its fingers and its camera. */
async function telephone() {
    const context = await kit.launch("phone", {
        viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true
    });
    const phone = context.pages()[0];
    await phone.goto(kit.base + "/");
    await phone.click("#settings > summary");
    await phone.locator("#settings[open]").waitFor();
    is(await phone.locator("#camera").evaluate((input) => [input.accept,
        input.getAttribute("capture"),
        input.getBoundingClientRect().height > 0]),
       ["image/*", "environment", true], "a telephone: its camera");
    await phone.setInputFiles("#camera", kit.file("photo.png", PIXEL,
                                                  "image/png"));
    await phone.locator("li.upload.done").waitFor();
    await kit.targets(phone, "a telephone");
    await kit.fits(phone, "a telephone");
    for (const at of ["/upload", "/unchanged.php"]) {
        await phone.goto(kit.base + at);
        await kit.fits(phone, at);
    }
    await phone.goto(kit.base + "/upload");
    await kit.targets(phone, "the plain form");
    await context.close();
}

/* Pages with no script of ours in them. */
async function pagesBehind() {
    await page.goto(line.base + "/");
    is(await page.locator("#camera").isVisible(), false,
       "with a mouse there is no camera");
    await page.click("footer a[href='/unchanged.php']");
    await page.fill("input[name=title]", "Grüße");
    await page.setInputFiles("input[type=file]", kit.three[2]);
    await page.click("button");
    const told = JSON.parse(await page.locator("body").innerText());
    is([told.$_POST.title, told.$_FILES[0].name, told.$_FILES[0]["sha-256"]],
       ["Grüße", "plain.bin", sha256(kit.three[2].buffer)],
       "unchanged PHP: its own form");
}

/* A file with something at its begin and end; its digest. */
async function sparse(where, size) {
    const fd = fs.openSync(where, "w");
    fs.ftruncateSync(fd, size);
    [[0, "firs"], [size - 4, "last"]]
        .forEach(([at, text]) => fs.writeSync(fd, text, at));
    fs.closeSync(fd);
    const hash = crypto.createHash("sha256");
    for await (const part of fs.createReadStream(where)) {
        hash.update(part);
    }
    return hash.digest("hex");
}

async function large() {
    const mib = Number(process.env.UPOOL_BIG_MIB || 256);
    const where = path.join(kit.out, "large.bin");
    const digest = await sparse(where, mib * MiB);
    await page.goto(kit.base + "/");
    const began = Date.now();
    await choose(where);
    await state("large.bin", "done");
    console.log("# " + mib + " MiB: " + (Date.now() - began) / 1000 + " s");
    const body = await received("large.bin");
    is([body.size, body.files[0].digests["sha-256"]], [mib * MiB, digest],
       mib + " MiB: all of it");
    fs.unlinkSync(where);
}

/* By tus, and cut in the middle, to a page of PHP that knows $_FILES alone. */
async function unchanged() {
    const size = 200 * MiB;
    const where = path.join(kit.out, "unchanged.bin");
    const digest = await sparse(where, size);
    await open("tus");
    await page.locator("input[value='/unchanged.php']").check();
    await page.fill("#title", "Grüße");
    line.hold(size / 2);
    await choose(where);
    await until(() => line.reached());
    line.cut();
    await state("unchanged.bin", "waiting");
    line.mend();
    line.release();
    await state("unchanged.bin", "done");
    const body = await answered("unchanged.bin");
    is(body.$_FILES, [{ input: "file", name: "unchanged.bin",
                        type: "application/octet-stream", size, error: 0,
                        "sha-256": digest }],
       "unchanged PHP: $_FILES after a cut");
    is(body.$_POST.title, "Grüße", "unchanged PHP: $_POST");
    fs.unlinkSync(where);
    await choose(kit.three[0]);
    await state(kit.three[0].name, "done");
}

async function keyboard() {
    await open("tus");
    await page.locator("body").click({ position: { x: 2, y: 2 } });
    const order = [];
    for (let n = 0; n < 7; n += 1) {
        await page.keyboard.press("Tab");
        order.push(await page.evaluate(() => document.activeElement.id ||
            document.activeElement.name || document.activeElement.tagName));
    }
    is(order, ["file", "folder", "SUMMARY", "protocol", "application", "title",
               "check"], "keyboard: the form in its order");
    const f = random("keys.bin", 4 * MiB);
    line.hold(2 * MiB);
    await choose(f);
    await state(f.name, "uploading");
    const pause = row(f.name).getByRole("button", { name: /^Pause/ });
    await pause.focus();
    await page.keyboard.press("Space");
    await state(f.name, "paused");
    ok(await page.evaluate(() => getComputedStyle(document.activeElement)
        .outlineStyle === "solid"), "keyboard: the focus is seen");
    line.release();
    await page.keyboard.press("Enter");
    await state(f.name, "done");
    is(await page.textContent("#news"), "keys.bin is done.",
       "a screen reader is told");
    is(await row(f.name).locator("progress").getAttribute("aria-label"),
       "keys.bin", "and which bar it is");
}

async function looks(scheme, width) {
    const name = scheme + "-" + width;
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme: scheme });
    await page.goto(line.base + "/");
    await until(() => page.textContent("#most"));
    is(await page.locator("#title").isVisible(), false,
       name + ": what only a demonstration needs is folded away");
    await kit.picture(page, name + "-empty");
    await kit.accessible(page, name + ", empty");
    await kit.targets(page, name + ", empty");
    await open("tus");
    await kit.picture(page, name + "-settings");
    await kit.accessible(page, name + ", settings");
    await choose([kit.file("notes.txt", "A list.\n1. milk\n2. bread\n",
                           "text/plain"),
                  kit.file("pixel.png", PIXEL, "image/png"), kit.three[0],
                  kit.file("a-rather-long-name-of-a-file-that-somebody-has-" +
                           "made-without-a-blank.tar.gz", "x")]);
    await until(() => page.locator("li.upload.done").count()
        .then((n) => n === 4));
    line.rate = MiB;
    line.hold(2 * MiB);
    await choose([random("film.mp4", 4 * MiB), random("two.iso", 3 * MiB),
                  random("three.zip", 3 * MiB)]);
    await until(() => page.locator("li.upload.uploading").count()
        .then((n) => n === 2));
    await until(async () => /left/.test(await page.textContent("#sum")));
    await kit.picture(page, name);
    await kit.fits(page, name);
    await kit.targets(page, name);
    await kit.accessible(page, name);
    line.rate = 0;
    await page.click("#cancel-all");
    line.release();
}

async function run(given) {
    kit = given;
    line = await Line.make(new URL(kit.base).port);
    const context = await kit.launch("page", {});
    page = context.pages()[0];
    const errors = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => {
        if (/Content Security Policy/.test(message.text())) {
            errors.push(message.text());
        }
    });
    for (const protocol of ["form", "chunked", "tus"]) {
        await threeFiles(protocol);
        await pauseResumeCancel(protocol);
        await networkCut(protocol);
    }
    await dropped();
    await pasted();
    await folders();
    await told();
    await telephone();
    await pagesBehind();
    await previews();
    await watched();
    await offline();
    await reloaded("chunked");
    await reloaded("tus");
    await forgotten();
    await failure();
    await allTogether();
    await keyboard();
    for (const scheme of ["light", "dark"]) {
        await looks(scheme, 390);
        await looks(scheme, 1280);
    }
    await large();
    await unchanged();
    await page.goto(kit.base + "/upload");
    await kit.accessible(page, "the plain form");
    is(errors, [], "no script failed, no policy was broken");
    line.close();
    await context.close();
}

module.exports = { run };
