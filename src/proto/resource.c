/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/protocol.h"

#include <string.h>
#include <apr_strings.h>
#include <httpd.h>
#include <http_protocol.h>

#include "httpd/lookup.h"
#include "httpd/resuming.h"
#include "store/resumable_look.h"

void upool_proto_refuse(upool_request *rq, upool_reason reason)
{
    if (rq->refusal.reason == UPOOL_REASON_NONE) {
        rq->refusal = upool_refusal_make(reason, 0, NULL);
    }
}

upool_refusal upool_proto_missing(void)
{
    return upool_refusal_make(
        UPOOL_REASON_IDENT_MISSING, 0,
        "no X-Progress-ID was given: the application signs one with the key,"
        " or UploadMint On gives them to whoever asks");
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
 * changed it: a request that comes again with what the client sent will be
 * rewritten again. */
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

/* --- Whose is it? --------------------------------------------------------- */

/* The protocol that the upload's document names; NULL: there is none. */
static const char *kind_of(request_rec *r, upool_request *rq, const char *id)
{
    upool_refusal refusal = UPOOL_NO_REFUSAL;
    upool_store *store = upool_known_store(r, rq, &refusal);
    upool_resumable_look *append = NULL;

    return store && !upool_resumable_open(&append, store, id, r->pool)
               ? upool_resumable_about(append)->protocol
               : NULL;
}

static int may_be_named(const request_rec *r)
{
    return (r->method_number == M_GET || r->method_number == M_DELETE
            || r->method_number == M_OPTIONS)
           && !(r->finfo.filetype == APR_REG
                && (!r->path_info || !*r->path_info));
}

const upool_protocol *upool_proto_named(request_rec *r, upool_request *rq,
                                        const upool_protocol *const *protocols)
{
    const char *text = may_be_named(r) ? upool_proto_last_segment(r) : NULL;
    const char *kind = NULL;
    char id[UPOOL_IDENT_MAX + 1];
    const upool_protocol *p;

    for (; text && (p = *protocols) != NULL; protocols++) {
        if (!p->adopt || !upool_config_speaks(rq->conf, p->bit)) {
            continue;
        }
        if (!kind) {
            kind =
                upool_ident_check(text, upool_config_ident_keys(rq->conf), id)
                        == UPOOL_IDENT_GOOD
                    ? kind_of(r, rq, id)
                    : NULL;
            text = kind;
        }
        if (kind && !strcmp(kind, p->kind)) {
            upool_proto_resource(r, rq);
            p->adopt(r, rq);
            return p;
        }
    }
    return NULL;
}

upool_resume *upool_proto_open(request_rec *r, upool_request *rq,
                               upool_refusal *refusal)
{
    upool_resume *resume = upool_resuming_open(r, rq, refusal);

    if (!refusal->reason
        && strcmp(upool_resume_about(resume)->protocol, rq->protocol->kind)) {
        *refusal = upool_refusal_make(UPOOL_REASON_NOT_FOUND, 0,
                                      "an upload of another protocol");
    }
    return refusal->reason ? NULL : resume;
}

/* Undoes what the route did to make it look as if nothing lay at that path. */
int upool_proto_pass(request_rec *r, upool_request *rq)
{
    rq->intake = UPOOL_INTAKE_NONE;
    apr_stat(&r->finfo, r->filename, APR_FINFO_MIN, r->pool);
    return DECLINED;
}

int upool_proto_is_for_dav(const request_rec *r)
{
    return r->handler && !strcmp(r->handler, "dav-handler");
}
