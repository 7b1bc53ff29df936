/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/ietf.h"

#include <string.h>
#include <apr_cstr.h>
#include <apr_strings.h>
#include <http_core.h>

#include "proto/complete.h"
#include "proto/ietf_kept.h"
#include "httpd/drive.h"
#include "httpd/log.h"
#include "httpd/reply.h"

/* Up to this interop version an append that is not the last is answered with
 * 201. */
#define INTEROP_CREATED 6

/* --- Begin ---------------------------------------------------------------- */

/* Two numbers for the length, or one and what was known, must agree (4.1.3).
 * Asked before either is recorded. */
static int lengths_agree(const upool_ietf *ietf, const upool_request *rq,
                         apr_off_t offset)
{
    apr_off_t known = upool_resume_length(ietf->resume);
    apr_off_t said = ietf->head.length;
    apr_off_t content = rq->content_length;

    if (said >= 0 && known >= 0 && said != known) {
        return 0;
    }
    if (said < 0) {
        said = known;
    }
    if (said < 0 || content < 0) {
        return 1;
    }
    return ietf->head.complete ? said - offset == content
                               : said - offset >= content;
}

/* What the request says of the length, recorded.  0, or 1 when refused. */
static int record_length(const upool_ietf *ietf, const upool_request *rq,
                         apr_off_t offset)
{
    if (ietf->head.length >= 0
        && upool_resume_set_length(ietf->resume, ietf->head.length)) {
        return 1;
    }
    return ietf->head.complete && rq->content_length >= 0
           && upool_resume_set_length(ietf->resume,
                                      offset + rq->content_length);
}

/* Content codings are characteristics of the representation: offsets count what
 * the client sends (8), so what would decode it is taken out. */
static void keep_coded(upool_request *rq)
{
    ap_filter_t *f = rq->filter->next;

    while (f) {
        ap_filter_t *next = f->next;

        if (!strcmp(f->frec->name, "deflate")) {
            ap_remove_input_filter(f);
        }
        f = next;
    }
}

static const upool_digestfield *content_digest(request_rec *r, int *malformed)
{
    const char *text = apr_table_get(r->headers_in, "Content-Digest");
    upool_digestfield *digest;

    if (!text) {
        return NULL;
    }
    digest = apr_palloc(r->pool, sizeof(*digest));
    *malformed = upool_digestfield_parse(text, strlen(text), digest) != 0;
    return digest;
}

/* What can be said against the request before any of its content is read, and
 * before the upload knows of it. */
static upool_reason judge(request_rec *r, const upool_request *rq,
                          apr_off_t offset, upool_resume_append *append)
{
    apr_off_t limit = ap_get_limit_req_body(r);
    int malformed = 0;

    append->announced.content = content_digest(r, &malformed);
    if (malformed) {
        return UPOOL_REASON_DIGEST_SYNTAX;
    }
    if (limit > 0 && rq->content_length > limit) {
        return UPOOL_REASON_BODY_TOO_LARGE;
    }
    return lengths_agree(upool_ietf_of(rq), rq, offset)
               ? UPOOL_REASON_NONE
               : UPOOL_REASON_UPLOAD_LENGTH;
}

int upool_ietf_begin(request_rec *r, upool_request *rq, apr_off_t offset,
                     upool_refusal *refusal)
{
    upool_ietf *ietf = upool_ietf_of(rq);
    upool_resume_append append = UPOOL_RESUME_APPEND;
    upool_reason reason = judge(r, rq, offset, &append);

    if (reason) {
        *refusal = upool_refusal_make(reason, 0, NULL);
        return 1;
    }
    ietf->begin = offset;
    append.offset = offset;
    append.content_length = rq->content_length;
    append.last = ietf->head.complete;
    /* The client completes it (4.1.2), and not before the whole has been
     * compared with its digest. */
    append.stay_open = 1;
    if (record_length(ietf, rq, offset)
        || upool_resume_begin(ietf->resume, &append)) {
        *refusal = *upool_resume_refusal(ietf->resume);
        return 1;
    }
    keep_coded(rq);
    return 0;
}

