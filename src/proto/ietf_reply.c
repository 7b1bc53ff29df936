/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/ietf.h"

#include <string.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <jansson.h>

#include "httpd/reply.h"
#include "httpd/resuming.h"
#include "proto/complete.h"

#define TYPES "https://iana.org/assignments/http-problem-types#"
#define PROBLEM_JSON "application/problem+json"
/* The largest integer of a structured field: no real limit is larger. */
#define INTEGER_MAX APR_INT64_C(999999999999999)
/* Older versions gave the limit of age another name. */
#define INTEROP_MAX_AGE 7
/* Up to this version the draft forbade header fields about the upload in
 * requests that only ask, and wanted such requests refused. */
#define INTEROP_STRICT 6

static const char *add_limit(apr_pool_t *p, const char *limits,
                             const char *name, apr_int64_t value)
{
    return apr_psprintf(p, "%s%s%s=%" APR_INT64_T_FMT, limits,
                        *limits ? ", " : "", name, value);
}

static apr_int64_t least(apr_int64_t a, apr_int64_t b)
{
    return a < b ? a : b;
}

/* Seconds that the resource has left, or would have; -1: no limit. */
static apr_int64_t life(request_rec *r, const upool_request *rq)
{
    const upool_ietf *ietf = upool_ietf_of(rq);
    apr_interval_time_t left = upool_config_expires(rq->conf);

    if (ietf->resume && !ietf->gone) {
        apr_time_t end = upool_resume_expires(ietf->resume);

        left = end ? end - r->request_time : 0;
    }
    return left > 0 ? apr_time_sec(left) : -1;
}

/* LimitRequestBody bounds one request, not the upload: clients that know it
 * send the rest in further requests. */
const char *upool_ietf_limits(request_rec *r, const upool_request *rq)
{
    const upool_ietf *ietf = upool_ietf_of(rq);
    upool_limits set = upool_config_limits(rq->conf);
    apr_int64_t size = least(set.body, set.file);
    apr_int64_t append = (apr_int64_t)ap_get_limit_req_body(r);
    apr_int64_t age = life(r, rq);
    const char *limits = "";

    if (size <= INTEGER_MAX) {
        limits = add_limit(r->pool, limits, "max-size", size);
    }
    if (append > 0 && append <= INTEGER_MAX) {
        limits = add_limit(r->pool, limits, "max-append-size", append);
    }
    if (age >= 0 && r->method_number != M_OPTIONS) {
        limits =
            add_limit(r->pool, limits,
                      ietf->head.interop && ietf->head.interop < INTEROP_MAX_AGE
                          ? "expires"
                          : "max-age",
                      least(age, INTEGER_MAX));
    }
    return *limits ? limits : "min-size=0";
}

static void set_complete(const upool_request *rq, apr_table_t *headers,
                         int complete)
{
    if (upool_ietf_of(rq)->head.interop == UPOOL_IETF_INTEROP_MIN) {
        apr_table_setn(headers, "Upload-Incomplete", complete ? "?0" : "?1");
        return;
    }
    apr_table_setn(headers, "Upload-Complete", complete ? "?1" : "?0");
}

static void set_number(request_rec *r, const char *name, apr_off_t number)
{
    apr_table_setn(r->headers_out, name,
                   apr_psprintf(r->pool, "%" APR_OFF_T_FMT, number));
}

void upool_ietf_set_state(request_rec *r, const upool_request *rq)
{
    const upool_resume *resume = upool_ietf_of(rq)->resume;

    set_number(r, "Upload-Offset", upool_resume_offset(resume));
    if (upool_resume_length(resume) >= 0) {
        set_number(r, "Upload-Length", upool_resume_length(resume));
    }
    apr_table_setn(r->headers_out, "Upload-Limit", upool_ietf_limits(r, rq));
    set_complete(rq, r->headers_out, upool_resume_is_complete(resume));
}

int upool_ietf_open(request_rec *r, upool_request *rq, upool_refusal *refusal)
{
    upool_ietf *ietf = upool_ietf_of(rq);

    ietf->resume = upool_proto_open(r, rq, refusal);
    return refusal->reason != UPOOL_REASON_NONE;
}

int upool_ietf_settle(upool_request *rq, upool_refusal *refusal)
{
    upool_ietf *ietf = upool_ietf_of(rq);

    if (upool_resume_is_complete(ietf->resume)
        || !upool_resume_settle(ietf->resume)) {
        return 0;
    }
    *refusal = *upool_resume_refusal(ietf->resume);
    ietf->gone = 1;
    return 1;
}

