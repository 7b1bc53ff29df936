/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/park.h"

#include <apr_thread_mutex.h>
#include <ap_mpm.h>
#include <http_config.h>
#include <http_connection.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <scoreboard.h>

#include "httpd/body.h"
#include "httpd/connection.h"
#include "httpd/log.h"
#include "httpd/process.h"

#ifndef AP_MPMQ_CAN_WAITIO
/* Before 2.4.63 nothing of this can be reached. */
#define CAN_WAITIO 0
#define CONN_STATE_ASYNC_WAITIO CONN_STATE_SUSPENDED
#else
#define CAN_WAITIO 1
#endif

/* No client on a good network takes as long as this to continue. */
#define SLOW apr_time_from_msec(250)

static upool_parked *parked_on(const conn_rec *c)
{
    const upool_connection *connection = upool_connection_get(c);

    return connection ? connection->parked : NULL;
}

#define LOOK_EVERY apr_time_from_msec(400)
#define LOOK_FOR_NEWS_EVERY apr_time_from_msec(250)

static upool_parklist *list_for(const upool_parked *parked)
{
    const upool_process *process = upool_process_get();

    return parked->stream ? process->streams : process->parked;
}

/* The request enters the list when nobody else uses it any more; resuming takes
 * it out. */
void upool_park_suspend(conn_rec *c, request_rec *r)
{
    upool_parked *parked = parked_on(c);

    (void)r;
    if (parked && parked->r) {
        upool_parklist_add(list_for(parked), parked);
    }
}

void upool_park_resume(conn_rec *c, request_rec *r)
{
    upool_parked *parked = parked_on(c);

    (void)r;
    if (parked && parked->r) {
        upool_parklist_remove(list_for(parked), parked);
    }
}

/* --- Leaving and coming back ---------------------------------------------- */

upool_parked *upool_park_place(const request_rec *r, const upool_request *rq)
{
    const conn_rec *c = r->connection;
    upool_parked *place = parked_on(c);

    if (!place || !place->nested || r->main || r->prev || c->master || !c->cs
        || c->aborted || !upool_config_parks(rq->conf)) {
        return NULL;
    }
    /* Where a filter clogs the input, httpd reads requests in a loop of its
     * own, and would take a suspended request for a finished one. */
    return c->clogging_input_filters ? NULL : place;
}

static int leave(upool_parked *place, request_rec *r, const upool_request *rq,
                 upool_parked_go_on *go_on)
{
    if (!place->handler) {
        upool_rlog(r, DEBUG, 0, 50, "upload %s is parked",
                   upool_log_ident(r->pool, rq->id));
    }
    place->r = r;
    if (r->handler) {
        place->handler = r->handler;
    }
    place->go_on = go_on;
    return SUSPENDED;
}

int upool_park_leave(upool_parked *place, request_rec *r, upool_request *rq,
                     upool_park_for what, upool_parked_go_on *go_on)
{
    place->for_others = what == UPOOL_PARK_FOR_OTHERS;
    place->end = upool_wait_until(r, rq);
    return leave(place, r, rq, go_on);
}

int upool_park_rest(upool_parked *place, request_rec *r, upool_request *rq,
                    apr_interval_time_t rest, upool_parked_go_on *go_on,
                    int *result)
{
    apr_interval_time_t most = upool_wait_most(r->connection);
    apr_status_t rv = upool_alarm_set(&place->alarm, r->connection,
                                      most > 0 && rest > most ? most : rest);

    if (rv) {
        return 1;
    }
    place->for_others = 0;
    *result = leave(place, r, rq, go_on);
    return 0;
}

int upool_park_watch(upool_parked *place, request_rec *r,
                     struct upool_stream *stream, upool_parked_look *look)
{
    place->r = r;
    place->handler = r->handler;
    place->for_others = 0;
    place->stream = stream;
    place->look = look;
    return SUSPENDED;
}

/* Does what ap_invoke_handler() does after insert_filter, which has run
 * already. */
static int run_handlers(request_rec *r, const char *handler)
{
    const char *old = r->handler;
    int result;

    r->handler = handler;
    result = ap_run_handler(r);
    r->handler = old;
    return result == DECLINED ? HTTP_INTERNAL_SERVER_ERROR : result;
}

/* Continues what was parked.  SUSPENDED, or the request's result. */
static int go_on(upool_parked *parked, request_rec *r, int rested)
{
    upool_request *rq = upool_request_get(r);
    int result;

    if (parked->stream) {
        parked->stream = NULL;
        return OK;
    }
    if (rested) {
        upool_wait_rested(rq);
    }
    else if (!parked->woken) {
        rq->body->heard = apr_time_now();
        rq->body->slow |= rq->body->heard - rq->body->now >= SLOW;
    }
    else {
        /* The watcher has shut the socket down for reading. */
        r->connection->keepalive = AP_CONN_CLOSE;
    }
    if (parked->doom != UPOOL_REASON_NONE) {
        upool_sink_refuse(&rq->sink, parked->doom, 0, NULL);
    }
    result = parked->go_on(r, rq);
    return result == DECLINED ? run_handlers(r, parked->handler) : result;
}

