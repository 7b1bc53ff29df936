/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/ietf.h"

#include <apr_strings.h>

#include "httpd/interim.h"

/* 1 MiB, or a sixteenth of what is there: some 200 answers for a tebibyte, so
 * few that they lie in the socket's buffers even when the client does not read
 * before it has sent everything. */
#define TELL_BYTES 1048576
#define TELL_PART 16
/* Before it there were no interim answers but the first. */
#define INTEROP_PROGRESS 5

/* Only for those who have said that they speak the draft (Appendix "Draft
 * Version Identification"). */
static void tell_interim(request_rec *r, int interop, apr_table_t *fields)
{
    apr_table_setn(fields, "Upload-Draft-Interop-Version",
                   apr_itoa(r->pool, interop));
    upool_interim_send(r, "104 Upload Resumption Supported", fields);
}

void upool_ietf_announce(request_rec *r, const upool_request *rq,
                         const char *location)
{
    apr_table_t *fields;

    if (!upool_ietf_of(rq)->head.interop) {
        return;
    }
    fields = apr_table_make(r->pool, 4);
    apr_table_setn(fields, "Location", location);
    apr_table_setn(fields, "Upload-Limit", upool_ietf_limits(r, rq));
    tell_interim(r, upool_ietf_of(rq)->head.interop, fields);
}

/* An offset once told must never be taken back (4.1.1): where bytes may be
 * refused at the end, or may not survive a power cut, none is told. */
static int may_tell(const request_rec *r, const upool_request *rq)
{
    return upool_ietf_of(rq)->head.interop >= INTEROP_PROGRESS
           && rq->conf->sync != 1
           && !apr_table_get(r->headers_in, "Content-Digest");
}

static void tell_progress(upool_ietf *ietf)
{
    apr_off_t offset = ietf->begin + upool_sink_received(&ietf->sink);
    apr_off_t step = ietf->told / TELL_PART;
    apr_table_t *fields;

    if (!ietf->tells
        || offset - ietf->told < (step > TELL_BYTES ? step : TELL_BYTES)) {
        return;
    }
    ietf->told = offset;
    fields = apr_table_make(ietf->r->pool, 2);
    apr_table_setn(fields, "Upload-Offset",
                   apr_off_t_toa(ietf->r->pool, offset));
    tell_interim(ietf->r, ietf->head.interop, fields);
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

static apr_off_t received(const void *self)
{
    return upool_sink_received(&((const upool_ietf *)self)->sink);
}

static const upool_refusal *refusal_of(void *self)
{
    return upool_sink_refusal(&((upool_ietf *)self)->sink);
}

static const upool_sink_ops sink_ops = { feed,      flush,       finish,
                                         refuse,    is_unwanted, received,
                                         refusal_of };

void upool_ietf_wrap(request_rec *r, upool_request *rq)
{
    upool_ietf *ietf = upool_ietf_of(rq);

    ietf->r = r;
    upool_resume_sink(ietf->resume, &ietf->sink);
    ietf->told = ietf->begin;
    ietf->tells = may_tell(r, rq);
    rq->sink.ops = &sink_ops;
    rq->sink.self = ietf;
}
