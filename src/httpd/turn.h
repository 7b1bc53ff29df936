/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_TURN_H
#define UPOOL_HTTPD_TURN_H

/* One turn of bringing a body in: what the client has sent so far is pulled,
 * fed to the sink and written.  Between two turns nothing is on the stack and
 * no memory of the body is held. */

#include "httpd/request.h"

typedef enum upool_turn {
    UPOOL_TURN_MORE = 0, /* enough for one write; there may be more at once */
    UPOOL_TURN_DRY,      /* every filter below is empty, and so is the socket:
                            only now does it tell when there is more */
    UPOOL_TURN_DONE,     /* the body is in, the sink has finished */
    UPOOL_TURN_REFUSED   /* the sink says why; sent of the body tells whether
                            httpd has sent an answer of its own */
} upool_turn;

/* Takes a turn.  Sets now and wait of the body, and heard with the first byte.
 *
 * @param block APR_BLOCK_READ waits for the client's next bytes */
upool_turn upool_turn_take(request_rec *r, upool_request *rq,
                           apr_read_type_e block);

#endif
