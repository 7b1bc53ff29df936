/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_WAIT_H
#define UPOOL_HTTPD_WAIT_H

/* How long an upload waits for its client, and the waiting where a thread has
 * to do it.  Whoever waits looks up often: a thread that sleeps in a read for
 * all of Timeout would learn neither that its upload was cleared, nor that its
 * client has come back on another connection. */

#include "httpd/request.h"

typedef struct upool_wait_end {
    apr_time_t at;       /* until then the client has to send something */
    upool_reason reason; /* why it ends if it does not */
} upool_wait_end;

/* Until when the client may be silent: the least of Timeout, UploadMinRate and
 * what mod_reqtimeout leaves it. */
upool_wait_end upool_wait_until(request_rec *r, upool_request *rq);

/* Waits a moment for bytes, at most a quarter of a second.  Afterwards the
 * sink may be refused: the client is too slow, or somebody wants it to stop.
 * mod_reqtimeout's limits are found by the pull that follows.  Where there is
 * nothing to poll it returns at once, and blocks of the body is set: pull
 * blocking. */
void upool_wait_for_client(request_rec *r, upool_request *rq);

/* The longest time that the MPM lets the connection c wait; 0: for ever. */
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
