/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "front/fronts.h"

#include <http_core.h>
#include <apr_strings.h>

#include "httpd/reply.h"
#include "upload/result.h"

int upool_front_mint(request_rec *r, upool_request *rq)
{
    char id[UPOOL_IDENT_MAX + 1];
    char text[UPOOL_IDENT_TEXT_MAX + 1];
    const char *base = ap_escape_uri(r->pool, rq->base);
    const char *query;
    upool_result_limits limits;
    upool_refusal refusal;
    apr_status_t rv = upool_ident_mint(id, r->request_time);

    if (!rv) {
        rv = upool_ident_sign(text, id, upool_config_ident_keys(rq->conf));
    }
    if (rv) {
        refusal = upool_refusal_make(UPOOL_REASON_IO, rv,
                                     "no random bytes for an identifier");
        return upool_reply_refusal(r, rq, &refusal);
    }
    limits.limits = upool_config_limits(rq->conf);
    limits.request = (apr_int64_t)ap_get_limit_req_body(r);
    limits.accept = upool_config_accept(rq->conf);
    query = apr_pstrcat(r->pool, "?X-Progress-ID=", text, NULL);
    return upool_reply_json(
        r, HTTP_CREATED,
        upool_result_minted(
            text, apr_pstrcat(r->pool, *base ? base : "/", query, NULL),
            apr_pstrcat(r->pool, base, "/status", query, NULL), &limits,
            r->pool),
        NULL);
}
