/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "front/fronts.h"

#include <string.h>
#include <apr_strings.h>
#include <http_protocol.h>

#include "httpd/reply.h"
#include "httpd/substitute.h"
#include "upload/result.h"

/* For the parent of the frame that a form posts into: the page's script reads
 * the two attributes.  Both are escaped as HTML, the second holds JSON. */
static const char *page(apr_pool_t *p, const char *identifier,
                        const char *status)
{
    return apr_pstrcat(
        p,
        "<!DOCTYPE html>\n<html><head><title>Upload</title></head>"
        "<body data-upload-identifier=\"",
        ap_escape_html2(p, identifier, 0), "\" data-upload-info=\"",
        ap_escape_html2(p, status, 0), "\"></body></html>\n", NULL);
}

static int send_page(request_rec *r, const char *html)
{
    ap_set_content_type(r, "text/html; charset=utf-8");
    upool_reply_uncached(r, "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    ap_set_content_length(r, (apr_off_t)strlen(html));
    ap_rputs(html, r);
    return OK;
}

int upool_front_standalone(request_rec *r)
{
    const upool_request *rq;
    const upool_record *record;
    const char *status;

    if (!r->handler || strcmp(r->handler, UPOOL_HANDLER_NAME)) {
        return DECLINED;
    }
    rq = upool_request_substituted(r);
    if (!rq) {
        return HTTP_NOT_FOUND;
    }
    record = rq->outcome.record;
    status = upool_result_status(
        record, record->updated + upool_config_expires(rq->conf), r->pool);
    if (!status) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    if (rq->protocol || upool_reply_wants_json(r)) {
        return upool_reply_json(r, HTTP_OK, status, NULL);
    }
    return send_page(r, page(r->pool, rq->id, status));
}
