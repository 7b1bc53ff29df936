#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Chromium on Debian: what a font and a phone's photo are declared as
#
# Versions of Debian 12: chromium 156.0.8078.114-1~deb12u1, shared-mime-info
#   2.2-1; playwright-core 1.55.0 asks it
# Guess: .otf is font/otf, .otc font/collection as .ttc is; .HEIC is what .heic
#   is, image/heif.
# Seen: .otf is application/vnd.oasis.opendocument.formula-template:
#   shared-mime-info gives two types to the ending, and Chromium takes that one.
#   .otc is a template of charts. .HEIC has no type: endings of the system's
#   table count in lower case alone, those of Chromium's own (.JPG) in either.
# Who meets it: servers that go by the type of a part. A list of font types
#   refuses every OpenType font that comes from a Linux desktop, a check of the
#   bytes against the label finds a font where a zip archive was promised, and a
#   phone's photo, which cameras call IMG_0001.HEIC, passes no list of image
#   types. The last extension, in lower case, has to count as well.

. "$(dirname "$0")/lib/folder.sh"
debian_root bookworm chromium=156.0.8078.114-1~deb12u1 shared-mime-info=2.2-1
npm_packages playwright-core@1.55.0
inside update-mime-database /usr/share/mime >"$folder/mime.log" 2>&1 ||
    fail "no database of types"
for name in a.otf a.otc a.ttc a.ttf a.heic A.HEIC A.JPG; do
    echo x >"$folder/root/srv/$name"
done
# Not inside: it would outlive the end.
start chroot "$folder/root" /usr/lib/chromium/chromium --headless \
    --no-sandbox --disable-gpu --user-data-dir=/tmp/profile --remote-debugging-port=22314 about:blank \
    >"$folder/chromium.log" 2>&1
listening 22314
cat >"$folder/ask.mjs" <<'EOF'
import { chromium } from 'playwright-core';
const browser = await chromium.connectOverCDP('http://127.0.0.1:22314');
const context = browser.contexts()[0];
const page = context.pages()[0] ?? await context.newPage();
await page.setContent('<input type=file>');
const session = await context.newCDPSession(page);
const { root } = await session.send('DOM.getDocument');
const { nodeId } = await session.send('DOM.querySelector',
    { nodeId: root.nodeId, selector: 'input' });
for (const name of process.argv.slice(2)) {
    // The browser's own way, by a path: playwright would bring types.
    await session.send('DOM.setFileInputFiles',
        { nodeId, files: [`/srv/${name}`] });
    const type = await page.evaluate(() =>
        document.querySelector('input').files[0].type);
    console.log(`${name} ${type || 'none'}`);
}
process.exit();
EOF
node "$folder/ask.mjs" a.otf a.otc a.ttc a.ttf a.heic A.HEIC A.JPG \
    >"$folder/types" || fail "Chromium does not tell"
declared()
{
    sed -n "s/^$1 //p" "$folder/types"
}
document=application/vnd.oasis.opendocument
is .otf "$(declared a.otf)" $document.formula-template
is .otc "$(declared a.otc)" $document.chart-template
is .ttc "$(declared a.ttc)" font/collection
is .ttf "$(declared a.ttf)" font/ttf
is .heic "$(declared a.heic)" image/heif
is .HEIC "$(declared A.HEIC)" none
is .JPG "$(declared A.JPG)" image/jpeg
finish
