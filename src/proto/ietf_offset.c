/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/ietf.h"

#include <http_protocol.h>

#include "proto/complete.h"
#include "httpd/reply.h"

/* Up to here the draft forbade header fields of the upload in requests that
 * only ask, and wanted them refused. */
#define INTEROP_STRICT 6

/* Without a word of the protocol in it, and as a GET of what any word might
 * name, the request may be the application's: what we do not know passes. */
static int may_pass(const request_rec *r, const upool_request *rq)
{
    return !apr_table_get(r->headers_in, "Upload-Draft-Interop-Version")
           || (r->method_number == M_GET && !r->header_only
               && !upool_ietf_is_minted(rq->id));
}

static int says_too_much(const upool_ietf *ietf)
{
    return ietf->head.interop && ietf->head.interop <= INTEROP_STRICT
           && (ietf->head.offset >= 0 || ietf->head.complete >= 0);
}

/* 0, or 1 with *result what handle() returns. */
static int find(request_rec *r, upool_request *rq, int *result)
{
    upool_refusal refusal = UPOOL_NO_REFUSAL;

    if (says_too_much(upool_ietf_of(rq))) {
        refusal = upool_refusal_make(UPOOL_REASON_UPLOAD_HEADER, 0, NULL);
    }
    else if (!upool_ietf_open(r, rq, &refusal)) {
        return 0;
    }
    *result = refusal.reason == UPOOL_REASON_NOT_FOUND && may_pass(r, rq)
                  ? upool_proto_pass(r, rq)
                  : upool_ietf_refuse(r, rq, &refusal);
    return 1;
}

/* Complete says that there is a final answer (4.3.2): without one the client
 * asks for it by an append of nothing. */
static int is_answered(request_rec *r, upool_request *rq,
                       const upool_resume *resume)
{
    return upool_resume_is_complete(resume)
           && upool_complete_look(r, rq, upool_resume_record(resume), NULL)
                  == UPOOL_COMPLETE_ANSWERED;
}

/* 4.3: whoever still writes is ended first, so that the offset can be used. */
int upool_ietf_tell_offset(request_rec *r, upool_request *rq)
{
    upool_refusal refusal = UPOOL_NO_REFUSAL;
    upool_resume *resume;
    int result;

    if (find(r, rq, &result)) {
        return result;
    }
    resume = upool_ietf_of(rq)->resume;
    if (upool_ietf_settle(rq, &refusal)) {
        return upool_ietf_refuse(r, rq, &refusal);
    }
    upool_ietf_set_state(r, rq);
    upool_ietf_set_complete(rq, r->headers_out, is_answered(r, rq, resume));
    return upool_reply_text(r, HTTP_NO_CONTENT, NULL, "");
}

/* 4.5 */
int upool_ietf_cancel(request_rec *r, upool_request *rq)
{
    upool_ietf *ietf = upool_ietf_of(rq);
    int result;

    if (find(r, rq, &result)) {
        return result;
    }
    if (upool_resume_discard(ietf->resume, UPOOL_REASON_NONE)) {
        return upool_ietf_refuse(r, rq, upool_resume_refusal(ietf->resume));
    }
    return upool_reply_text(r, HTTP_NO_CONTENT, NULL, "");
}

/* Of an upload resource, or of a target that has no other handler. */
int upool_ietf_options(request_rec *r, upool_request *rq)
{
    if (rq->is_resource) {
        apr_table_setn(r->headers_out, "Allow",
                       "OPTIONS, GET, HEAD, PATCH, DELETE");
        apr_table_setn(r->headers_out, "Accept-Patch",
                       "application/partial-upload");
    }
    else {
        apr_table_setn(r->headers_out, "Allow",
                       "OPTIONS, GET, HEAD, POST, PUT,"
                       " PATCH, DELETE");
    }
    apr_table_unset(r->err_headers_out, "Upload-Limit");
    apr_table_setn(r->headers_out, "Upload-Limit", upool_ietf_limits(r, rq));
    return upool_reply_text(r, HTTP_NO_CONTENT, NULL, "");
}
