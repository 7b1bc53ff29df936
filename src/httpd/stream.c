/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/stream.h"

#include <string.h>
#include <apr_hash.h>
#include <apr_poll.h>
#include <http_core.h>
#include <http_main.h>
#include <http_protocol.h>

#include "httpd/log.h"
#include "httpd/park.h"
#include "httpd/process.h"
#include "httpd/reply.h"
#include "httpd/slots.h"
#include "httpd/wait.h"

#define LOOK_EVERY apr_time_from_msec(250)
/* Proxies take a connection for dead when it is silent for much longer than
 * this; a stream that lasts only a short time has some comments all the
 * same. */
#define SILENCE_MAX apr_time_from_sec(15)
#define SILENCE_SHARE 4
#define LASTS apr_time_from_sec(300) /* where no Timeout is set */
/* The milliseconds after which a browser comes back. */
#define BEGIN "retry: 2000\n\n"
#define COMMENT ":\n\n"

struct upool_stream {
    request_rec *r;
    upool_request *rq;
    upool_stream_say *say;
    apr_pool_t *said_in; /* the pool of text */
    apr_pool_t *spare;   /* the pool for the next text */
    const char *text;    /* what was said last; NULL: nothing */
    apr_bucket_brigade *bb;
    apr_time_t written; /* when anything was last written */
    apr_time_t until;
    apr_interval_time_t silence; /* how long nothing may be written */
};

/* --- How many ------------------------------------------------------------- */

/* Where there are several virtual hosts, each gets at most this share of all
 * places: it may be a tenant's, and the clients of the others want some too. */
#define SHARE_OF(places) ((places) - (places) / 4)

typedef struct stream_place {
    int holds;
    unsigned group;
} stream_place;

static void turn(const stream_place *place, int by)
{
    upool_counters *counters = upool_slots_counters();

    upool_counters_turn(counters, upool_slots_cell(), UPOOL_GAUGE_WATCHING, by);
    upool_counters_turn_group(counters, upool_slots_cell(), place->group, by);
    if (place->holds) {
        upool_counters_turn(counters, upool_slots_cell(), UPOOL_GAUGE_HOLDING,
                            by);
    }
}

static apr_status_t give_back(void *data)
{
    turn(data, -1);
    return APR_SUCCESS;
}

/* The group of r's virtual host; where there are many hosts, a few share one
 * group. */
static unsigned group_of(const request_rec *r)
{
    apr_ssize_t len = APR_HASH_KEY_STRING;
    const char *name = r->server->server_hostname;

    return (name ? apr_hashfunc_default(name, &len) + r->server->port : 0)
           % UPOOL_COUNTERS_GROUPS;
}

/* 1 when there is no place for this watcher, who is counted already. */
static int is_too_many(const request_rec *r, const stream_place *place)
{
    const upool_server_conf *conf = upool_config_server(r->server);
    const upool_counters *counters = upool_slots_counters();
    apr_uint64_t places = upool_config_watchers(conf);

    return upool_counters_gauge(counters, UPOOL_GAUGE_WATCHING) > places
           || (ap_server_conf->next
               && upool_counters_group(counters, place->group)
                      > SHARE_OF(places))
           || (place->holds
               && upool_counters_gauge(counters, UPOOL_GAUGE_HOLDING)
                      > upool_config_holders(conf));
}

/* The count is raised first and checked then: two watchers that come at once
 * may both be turned away from the last place, but never both get it.  A
 * watcher who cannot be counted is refused, because nothing would bound their
 * number. */
static int take_place(request_rec *r, int holds)
{
    stream_place *place = apr_palloc(r->pool, sizeof(*place));

    if (!upool_slots_counters() || !upool_slots_cell()) {
        return 0;
    }
    place->holds = holds;
    place->group = group_of(r);
    turn(place, 1);
    if (is_too_many(r, place)) {
        turn(place, -1);
        return 0;
    }
    apr_pool_cleanup_register(r->pool, place, give_back, apr_pool_cleanup_null);
    return 1;
}

/* --- Looking and writing -------------------------------------------------- */

static int poll_socket(const conn_rec *c, apr_int16_t event,
                       apr_interval_time_t timeout)
{
    apr_pollfd_t pfd;
    apr_int32_t ready = 0;

    memset(&pfd, 0, sizeof(pfd));
    pfd.desc_type = APR_POLL_SOCKET;
    pfd.desc.s = ap_get_conn_socket((conn_rec *)c);
    pfd.reqevents = event;
    return apr_poll(&pfd, 1, &ready, timeout) == APR_SUCCESS && ready == 1;
}

/* 1 when the socket has no room for more because the client does not read; it
 * gets the newest text when it does.  A stream of HTTP/2 has its own buffer. */
static int is_full(const conn_rec *c)
{
    return !c->master && !poll_socket(c, APR_POLLOUT, 0);
}

