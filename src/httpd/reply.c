/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/reply.h"

#include <apr_cstr.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <http_protocol.h>

#include "httpd/body.h"
#include "httpd/intake.h"
#include "httpd/log.h"
#include "httpd/logtags.h"
#include "httpd/slots.h"
#include "upload/result.h"

/* For a keep-alive connection it is worth reading this much of a refused
 * body. */
#define DRAIN_MAX 65536

/* 1 when the media range at text is application/json with a weight above 0. */
static int is_json_range(const char *text, apr_size_t len)
{
    static const char json[] = "application/json";
    apr_size_t json_len = sizeof(json) - 1;
    const char *end = text + len;
    const char *q;

    if (len < json_len || ap_cstr_casecmpn(text, json, json_len)) {
        return 0;
    }
    text += json_len;
    while (text < end && (*text == ' ' || *text == '\t')) {
        text++;
    }
    if (text < end && *text != ';') {
        return 0;
    }
    for (q = text; q + 2 < end; q++) {
        if ((q[0] == 'q' || q[0] == 'Q') && q[1] == '=' && q[2] == '0') {
            for (q += 3; q < end && (*q == '.' || *q == '0'); q++) {
            }
            return q < end && apr_isdigit(*q);
        }
    }
    return 1;
}

int upool_reply_wants_json(const request_rec *r)
{
    const char *accept = apr_table_get(r->headers_in, "Accept");

    if (apr_table_get(r->headers_in, "X-Requested-With")) {
        return 1;
    }
    while (accept) {
        const char *comma;

        while (*accept == ' ' || *accept == '\t') {
            accept++;
        }
        comma = ap_strchr_c(accept, ',');
        if (is_json_range(accept, comma ? (apr_size_t)(comma - accept)
                                        : strlen(accept))) {
            return 1;
        }
        accept = comma ? comma + 1 : NULL;
    }
    return 0;
}

void upool_reply_uncached(request_rec *r, const char *control)
{
    apr_table_setn(r->headers_out, "Cache-Control", control);
    apr_table_setn(r->subprocess_env, "no-cache", "1");
}

int upool_reply_text(request_rec *r, int status, const char *type,
                     const char *text)
{
    apr_size_t len = strlen(text);

    r->status = status;
    upool_reply_uncached(r, "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    if (len) {
        ap_set_content_type(r, type);
    }
    if (status != HTTP_NO_CONTENT) {
        ap_set_content_length(r, (apr_off_t)len);
    }
    if (len && !r->header_only) {
        ap_rputs(text, r);
    }
    return OK;
}

int upool_reply_json(request_rec *r, int status, const char *text,
                     const char *callback)
{
    if (!text) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    if (!callback) {
        return upool_reply_text(r, status, "application/json", text);
    }
    /* The comment keeps the callback's name from being the first bytes of the
     * answer (a Flash file could be spelled with it). */
    return upool_reply_text(
        r, status, "application/javascript",
        apr_pstrcat(r->pool, "/**/", callback, "(", text, ");", NULL));
}

/* Tells apart what an administrator should see at httpd's usual log level, and
 * what is only the weather of the network; a limit on the client's time that he
 * has set himself is not mere weather. */
static int refusal_level(const upool_refusal *refusal)
{
    if (refusal->status >= 500 && refusal->reason != UPOOL_REASON_WATCHERS) {
        return APLOG_ERR;
    }
    return refusal->reason == UPOOL_REASON_GONE
                   || refusal->reason == UPOOL_REASON_INCOMPLETE
                   || refusal->reason == UPOOL_REASON_WATCHERS
               ? APLOG_INFO
               : APLOG_WARNING;
}

/* Names the directive behind an end for lack of time, whoever ends the
 * upload. */
static const char *detail_of(const upool_refusal *refusal)
{
    if (!refusal->detail && refusal->reason == UPOOL_REASON_TIMEOUT) {
        return "by RequestReadTimeout or Timeout";
    }
    return !refusal->detail && refusal->reason == UPOOL_REASON_TOO_SLOW
               ? "by UploadMinRate"
               : refusal->detail;
}