/* Marks the target's own answer to the whole representation as such (4.4.2).  A
 * Location in it is the target's; if it has none, a client that has sent
 * everything at once looks there for its upload (4.2.3, example A). */
int upool_ietf_answer(request_rec *r, upool_request *rq, int has_body)
{
    const upool_resume *resume = upool_ietf_of(rq)->resume;

    (void)has_body;
    set_number(r, "Upload-Offset", upool_resume_offset(resume));
    set_complete(rq, r->headers_out, 1);
    upool_ietf_tell_digest(upool_resume_about(resume),
                           upool_resume_record(resume), r->headers_out,
                           r->pool);
    if (rq->creates && ap_is_HTTP_SUCCESS(r->status)
        && !apr_table_get(r->headers_out, "Location")
        && !apr_table_get(r->err_headers_out, "Location")) {
        apr_table_setn(r->headers_out, "Location", upool_proto_location(r, rq));
    }
    return 1;
}

/* --- Problems (RFC 9457) -------------------------------------------------- */

typedef struct problem {
    const char *type; /* of the draft's; NULL: the status says it all */
    int status;
    int has_offset; /* tells where the next append has to begin */
} problem;

static problem find_problem(const upool_refusal *refusal)
{
    problem found = { NULL, refusal->status, 0 };

    switch ((int)refusal->reason) {
    case UPOOL_REASON_OFFSET:
        found.type = "mismatching-upload-offset";
        found.status = HTTP_CONFLICT;
        found.has_offset = 1;
        break;
    case UPOOL_REASON_UPLOAD_LENGTH:
    case UPOOL_REASON_OVERRUN:
        found.type = "inconsistent-upload-length";
        found.status = HTTP_BAD_REQUEST;
        break;
    case UPOOL_REASON_COMPLETE:
        found.type = "completed-upload";
        found.status = HTTP_GONE;
        break;
    default:
        break;
    }
    return found;
}

/* NULL when memory ran out. */
static const char *write_problem(request_rec *r, const upool_request *rq,
                                 const problem *what,
                                 const upool_refusal *refusal)
{
    const upool_ietf *ietf = upool_ietf_of(rq);
    json_t *json =
        json_pack("{s:s, s:s, s:i, s:s, s:s, s:s}", "type",
                  what->type ? apr_pstrcat(r->pool, TYPES, what->type, NULL)
                             : "about:blank",
                  "title", refusal->text, "status", what->status, "state",
                  "error", "error", refusal->text, "detail", refusal->text);
    char *text;
    const char *copy = NULL;

    if (json && what->has_offset) {
        json_object_set_new(json, "expected-offset",
                            json_integer(upool_resume_offset(ietf->resume)));
        json_object_set_new(json, "provided-offset",
                            json_integer(ietf->head.offset));
    }
    text = json ? json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    if (text) {
        copy = apr_pstrdup(r->pool, text);
    }
    free(text);
    json_decref(json);
    return copy;
}

/* Upload-Complete is false: these answers come from the protocol, not from the
 * resource that the client has aimed at.  The exception is a refusal by a check
 * of the whole file, which answers for the resource (4.1.2). */
int upool_ietf_refuse(request_rec *r, upool_request *rq,
                      const upool_refusal *refusal)
{
    const upool_ietf *ietf = upool_ietf_of(rq);
    problem what = find_problem(refusal);
    const char *text = write_problem(r, rq, &what, refusal);

    if (ietf->resume && !ietf->gone) {
        upool_ietf_set_state(r, rq);
    }
    if (what.status == HTTP_REQUEST_ENTITY_TOO_LARGE) {
        apr_table_setn(r->headers_out, "Upload-Limit",
                       upool_ietf_limits(r, rq));
    }
    set_complete(rq, r->headers_out, ietf->processed);
    return upool_reply_refusal_as(r, rq, refusal, what.status, PROBLEM_JSON,
                                  text ? text : "");
}

/* --- HEAD and GET, DELETE, OPTIONS ---------------------------------------- */

/* A request without the protocol's headers, or a GET of a URL that any word
 * might form, may be meant for the application: if we do not know the upload,
 * it passes. */
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

/* Complete means that there is a final answer (4.3.2): without one the client
 * asks for it by an empty append. */
static int is_answered(request_rec *r, upool_request *rq,
                       const upool_resume *resume)
{
    return upool_resume_is_complete(resume)
           && upool_complete_look(r, rq, upool_resume_record(resume), NULL)
                  == UPOOL_COMPLETE_ANSWERED;
}

/* 4.3: a request that still writes is ended first, so that the offset can be
 * used. */
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
    set_complete(rq, r->headers_out, is_answered(r, rq, resume));
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

/* Answers for an upload resource, or a target that has no other handler. */
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
