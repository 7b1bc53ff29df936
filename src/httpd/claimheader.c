/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/claimheader.h"

#include <string.h>
#include <util_filter.h>

#include "httpd/request.h"

#define FILTER_NAME "UPLOAD_POOL_CLAIM"
#define CLAIM_HEADER "X-Upload-Claim"
#define SEPARATORS ", \t"

static int names_upload(const upool_request *rq, const char *text,
                        apr_size_t len)
{
    char claimed[UPOOL_IDENT_TEXT_MAX + 1];
    char id[UPOOL_IDENT_MAX + 1];

    if (len >= sizeof(claimed)) {
        return 0;
    }
    memcpy(claimed, text, len);
    claimed[len] = '\0';
    return !strcmp(claimed, rq->id)
           || (upool_ident_check(claimed, upool_config_ident_keys(rq->conf), id)
                   == UPOOL_IDENT_GOOD
               && !strcmp(id, rq->id));
}

/* Several lines of the header may have become one list on their way. */
static int is_claim(const upool_request *rq, const char *value)
{
    while (value && *value) {
        apr_size_t len = strcspn(value, SEPARATORS);

        if (len && names_upload(rq, value, len)) {
            return 1;
        }
        value += len;
        value += strspn(value, SEPARATORS);
    }
    return 0;
}

static int visit_claim(void *baton, const char *key, const char *value)
{
    upool_request *rq = baton;

    (void)key;
    rq->claimed |= is_claim(rq, value);
    return 1;
}

static void take_claim(upool_request *rq, int status, apr_table_t *headers)
{
    if (status < HTTP_INTERNAL_SERVER_ERROR) {
        apr_table_do(visit_claim, rq, headers, CLAIM_HEADER, NULL);
    }
    apr_table_unset(headers, CLAIM_HEADER);
}

/* Runs once, before the head of the response is made of these tables. */
static apr_status_t filter_answer(ap_filter_t *f, apr_bucket_brigade *bb)
{
    take_claim(f->ctx, f->r->status, f->r->headers_out);
    take_claim(f->ctx, f->r->status, f->r->err_headers_out);
    ap_remove_output_filter(f);
    return ap_pass_brigade(f->next, bb);
}

void upool_claim_register(void)
{
    /* Behind mod_headers, before httpd's own that sends the head. */
    ap_register_output_filter(FILTER_NAME, filter_answer, NULL,
                              (ap_filter_type)(AP_FTYPE_PROTOCOL - 1));
}

void upool_claim_insert(request_rec *r)
{
    upool_request *rq = upool_request_get(r);

    if (!rq || rq->intake != UPOOL_INTAKE_PENDING) {
        rq = upool_request_substituted(r);
    }
    if (rq && !r->main) {
        ap_add_output_filter(FILTER_NAME, rq, r, r->connection);
    }
}
