/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/protocol.h"

#include <string.h>
#include <apr_strings.h>

#include "httpd/answered.h"
#include "httpd/drive.h"
#include "httpd/filter.h"
#include "httpd/intake.h"
#include "httpd/log.h"
#include "httpd/reply.h"
#include "httpd/slots.h"
#include "httpd/substitute.h"
#include "parse/family.h"
#include "parse/query.h"

static void tell_begin(request_rec *r, const upool_request *rq)
{
    upool_rlog(
        r, DEBUG, 0, 20,
        "upload %s begins in pool %s: %" APR_OFF_T_FMT " bytes announced",
        upool_log_ident(r->pool, rq->id), rq->conf->store, rq->content_length);
}

/* A body that begins with another delimiter than it announces, or with the
 * closing one, is an empty form.  It is valid, but its client meant another
 * one. */
static void tell_nothing(request_rec *r, const upool_request *rq)
{
    if (!upool_upload_has_parts(rq->upload)) {
        upool_rlog(
            r, WARNING, 0, 350,
            "upload %s: neither a file nor a field was found in %" APR_OFF_T_FMT
            " bytes; does the boundary of its"
            " Content-Type fit the body?",
            upool_log_ident(r->pool, rq->id),
            upool_upload_record(rq->upload)->received);
    }
}

static void tell_done(request_rec *r, const upool_request *rq)
{
    const upool_record *record = upool_upload_record(rq->upload);
    const upool_chain *chain = upool_upload_chain(rq->upload);
    const char *name;
    apr_uint64_t calls;
    apr_uint64_t bytes;
    int n;

    if (!APLOGrdebug(r)) {
        return;
    }
    upool_rlog(r, DEBUG, 0, 22,
               "upload %s is done: %d files, %d fields, %" APR_OFF_T_FMT
               " bytes read",
               upool_log_ident(r->pool, rq->id), record->files->nelts,
               upool_upload_fields(rq->upload)->nelts, record->received);
    for (n = 0; upool_chain_account(chain, n, &name, &calls, &bytes); n++) {
        upool_rlog(r, DEBUG, 0, 24,
                   "upload %s: handler %s saw %" APR_UINT64_T_FMT
                   " bytes in %" APR_UINT64_T_FMT " calls",
                   upool_log_ident(r->pool, rq->id), name, bytes, calls);
    }
}

static int substitute(request_rec *r, upool_request *rq)
{
    upool_refusal refusal;

    rq->outcome.record = upool_upload_record(rq->upload);
    rq->outcome.fields = upool_upload_fields(rq->upload);
    rq->outcome.path = upool_upload_path(rq->upload, NULL, r->pool);
    if (upool_substitute_request(r, rq, &refusal)) {
        return upool_reply_refusal(r, rq, &refusal);
    }
    tell_nothing(r, rq);
    tell_done(r, rq);
    upool_answered_await(r, rq);
    if (rq->conf->pass) {
        upool_rlog(r, DEBUG, 0, 27, "upload %s is passed to %s",
                   upool_log_ident(r->pool, rq->id), rq->conf->pass);
        upool_substitute_redirect(r, rq->conf->pass);
        return OK;
    }
    upool_filter_settle(r);
    return DECLINED;
}

void upool_proto_read_pieces(request_rec *r, upool_proto_pair *visit,
                             void *user)
{
    static const char *const headers[] = { "uploader-chunk-number",
                                           "uploader-chunks-total" };
    apr_size_t len = r->args ? strlen(r->args) : 0;
    char *text = apr_pstrmemdup(r->pool, len ? r->args : "", len);
    upool_query_pair pair;
    char *at = text;
    apr_size_t i;

    while (upool_query_take(&at, text + len, &pair) > 0) {
        visit(user, pair.name, pair.value, pair.value_len);
    }
    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        const char *value = apr_table_get(r->headers_in, headers[i]);

        if (value) {
            visit(user, headers[i], value, strlen(value));
        }
    }
}

static void take_pair(void *user, const char *name, const char *value,
                      apr_size_t len)
{
    upool_family_param(user, name, value, len);
}

/* The form's own fields are checked as they arrive (upload/form.h). */
static int is_piece(request_rec *r)
{
    upool_family family;
    upool_family_chunk piece;

    upool_family_init(&family);
    upool_proto_read_pieces(r, take_pair, &family);
    return upool_family_settle(&family, &piece)
           || upool_family_is_strange(&family);
}

int upool_proto_form_begin(request_rec *r, upool_request *rq,
                           upool_refusal *refusal)
{
    if (is_piece(r)) {
        *refusal = upool_refusal_make(UPOOL_REASON_PIECE, 0, "by the URL");
        return 1;
    }
    tell_begin(r, rq);
    return rq->upload ? upool_intake_open(rq, refusal)
                      : upool_intake_begin(r, rq, refusal);
}

int upool_proto_form_end(request_rec *r, upool_request *rq,
                         const upool_refusal *refusal)
{
    return refusal ? upool_reply_refusal(r, rq, refusal) : substitute(r, rq);
}

int upool_proto_form(request_rec *r, upool_request *rq)
{
    upool_refusal refusal = UPOOL_NO_REFUSAL;

    if (rq->intake != UPOOL_INTAKE_PENDING) {
        return DECLINED;
    }
    if (upool_proto_form_begin(r, rq, &refusal)) {
        return upool_reply_refusal(r, rq, &refusal);
    }
    return upool_drive_run(r, rq, upool_proto_form_end);
}
