/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/wait.h"

#include <apr_poll.h>
#include <apr_strings.h>
#include <ap_mmn.h>
#include <http_core.h>

#include "httpd/body.h"

#define CLIENT_SLICE apr_time_from_msec(250)
#define RATE_SLICE apr_time_from_msec(100)
#define PROBE_NAME "UPLOAD_POOL_PROBE"
#define REQTIMEOUT_NAME "reqtimeout"

/* We end sooner than the MPM's own Timeout, which would close the connection
 * without an answer and without a line in the access log. */
#define AHEAD apr_time_from_sec(1)

static apr_interval_time_t timeout_of(conn_rec *c)
{
    apr_interval_time_t timeout = -1;
    apr_socket_t *socket = ap_get_conn_socket(c);

    if (socket) {
        apr_socket_timeout_get(socket, &timeout);
    }
    return timeout;
}

/* 1 with the descriptor to poll for the client's next bytes and its timeout
 * (below 0: none); 0 when there is none.  For a stream of HTTP/2 it is a
 * pipe. */
static int find_descriptor(conn_rec *c, apr_pollfd_t *pfd,
                           apr_interval_time_t *timeout)
{
    memset(pfd, 0, sizeof(*pfd));
#if AP_MODULE_MAGIC_AT_LEAST(20120211, 129)
    if (ap_get_pollfd_from_conn(c, pfd, timeout)
        || pfd->desc_type == APR_NO_DESC) {
        return 0;
    }
#else
    if (c->master) {
        return 0;
    }
    pfd->desc_type = APR_POLL_SOCKET;
    pfd->desc.s = ap_get_conn_socket(c);
    *timeout = timeout_of(c);
#endif
    pfd->p = c->pool;
    pfd->reqevents = APR_POLLIN | APR_POLLHUP | APR_POLLERR;
    return 1;
}

static void refuse(request_rec *r, upool_request *rq, upool_reason reason)
{
    upool_sink_refuse(&rq->sink, reason, 0, NULL);
    r->connection->keepalive = AP_CONN_CLOSE;
}

/* Called when nothing has come in this slice. */
static void look_up(request_rec *r, upool_request *rq,
                    apr_interval_time_t timeout)
{
    rq->body->slow = 1;
    rq->body->now = apr_time_now();
    rq->body->looked = rq->body->now;
    if (timeout > 0 && rq->body->now - rq->body->heard >= timeout) {
        refuse(r, rq, UPOOL_REASON_TIMEOUT);
    }
    else if (rq->body->now >= upool_pace_until(&rq->body->pace)) {
        refuse(r, rq, UPOOL_REASON_TOO_SLOW);
    }
    else {
        upool_sink_is_unwanted(&rq->sink);
    }
}

void upool_wait_for_client(request_rec *r, upool_request *rq)
{
    apr_pollfd_t pfd;
    apr_interval_time_t timeout = -1;
    apr_int32_t ready = 0;

    if (!find_descriptor(r->connection, &pfd, &timeout)) {
        rq->body->blocks = 1;
        return;
    }
    if (apr_poll(&pfd, 1, &ready, CLIENT_SLICE) == APR_SUCCESS) {
        rq->body->heard = apr_time_now();
        return;
    }
    look_up(r, rq, timeout);
}

void upool_wait_rested(upool_request *rq)
{
    apr_time_t now = apr_time_now();
    apr_interval_time_t rested = now > rq->body->now ? now - rq->body->now : 0;

    rq->body->wait -= rested < rq->body->wait ? rested : rq->body->wait;
    rq->body->heard += rested;
    upool_pace_pause(&rq->body->pace, rested);
    rq->body->now = now;
}

int upool_wait_for_rate(request_rec *r, upool_request *rq)
{
    while (rq->body->wait > 0 && !r->connection->aborted) {
        apr_interval_time_t slice =
            rq->body->wait < RATE_SLICE ? rq->body->wait : RATE_SLICE;

        apr_sleep(slice);
        upool_wait_rested(rq);
        if (upool_sink_is_unwanted(&rq->sink)) {
            return 1;
        }
    }
    return 0;
}

/* --- What mod_reqtimeout leaves ---------------------------------------------
 * Its limits are in memory of its own, and it looks at them only when somebody
 * reads; but for a blocking read it sets the socket's timeout to what is left.
 * So such a read is begun, into a filter that reads the timeout and nothing
 * else.  A speculative read changes nothing in mod_reqtimeout's own account. */

static apr_status_t probe(ap_filter_t *f, apr_bucket_brigade *bb,
                          ap_input_mode_t mode, apr_read_type_e block,
                          apr_off_t bytes)
{
    (void)bb;
    (void)mode;
    (void)block;
    (void)bytes;
    *(apr_interval_time_t *)f->ctx = timeout_of(f->c);
    return APR_EAGAIN;
}

void upool_wait_register(void)
{
    ap_register_input_filter(PROBE_NAME, probe, NULL, AP_FTYPE_NETWORK);
}

static const ap_filter_t *find_reqtimeout(const request_rec *r)
{
    const ap_filter_t *f;

    for (f = r->connection->input_filters; f; f = f->next) {
        if (!strcmp(f->frec->name, REQTIMEOUT_NAME)) {
            return f;
        }
    }
    return NULL;
}

/* In microseconds; below 0 when there is no limit. */
static apr_interval_time_t time_left(const request_rec *r, upool_request *rq)
{
    const ap_filter_t *reqtimeout = find_reqtimeout(r);
    apr_interval_time_t left = timeout_of(r->connection);
    ap_filter_t end;
    ap_filter_t begin;
    apr_status_t rv;

    if (!reqtimeout) {
        return left;
    }
    memset(&end, 0, sizeof(end));
    end.frec = ap_get_input_filter_handle(PROBE_NAME);
    end.ctx = &left;
    end.c = r->connection;
    begin = *reqtimeout;
    begin.next = &end;
    rv = ap_get_brigade(&begin, rq->body->pulled, AP_MODE_SPECULATIVE,
                        APR_BLOCK_READ, 1);
    apr_brigade_cleanup(rq->body->pulled);
    return APR_STATUS_IS_TIMEUP(rv) ? 0 : left;
}

apr_interval_time_t upool_wait_most(const conn_rec *c)
{
    apr_interval_time_t most = c->base_server->timeout;

    return most > 0 ? most - (most / 4 < AHEAD ? most / 4 : AHEAD) : 0;
}

/* Timeout counts from the client's last bytes; the time that mod_reqtimeout
 * leaves is shorter, and counts from now. */
static apr_time_t silence_ends(const request_rec *r, upool_request *rq)
{
    apr_interval_time_t idle = timeout_of(r->connection);
    apr_interval_time_t mpm = upool_wait_most(r->connection);
    apr_interval_time_t left = time_left(r, rq);
    apr_time_t at = idle > 0 ? rq->body->heard + idle : UPOOL_PACE_NEVER;

    if (left >= 0 && left < idle && rq->body->now + left < at) {
        at = rq->body->now + left;
    }
    if (mpm > 0 && rq->body->now + mpm < at) {
        at = rq->body->now + mpm;
    }
    return at;
}

upool_wait_end upool_wait_until(request_rec *r, upool_request *rq)
{
    upool_wait_end end;
    apr_time_t pace = upool_pace_until(&rq->body->pace);

    end.at = silence_ends(r, rq);
    end.reason = UPOOL_REASON_TIMEOUT;
    if (pace < end.at) {
        end.at = pace;
        end.reason = UPOOL_REASON_TOO_SLOW;
    }
    return end;
}
