/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* What the tests of the demo share: TAP, files, and a line to the server that
 * can be slow and that can be cut. */
"use strict";

const net = require("net");
const tap = require("../lib/tap.js");

/* Requests of no more than that pass whatever is held: questions, cancelling. */
const SMALL = 64 * 1024;

/* Between a client and the server at port. rate: bytes a second to the server,
 * 0 without limit, for what has to be slow to look like it; what a test decides
 * by it holds. hold(bytes): so many more pass, and what is larger than SMALL
 * stays there until release(), however long that takes. cut() drops every
 * connection and refuses new ones; mend() lets them in again. */
class Line {
    static async make(port) {
        const line = new Line();
        line.port = port;
        line.rate = 0;
        line.down = false;
        line.sent = 0;
        line.most = Infinity;
        line.open = new Set();
        line.held = new Set();
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
        let own = 0; /* of this request */
        let slow = false;
        const go = () => {
            const stays = this.sent >= this.most && own > SMALL;
            this.held[stays ? "add" : "delete"](go);
            if (stays || slow || server.writableNeedDrain) {
                client.pause();
            } else {
                client.resume();
            }
        };
        pair.forEach((s) => {
            this.open.add(s);
            s.on("error", () => null);
            s.on("close", () => {
                this.open.delete(s);
                this.held.delete(go);
                pair.forEach((other) => other.destroy());
            });
        });
        server.pipe(client);
        server.on("data", () => { own = 0; });
        server.on("drain", go);
        client.on("data", (data) => {
            this.sent += data.length;
            own += data.length;
            server.write(data);
            if (this.rate) {
                slow = true;
                setTimeout(() => { slow = false; go(); },
                           1000 * data.length / this.rate);
            }
            go();
        });
    }

    hold(bytes) {
        this.most = this.sent + bytes;
        Array.from(this.held).forEach((go) => go());
    }

    release() {
        this.hold(Infinity);
    }

    /* So many bytes have passed, and no more will. */
    reached() {
        return this.sent >= this.most;
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
