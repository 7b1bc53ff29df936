/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* The demo in a browser without JavaScript. */
"use strict";

const { ok, is, sha256, until, Line } = require("./kit.js");

const TITLE = "Grüße & <b>\"more\"</b>";

async function run(kit) {
    const context = await kit.launch("plain", { javaScriptEnabled: false });
    const page = context.pages()[0];
    const line = await Line.make(new URL(kit.base).port);
    const answer = page.frameLocator("iframe[name=answer]");
    const progress = page.frameLocator("iframe[name=progress]");

    await page.goto(line.base + "/");
    await page.waitForSelector("form.plain");
    is(new URL(page.url()).pathname, "/upload",
       "plain form: without script the page leads to it");
    await page.click("button[type=submit]");
    is(await answer.locator("body > *").count(), 0,
       "plain form: the browser wants a file");
    await page.fill("input[name=title]", TITLE);
    await page.setInputFiles("#file", kit.three);
    await page.click("button[type=submit]");
    await answer.locator("ul.files li").first().waitFor();

    is(await answer.locator("ul.files a").allTextContents(),
       kit.three.map((f) => f.name), "plain form: three files are listed");
    const body = JSON.parse(await answer.locator("pre").first().textContent());
    is([body.state, body.fields], ["done", [{ name: "title", value: TITLE }]],
       "plain form: the text field");
    is(body.files.map((f) => [f.filename, f.size, f.digests["sha-256"]]),
       kit.three.map((f) => [f.name, f.buffer.length, sha256(f.buffer)]),
       "plain form: names, sizes, digests");
    const links = await answer.locator("ul.files a")
        .evaluateAll((all) => all.map((a) => a.getAttribute("href")));
    is(await kit.downloads(page, links),
       kit.three.map((f) => sha256(f.buffer)),
       "plain form: the links bring the files back");
    ok(await until(async () => /^Done/.test(
        await progress.locator("#state").textContent())),
       "plain form: the other frame says so");
    await kit.picture(page, "plain-done");
    await kit.fits(page, "plain form");

    await page.click("footer a");
    await page.waitForSelector("form.plain");
    await page.setInputFiles("#file", kit.file("slow.bin",
                                               Buffer.alloc(6000000, "x")));
    line.hold(1500000);
    await page.click("button[type=submit]");
    const seen = [];
    while (seen.length < 2) {
        const text = await until(async () => {
            const now = await progress.locator("#state").textContent();
            return line.reached() && /%/.test(now) && !seen.includes(now) && now;
        });
        seen.push(text);
        line.hold(1500000);
    }
    ok(seen.every((text) => text), "plain form: progress moves without script",
       seen.join("\n"));
    await kit.picture(page, "plain-progress");
    line.release();
    await answer.locator("ul.files li").first().waitFor();
    line.close();
    await context.close();
}

module.exports = { run };
