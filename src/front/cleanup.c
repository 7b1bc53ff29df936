/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "front/fronts.h"

#include "httpd/log.h"
#include "httpd/shared.h"
#include "httpd/slots.h"
#include "httpd/unseen.h"

/* What happens to an upload after its application has answered (UploadCleanup,
 * UploadKeep), and whether the application has seen it at all. */

/* The identifier may belong to another upload by now, which this request must
 * not touch. */
static apr_status_t discard(request_rec *r, const upool_request *rq)
{
    const upool_record *record = rq->outcome.record;
    upool_refusal refusal = UPOOL_NO_REFUSAL;
    upool_store *store = upool_request_store(r, rq->conf, &refusal);
    apr_status_t rv;

    if (!store) {
        return refusal.rv ? refusal.rv : APR_EGENERAL;
    }
    rv = upool_bucket_discard(store, record, r->pool);
    if (!rv && upool_slots_table()) {
        upool_table_drop_ended(upool_slots_table(),
                               upool_slots_name(r, rq->conf, rq->id),
                               record->updated);
    }
    if (!rv) {
        upool_shared_forget(r, rq->conf, rq->id);
    }
    return rv;
}

static void clean_up(request_rec *r, const upool_request *rq, int status)
{
    apr_status_t rv = discard(r, rq);

    if (rv) {
        upool_rlog(r, ERR, rv, 26,
                   "upload %s was answered with %d but cannot be removed",
                   upool_log_ident(r->pool, rq->id), status);
        return;
    }
    upool_rlog(r, DEBUG, 0, 25, "upload %s removed: answered with %d",
               upool_log_ident(r->pool, rq->id), status);
}

static void let_go(request_rec *r, const upool_request *rq)
{
    apr_status_t rv = discard(r, rq);

    if (rv) {
        upool_rlog(r, ERR, rv, 41,
                   "upload %s was not claimed but cannot be removed",
                   upool_log_ident(r->pool, rq->id));
        return;
    }
    upool_rlog(r, DEBUG, 0, 40, "upload %s removed: nobody has claimed it",
               upool_log_ident(r->pool, rq->id));
}

/* The client got the status of the last request that this one was redirected
 * to. */
int upool_front_clean_up(request_rec *r)
{
    const request_rec *last = r;
    upool_request *rq;
    int status;

    for (; last->next; last = last->next) {
    }
    rq = upool_request_substituted(last);
    /* Access denied is httpd's answer, not the application's: the client may
     * come again with what it lacked. */
    if (!rq || (rq->answering && !rq->outcome.status)) {
        return DECLINED;
    }
    /* A protocol may have changed what the application said. */
    status = rq->outcome.status ? rq->outcome.status : last->status;
    upool_unseen_tell(r, last, rq, status);
    if (upool_config_cleans(rq->conf, status)) {
        clean_up(r, rq, status);
    }
    else if (rq->conf->keep == UPOOL_KEEP_CLAIMED && !rq->claimed
             && !rq->outcome.again) {
        let_go(r, rq);
    }
    return DECLINED;
}
