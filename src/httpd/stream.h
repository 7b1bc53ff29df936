/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_STREAM_H
#define UPOOL_HTTPD_STREAM_H

/* An answer that goes on: a client that watches gets a piece of text whenever
 * there is news (server-sent events).
 *
 * Where the request can be left (httpd/park.h) it holds no thread: it stands in
 * a list of the child's, whose thread looks for news four times a second and
 * writes them, a few hundred bytes, when the socket has room for them at once.
 * While it stands there nobody else uses the request; the MPM's listener sees
 * when the client goes, and a worker then takes it out and ends it.
 *
 *     handler ── first news ──> leave ──> list: look, write, look, …
 *                                            │ over: the socket is shut for
 *                                            │ reading, which wakes a worker
 *        the last chunk, the log  <──────────┘
 *
 * Elsewhere (other MPMs, streams of HTTP/2) the request holds its thread.  In
 * either case the number of streams on the whole server is limited
 * (UploadWatchers), with a smaller limit for those that hold a thread; and none
 * lasts longer than the server's Timeout, after which a browser comes back by
 * itself. */

#include "httpd/request.h"

typedef struct upool_stream upool_stream;

/* Says how things are now: text in p, which lives until the next text has been
 * said.  NULL when there is no more to say.  *last: this text ends the stream.
 * r->pool must not be used, because it would grow with every look.  Called by
 * the thread that has the request at that moment, never by two. */
typedef const char *upool_stream_say(request_rec *r, upool_request *rq,
                                     apr_pool_t *p, int *last);

/* Begins the stream: sends the headers of an event stream and the first text,
 * then the text of say() whenever it differs from the one before, and a comment
 * after 15 seconds of silence.  Returns what the handler hook returns; 503
 * where too many watch. */
int upool_stream_run(request_rec *r, upool_request *rq, upool_stream_say *say);

#endif
