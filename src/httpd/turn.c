/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/turn.h"

#include <http_protocol.h>

#include "httpd/body.h"
#include "httpd/collected.h"
#include "httpd/filter.h"
#include "httpd/intake.h"

/* httpd's core filter gives 8,000 bytes at a time, whatever is asked for; this
 * much is gathered for one write. */
#define PULL_BYTES 65536
#define TURN_BYTES 262144
/* mod_deflate inflates everything that it is given at once, whatever was asked
 * for, and the result may be a thousand times as long: so only this much of a
 * coded body is taken at a time. */
#define CODED_BYTES 1024
/* A body in chunks of one byte must not gather a bucket for each of them. */
#define TURN_PULLS 64
/* How often in a row a filter may take something in and give nothing. */
#define EMPTY_PULLS 256

/* How long mod_http2 may take to report a reset after the end of the body that
 * it made of it. */
#define RESET_MOMENT (10 * (apr_interval_time_t)1000)

/* What a failed pull means.  A filter below may have answered already
 * (LimitRequestBody on a chunked body): then its status tells the story. */
static void refuse_read(request_rec *r, upool_request *rq, apr_status_t rv)
{
    const upool_sink *sink = &rq->sink;
    int status = ap_map_http_request_error(rv, HTTP_BAD_REQUEST);

    if (rv == AP_FILTER_ERROR) {
        rq->body->sent = AP_FILTER_ERROR;
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
        /* A filter such as mod_deflate objects to what it reads. */
        upool_sink_refuse(sink, UPOOL_REASON_SERVER_LIMIT, 0, NULL);
    }
    else if (ap_is_HTTP_SERVER_ERROR(rv)) {
        /* mod_ext_filter returns an HTTP status as its error code. */
        upool_sink_refuse(sink, UPOOL_REASON_IO, 0, "an input filter fails");
    }
    else {
        upool_sink_refuse(sink, UPOOL_REASON_GONE, rv, NULL);
    }
    /* The unread rest must not be taken for the next request. */
    r->connection->keepalive = AP_CONN_CLOSE;
}

/* Feeds one bucket.  A transient bucket (mod_ssl) lives in a buffer that the
 * next pull overwrites, so it is copied; all others stay valid until they are
 * released. */
static int feed_bucket(request_rec *r, upool_request *rq, apr_bucket *b)
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
        refuse_read(r, rq, rv);
        return 1;
    }
    return upool_sink_feed(&rq->sink, data, len);
}

