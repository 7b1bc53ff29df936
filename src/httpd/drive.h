/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_DRIVE_H
#define UPOOL_HTTPD_DRIVE_H

/* Brings a request's body in: pulls it from the filters behind ours and feeds
 * it to a sink, in turns (httpd/turn.h).  Where the client has nothing more for
 * now, the request is parked (httpd/park.h) and goes on later, in another
 * thread; where that is impossible, the thread waits (httpd/wait.h).  A front
 * need not know which.
 *
 * A front calls it from the handler hook, as shown here; the route has set
 * rq->intake to PENDING in fixups, so that our filter is in place:
 *
 *     static int then(request_rec *r, upool_request *rq,
 *                     const upool_refusal *refusal)
 *     {
 *         if (refusal) {
 *             return upool_reply_refusal(r, rq, refusal);
 *         }
 *         … the sink is finished: answer, or substitute and …
 *         return DECLINED;
 *     }
 *
 *     int upool_front_some(request_rec *r, upool_request *rq)
 *     {
 *         … begin what takes the bytes, in r->pool; it is rq->sink …
 *         return upool_drive_run(r, rq, then);
 *     }
 */

#include "httpd/request.h"
#include "upload/repeat.h"

/* Runs on a worker, and returns what a handler hook returns. */
typedef int upool_drive_go_on(request_rec *r, upool_request *rq);

/* Brings the body in: afterwards rq->sink is finished or refused, and then()
 * has run.  Before it, the filters are in place and nothing was read; rq->sink
 * is set, and open.
 *
 * The rate (UploadRate) starts here, and rq->intake becomes TAKING; then() sets
 * what it becomes after that, by refusing or by substituting.
 *
 * @param then runs once, here or later on another thread, when the sink has
 *             finished (refusal NULL) or is refused; what it returns is what
 *             the handler hook returns, and DECLINED lets the real handler
 *             run.  It is not called where a filter below us has answered the
 *             request already: the sink is refused, and the answer stands.
 * @return what then() has returned, or another value for httpd; the caller
 *         returns it as it is, and does nothing after it */
int upool_drive_run(request_rec *r, upool_request *rq, upool_drive_then *then);

/* 1 when the head says, or leaves open, that a byte may come.  A body in
 * chunks, or a stream of HTTP/2 without a length, leaves it open: only the body
 * itself tells. */
int upool_drive_may_bring(const request_rec *r);

/* For a request that must not bring a byte, however its empty body is framed:
 * brings the body in as upool_drive_run() does, refuses the first byte with
 * reason, and calls then() when the body has ended without one.  The filters
 * are in place where upool_drive_may_bring() returns 1. */
int upool_drive_empty(request_rec *r, upool_request *rq, upool_reason reason,
                      upool_drive_then *then);

/* Waits for somebody else to do something first, such as the application of
 * another request: calls again() after a moment, a longer one each time;
 * meanwhile the request is parked, or the thread waits.  It is for a request
 * whose body is in and whose sink has served: again() finds another sink,
 * refused where the connection is to end.  rq->awaited tells how long it has
 * waited so far.
 *
 * @return what again() returns, or another value for httpd; the caller returns
 *         it as it is, and does nothing after it */
int upool_drive_again(request_rec *r, upool_request *rq,
                      upool_drive_go_on *again);

/* Brings the body in, as upool_drive_run() does, and keeps nothing of it: for a
 * request that only wants an answer again.  repeat says what its bytes have to
 * be (they are refused with OTHER_CONTENT where they are not); NULL: any. */
int upool_drive_drop(request_rec *r, upool_request *rq, upool_repeat *repeat,
                     upool_drive_then *then);

/* Reads the rest of the body, which nobody needs: the next request of the
 * connection begins behind it. */
void upool_drive_discard(request_rec *r, upool_request *rq);

#endif