/* One line; client text (names in detail) escaped. */
static void log_refusal(request_rec *r, const upool_request *rq,
                        const upool_refusal *refusal)
{
    int level = refusal_level(refusal);
    const char *detail = detail_of(refusal);

    if (detail) {
        detail = ap_escape_logitem(r->pool, detail);
    }
    ap_log_rerror(APLOG_MARK, level, refusal->rv, r,
                  "UPL%04d: upload %s refused with %d: %s%s%s",
                  UPOOL_TAG_REFUSAL + (int)refusal->reason,
                  upool_log_ident(r->pool, rq->id), refusal->status,
                  refusal->text, detail ? ": " : "", detail ? detail : "");
}

/* How much of the body is still to come; -1 when that is unknown: the bytes of
 * a coded body are counted differently from those that were announced. */
static apr_off_t left_of(const request_rec *r, const upool_request *rq)
{
    const char *length = apr_table_get(r->headers_in, "Content-Length");
    apr_off_t left = 0;

    if (rq->body->seen_end) {
        return 0;
    }
    if (apr_table_get(r->headers_in, "Transfer-Encoding")
        || (length && !ap_parse_strict_length(&left, length))) {
        return -1;
    }
    if (rq->intake == UPOOL_INTAKE_TAKING) {
        apr_off_t received = upool_sink_received(&rq->sink);

        return received > left
                       || apr_table_get(rq->set_aside,
                                        "X-Upload-Content-Encoding")
                   ? -1
                   : left - received;
    }
    return left;
}

/* httpd drains the rest of a body before the next request of the connection,
 * however long it is; where that is too much, closing is better.  The MPM's
 * lingering close lets the client read the answer. */
static void settle_connection(request_rec *r, const upool_request *rq,
                              const upool_refusal *refusal)
{
    apr_off_t left = left_of(r, rq);

    /* A client that had to be waited for would be waited for again, by a
     * thread.  When somebody else has ended the upload, it is unknown whether
     * its client waits. */
    if (refusal->reset || left < 0 || left > DRAIN_MAX
        || (left > 0
            && (rq->body->slow || refusal->reason == UPOOL_REASON_TAKEN
                || refusal->reason == UPOOL_REASON_CLEARED))) {
        r->connection->keepalive = AP_CONN_CLOSE;
    }
}

/* A stream of HTTP/2 cannot be closed like a connection: mod_http2 resets it
 * when its body was not read to the end, and clients (curl 7.88) then drop the
 * answer.  A short rest of a body is therefore read. */
static void drain_stream(request_rec *r, const upool_request *rq,
                         const upool_refusal *refusal)
{
    apr_bucket_brigade *bb;
    apr_off_t limit = ap_get_limit_req_body(r);
    apr_status_t rv = APR_SUCCESS;

    if (!r->connection->master || rq->body->seen_end || r->expecting_100
        || refusal->rv || rq->content_length < 0
        || rq->content_length > DRAIN_MAX
        || (limit > 0 && rq->content_length > limit)) {
        return;
    }
    bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    while (rv == APR_SUCCESS
           && (APR_BRIGADE_EMPTY(bb)
               || !APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(bb)))) {
        apr_brigade_cleanup(bb);
        rv = ap_get_brigade(r->input_filters, bb, AP_MODE_READBYTES,
                            APR_BLOCK_READ, DRAIN_MAX);
    }
    apr_brigade_destroy(bb);
}

void upool_reply_note(request_rec *r, upool_request *rq,
                      const upool_refusal *refusal)
{
    log_refusal(r, rq, refusal);
    /* An upload that was begun, or tried, counts itself. */
    if (!rq->upload && !upool_intake_leave_error(r, rq, refusal)) {
        upool_counters_refuse(upool_slots_counters(), (int)refusal->reason);
    }
    settle_connection(r, rq, refusal);
    rq->intake = UPOOL_INTAKE_REFUSED;
}

int upool_reply_refusal(request_rec *r, upool_request *rq,
                        const upool_refusal *refusal)
{
    upool_reply_note(r, rq, refusal);
    drain_stream(r, rq, refusal);
    if (upool_reply_wants_json(r)) {
        return upool_reply_json(
            r, refusal->status,
            upool_result_refusal(refusal->text, -1, r->pool), NULL);
    }
    return refusal->status;
}

int upool_reply_refusal_as(request_rec *r, upool_request *rq,
                           const upool_refusal *refusal, int status,
                           const char *type, const char *text)
{
    upool_reply_note(r, rq, refusal);
    drain_stream(r, rq, refusal);
    return upool_reply_text(r, status, type, text);
}
