/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* The pages of the manual where they lie as files: on a phone and on a screen,
 * light and dark, with the field that searches them, and without scripts. */
"use strict";

const fs = require("fs");
const path = require("path");
const { pathToFileURL } = require("url");
const { ok, is } = require("./kit.js");

const dir = path.resolve(__dirname, "../../conf/manual/mod");

function url(file) {
    return pathToFileURL(path.join(dir, file)).href;
}

/* What a reader sees of the headings, and of the rows of long tables. */
function visible(page, selector) {
    return page.locator(selector).evaluateAll(
        (all) => all.filter((e) => e.checkVisibility())
            .map((e) => e.textContent));
}

async function searches(page) {
    const field = page.getByLabel("Search this page");

    await page.goto(url("upload_pool_refusals.html"));
    const all = await visible(page, "h2");
    await field.fill("uploadsniff bytes");
    is(await visible(page, "h2"), ["415: not accepted"],
       "search: the section that has both words");
    is((await visible(page, ".section tr:not(.header) td:nth-child(2)")),
       ["sniffed UPL0147"], "search: and its row");
    is(await visible(page, "#topics a"), ["415: not accepted"],
       "search: the contents follow");
    is(await page.getByRole("status").textContent(),
       "1 of " + all.length + " sections", "search: it is counted");
    await field.fill("no such words anywhere");
    is(await visible(page, "h2"), [], "search: nothing is found");
    await field.fill("");
    is(await visible(page, "h2"), all, "search: all is back");

    await page.goto(url("upload_pool_logtags.html"));
    await field.fill("upl0081");
    is(await visible(page, "tr:not(.header) td:first-child"), ["UPL0081"],
       "search: a log tag");
    await page.goto(url("mod_upload_pool.html"));
    await field.fill("quota");
    const found = await visible(page, "table.qref td:first-child");
    ok(found.includes("UploadQuota") && !found.includes("UploadMint"),
       "search: directives by their line", found.join(" "));
}

/* A test for each page would be 200: one says of which pages it is not so. */
async function looks(kit, context, colorScheme, width) {
    const page = await context.newPage();
    const name = "manual, " + colorScheme + ", " + width;
    const wide = [];
    const asked = [];

    page.on("request", (request) => {
        if (!request.url().startsWith("file:")) {
            asked.push(request.url());
        }
    });
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 844 });
    for (const file of fs.readdirSync(dir)) {
        await page.goto(url(file));
        if (await page.evaluate(() => document.documentElement.scrollWidth
                                      > window.innerWidth)) {
            wide.push(file);
        }
    }
    is(wide, [], name + ": no page scrolls sideways");
    is(asked, [], name + ": nothing is fetched from elsewhere");
    for (const file of ["mod_upload_pool", "upload_pool_refusals",
                        "upload_pool_application"]) {
        await page.goto(url(file + ".html"));
        /* The levels of the headings are those of httpd's manual. */
        await kit.accessible(page, name + ": " + file,
                             { "heading-order": { enabled: false } });
        await kit.picture(page, ["manual", colorScheme, width, file].join("-"));
    }
    await page.close();
}

async function run(kit) {
    const context = await kit.launch("manual", {});
    const errors = [];

    context.on("weberror", (error) => errors.push(error.error().message));
    await searches(context.pages()[0]);
    for (const scheme of ["light", "dark"]) {
        for (const width of [390, 1280]) {
            await looks(kit, context, scheme, width);
        }
    }
    is(errors, [], "manual: no error of a script");
    await context.close();

    const plain = await kit.launch("manual-plain", { javaScriptEnabled: false });
    const page = plain.pages()[0];
    await page.goto(url("upload_pool_refusals.html"));
    is(await page.locator("input").count(), 0,
       "manual: without scripts there is no field that does nothing");
    ok((await visible(page, "h2")).length > 10, "manual: and all of the text");
    await plain.close();
}

module.exports = { run };
