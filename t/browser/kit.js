/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* What the tests of the demo share: TAP, files, and a line to the server that
 * can be slow and that can be cut. */
"use strict";

const net = require("net");
const tap = require("../lib/tap.js");

/* Between a client and the server at port. rate: bytes a second to the server,
 * 0 without limit. cut() drops every connection and refuses new ones; mend()
 * lets them in again. */
class Line {
    static async make(port) {
        const line = new Line();
        line.port = port;
        line.rate = 0;
        line.down = false;
        line.sent = 0;
        line.open = new Set();
        line.server = net.createServer((c) => line.take(c));
        await new Promise((resolve) => {
            line.server.listen(0, "127.0.0.1", resolve);
        });
        line.base = "http://127.0.0.1:" + line.server.address().port;
        return line;
    }

    take(client) {
        if (this.down) {
            client.destroy();
            return;
        }
        const server = net.connect(this.port, "127.0.0.1");
        const pair = [client, server];
        pair.forEach((s) => {
            this.open.add(s);
            s.on("error", () => null);
            s.on("close", () => {
                this.open.delete(s);
                pair.forEach((other) => other.destroy());
            });
        });
        server.pipe(client);
        client.on("data", (data) => {
            this.sent += data.length;
            if (this.rate) {
                client.pause();
                setTimeout(() => client.resume(),
                           1000 * data.length / this.rate);
            }
            if (!server.write(data)) {
                client.pause();
                server.once("drain", () => client.resume());
            }
        });
    }

    cut() {
        this.down = true;
        this.open.forEach((s) => s.destroy());
    }

    /* What a client that stopped has left in the buffers is lost. */
    flush() {
        this.open.forEach((s) => s.destroy());
    }

    mend() {
        this.down = false;
    }

    close() {
        this.cut();
        this.server.close();
    }
}

module.exports = { ...tap, Line };
