/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/drive.h"

#include <http_protocol.h>

#include "httpd/body.h"
#include "httpd/collected.h"
#include "httpd/filter.h"
#include "httpd/network.h"
#include "httpd/park.h"
#include "httpd/reply.h"
#include "httpd/turn.h"
#include "httpd/wait.h"
#include "upload/drop.h"

/* The time between two looks while bytes flow: asking a sink may be
 * expensive. */
#define LOOK_EVERY apr_time_from_msec(250)
/* The first wait for others; later waits are longer. */
#define MOMENT apr_time_from_msec(20)
/* How long one upload may keep a worker that others may be waiting for. */
#define WORKER_TIME apr_time_from_msec(25)

/* Sends "100 Continue" once, before the first byte is read (RFC 9110 10.1.1):
 * HTTP_IN does so for blocking reads only, and there are none here. */
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
        return rq->body->then(r, rq, NULL);
    }
    if (rq->body->sent) {
        /* A filter below us has answered the request already; this is its code
         * for that. */
        upool_reply_note(r, rq, refusal);
        return rq->body->sent;
    }
    return rq->body->then(r, rq, refusal);
}

/* 1 when somebody has cleared the upload, or wants to continue it in our
 * place. */
static int is_unwanted(upool_request *rq)
{
    if (rq->body->now - rq->body->looked < LOOK_EVERY
        && rq->body->now >= rq->body->looked) {
        return 0;
    }
    rq->body->looked = rq->body->now;
    return upool_sink_is_unwanted(&rq->sink);
}

static int go_on(request_rec *r, upool_request *rq);

/* Waits for the next turn.  SUSPENDED where the request is parked; else OK when
 * the turn may begin or the sink is refused. */
static int await(request_rec *r, upool_request *rq, struct upool_parked *place,
                 upool_turn turn, apr_time_t began)
{
    const upool_body *body = rq->body;
    int is_over =
        place && (body->now - began > WORKER_TIME || body->now < began);
    int result = OK;

    /* This must happen while the request still belongs to this thread alone. */
    if (place && (body->wait > 0 || turn == UPOOL_TURN_DRY || is_over)) {
        upool_network_give_back(r);
    }
    if (body->wait > 0) {
        if (!place
            || upool_park_rest(place, r, rq, body->wait, go_on, &result)) {
            upool_wait_for_rate(r, rq);
        }
    }
    else if (turn == UPOOL_TURN_DRY) {
        if (place) {
            return upool_park_leave(place, r, rq, UPOOL_PARK_FOR_BYTES, go_on);
        }
        upool_wait_for_client(r, rq);
    }
    else if (is_over) {
        return upool_park_leave(place, r, rq, UPOOL_PARK_FOR_OTHERS, go_on);
    }
    return result;
}

/* Takes what the client has sent meanwhile, or ends the request where the sink
 * is refused; also for a request that was parked.  Returns as upool_drive_run()
 * does. */
static int go_on(request_rec *r, upool_request *rq)
{
    apr_time_t began = apr_time_now();
    struct upool_parked *place =
        rq->body->only_blocks ? NULL : upool_park_place(r, rq);
    upool_turn turn = UPOOL_TURN_MORE;

    rq->body->now = began;
    while (!upool_sink_refusal(&rq->sink)->reason) {
        if (await(r, rq, place, turn, began) == SUSPENDED) {
            return SUSPENDED;
        }
        if (upool_sink_refusal(&rq->sink)->reason) {
            break;
        }
        turn = upool_turn_take(
            r, rq, rq->body->blocks ? APR_BLOCK_READ : APR_NONBLOCK_READ);
        if (turn == UPOOL_TURN_DONE || turn == UPOOL_TURN_REFUSED
            || is_unwanted(rq)) {
            break;
        }
    }
    return end(r, rq);
}

int upool_drive_run(request_rec *r, upool_request *rq, upool_drive_then *then)
{
    rq->body->then = then;
    rq->intake = UPOOL_INTAKE_TAKING;
    rq->body->now = apr_time_now();
    rq->body->heard = rq->body->now;
    rq->body->looked = rq->body->now;
    rq->body->wait = 0;
    upool_rate_start(&rq->body->rate, upool_config_rate(rq->conf),
                     rq->body->now);
    upool_config_pace(rq->conf, &rq->body->pace, rq->body->now);
    upool_filter_replace_keeper(rq);
    rq->body->only_blocks = upool_filter_only_blocks(rq);
    rq->body->blocks = rq->body->only_blocks;
    upool_network_widen(r);
    upool_collected_begin(r, rq);
    invite(r);
    return go_on(r, rq);
}

/* --- Without a byte ------------------------------------------------------- */

int upool_drive_may_bring(const request_rec *r)
{
    const char *length = apr_table_get(r->headers_in, "Content-Length");
    apr_off_t bytes;

    return apr_table_get(r->headers_in, "Transfer-Encoding")
           || (length && (!ap_parse_strict_length(&bytes, length) || bytes));
}

int upool_drive_empty(request_rec *r, upool_request *rq, upool_reason reason,
                      upool_drive_then *then)
{
    upool_refusal refusal;

    if (!upool_drive_may_bring(r)) {
        return then(r, rq, NULL);
    }
    if (rq->content_length > 0) {
        refusal = upool_refusal_make(reason, 0, NULL);
        return then(r, rq, &refusal);
    }
    upool_drop_sink(&rq->sink, reason, NULL, r->pool);
    return upool_drive_run(r, rq, then);
}

int upool_drive_drop(request_rec *r, upool_request *rq, upool_repeat *repeat,
                     upool_drive_then *then)
{
    if (!upool_drive_may_bring(r)) {
        return then(r, rq, NULL);
    }
    upool_drop_sink(&rq->sink, UPOOL_REASON_NONE, repeat, r->pool);
    return upool_drive_run(r, rq, then);
}

void upool_drive_discard(request_rec *r, upool_request *rq)
{
    if (rq->body->seen_end) {
        return;
    }
    rq->intake = UPOOL_INTAKE_NONE;
    if (ap_discard_request_body(r) != OK) {
        r->connection->keepalive = AP_CONN_CLOSE;
    }
    rq->body->seen_end = 1;
}

int upool_drive_again(request_rec *r, upool_request *rq,
                      upool_drive_go_on *again)
{
    struct upool_parked *place = upool_park_place(r, rq);
    apr_interval_time_t moment = MOMENT + rq->awaited / 4;
    int result;

    rq->awaited += moment;
    rq->body->now = apr_time_now();
    if (!upool_drop_is(&rq->sink)) {
        upool_drop_sink(&rq->sink, UPOOL_REASON_NONE, NULL, r->pool);
    }
    if (place && !upool_park_rest(place, r, rq, moment, again, &result)) {
        return result;
    }
    apr_sleep(moment);
    return again(r, rq);
}
