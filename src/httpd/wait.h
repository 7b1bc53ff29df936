/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_WAIT_H
#define UPOOL_HTTPD_WAIT_H

/* How long an upload waits for its client, and the waiting itself where a
 * thread has to do it.  The waiting thread looks up often: if it slept in a
 * read for all of Timeout, it would learn neither that its upload was cleared,
 * nor that its client has come back on another connection. */

#include "httpd/request.h"

typedef struct upool_wait_end {
    apr_time_t at;       /* until then the client has to send something */
    upool_reason reason; /* why it ends otherwise */
} upool_wait_end;

/* Until when the client may be silent: the least of Timeout, UploadMinRate and
 * what mod_reqtimeout leaves it. */
upool_wait_end upool_wait_until(request_rec *r, upool_request *rq);

/* Waits a moment for bytes, at most a quarter of a second.  Afterwards the sink
 * may be refused: the client is too slow, or somebody wants the upload to stop.
 * The pull that follows finds mod_reqtimeout's limits.  Where there is nothing
 * to poll it returns at once, and sets blocks of the body: the next pull has to
 * block. */
void upool_wait_for_client(request_rec *r, upool_request *rq);

/* The longest time that the MPM lets the connection c wait; 0 for ever. */
apr_interval_time_t upool_wait_most(const conn_rec *c);

/* Nobody has listened to the client since the last turn, which is not its
 * fault: takes the time off rq->body->wait. */
void upool_wait_rested(upool_request *rq);

/* Waits until the next turn may begin (UploadRate), telling meanwhile whether
 * the upload is still wanted.  0, or 1 when it was refused. */
int upool_wait_for_rate(request_rec *r, upool_request *rq);

/* Once, when the module's hooks are registered. */
void upool_wait_register(void);

#endif
