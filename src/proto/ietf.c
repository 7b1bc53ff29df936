/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/ietf.h"

#include <string.h>
#include <http_protocol.h>

#include "httpd/reply.h"
#include "httpd/substitute.h"

static int may_carry_content(const request_rec *r)
{
    switch (r->method_number) {
    case M_GET: /* and HEAD */
    case M_DELETE:
    case M_OPTIONS:
    case M_TRACE:
    case M_CONNECT:
        return 0;
    case M_INVALID: /* "post" is no method that completing could run */
        return 0;
    default:
        return 1;
    }
}

static int is_partial(const request_rec *r)
{
    return upool_ietf_is_partial(apr_table_get(r->headers_in, "Content-Type"));
}

/* Clients of older drafts sent appends without a type, and some of newer ones
 * forget the offset: either is enough to recognise an append. */
static int is_append(const request_rec *r, const upool_ietf_head *head)
{
    return r->method_number == M_PATCH
           && (is_partial(r) || apr_table_get(r->headers_in, "Upload-Offset"))
           && (head->complete >= 0 || head->interop || is_partial(r));
}

/* An identifier that is minted, or signed, rightly or not; without a key any
 * word could be one. */
static int is_plausible(const request_rec *r, const upool_request *rq)
{
    const char *text = upool_proto_last_segment(r);
    char id[UPOOL_IDENT_MAX + 1];

    return text
           && (upool_ietf_is_minted(text) || strchr(text, ':')
               || upool_ident_check(text, upool_config_ident_keys(rq->conf), id)
                      == UPOOL_IDENT_GOOD);
}

/* A HEAD or DELETE that gives the version can only mean an upload resource; a
 * GET may be for a page.  (A request for an upload that exists need not give
 * the version.) */
static int is_about_resource(const request_rec *r, const upool_request *rq)
{
    int speaks =
        apr_table_get(r->headers_in, "Upload-Draft-Interop-Version") != NULL;

    switch (r->method_number) {
    case M_GET:
        return speaks && (r->header_only || is_plausible(r, rq));
    case M_DELETE:
        return speaks;
    default:
        return 0;
    }
}

/* The answer to OPTIONS says what may be uploaded, whoever gives it (4.1.4).
 * The headers of errors survive when an answer is made anew. */
static int recognise_options(request_rec *r, upool_request *rq)
{
    if (apr_table_get(r->headers_in, "Upload-Complete")) {
        return 0;
    }
    apr_table_setn(r->err_headers_out, "Upload-Limit",
                   upool_ietf_limits(r, rq));
    return r->handler && !strcmp(r->handler, UPOOL_HANDLER_NAME);
}

static void adopt(request_rec *r, upool_request *rq)
{
    upool_ietf *ietf = apr_pcalloc(r->pool, sizeof(*ietf));

    upool_ietf_head_read(r->headers_in, &ietf->head);
    rq->own = ietf;
}

static int recognise(request_rec *r, upool_request *rq)
{
    upool_ietf *ietf;

    if (apr_table_get(r->headers_in, "Tus-Resumable")) {
        return 0;
    }
    adopt(r, rq);
    ietf = rq->own;
    if (r->method_number == M_OPTIONS) {
        return recognise_options(r, rq);
    }
    if (is_append(r, &ietf->head)) {
        rq->takes_body = 1;
        return upool_proto_resource(r, rq);
    }
    if (is_about_resource(r, rq)) {
        return upool_proto_resource(r, rq);
    }
    if (may_carry_content(r) && ietf->head.complete >= 0) {
        rq->creates = 1;
        rq->takes_body = 1;
        /* Nothing can follow an empty file, whatever the field says:
         * tus-js-client sends it as one that is not complete, and then no
         * more. */
        if (ietf->head.length == 0) {
            ietf->head.complete = 1;
        }
        return 1;
    }
    return 0;
}

/* Clients send a whole file in this way to any server, and servers that do not
 * know the protocol should accept it (4.2), but not a part of a file. */
static const char *evident(request_rec *r, upool_request *rq)
{
    const upool_ietf *ietf;

    adopt(r, rq);
    ietf = rq->own;
    return (r->method_number == M_PATCH && is_partial(r))
                   || (may_carry_content(r) && ietf->head.complete == 0)
               ? "Resumable uploads of HTTP are not taken here"
               : NULL;
}

static int handle(request_rec *r, upool_request *rq)
{
    upool_ietf_of(rq)->interims = upool_ietf_interims(r, rq);
    /* Codings are part of what is counted (8), so no filter may undo them. */
    rq->keeps_coding = 1;
    if (rq->creates) {
        return upool_ietf_create(r, rq);
    }
    switch (r->method_number) {
    case M_PATCH:
        return upool_ietf_append(r, rq);
    case M_DELETE:
        return upool_ietf_cancel(r, rq);
    case M_OPTIONS:
        return upool_ietf_options(r, rq);
    default:
        return upool_ietf_tell_offset(r, rq);
    }
}

const upool_protocol upool_ietf_protocol = {
    .bit = UPOOL_PROTOCOL_RESUMABLE,
    .kind = UPOOL_IETF_PROTOCOL,
    .recognise = recognise,
    .evident = evident,
    .adopt = adopt,
    .handle = handle,
    .refuse = upool_ietf_refuse,
    .answer = upool_ietf_answer,
};
