/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/drive.h"

#include <http_protocol.h>

#include "httpd/filter.h"
#include "httpd/intake.h"
#include "httpd/network.h"
#include "httpd/reply.h"

/* httpd's core filter gives 8,000 bytes a time whatever is asked for; so much
 * is gathered for one write. */
#define PULL_BYTES 65536
#define TURN_BYTES 262144
/* A body in chunks of one byte must not gather a bucket for each of them. */
#define TURN_PULLS 64
typedef enum turn {
    TURN_MORE = 0, /* the client has more to send */
    TURN_DONE,     /* all is there, the sink has finished */
    TURN_REFUSED   /* the sink says why */
} turn;

/* How long a wait goes on without looking up. */
#define WAIT_SLICE apr_time_from_msec(100)

/* What a failed pull means.  A filter below may have answered already
 * (LimitRequestBody on a chunked body): then its status tells the story. */
static void refuse_read(request_rec *r, upool_request *rq, apr_status_t rv,
                        int *sent)
{
    const upool_sink *sink = &rq->sink;
    int status = ap_map_http_request_error(rv, HTTP_BAD_REQUEST);

    if (rv == AP_FILTER_ERROR) {
        *sent = AP_FILTER_ERROR;
        status = r->status;
    }
    if (status == HTTP_REQUEST_ENTITY_TOO_LARGE) {
        upool_sink_refuse(sink, UPOOL_REASON_BODY_TOO_LARGE, 0,
                          "over LimitRequestBody");
    }
    else if (status == HTTP_REQUEST_TIME_OUT) {
        upool_sink_refuse(sink, UPOOL_REASON_TIMEOUT, rv, NULL);
    }
    else if (rv == APR_INCOMPLETE) {
        upool_sink_refuse(sink, UPOOL_REASON_INCOMPLETE, rv, NULL);
    }
    else if (rv == AP_FILTER_ERROR || rv == APR_EGENERAL || rv == APR_EINVAL) {
        /* A filter such as mod_deflate does not like what it reads. */
        upool_sink_refuse(sink, UPOOL_REASON_SERVER_LIMIT, 0, NULL);
    }
    else {
        upool_sink_refuse(sink, UPOOL_REASON_GONE, rv, NULL);
    }
    /* Whatever was not read must not be taken for the next request. */
    r->connection->keepalive = AP_CONN_CLOSE;
}

/* Feeds one bucket.  A transient one (mod_ssl) lives in a buffer that the next
 * pull overwrites, so it is copied; all others stay until they are let go. */
static int feed_bucket(request_rec *r, upool_request *rq, apr_bucket *b,
                       int *sent)
{
    const char *data;
    apr_size_t len;
    apr_status_t rv = APR_SUCCESS;

    if (APR_BUCKET_IS_TRANSIENT(b)) {
        rv = apr_bucket_setaside(b, r->pool);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_bucket_read(b, &data, &len, APR_BLOCK_READ);
    }
    if (rv != APR_SUCCESS) {
        refuse_read(r, rq, rv, sent);
        return 1;
    }
    return upool_sink_feed(&rq->sink, data, len);
}

static int feed_pulled(request_rec *r, upool_request *rq, apr_size_t *bytes,
                       int *sent)
{
    apr_bucket *b;
    apr_off_t before = upool_sink_received(&rq->sink);

    for (b = APR_BRIGADE_FIRST(rq->pulled);
         b != APR_BRIGADE_SENTINEL(rq->pulled); b = APR_BUCKET_NEXT(b)) {
        if (APR_BUCKET_IS_EOS(b)) {
            rq->seen_end = 1;
            break;
        }
        if (!APR_BUCKET_IS_METADATA(b) && feed_bucket(r, rq, b, sent)) {
            return 1;
        }
    }
    *bytes += (apr_size_t)(upool_sink_received(&rq->sink) - before);
    APR_BRIGADE_CONCAT(rq->held, rq->pulled);
    return 0;
}