static int feed_pulled(request_rec *r, upool_request *rq, apr_size_t *bytes)
{
    apr_bucket *b;
    apr_off_t before = upool_sink_received(&rq->sink);

    for (b = APR_BRIGADE_FIRST(rq->body->pulled);
         b != APR_BRIGADE_SENTINEL(rq->body->pulled); b = APR_BUCKET_NEXT(b)) {
        if (APR_BUCKET_IS_EOS(b)) {
            rq->body->seen_end = 1;
            break;
        }
        if (!APR_BUCKET_IS_METADATA(b) && feed_bucket(r, rq, b)) {
            return 1;
        }
    }
    *bytes += (apr_size_t)(upool_sink_received(&rq->sink) - before);
    APR_BRIGADE_CONCAT(rq->body->held, rq->body->pulled);
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

/* HTTP_IN says EAGAIN when there is nothing for now.  A filter above it that
 * reports success and gives nothing (mod_deflate) has taken something in, and
 * may have more at once; only when it does so again and again does it mean the
 * same. */
static int is_dry(upool_request *rq, apr_read_type_e block, apr_status_t rv)
{
    if (rv == APR_SUCCESS && APR_BRIGADE_EMPTY(rq->body->pulled)) {
        rq->body->empties++;
    }
    else {
        rq->body->empties = 0;
    }
    return block == APR_NONBLOCK_READ
           && (APR_STATUS_IS_EAGAIN(rv) || rq->body->empties > EMPTY_PULLS);
}

static int is_coded(const upool_request *rq)
{
    return rq->set_aside
           && apr_table_get(rq->set_aside, "X-Upload-Content-Encoding");
}

/* Gathers what there is.  DRY when there is no more for now, MORE when there is
 * enough for one write, else DONE or REFUSED. */
static upool_turn gather(request_rec *r, upool_request *rq,
                         apr_read_type_e block)
{
    apr_size_t most = upool_rate_turn(&rq->body->rate, TURN_BYTES);
    apr_size_t pull = is_coded(rq) ? CODED_BYTES : PULL_BYTES;
    apr_size_t bytes = 0;
    int pulls = 0;

    while (bytes < most && pulls++ < TURN_PULLS) {
        apr_size_t left = most - bytes;
        apr_status_t rv = upool_filter_pull(
            rq, block, (apr_off_t)(left < pull ? left : pull));

        if (is_dry(rq, block, rv)) {
            return UPOOL_TURN_DRY;
        }
        if (rv != APR_SUCCESS) {
            refuse_read(r, rq, rv);
            return UPOOL_TURN_REFUSED;
        }
        if (refuse_still_encoded(r, rq) || feed_pulled(r, rq, &bytes)) {
            return UPOOL_TURN_REFUSED;
        }
        if (rq->body->seen_end) {
            return UPOOL_TURN_DONE;
        }
        if (rq->body->only_blocks) {
            return UPOOL_TURN_MORE;
        }
        block = APR_NONBLOCK_READ;
    }
    return UPOOL_TURN_MORE;
}

static void make_brigades(request_rec *r, upool_request *rq)
{
    if (!rq->body->pulled) {
        rq->body->pulled =
            apr_brigade_create(r->pool, r->connection->bucket_alloc);
        rq->body->held =
            apr_brigade_create(r->pool, r->connection->bucket_alloc);
    }
}

/* Sets the waits of UploadRate, and how slow the client may be. */
static void keep_time(upool_request *rq, apr_off_t bytes)
{
    rq->body->now = apr_time_now();
    if (bytes > 0) {
        rq->body->heard = rq->body->now;
        upool_pace_credit(&rq->body->pace, bytes, rq->body->now);
    }
    rq->body->wait = upool_rate_pay(&rq->body->rate, bytes, rq->body->now);
}

/* mod_http2 (2.0.42) ends the body of a reset stream just as it ends a whole
 * one, and marks the connection only then, in a thread of its own.  With a
 * Content-Length, httpd notices that the rest is missing; without one, what
 * came would be taken for all of it. */
static int refuse_reset(request_rec *r, upool_request *rq)
{
    conn_rec *c = r->connection;

    if (!c->master || rq->content_length >= 0) {
        return 0;
    }
    if (!c->aborted) {
        apr_sleep(RESET_MOMENT);
    }
    if (!c->aborted) {
        return 0;
    }
    refuse_read(r, rq, APR_ECONNABORTED);
    return 1;
}

upool_turn upool_turn_take(request_rec *r, upool_request *rq,
                           apr_read_type_e block)
{
    apr_off_t before = upool_sink_received(&rq->sink);
    upool_turn turn;

    make_brigades(r, rq);
    turn = gather(r, rq, block);
    if (turn == UPOOL_TURN_DONE) {
        upool_collected_end(r, rq);
    }
    if (turn != UPOOL_TURN_REFUSED
        && (upool_sink_flush(&rq->sink)
            || (turn == UPOOL_TURN_DONE
                && (refuse_reset(r, rq) || upool_sink_finish(&rq->sink))))) {
        turn = UPOOL_TURN_REFUSED;
    }
    apr_brigade_cleanup(rq->body->pulled);
    apr_brigade_cleanup(rq->body->held);
    keep_time(rq, upool_sink_received(&rq->sink) - before);
    return turn;
}