/* Finishes the request as ap_process_async_request() does, or lets it wait
 * again. r may be gone afterwards. */
static void proceed(upool_parked *parked)
{
    conn_rec *c = parked->c;
    request_rec *r = parked->r;
    int rested = upool_alarm_end(&parked->alarm);
    int result;

    parked->r = NULL;
    c->cs->state = CONN_STATE_HANDLER;
    ap_update_child_status(c->sbh, SERVER_BUSY_WRITE, r);
    if (ap_extended_status) {
        ap_time_process_request(c->sbh, START_PREQUEST);
    }
    apr_thread_mutex_lock(r->invoke_mtx);
    result = go_on(parked, r, rested);
    if (result == SUSPENDED) {
        if (ap_extended_status) {
            ap_time_process_request(c->sbh, STOP_PREQUEST);
        }
        c->cs->state = CONN_STATE_SUSPENDED;
        apr_thread_mutex_unlock(r->invoke_mtx);
        return;
    }
    apr_thread_mutex_unlock(r->invoke_mtx);
    parked->handler = NULL;
    ap_die(result, r);
    ap_process_request_after_handler(r);
    if (c->cs->state != CONN_STATE_WRITE_COMPLETION
        && c->cs->state != CONN_STATE_SUSPENDED) {
        c->cs->state = CONN_STATE_LINGER;
    }
}

static upool_parked *make_parked(conn_rec *c)
{
    upool_parked *parked = apr_pcalloc(c->pool, sizeof(*parked));

    parked->c = c;
    APR_RING_ELEM_INIT(parked, link);
    upool_connection_make(c)->parked = parked;
    return parked;
}

/* event counts a connection in the worker that takes it up, and the listener
 * of a child that stops ends when it counts none.  So a connection that is
 * taken up after its child began to stop may have no listener any more:
 * whatever it parks would end with the child, without an answer. */
int upool_park_process(conn_rec *c)
{
    upool_parked *parked = parked_on(c);
    int result = OK;

    if (!upool_process_get()->parked || !c->cs || c->master
        || (parked && parked->nested)) {
        return DECLINED;
    }
    if (!parked) {
        if (upool_process_is_stopping()) {
            return DECLINED;
        }
        parked = make_parked(c);
    }
    parked->nested = 1;
    if (parked->r) {
        proceed(parked);
    }
    else {
        result = ap_run_process_connection(c);
    }
    parked->nested = 0;
    if (parked->r && c->cs->state == CONN_STATE_SUSPENDED) {
        c->cs->state = CONN_STATE_ASYNC_WAITIO;
        /* Nothing waits to be written, so the socket is writable at once. */
        c->cs->sense =
            parked->for_others ? CONN_SENSE_WANT_WRITE : CONN_SENSE_WANT_READ;
        upool_alarm_stand_in(&parked->alarm);
    }
    return result;
}

int upool_park_pre_close(conn_rec *c)
{
    upool_parked *parked = parked_on(c);
    const upool_request *rq;

    if (!parked || !parked->r) {
        return DECLINED;
    }
    c->keepalive = AP_CONN_CLOSE;
    if (!parked->stream) {
        rq = upool_request_get(parked->r);
        upool_sink_refuse(&rq->sink,
                          c->aborted ? UPOOL_REASON_GONE : UPOOL_REASON_TIMEOUT,
                          0, NULL);
    }
    proceed(parked);
    c->cs->state = CONN_STATE_LINGER;
    return DECLINED;
}

/* --- The child ------------------------------------------------------------ */

int upool_park_is_possible(void)
{
#if CAN_WAITIO
    int can = 0;
    int async = 0;

    return ap_mpm_query(AP_MPMQ_IS_ASYNC, &async) == APR_SUCCESS && async
           && ap_mpm_query(AP_MPMQ_CAN_WAITIO, &can) == APR_SUCCESS && can;
#else
    return 0;
#endif
}

void upool_park_child_init(apr_pool_t *pchild, server_rec *s)
{
    upool_process *process = upool_process_get();
    int can = upool_park_is_possible();
    upool_parklist *list = can ? upool_parklist_make(pchild, LOOK_EVERY) : NULL;
    upool_parklist *streams =
        list ? upool_parklist_make(pchild, LOOK_FOR_NEWS_EVERY) : NULL;

    (void)s;
    process->parked = streams ? list : NULL;
    process->streams = streams;
}
