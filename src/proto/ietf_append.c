/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/ietf.h"

#include "httpd/drive.h"

/* Before it appends had no media type of their own. */
#define INTEROP_MEDIA_TYPE 6

static upool_reason judge(const request_rec *r, const upool_ietf *ietf)
{
    int interop = ietf->head.interop;

    if (!upool_ietf_is_partial(apr_table_get(r->headers_in, "Content-Type"))
        && (!interop || interop >= INTEROP_MEDIA_TYPE)) {
        return UPOOL_REASON_NOT_AN_UPLOAD;
    }
    return ietf->head.offset < 0 || ietf->head.complete < 0
               ? UPOOL_REASON_UPLOAD_HEADER
               : UPOOL_REASON_NONE;
}

static int nothing_came(request_rec *r, upool_request *rq,
                        const upool_refusal *refusal)
{
    upool_refusal late = upool_refusal_make(UPOOL_REASON_COMPLETE, 0, NULL);

    if (!refusal && upool_ietf_of(rq)->head.complete) {
        return upool_ietf_run_target(r, rq);
    }
    return upool_ietf_refuse(r, rq, refusal ? refusal : &late);
}

/* The client has lost the final answer, and completes once more what is
 * complete: it gets the answer again.  Any other append is too late (4.4.2). */
static int append_to_complete(request_rec *r, upool_request *rq)
{
    upool_ietf *ietf = upool_ietf_of(rq);
    upool_reason reason = UPOOL_REASON_NONE;
    upool_refusal refusal;

    if (ietf->head.offset != upool_resume_offset(ietf->resume)) {
        reason = UPOOL_REASON_OFFSET;
    }
    else if (ietf->head.length >= 0 && ietf->head.length != ietf->head.offset) {
        reason = UPOOL_REASON_UPLOAD_LENGTH;
    }
    if (!reason) {
        return upool_drive_empty(r, rq, UPOOL_REASON_UPLOAD_LENGTH,
                                 nothing_came);
    }
    refusal = upool_refusal_make(reason, 0, NULL);
    return upool_ietf_refuse(r, rq, &refusal);
}

/* 0, or 1 with *refusal set. */
static int look(upool_request *rq, upool_refusal *refusal)
{
    const upool_ietf *ietf = upool_ietf_of(rq);

    if (upool_ietf_settle(rq, refusal)) {
        return 1;
    }
    if (upool_resume_is_complete(ietf->resume)
        || ietf->head.offset == upool_resume_offset(ietf->resume)) {
        return 0;
    }
    *refusal = upool_refusal_make(UPOOL_REASON_OFFSET, 0, NULL);
    return 1;
}

/* Whoever writes is ended first: the offset that counts is the one after.  By
 * the time that we begin another request may have completed it: looked at
 * again, that is known. */
int upool_ietf_append(request_rec *r, upool_request *rq)
{
    upool_ietf *ietf = upool_ietf_of(rq);
    upool_refusal refusal = UPOOL_NO_REFUSAL;
    upool_reason reason = judge(r, ietf);

    if (reason) {
        refusal = upool_refusal_make(reason, 0, NULL);
        return upool_ietf_refuse(r, rq, &refusal);
    }
    do {
        if (upool_ietf_open(r, rq, &refusal) || look(rq, &refusal)) {
            return upool_ietf_refuse(r, rq, &refusal);
        }
        if (upool_resume_is_complete(ietf->resume)) {
            return append_to_complete(r, rq);
        }
        if (!upool_ietf_begin(r, rq, ietf->head.offset, &refusal)) {
            return upool_ietf_run(r, rq);
        }
    } while (refusal.reason == UPOOL_REASON_COMPLETE);
    return upool_ietf_refuse(r, rq, &refusal);
}