/* mod_deflate takes Content-Encoding away with its first bytes. */
static int refuse_still_encoded(request_rec *r, upool_request *rq)
{
    if (rq->keeps_coding || upool_sink_received(&rq->sink) > 0
        || !upool_intake_is_encoded(r, rq, 0)) {
        return 0;
    }
    upool_sink_refuse(&rq->sink, UPOOL_REASON_CONTENT_CODING, 0, NULL);
    return 1;
}

/* Gathers what there is.  0, or 1 when refused. */
static int gather(request_rec *r, upool_request *rq, apr_read_type_e block,
                  int *sent)
{
    apr_size_t most = upool_rate_turn(&rq->rate, TURN_BYTES);
    apr_size_t bytes = 0;
    int pulls = 0;

    while (!rq->seen_end && bytes < most && pulls++ < TURN_PULLS) {
        apr_size_t left = most - bytes;
        apr_status_t rv = upool_filter_pull(
            rq, block, left < PULL_BYTES ? (apr_off_t)left : PULL_BYTES);

        if (block == APR_NONBLOCK_READ
            && (APR_STATUS_IS_EAGAIN(rv)
                || (rv == APR_SUCCESS && APR_BRIGADE_EMPTY(rq->pulled)))) {
            return 0;
        }
        if (rv != APR_SUCCESS) {
            refuse_read(r, rq, rv, sent);
            return 1;
        }
        if (refuse_still_encoded(r, rq) || feed_pulled(r, rq, &bytes, sent)) {
            return 1;
        }
        block = APR_NONBLOCK_READ;
    }
    return 0;
}

static void make_brigades(request_rec *r, upool_request *rq)
{
    if (!rq->pulled) {
        rq->pulled = apr_brigade_create(r->pool, r->connection->bucket_alloc);
        rq->held = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    }
}

/* UploadRate.  0, or 1 when the sink was refused meanwhile. */
static int wait_for_rate(request_rec *r, upool_request *rq)
{
    while (rq->wait > 0 && !r->connection->aborted) {
        apr_interval_time_t slice =
            rq->wait < WAIT_SLICE ? rq->wait : WAIT_SLICE;

        apr_sleep(slice);
        rq->wait -= slice;
        if (upool_sink_is_unwanted(&rq->sink)) {
            return 1;
        }
    }
    return 0;
}

static turn take_turn(request_rec *r, upool_request *rq, apr_read_type_e block,
                      int *sent)
{
    apr_off_t before = upool_sink_received(&rq->sink);
    int refused;

    make_brigades(r, rq);
    refused = gather(r, rq, block, sent) || upool_sink_flush(&rq->sink)
              || (rq->seen_end && upool_sink_finish(&rq->sink));
    apr_brigade_cleanup(rq->pulled);
    apr_brigade_cleanup(rq->held);
    if (refused) {
        return TURN_REFUSED;
    }
    rq->wait =
        upool_rate_pay(&rq->rate, upool_sink_received(&rq->sink) - before,
                       rq->rate.per_second ? apr_time_now() : 0);
    return rq->seen_end ? TURN_DONE : TURN_MORE;
}

static int end(request_rec *r, upool_request *rq, turn result, int sent)
{
    const upool_refusal *refusal =
        result == TURN_REFUSED ? upool_sink_refusal(&rq->sink) : NULL;

    if (sent) {
        /* A filter below us has answered already: this is its code for
         * that. */
        upool_reply_note(r, rq, refusal);
        return sent;
    }
    return rq->then(r, rq, refusal);
}

int upool_drive_run(request_rec *r, upool_request *rq, upool_drive_then *then)
{
    turn result;
    int sent = 0;

    rq->then = then;
    rq->intake = UPOOL_INTAKE_TAKING;
    upool_rate_start(&rq->rate, upool_config_rate(rq->conf), apr_time_now());
    upool_network_widen(r);
    do {
        result = take_turn(r, rq, APR_BLOCK_READ, &sent);
        if (result == TURN_MORE && wait_for_rate(r, rq)) {
            result = TURN_REFUSED;
        }
    } while (result == TURN_MORE);
    return end(r, rq, result, sent);
}
