// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_upload_pool authors
//
// An HTTP/2 client for t/http/hostile/h2.t. Each line of its input is a request,
//
//     {"port": N, "method": "POST", "path": "/u", "headers": {...},
//      "body": BASE64, "piece": N, "end": true, "reset": true, "go": true}
//
// whose body goes in DATA frames of piece bytes (0: one); with end: false the
// stream stays open. With reset (RST_STREAM, CANCEL) or go (the connection is
// destroyed) the next line, whatever it is, says when. Each line of its output
// is the answer: status, headers, body. All share one connection.

'use strict';

const http2 = require('http2');
const readline = require('readline');

const sessions = new Map();

function session(port) {
  const known = sessions.get(port);
  if (known && !known.destroyed && !known.closed) {
    return known;
  }
  const made = http2.connect(`http://127.0.0.1:${port}`);
  made.on('error', () => {});
  sessions.set(port, made);
  return made;
}

// Each piece is a frame of its own once the one before has been written.
function write(stream, body, piece) {
  return new Promise((done) => {
    let at = 0;
    function next() {
      if (at >= body.length || stream.destroyed) {
        done();
        return;
      }
      const to = piece > 0 ? at + piece : body.length;
      const bytes = body.subarray(at, to);
      at = to;
      stream.write(bytes, () => setImmediate(next));
    }
    next();
  });
}

function run(request, now) {
  return new Promise((done) => {
    const client = session(request.port);
    const stream = client.request({
      ':method': request.method, ':path': request.path, ...request.headers,
    }, { endStream: false });
    const answer = { status: 0, headers: {}, body: '', error: null };
    const interim = [];
    stream.on('headers', (h) => interim.push(h[':status']));
    stream.on('response', (h) => {
      answer.status = h[':status'];
      answer.headers = h;
    });
    stream.on('data', (bytes) => { answer.body += bytes.toString('latin1'); });
    stream.on('error', (e) => { answer.error = e.code || String(e); });
    stream.on('close', () => done({ ...answer, interim, code: stream.rstCode }));
    write(stream, Buffer.from(request.body || '', 'base64'),
      request.piece || 0).then(() => {
      if (request.end !== false && !stream.destroyed) {
        stream.end();
      }
      return request.reset || request.go ? now() : null;
    }).then(() => {
      if (request.reset) {
        stream.close(http2.constants.NGHTTP2_CANCEL);
      }
      else if (request.go) {
        client.destroy();
      }
    });
  });
}

async function main() {
  const input = readline.createInterface({ input: process.stdin });
  const lines = input[Symbol.asyncIterator]();
  for (let line = await lines.next(); !line.done; line = await lines.next()) {
    const answer = await run(JSON.parse(line.value), () => lines.next());
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  for (const open of sessions.values()) {
    open.close();
  }
}

main();
