/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/ietf.h"

#include <apr_strings.h>

#include "httpd/interim.h"

/* Offsets are sent after the first MiB, and then after four times as many bytes
 * as before.  Proxies survive few interim answers, if any (Caddy five,
 * mod_proxy nine, Varnish none), and all they do is tell more to a client that
 * is cut off; it may always ask. */
#define TELL_BYTES 1048576
#define TELL_GROWTH 4
/* Older versions had no interim answers but the first. */
#define INTEROP_PROGRESS 5

/* A proxy stands between us and the client and says so, or mod_remoteip has
 * trusted the proxy and removed what it said.  mod_remoteip then makes a new
 * address object, even for the same address (of a client on the proxy's
 * machine). */
static int is_relayed(const request_rec *r)
{
    return apr_table_get(r->headers_in, "Via")
           || apr_table_get(r->headers_in, "X-Forwarded-For")
           || apr_table_get(r->headers_in, "Forwarded")
           || r->useragent_addr != r->connection->client_addr;
}

int upool_ietf_interims(const request_rec *r, const upool_request *rq)
{
    if (rq->conf->interim != UPOOL_UNSET) {
        return rq->conf->interim;
    }
    return is_relayed(r) ? 0 : UPOOL_INTERIM_MAX;
}

/* Only for clients that have said that they speak the draft (Appendix "Draft
 * Version Identification"). */
static void tell_interim(request_rec *r, upool_ietf *ietf, apr_table_t *fields)
{
    ietf->interims--;
    apr_table_setn(fields, "Upload-Draft-Interop-Version",
                   apr_itoa(r->pool, ietf->head.interop));
    upool_interim_send(r, "104 Upload Resumption Supported", fields);
}

void upool_ietf_announce(request_rec *r, const upool_request *rq,
                         const char *location)
{
    upool_ietf *ietf = upool_ietf_of(rq);
    apr_table_t *fields;

    if (!ietf->head.interop || !ietf->interims) {
        return;
    }
    fields = apr_table_make(r->pool, 4);
    apr_table_setn(fields, "Location", location);
    apr_table_setn(fields, "Upload-Limit", upool_ietf_limits(r, rq));
    tell_interim(r, ietf, fields);
}

/* An offset once sent must never be taken back (4.1.1): none is sent if bytes
 * may be refused at the end, or may not survive a power cut. */
static int may_tell(const request_rec *r, const upool_request *rq)
{
    return upool_ietf_of(rq)->head.interop >= INTEROP_PROGRESS
           && rq->conf->sync != 1
           && !apr_table_get(r->headers_in, "Content-Digest");
}

static void tell_progress(upool_ietf *ietf)
{
    apr_off_t offset = ietf->begin + upool_sink_received(&ietf->sink);
    apr_table_t *fields;

    if (!ietf->step || !ietf->interims || offset - ietf->told < ietf->step) {
        return;
    }
    ietf->told = offset;
    ietf->step *= TELL_GROWTH;
    fields = apr_table_make(ietf->r->pool, 2);
    apr_table_setn(fields, "Upload-Offset",
                   apr_off_t_toa(ietf->r->pool, offset));
    tell_interim(ietf->r, ietf, fields);
}

/* --- The sink: the resume's own, with interim answers -------------------- */

static int feed(void *self, const char *data, apr_size_t len)
{
    return upool_sink_feed(&((upool_ietf *)self)->sink, data, len);
}

static int flush(void *self)
{
    upool_ietf *ietf = self;

    if (upool_sink_flush(&ietf->sink)) {
        return 1;
    }
    tell_progress(ietf);
    return 0;
}

static int finish(void *self)
{
    return upool_sink_finish(&((upool_ietf *)self)->sink);
}

static void refuse(void *self, upool_reason reason, apr_status_t rv,
                   const char *detail)
{
    upool_sink_refuse(&((upool_ietf *)self)->sink, reason, rv, detail);
}

static int is_unwanted(void *self)
{
    return upool_sink_is_unwanted(&((upool_ietf *)self)->sink);
}

static void park(void *self, int parked)
{
    upool_sink_park(&((upool_ietf *)self)->sink, parked);
}

static apr_off_t received(const void *self)
{
    return upool_sink_received(&((const upool_ietf *)self)->sink);
}

static const upool_refusal *refusal_of(void *self)
{
    return upool_sink_refusal(&((upool_ietf *)self)->sink);
}

static const upool_sink_ops sink_ops = { feed,     flush,       finish,
                                         refuse,   is_unwanted, park,
                                         received, refusal_of };

void upool_ietf_wrap(request_rec *r, upool_request *rq)
{
    upool_ietf *ietf = upool_ietf_of(rq);

    ietf->r = r;
    upool_resume_sink(ietf->resume, &ietf->sink);
    ietf->told = ietf->begin;
    ietf->step = may_tell(r, rq) ? TELL_BYTES : 0;
    rq->sink.ops = &sink_ops;
    rq->sink.self = ietf;
}
