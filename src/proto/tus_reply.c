/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/tus.h"

#include <apr_strings.h>
#include <http_protocol.h>

#include "httpd/log.h"
#include "httpd/reply.h"
#include "httpd/substitute.h"
#include "proto/complete.h"
#include "upload/result.h"

#define STATUS_CHECKSUM 460

void upool_tus_mark(request_rec *r)
{
    apr_table_setn(r->err_headers_out, "Tus-Resumable", UPOOL_TUS_VERSION);
}

/* The status, where it differs from that of other protocols. */
static int status_of(const request_rec *r, const upool_refusal *refusal)
{
    if (refusal->reason == UPOOL_REASON_CHECKSUM) {
        return STATUS_CHECKSUM;
    }
    if (refusal->reason == UPOOL_REASON_BUSY && r->method_number != M_POST) {
        return HTTP_LOCKED;
    }
    return refusal->reason == UPOOL_REASON_COMPLETE ? HTTP_CONFLICT
                                                    : refusal->status;
}

int upool_tus_refuse(request_rec *r, upool_request *rq,
                     const upool_refusal *refusal)
{
    upool_refusal version;
    int status;

    /* "The Server MUST NOT process the request": this comes before anything
     * else that may be wrong with it. */
    if (r->method_number != M_OPTIONS && !upool_tus_is_understood(r)
        && refusal->reason != UPOOL_REASON_VERSION
        && refusal->reason != UPOOL_REASON_PROTOCOL) {
        version = upool_refusal_make(UPOOL_REASON_VERSION, 0, NULL);
        refusal = &version;
    }
    status = status_of(r, refusal);
    if (status == HTTP_PRECONDITION_FAILED) {
        apr_table_setn(r->headers_out, "Tus-Version", UPOOL_TUS_VERSION);
    }
    if (status == STATUS_CHECKSUM) {
        r->status_line = "460 Checksum Mismatch";
    }
    return upool_reply_refusal_as(
        r, rq, refusal, status, "application/json",
        upool_result_refusal(refusal->text, -1, r->pool));
}

int upool_tus_refuse_for(request_rec *r, upool_request *rq, upool_reason reason,
                         const char *detail)
{
    upool_refusal refusal = upool_refusal_make(reason, 0, detail);

    return upool_tus_refuse(r, rq, &refusal);
}

int upool_tus_refuse_field(request_rec *r, upool_request *rq, const char *name)
{
    upool_refusal refusal =
        upool_refusal_make(UPOOL_REASON_UPLOAD_HEADER, 0, name);

    refusal.text =
        apr_pstrcat(r->pool, name, " is missing or not as it must be", NULL);
    return upool_tus_refuse(r, rq, &refusal);
}

upool_tus *upool_tus_of(request_rec *r, upool_request *rq)
{
    if (!rq->own) {
        rq->own = apr_pcalloc(r->pool, sizeof(upool_tus));
    }
    return rq->own;
}

upool_tus *upool_tus_open(request_rec *r, upool_request *rq, int *answer)
{
    upool_tus *tus = upool_tus_of(r, rq);
    upool_refusal refusal = UPOOL_NO_REFUSAL;

    tus->resume = upool_proto_open(r, rq, &refusal);
    if (refusal.reason) {
        *answer = upool_tus_refuse(r, rq, &refusal);
        return NULL;
    }
    return tus;
}

static void tell_number(request_rec *r, const char *name, apr_off_t number)
{
    apr_table_setn(r->headers_out, name,
                   apr_psprintf(r->pool, "%" APR_OFF_T_FMT, number));
}

void upool_tus_tell_offset(request_rec *r, const upool_resume *resume)
{
    tell_number(r, "Upload-Offset", upool_resume_offset(resume));
}

