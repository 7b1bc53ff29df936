/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/chunked.h"

#include <string.h>
#include <apr_strings.h>

#include "httpd/reply.h"
#include "upload/result.h"

#define JSON "application/json"
/* What clients and proxies take for one header. */
#define HEADER_MAX 4096

/* --- Errors --------------------------------------------------------------- */

/* In the words of django-chunked-upload, where it has some: its clients show
 * them, or look for them. */
static const char *text_of(const upool_chunked *c, const upool_refusal *refusal)
{
    upool_limits limits = upool_config_limits(c->rq->conf);
    apr_int64_t most = limits.file < limits.body ? limits.file : limits.body;

    switch ((int)refusal->reason) {
    case UPOOL_REASON_OFFSET:
        return "Offsets do not match";
    case UPOOL_REASON_EXPIRED:
        return "Upload has expired";
    case UPOOL_REASON_COMPLETE:
        return "Upload has already been marked as \"complete\"";
    case UPOOL_REASON_NOT_WHOLE:
        return "Upload is not complete";
    case UPOOL_REASON_UPLOAD_LENGTH:
    case UPOOL_REASON_OVERRUN:
        return "Size of file doesn't match the upload";
    case UPOOL_REASON_BODY_TOO_LARGE:
    case UPOOL_REASON_FILE_TOO_LARGE:
        return most == UPOOL_UNLIMITED
                   ? refusal->text
                   : apr_psprintf(
                       c->r->pool,
                       "Size of file exceeds the limit (%" APR_INT64_T_FMT
                       " bytes)",
                       most);
    default:
        return refusal->text;
    }
}

static int status_of(const upool_refusal *refusal)
{
    switch ((int)refusal->reason) {
    case UPOOL_REASON_OFFSET:
    case UPOOL_REASON_COMPLETE:
    case UPOOL_REASON_NOT_WHOLE:
    case UPOOL_REASON_UPLOAD_LENGTH:
    case UPOOL_REASON_OVERRUN:
    case UPOOL_REASON_BODY_TOO_LARGE:
    case UPOOL_REASON_FILE_TOO_LARGE:
        return HTTP_BAD_REQUEST;
    default:
        return refusal->status;
    }
}

/* Who may not know of the upload learns nothing of it. */
static apr_off_t offset_of(const upool_chunked *c, const upool_refusal *refusal)
{
    if (refusal->reason == UPOOL_REASON_OFFSET && !c->resume) {
        return 0;
    }
    if (!c->resume || refusal->reason == UPOOL_REASON_CLEARED) {
        return -1;
    }
    return upool_resume_offset(c->resume);
}

/* What this request has made, and nobody can go on with: it holds nothing, or
 * its client has not been told its name.  Other pieces of a library's file may
 * have come meanwhile, so that stays. */
static void drop_made(upool_chunked *c)
{
    if (c->resume && c->created && !c->in_family && !c->session
        && (c->rq->minted || upool_resume_held(c->resume) == 0)) {
        upool_resume_abandon(c->resume);
        c->created = 0;
        c->resume = NULL;
    }
}

int upool_chunked_refuse(request_rec *r, upool_request *rq,
                         const upool_refusal *refusal)
{
    upool_chunked *c = rq->own;
    const char *text;

    /* As the form that it may well be. */
    if (c->kind == UPOOL_CHUNKED_MAYBE) {
        return upool_reply_refusal(r, rq, refusal);
    }
    drop_made(c);
    text = upool_result_refusal(text_of(c, refusal), offset_of(c, refusal),
                                r->pool);
    return upool_reply_refusal_as(r, rq, refusal, status_of(refusal), JSON,
                                  text);
}

/* --- How far the upload is ------------------------------------------------ */

static const char *range_text(apr_pool_t *p, apr_off_t start, apr_off_t end,
                              const char *total)
{
    return apr_psprintf(p, "%" APR_OFF_T_FMT "-%" APR_OFF_T_FMT "/%s", start,
                        end - 1, total);
}

/* What ranges are there, as nginx-upload-module writes them.  One client may
 * leave thousands: joined once, not one to all those before it. */
static const char *list_ranges(const upool_chunked *c)
{
    apr_pool_t *p = c->r->pool;
    const apr_array_header_t *ranges = upool_resume_about(c->resume)->ranges;
    apr_off_t length = upool_resume_length(c->resume);
    const char *total = length < 0 ? "*" : apr_off_t_toa(p, length);
    apr_array_header_t *texts;
    int i;

    if (!ranges) {
        apr_off_t offset = upool_resume_offset(c->resume);

        return offset ? range_text(p, 0, offset, total) : "";
    }
    texts = apr_array_make(p, ranges->nelts, sizeof(const char *));
    for (i = 0; i < ranges->nelts; i++) {
        const upool_range *range = &APR_ARRAY_IDX(ranges, i, upool_range);

        APR_ARRAY_PUSH(texts, const char *) =
            range_text(p, range->start, range->end, total);
    }
    return apr_array_pstrcat(p, texts, ',');
}

static int tell_session(upool_chunked *c)
{
    const char *list = list_ranges(c);

    c->rq->intake = UPOOL_INTAKE_NONE;
    if (*list && strlen(list) <= HEADER_MAX) {
        apr_table_setn(c->r->headers_out, "Range", list);
    }
    return upool_reply_text(c->r, HTTP_CREATED, "text/plain", list);
}

int upool_chunked_tell(upool_chunked *c)
{
    request_rec *r = c->r;
    apr_off_t offset = upool_resume_offset(c->resume);
    const char *id = upool_proto_identifier(r, c->rq);
    upool_refusal refusal;

    if (c->session) {
        return tell_session(c);
    }
    if (!id) {
        refusal = upool_refusal_make(UPOOL_REASON_MEMORY, 0, "no signature");
        return upool_chunked_refuse(r, c->rq, &refusal);
    }
    c->rq->intake = UPOOL_INTAKE_NONE;
    if (offset > 0) {
        apr_table_setn(r->headers_out, "Range",
                       apr_psprintf(r->pool, "0-%" APR_OFF_T_FMT, offset - 1));
    }
    return upool_reply_text(
        r, HTTP_OK, JSON,
        upool_result_chunk(id, offset, upool_resume_expires(c->resume),
                           c->in_family && c->piece.kind == UPOOL_FAMILY_FINE,
                           r->pool));
}