/* --- And what comes after ------------------------------------------------- */

static int keep_going(request_rec *r, upool_request *rq)
{
    const upool_ietf *ietf = upool_ietf_of(rq);
    int status =
        rq->creates
                || (ietf->head.interop && ietf->head.interop <= INTEROP_CREATED)
            ? HTTP_CREATED
            : HTTP_NO_CONTENT;

    rq->intake = UPOOL_INTAKE_NONE;
    upool_ietf_set_state(r, rq);
    if (rq->creates) {
        apr_table_setn(r->headers_out, "Location", upool_proto_location(r, rq));
    }
    return upool_reply_text(r, status, NULL, "");
}

/* An upload that would be longer than its client said, or than it may be, is of
 * no more use (4.4). */
static int is_beyond_repair(const upool_refusal *refusal)
{
    return refusal->reason == UPOOL_REASON_OVERRUN
           || refusal->reason == UPOOL_REASON_BODY_TOO_LARGE
           || refusal->reason == UPOOL_REASON_FILE_TOO_LARGE;
}

/* Nobody waits for the rest of a request that its client has given up (4.6). */
static int is_superseded(const upool_refusal *refusal)
{
    return refusal->reason == UPOOL_REASON_TAKEN
           || refusal->reason == UPOOL_REASON_CLEARED;
}

static int give_up(request_rec *r, upool_request *rq,
                   const upool_refusal *refusal)
{
    upool_ietf *ietf = upool_ietf_of(rq);
    upool_refusal told = *refusal;

    if (is_beyond_repair(refusal)) {
        upool_resume_discard(ietf->resume, refusal->reason);
        ietf->gone = 1;
    }
    if (is_superseded(refusal)) {
        told.reset = 1;
        ietf->gone = 1;
    }
    return upool_ietf_refuse(r, rq, &told);
}

int upool_ietf_run_target(request_rec *r, upool_request *rq)
{
    upool_ietf *ietf = upool_ietf_of(rq);

    rq->outcome.coding =
        upool_ietf_coding(upool_resume_about(ietf->resume), r->pool);
    return upool_complete_run(r, rq, ietf->resume);
}

/* The representation is all there: is it what was announced (10.1)?  What is
 * not is not processed, and no append will mend it.  What looks at a complete
 * file may say no for good too; its errors are worth another try. */
static int complete(request_rec *r, upool_request *rq)
{
    upool_ietf *ietf = upool_ietf_of(rq);
    upool_refusal refusal;

    if (upool_ietf_check_digest(ietf->resume)) {
        refusal = *upool_resume_refusal(ietf->resume);
        upool_resume_discard(ietf->resume, refusal.reason);
        ietf->gone = 1;
        return upool_ietf_refuse(r, rq, &refusal);
    }
    if (!upool_resume_complete(ietf->resume)) {
        return upool_ietf_run_target(r, rq);
    }
    refusal = *upool_resume_refusal(ietf->resume);
    ietf->gone = refusal.status < HTTP_INTERNAL_SERVER_ERROR
                 && refusal.reason != UPOOL_REASON_BUSY;
    ietf->processed = ietf->gone;
    return upool_ietf_refuse(r, rq, &refusal);
}

static int content_is_in(request_rec *r, upool_request *rq,
                         const upool_refusal *refusal)
{
    upool_ietf *ietf = upool_ietf_of(rq);

    if (refusal) {
        return give_up(r, rq, refusal);
    }
    return ietf->head.complete ? complete(r, rq) : keep_going(r, rq);
}

int upool_ietf_run(request_rec *r, upool_request *rq)
{
    const upool_ietf *ietf = upool_ietf_of(rq);

    upool_rlog(r, DEBUG, 0, 75,
               "upload %s: %" APR_OFF_T_FMT
               " bytes announced at %" APR_OFF_T_FMT "%s, interop version %d",
               upool_log_ident(r->pool, rq->id), rq->content_length,
               ietf->begin, ietf->head.complete ? ", the last" : "",
               ietf->head.interop);
    upool_ietf_wrap(r, rq);
    return upool_drive_run(r, rq, content_is_in);
}