static void tell_expires(request_rec *r, const upool_resume *resume)
{
    apr_time_t expires = upool_resume_expires(resume);
    char *text;

    if (expires && !upool_resume_is_complete(resume)) {
        text = apr_palloc(r->pool, APR_RFC822_DATE_LEN);
        apr_rfc822_date(text, expires);
        apr_table_setn(r->headers_out, "Upload-Expires", text);
    }
}

static void tell_about(request_rec *r, const upool_resume *resume)
{
    const upool_resumable *about = upool_resume_about(resume);

    if (upool_resume_length(resume) >= 0) {
        tell_number(r, "Upload-Length", upool_resume_length(resume));
    }
    else {
        apr_table_setn(r->headers_out, "Upload-Defer-Length", "1");
    }
    if (about->metadata) {
        apr_table_setn(r->headers_out, "Upload-Metadata", about->metadata);
    }
    if (about->concat) {
        apr_table_setn(r->headers_out, "Upload-Concat", about->concat);
    }
}

int upool_tus_is_final(const upool_resume *resume)
{
    const char *concat = upool_resume_about(resume)->concat;

    return concat && ap_strchr_c(concat, ';') != NULL;
}

int upool_tus_settle(request_rec *r, upool_request *rq)
{
    const upool_resume *resume = upool_tus_of(r, rq)->resume;

    rq->intake = UPOOL_INTAKE_NONE;
    if (upool_resume_is_complete(resume)) {
        return upool_complete_run(r, rq, resume);
    }
    tell_expires(r, resume);
    if (upool_tus_has_bytes(r)) {
        upool_tus_tell_offset(r, resume);
    }
    return upool_reply_text(r, rq->creates ? HTTP_CREATED : HTTP_NO_CONTENT,
                            NULL, "");
}

/* --- HEAD, DELETE, OPTIONS ------------------------------------------------ */

/* All bytes are there.  A client that finds the offset at the end takes the
 * upload for a success (tus-js-client does), and sends no PATCH whose answer
 * could tell it more: so the offset is told only when the application has
 * accepted the upload.  If the last PATCH got no answer, because the
 * application failed or its process died, the work that it began is done now;
 * and an upload that the application has refused for good counts as gone. */
static int answer_complete(request_rec *r, upool_request *rq,
                           const upool_resume *resume)
{
    int status = 0;

    switch (upool_complete_look(r, rq, upool_resume_record(resume), &status)) {
    case UPOOL_COMPLETE_OPEN:
        return upool_complete_run(r, rq, resume);
    case UPOOL_COMPLETE_RUNS:
        return upool_tus_refuse_for(r, rq, UPOOL_REASON_BUSY,
                                    "its application runs");
    case UPOOL_COMPLETE_ANSWERED:
        break;
    }
    if (status >= HTTP_BAD_REQUEST) {
        return upool_tus_refuse_for(r, rq, UPOOL_REASON_EXPIRED,
                                    "its application has refused it");
    }
    upool_tus_tell_offset(r, resume);
    tell_about(r, resume);
    return upool_reply_text(r, HTTP_OK, NULL, "");
}

int upool_tus_tell_state(request_rec *r, upool_request *rq)
{
    int answer;
    upool_tus *tus = upool_tus_open(r, rq, &answer);

    if (!tus) {
        return answer;
    }
    if (upool_resume_settle(tus->resume)) {
        return upool_tus_refuse(r, rq, upool_resume_refusal(tus->resume));
    }
    if (upool_resume_is_complete(tus->resume)) {
        return answer_complete(r, rq, tus->resume);
    }
    /* The offset of a final upload means something only once it is complete. */
    if (!upool_tus_is_final(tus->resume)) {
        upool_tus_tell_offset(r, tus->resume);
    }
    tell_about(r, tus->resume);
    tell_expires(r, tus->resume);
    return upool_reply_text(r, HTTP_OK, NULL, "");
}

