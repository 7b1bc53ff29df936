/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/drive.h"

#include <http_protocol.h>

#include "httpd/filter.h"
#include "httpd/network.h"
#include "httpd/park.h"
#include "httpd/reply.h"
#include "httpd/turn.h"
#include "httpd/wait.h"

/* A sink may make a look dear; the time between two while bytes flow. */
#define LOOK_EVERY apr_time_from_msec(250)
/* So long one upload has a worker that others may wait for. */
#define WORKER_TIME apr_time_from_msec(25)

/* HTTP_IN does this for blocking reads alone, and here is none: once, before
 * the first byte is read (RFC 9110 10.1.1). */
static void invite(request_rec *r)
{
    const char *length = apr_table_get(r->headers_in, "Content-Length");
    const char *line = r->status_line;
    int status = r->status;

    if (!r->expecting_100 || r->proto_num < HTTP_VERSION(1, 1)
        || (length && !strcmp(length, "0"))) {
        return;
    }
    r->status = HTTP_CONTINUE;
    r->status_line = NULL;
    ap_send_interim_response(r, 0);
    r->status = status;
    r->status_line = line;
}

static int end(request_rec *r, upool_request *rq)
{
    const upool_refusal *refusal = upool_sink_refusal(&rq->sink);

    if (refusal->reason == UPOOL_REASON_NONE) {
        return rq->then(r, rq, NULL);
    }
    if (rq->sent) {
        /* A filter below us has answered already: this is its code for
         * that. */
        upool_reply_note(r, rq, refusal);
        return rq->sent;
    }
    return rq->then(r, rq, refusal);
}

/* Has somebody cleared the upload, or wants to go on in our place? */
static int is_unwanted(upool_request *rq)
{
    if (rq->now - rq->looked < LOOK_EVERY && rq->now >= rq->looked) {
        return 0;
    }
    rq->looked = rq->now;
    return upool_sink_is_unwanted(&rq->sink);
}

/* Also for one that was parked: takes what the client has sent meanwhile, or
 * ends it where the sink is refused.  Returns as upool_drive_run() does. */
static int go_on(request_rec *r, upool_request *rq)
{
    apr_time_t began = apr_time_now();
    struct upool_parked *place =
        rq->only_blocks ? NULL : upool_park_place(r, rq);
    upool_turn turn = UPOOL_TURN_MORE;

    while (!upool_sink_refusal(&rq->sink)->reason) {
        turn = upool_turn_take(r, rq,
                               rq->blocks ? APR_BLOCK_READ : APR_NONBLOCK_READ);
        if (turn == UPOOL_TURN_DONE || turn == UPOOL_TURN_REFUSED
            || is_unwanted(rq) || upool_wait_for_rate(r, rq)) {
            break;
        }
        if (turn == UPOOL_TURN_DRY) {
            if (place) {
                upool_network_give_back(r);
                return upool_park_leave(place, r, rq, UPOOL_PARK_FOR_BYTES,
                                        go_on);
            }
            upool_wait_for_client(r, rq);
        }
        else if (place && (rq->now - began > WORKER_TIME || rq->now < began)) {
            upool_network_give_back(r);
            return upool_park_leave(place, r, rq, UPOOL_PARK_FOR_OTHERS, go_on);
        }
    }
    return end(r, rq);
}

int upool_drive_run(request_rec *r, upool_request *rq, upool_drive_then *then)
{
    rq->then = then;
    rq->intake = UPOOL_INTAKE_TAKING;
    rq->now = apr_time_now();
    rq->heard = rq->now;
    rq->looked = rq->now;
    upool_rate_start(&rq->rate, upool_config_rate(rq->conf), rq->now);
    upool_config_pace(rq->conf, &rq->pace, rq->now);
    upool_filter_replace_keeper(rq);
    rq->only_blocks = upool_filter_only_blocks(rq);
    rq->blocks = rq->only_blocks;
    upool_network_widen(r);
    invite(r);
    return go_on(r, rq);
}