static void append(const upool_stream *stream, const char *text)
{
    APR_BRIGADE_INSERT_TAIL(
        stream->bb, apr_bucket_transient_create(text, strlen(text),
                                                stream->bb->bucket_alloc));
}

/* 1 when the client is gone. */
static int flush(upool_stream *stream, apr_time_t now)
{
    request_rec *r = stream->r;
    apr_status_t rv;

    APR_BRIGADE_INSERT_TAIL(stream->bb,
                            apr_bucket_flush_create(stream->bb->bucket_alloc));
    rv = ap_pass_brigade(r->output_filters, stream->bb);
    apr_brigade_cleanup(stream->bb);
    stream->written = now;
    return rv != APR_SUCCESS || r->connection->aborted;
}

/* The two pools change places, so that there are never more than two texts. */
static void keep(upool_stream *stream, const char *text)
{
    apr_pool_t *before = stream->said_in;

    stream->text = text;
    stream->said_in = stream->spare;
    stream->spare = before;
}

static int say(upool_stream *stream, apr_time_t now)
{
    int last = 0;
    const char *text;

    apr_pool_clear(stream->spare);
    text = stream->say(stream->r, stream->rq, stream->spare, &last);
    if (!text) {
        return 1;
    }
    if (!stream->text || strcmp(text, stream->text) != 0) {
        append(stream, text);
        keep(stream, text);
    }
    else if (now - stream->written >= stream->silence) {
        append(stream, COMMENT);
    }
    return (!APR_BRIGADE_EMPTY(stream->bb) && flush(stream, now)) || last;
}

/* Looks for news and writes them.  1 when the stream is over, or its client is
 * gone. */
static int look(upool_stream *stream, apr_time_t now)
{
    const conn_rec *c = stream->r->connection;

    if (now >= stream->until || c->aborted || upool_process_is_stopping()) {
        return 1;
    }
    return is_full(c) ? 0 : say(stream, now);
}

/* --- The answer ----------------------------------------------------------- */

/* Waits a quarter of a second, or less when the client goes; a client that
 * watches has nothing to send. */
static int rest(const conn_rec *c)
{
    if (c->master) {
        apr_sleep(LOOK_EVERY);
        return 1;
    }
    return !poll_socket(c, APR_POLLIN, LOOK_EVERY);
}

static int hold(upool_stream *stream)
{
    while (rest(stream->r->connection) && !look(stream, apr_time_now())) {
    }
    return OK;
}

static apr_interval_time_t lasts(const request_rec *r)
{
    apr_interval_time_t most = upool_wait_most(r->connection);

    return most > 0 ? most : LASTS;
}

static upool_stream *make(request_rec *r, upool_request *rq,
                          upool_stream_say *say_it)
{
    upool_stream *stream = apr_pcalloc(r->pool, sizeof(*stream));
    apr_interval_time_t whole = lasts(r);

    stream->r = r;
    stream->rq = rq;
    stream->say = say_it;
    apr_pool_create(&stream->said_in, r->pool);
    apr_pool_create(&stream->spare, r->pool);
    stream->bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    stream->written = apr_time_now();
    stream->until = stream->written + whole;
    stream->silence = whole / SILENCE_SHARE < SILENCE_MAX
                          ? whole / SILENCE_SHARE
                          : SILENCE_MAX;
    return stream;
}

/* Keeps mod_deflate and proxies from waiting for more before they send. */
static void set_headers(request_rec *r)
{
    ap_set_content_type(r, "text/event-stream");
    upool_reply_uncached(r, "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    apr_table_setn(r->headers_out, "X-Accel-Buffering", "no");
    apr_table_setn(r->subprocess_env, "no-gzip", "1");
    apr_table_setn(r->subprocess_env, "no-brotli", "1");
    if (!r->connection->master) {
        /* The end of the stream wakes a worker by shutting down the socket. */
        r->connection->keepalive = AP_CONN_CLOSE;
    }
}

static int refuse(request_rec *r, upool_request *rq)
{
    upool_refusal refusal = upool_refusal_make(UPOOL_REASON_WATCHERS, 0, NULL);

    apr_table_setn(r->err_headers_out, "Retry-After", "5");
    return upool_reply_refusal(r, rq, &refusal);
}

int upool_stream_run(request_rec *r, upool_request *rq,
                     upool_stream_say *say_it)
{
    struct upool_parked *place = upool_park_place(r, rq);
    upool_stream *stream;

    if (!r->header_only && !take_place(r, !place)) {
        return refuse(r, rq);
    }
    set_headers(r);
    if (r->header_only) {
        return OK;
    }
    stream = make(r, rq, say_it);
    append(stream, BEGIN);
    if (say(stream, stream->written)) {
        return OK;
    }
    upool_rlog(r, DEBUG, 0, 90, "upload %s is watched%s",
               upool_log_ident(r->pool, rq->id),
               place ? "" : ", which holds a thread");
    return place ? upool_park_watch(place, r, stream, look) : hold(stream);
}
