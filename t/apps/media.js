// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_upload_pool authors
//
// node media.js SITE USER PASSWORD FILE CHROMIUM PROFILE: logs in to WordPress
// in Chromium, sends FILE from the page of the media library by tus-js-client,
// is cut off in the middle, goes on, and prints what the page was answered.

'use strict';

const {chromium} = require('playwright-core');

const [site, user, password, file, executablePath, profile]
    = process.argv.slice(2);

// In the page. What the media library's own uploader has in its form stands in
// the metadata.
function prepare() {
    const {url, multipart_params: fields} = window._wpPluploadSettings.defaults;
    const chosen = document.getElementById('large').files[0];
    const state = {sent: 0, failed: 0, answer: null};
    const upload = new window.tus.Upload(chosen, {
        endpoint: url,
        chunkSize: 16 << 20,
        retryDelays: null,
        metadata: {filename: chosen.name, filetype: chosen.type,
            name: chosen.name, ...fields},
        onProgress: (sent) => { state.sent = sent; },
        onError: () => { state.failed += 1; },
        onSuccess: ({lastResponse}) => {
            state.answer = lastResponse.getBody();
        },
    });
    window.state = state;
    window.go = () => upload.start();
    window.go();
}

async function main() {
    const context = await chromium.launchPersistentContext(profile, {
        executablePath, headless: true,
        args: ['--no-sandbox', '--disable-gpu', '--disable-quic',
            '--no-first-run', '--disable-background-networking',
            '--disable-component-update', '--disable-sync']});
    const page = context.pages()[0];
    page.setDefaultTimeout(120000);
    await page.goto(`${site}/wp-login.php`);
    await page.fill('#user_login', user);
    await page.fill('#user_pass', password);
    await page.click('#wp-submit');
    await page.goto(`${site}/wp-admin/upload.php?mode=grid`);
    await page.addScriptTag({
        path: require.resolve('tus-js-client/dist/tus.min.js')});
    await page.evaluate(() => {
        const input = document.createElement('input');
        input.type = 'file';
        input.id = 'large';
        document.body.append(input);
    });
    await page.setInputFiles('#large', file);
    await page.evaluate(prepare);
    await page.waitForFunction(() => window.state.sent * 2
        > document.getElementById('large').files[0].size);
    await context.setOffline(true);
    await page.waitForFunction(() => window.state.failed);
    await context.setOffline(false);
    await page.evaluate(() => window.go());
    await page.waitForFunction(() => window.state.answer !== null
        || window.state.failed > 1);
    const {failed, answer} = await page.evaluate(() => window.state);
    console.log(JSON.stringify({cuts: failed, body: answer}));
    await context.close();
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
