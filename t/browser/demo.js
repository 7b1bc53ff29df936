/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* demo.js BASE CHROMIUM PROFILE OUT: upload-pool.js in Node, and the demo's
 * and the manual's pages as people use them.
 *
 *   UPOOL_BIG_MIB=2048     size of the large file (256)
 *   UPOOL_BROWSER=plain    only one of: library plain page
 *                          manual */
"use strict";

const crypto = require("crypto");
const fs = require("fs");
const path = require("path");
const { chromium } = require("playwright-core");
const { ok, is, plan, sha256 } = require("./kit.js");

const [base, executablePath, profile, out] = process.argv.slice(2);
const limit = 900 + Number(process.env.UPOOL_BIG_MIB || 256) / 8;

function file(name, content, mimeType) {
    return { name, mimeType: mimeType || "application/octet-stream",
             buffer: Buffer.from(content) };
}

/* Names that browsers, forms and shells find hard. */
const three = [
    file("Ünï – 漢字 😀.txt", "first\r\n--boundary?\r\n", "text/plain"),
    file("it's a \"quote\"; filename=x.txt", "second"),
    file("plain.bin", crypto.randomBytes(300000))
];

/* On a busy machine anything may take long: a wait ends by what it is for. */
async function launch(name, options) {
    const dir = path.join(profile, name);
    const context = await chromium.launchPersistentContext(dir, Object.assign({
        executablePath, headless: true,
        viewport: { width: 960, height: 900 },
        args: ["--no-sandbox", "--disable-gpu", "--disable-quic",
               "--no-first-run", "--disable-background-networking",
               "--disable-component-update", "--disable-sync"],
        timeout: 0
    }, options));

    context.setDefaultTimeout(0);
    return context;
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

/* Whatever is pressed is 44 pixels wide and high, or what it lies in is. */
async function targets(page, name) {
    const found = await page.locator("a, button, input, select, summary")
        .evaluateAll((all) => all.map((e) => {
            const label = e.closest("label");
            const boxes = [e, label].filter(Boolean)
                .map((one) => one.getBoundingClientRect());
            return {
                what: e.id || e.title || e.textContent.trim() || e.value,
                there: boxes[0].width > 0 && e.checkVisibility(),
                large: boxes.some((b) => b.width > 43.9 && b.height > 43.9)
            };
        }).filter((one) => one.there));
    is(found.filter((one) => !one.large).map((one) => one.what), [],
       name + ": a thumb can hit all of " + found.length);
    ok(found.length > 3, name + ": there is something to hit", found.length);
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

/* The page's policy forbids scripts from elsewhere, also this one: so it is
 * run the way the developer tools would. */
async function accessible(page, name, rules) {
    await page.evaluate(fs.readFileSync(
        require.resolve("axe-core/axe.min.js"), "utf8") + ";0");
    const found = await page.evaluate(async (other) => {
        const result = await window.axe.run(document, {
            rules: other,
            runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa",
                      "best-practice"]
        });
        return { passes: result.passes.length,
                 bad: result.violations.map((v) => v.id + ": " +
                    v.nodes.map((n) => n.target + " " +
                                n.failureSummary).join("; ")) };
    }, rules || {});
    is(found.bad, [], name + ": nothing for axe to find");
    ok(found.passes > 15, name + ": axe has looked", found.passes);
}

async function main() {
    const kit = { base, out, launch, picture, fits, targets, downloads,
                  accessible, file, three };
    const only = process.env.UPOOL_BROWSER;
    /* Side by side: they wait for slow lines most of the time. */
    await Promise.all(["library", "plain", "page", "manual"]
        .filter((part) => !only || only === part)
        .map(async (part) => {
            const before = Date.now();
            await require("./" + part + ".js").run(
                part === "library" ? base : kit);
            console.log("# " + part + ": " +
                        Math.round((Date.now() - before) / 1000) + " s");
        }));
}

const timer = setTimeout(() => {
    ok(false, "in time");
    plan();
    process.exit(1);
}, 1000 * limit);
main().catch((error) => ok(false, "ran to its end", error.stack))
    .finally(() => {
        clearTimeout(timer);
        process.exit(plan());
    });
