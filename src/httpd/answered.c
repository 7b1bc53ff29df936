/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/answered.h"

#include <util_filter.h>

#define FILTER_NAME "UPLOAD_POOL_ANSWERED"

static int has_end(const apr_bucket_brigade *bb)
{
    const apr_bucket *b;

    for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb);
         b = APR_BUCKET_NEXT(b)) {
        if (APR_BUCKET_IS_EOS(b)) {
            return 1;
        }
    }
    return 0;
}

/* Ends the run before the client sees the end of the answer: it may send its
 * next request at once. */
static apr_status_t filter_answer(ap_filter_t *f, apr_bucket_brigade *bb)
{
    if (has_end(bb)) {
        upool_upload_answered(f->ctx);
        ap_remove_output_filter(f);
    }
    return ap_pass_brigade(f->next, bb);
}

void upool_answered_register(void)
{
    /* A filter of this type survives internal redirects and error pages. */
    ap_register_output_filter(FILTER_NAME, filter_answer, NULL,
                              AP_FTYPE_PROTOCOL);
}

void upool_answered_await(request_rec *r, upool_request *rq)
{
    ap_add_output_filter(FILTER_NAME, rq->upload, r, r->connection);
}
