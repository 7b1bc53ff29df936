/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/protocol.h"

#include "httpd/lookup.h"
#include "httpd/log.h"
#include "httpd/reply.h"
#include "upload/result.h"

int upool_proto_clear(request_rec *r, upool_request *rq)
{
    upool_refusal refusal = UPOOL_NO_REFUSAL;
    upool_store *store = upool_known_store(r, rq, &refusal);
    const upool_record *record =
        store ? upool_known_find(r, rq, &refusal) : NULL;
    apr_status_t rv;

    if (!refusal.reason && record && !upool_known_is_mine(record, rq)) {
        refusal =
            upool_refusal_make(UPOOL_REASON_OWNER, 0, "owned by another user");
    }
    if (refusal.reason) {
        return upool_reply_refusal(r, rq, &refusal);
    }
    rv = upool_known_clear(r, rq, store);
    if (rv) {
        upool_rlog(r, ERR, rv, 30, "upload %s cannot be cleared",
                   upool_log_ident(r->pool, rq->id));
        refusal = upool_refusal_make(UPOOL_REASON_IO, rv, "clear");
        return upool_reply_refusal(r, rq, &refusal);
    }
    upool_rlog(r, DEBUG, 0, 29, "upload %s is cleared",
               upool_log_ident(r->pool, rq->id));
    return upool_reply_json(r, HTTP_OK, upool_result_success(r->pool),
                            rq->callback);
}
