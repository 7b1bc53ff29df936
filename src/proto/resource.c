/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/protocol.h"

#include <string.h>
#include <apr_strings.h>
#include <httpd.h>

void upool_proto_refuse(upool_request *rq, upool_reason reason)
{
    if (rq->refusal.reason == UPOOL_REASON_NONE) {
        rq->refusal = upool_refusal_make(reason, 0, NULL);
    }
}

void upool_proto_check_identifier(upool_request *rq, const char *text)
{
    switch (
        upool_ident_check(text, upool_config_ident_keys(rq->conf), rq->id)) {
    case UPOOL_IDENT_GOOD:
        return;
    case UPOOL_IDENT_MALFORMED:
        upool_proto_refuse(rq,
                           upool_keys_count(upool_config_ident_keys(rq->conf))
                               ? UPOOL_REASON_IDENT_REFUSED
                               : UPOOL_REASON_IDENT_MALFORMED);
        break;
    case UPOOL_IDENT_UNSIGNED:
    case UPOOL_IDENT_FORGED:
    case UPOOL_IDENT_UNEXPECTED:
        upool_proto_refuse(rq, UPOOL_REASON_IDENT_REFUSED);
        break;
    }
    rq->id[0] = '\0';
}

const char *upool_proto_last_segment(const request_rec *r)
{
    const char *slash = strrchr(r->uri, '/');

    return slash && slash[1] ? slash + 1 : NULL;
}

int upool_proto_is_endpoint(request_rec *r, upool_request *rq, const char *name)
{
    apr_size_t len = strlen(r->uri);
    apr_size_t name_len = strlen(name);

    if (len <= name_len || strcmp(r->uri + len - name_len, name)
        || r->uri[len - name_len - 1] != '/') {
        return 0;
    }
    rq->base = apr_pstrmemdup(r->pool, r->uri, len - name_len - 1);
    return 1;
}

int upool_proto_resource(request_rec *r, upool_request *rq)
{
    const char *text = upool_proto_last_segment(r);

    if (!text) {
        return 0;
    }
    rq->base = apr_pstrmemdup(r->pool, r->uri, (apr_size_t)(text - r->uri - 1));
    rq->is_resource = 1;
    upool_proto_check_identifier(rq, text);
    return 1;
}

/* r->uri has lost the difference between "%2F" and "/", and rewriting may have
 * changed it: whoever comes again with what the client sent will be rewritten
 * again. */
void upool_proto_target(request_rec *r, const char **uri, const char **args)
{
    const request_rec *first = r;
    apr_uri_t parsed;

    while (first->prev) {
        first = first->prev;
    }
    if (!apr_uri_parse(r->pool, first->unparsed_uri, &parsed) && parsed.path) {
        *uri = parsed.path;
        *args = parsed.query;
        return;
    }
    *uri = ap_escape_uri(r->pool, first->uri);
    *args = first->args;
}

const char *upool_proto_identifier(request_rec *r, const upool_request *rq)
{
    char text[UPOOL_IDENT_TEXT_MAX + 1];

    return upool_ident_sign(text, rq->id, upool_config_ident_keys(rq->conf))
               ? NULL
               : apr_pstrdup(r->pool, text);
}

const char *upool_proto_location(request_rec *r, const upool_request *rq)
{
    const char *text = upool_proto_identifier(r, rq);
    apr_size_t len = strlen(rq->base);

    if (len && rq->base[len - 1] == '/') {
        len--;
    }
    return text ? apr_pstrcat(
               r->pool,
               ap_escape_uri(r->pool, apr_pstrmemdup(r->pool, rq->base, len)),
               "/", text, NULL)
                : NULL;
}
