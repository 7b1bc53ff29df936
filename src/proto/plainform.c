/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/protocol.h"

#include "httpd/answered.h"
#include "httpd/drive.h"
#include "httpd/intake.h"
#include "httpd/log.h"
#include "httpd/reply.h"
#include "httpd/slots.h"
#include "httpd/substitute.h"

static void tell_begin(request_rec *r, const upool_request *rq)
{
    upool_rlog(
        r, DEBUG, 0, 20,
        "upload %s begins in pool %s: %" APR_OFF_T_FMT " bytes announced",
        upool_log_ident(r->pool, rq->id), rq->conf->store, rq->content_length);
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
    upool_reason reason;
    upool_refusal refusal;

    rq->outcome.record = upool_upload_record(rq->upload);
    rq->outcome.fields = upool_upload_fields(rq->upload);
    rq->outcome.path = upool_upload_path(rq->upload, NULL, r->pool);
    reason = upool_substitute_request(r, rq);
    if (reason) {
        refusal = upool_refusal_make(reason, 0,
                                     "the upload is done, but its JSON cannot"
                                     " be made");
        return upool_reply_refusal(r, rq, &refusal);
    }
    tell_done(r, rq);
    upool_answered_await(r, rq);
    if (rq->conf->pass) {
        upool_rlog(r, DEBUG, 0, 27, "upload %s is passed to %s",
                   upool_log_ident(r->pool, rq->id), rq->conf->pass);
        upool_substitute_redirect(r, rq->conf->pass);
        return OK;
    }
    return DECLINED;
}

int upool_proto_form_begin(request_rec *r, upool_request *rq,
                           upool_refusal *refusal)
{
    tell_begin(r, rq);
    return upool_intake_begin(r, rq, refusal);
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