int upool_tus_terminate(request_rec *r, upool_request *rq)
{
    int answer;
    upool_tus *tus = upool_tus_open(r, rq, &answer);

    if (!tus) {
        return answer;
    }
    if (upool_resume_discard(tus->resume, UPOOL_REASON_NONE)) {
        return upool_tus_refuse(r, rq, upool_resume_refusal(tus->resume));
    }
    upool_rlog(r, DEBUG, 0, 70, "upload %s is terminated",
               upool_log_ident(r->pool, rq->id));
    return upool_reply_text(r, HTTP_NO_CONTENT, NULL, "");
}

/* "A known hard limit" of one upload, which is one file; -1: none. */
static apr_int64_t max_size(const upool_dir_conf *conf)
{
    upool_limits limits = upool_config_limits(conf);
    apr_int64_t max = limits.file < limits.body ? limits.file : limits.body;

    return max == UPOOL_UNLIMITED ? -1 : max;
}

/* A client need not say here that it speaks tus, so this may be a question to
 * the application, or to mod_dav.  Then one of those answers, with our headers
 * added, so that either client finds what it looks for. */
static int is_for_others(const request_rec *r, const upool_request *rq)
{
    return !rq->is_resource && !apr_table_get(r->headers_in, "Tus-Resumable")
           && !(r->handler && !strcmp(r->handler, UPOOL_HANDLER_NAME));
}

int upool_tus_tell_options(request_rec *r, upool_request *rq)
{
    apr_int64_t max = max_size(rq->conf);
    /* The headers that an error page keeps. */
    apr_table_t *headers = r->err_headers_out;

    apr_table_setn(headers, "Tus-Version", UPOOL_TUS_VERSION);
    apr_table_setn(headers, "Tus-Extension", UPOOL_TUS_EXTENSIONS);
    apr_table_setn(headers, "Tus-Checksum-Algorithm", UPOOL_TUS_CHECKSUMS);
    if (max >= 0) {
        apr_table_setn(headers, "Tus-Max-Size",
                       apr_psprintf(r->pool, "%" APR_INT64_T_FMT, max));
    }
    return is_for_others(r, rq)
               ? upool_proto_pass(r, rq)
               : upool_reply_text(r, HTTP_NO_CONTENT, NULL, "");
}

/* --- The answer of the application ---------------------------------------- */

/* 1 for HEAD, among requests that may run the application.  (r->method may be
 * that of a redirect.) */
static int is_head(const upool_request *rq)
{
    return !rq->creates && !rq->takes_body;
}

/* For PATCH tus defines 204 alone, but a body is worth more than that, and
 * clients take any 2xx; POST gets 201; HEAD gets the answer of an upload that
 * was complete before.  A redirect's target goes into Content-Location, for
 * Location is the upload's. */
int upool_tus_answer(request_rec *r, upool_request *rq, int has_body)
{
    const upool_resume *resume = upool_tus_of(r, rq)->resume;
    const char *location = apr_table_get(r->headers_out, "Location");

    if (location) {
        apr_table_setn(r->headers_out, "Content-Location", location);
        apr_table_unset(r->headers_out, "Location");
    }
    if (r->status >= HTTP_BAD_REQUEST) {
        /* Other errors make tus-js-client begin anew, with all of its bytes. */
        if (is_head(rq) && r->status >= HTTP_INTERNAL_SERVER_ERROR) {
            r->status = HTTP_LOCKED;
            r->status_line = NULL;
        }
        return has_body && !is_head(rq);
    }
    has_body = has_body && r->status < HTTP_MULTIPLE_CHOICES
               && r->status != HTTP_NO_CONTENT;
    upool_tus_tell_offset(r, resume);
    r->status_line = NULL;
    if (rq->creates) {
        r->status = HTTP_CREATED;
        return has_body;
    }
    if (is_head(rq)) {
        tell_about(r, resume);
        r->status = HTTP_OK;
        return 0;
    }
    r->status = has_body ? HTTP_OK : HTTP_NO_CONTENT;
    return has_body;
}
