/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_DRIVE_H
#define UPOOL_HTTPD_DRIVE_H

/* Drives an upload through: pulls the body, feeds it, writes it.  It works in
 * turns; a turn ends when the client has nothing more for now, when enough has
 * gathered for one write, or at the end.  Between two turns nothing is on the
 * stack and no memory of the body is held, so the rest may happen later and
 * in another thread. */

#include "httpd/request.h"

typedef enum upool_drive_result {
    UPOOL_DRIVE_MORE = 0, /* the client has more to send */
    UPOOL_DRIVE_DONE,     /* all is there, the upload is committed */
    UPOOL_DRIVE_REFUSED   /* upool_upload_refusal() says why; also when
                                httpd has sent an answer of its own, then
                                *sent is AP_FILTER_ERROR */
} upool_drive_result;

/* Waits until the next turn may begin (UploadRate), telling meanwhile whether
 * the upload is still wanted.  0, or 1 when it was refused.  Who waits by other
 * means looks at rq->wait. */
int upool_drive_wait(request_rec *r, upool_request *rq);

/* One turn.
 * @param block APR_BLOCK_READ waits for the client's next bytes;
 *              APR_NONBLOCK_READ returns MORE when there are none */
upool_drive_result upool_drive_turn(request_rec *r, upool_request *rq,
                                    apr_read_type_e block, int *sent);

#endif
