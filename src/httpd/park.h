/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_PARK_H
#define UPOOL_HTTPD_PARK_H

/* An upload that waits holds no thread: the request is left where it is, the
 * worker goes back to the MPM, and the listener calls when the client has sent
 * something, or an alarm rings (httpd/alarm.h). httpd can do that since 2.4.63,
 * with the event MPM (AP_MPMQ_CAN_WAITIO).  Elsewhere, and for requests that
 * cannot be left (sub-requests, internal redirects, streams of HTTP/2),
 * upool_park_place() gives no place and the thread waits instead.
 *
 *     handler ── dry ──> leave ── SUSPENDED ──> process_connection (ours)
 *                          ^                         │ ASYNC_WAITIO
 *                          │                         v
 *        process_connection <── readable ── listener, and our list
 *              │ goes on
 *              v
 *        the rest of the handlers, the answer, the log
 *
 * The handler's SUSPENDED makes httpd unwind to the caller of its
 * process_connection hooks.  That is our own hook: it calls the others itself,
 * so that it can tell the MPM afterwards to wait for the socket.
 *
 * Meanwhile the request stands in a list of its child, whose watcher enforces
 * its limits (httpd/parklist.h).
 *
 * A parked request that the MPM gives up (its Timeout, the server stops) is
 * ended before its connection closes, with an answer and a line in the log. */

#include "httpd/parklist.h"
#include "httpd/request.h"

typedef enum upool_park_for {
    UPOOL_PARK_FOR_BYTES, /* until the client has sent something */
    UPOOL_PARK_FOR_OTHERS /* until it is its turn again */
} upool_park_for;

/* Where the request may be left; NULL when it cannot be. */
struct upool_parked *upool_park_place(const request_rec *r,
                                      const upool_request *rq);

/* Leaves it there: returns SUSPENDED, for the handler to return.  Unless it
 * waits for others, every filter below must have run dry before
 * (UPOOL_TURN_DRY): bytes that wait in a filter do not make a socket readable.
 * go_on is called when it is time to take the upload up again. */
int upool_park_leave(struct upool_parked *place, request_rec *r,
                     upool_request *rq, upool_park_for what,
                     upool_parked_go_on *go_on);

/* Leaves it there for that long, whatever its client sends meanwhile, as
 * upool_park_leave() does: *result is what that would return.  It may be taken
 * up sooner.  0; or 1 where that is impossible: then the thread has to wait. */
int upool_park_rest(struct upool_parked *place, request_rec *r,
                    upool_request *rq, apr_interval_time_t rest,
                    upool_parked_go_on *go_on, int *result);

/* Leaves it there for a stream (httpd/stream.h) whose first bytes are sent:
 * returns SUSPENDED, for the handler to return. look is called for its news.
 * When the stream is over, or its client gone, the request is over. */
int upool_park_watch(struct upool_parked *place, request_rec *r,
                     struct upool_stream *stream, upool_parked_look *look);

/* 1 when this httpd and its MPM can leave a request.  From post_config on. */
int upool_park_is_possible(void);

/* child_init: makes the lists where this httpd can park. */
void upool_park_child_init(apr_pool_t *pchild, server_rec *s);

/* process_connection hook. */
int upool_park_process(conn_rec *c);

/* suspend_connection and resume_connection hooks: put the request into the
 * list, and take it out. */
void upool_park_suspend(conn_rec *c, request_rec *r);
void upool_park_resume(conn_rec *c, request_rec *r);

/* pre_close_connection hook: ends what is still parked. */
int upool_park_pre_close(conn_rec *c);

#endif
