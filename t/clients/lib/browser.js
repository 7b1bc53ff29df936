/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* A page of the server in Chromium, with bundles of t/clients/web. */
"use strict";

const path = require("path");
const { chromium } = require("playwright-core");

/* Opens the empty page of the server at base with those bundles.  close() ends
 * the browser. */
async function openAt(base, name, ...bundles) {
    const context = await chromium.launchPersistentContext(
        path.join(process.env.UPOOL_PROFILE, name), {
            executablePath: process.env.UPOOL_CHROMIUM,
            headless: true,
            ignoreHTTPSErrors: true,
            args: ["--no-sandbox", "--disable-gpu", "--disable-quic",
                   "--no-first-run", "--disable-background-networking",
                   "--disable-component-update", "--disable-sync"],
            timeout: 0
        });
    const page = context.pages()[0];

    /* On a busy machine anything may take long. */
    context.setDefaultTimeout(0);

    page.on("pageerror", (error) => console.log("# page: " + error.message));
    await page.goto(base + "/");
    for (const bundle of bundles) {
        await page.addScriptTag({ url: "/" + bundle + ".js" });
    }
    return { page, close: () => context.close() };
}

function open(name, ...bundles) {
    return openAt(process.env.UPOOL_BASE, name, ...bundles);
}

module.exports = { open, openAt };
