/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/chunked.h"

#include <string.h>
#include <apr_cstr.h>
#include <apr_strings.h>

#include "parse/mediatype.h"
#include "parse/query.h"

static int asks_for(const request_rec *r, const char *parameter)
{
    char value[8];

    return upool_query_find(r->args, parameter, value, sizeof(value))
           != UPOOL_QUERY_ABSENT;
}

/* A type that might be a form's counts as one, as in the form's front. */
static int is_form(const request_rec *r, upool_request *rq)
{
    const char *type = apr_table_get(r->headers_in, "Content-Type");
    upool_mediatype kind = UPOOL_MEDIATYPE_OTHER;

    if (type && r->method_number == M_POST) {
        kind = upool_mediatype_parse(type, strlen(type), rq->boundary,
                                     &rq->boundary_len);
    }
    if (kind != UPOOL_MEDIATYPE_FORM) {
        rq->boundary_len = 0;
    }
    return kind != UPOOL_MEDIATYPE_OTHER;
}

/* The value of two headers that mean the same; if both are there they must
 * agree. */
static const char *either_header(const request_rec *r, upool_request *rq,
                                 const char *name, const char *other)
{
    const char *value = apr_table_get(r->headers_in, name);
    const char *second = apr_table_get(r->headers_in, other);

    if (value && second && strcmp(value, second) != 0) {
        upool_proto_refuse(rq, UPOOL_REASON_CHUNK_HEADER);
    }
    return value ? value : second;
}

static void read_range(upool_chunked *c)
{
    const char *text =
        either_header(c->r, c->rq, "Content-Range", "X-Content-Range");
    upool_contentrange *range;

    if (!text) {
        return;
    }
    range = apr_pcalloc(c->r->pool, sizeof(*range));
    c->says.range = range;
    if (upool_contentrange_parse(text, strlen(text), range)) {
        upool_proto_refuse(c->rq, UPOOL_REASON_CHUNK_HEADER);
    }
}

/* nginx-upload-module lets clients choose their session, and trusts anyone who
 * knows its name.  Here it is an identifier that the holder of the key has
 * signed; without a key there are no sessions. */
static void read_session(upool_chunked *c)
{
    upool_request *rq = c->rq;
    const char *text = either_header(c->r, rq, "X-Session-ID", "Session-ID");

    if (!text) {
        return;
    }
    c->says.session = 1;
    if (!upool_keys_count(upool_config_ident_keys(rq->conf))) {
        upool_proto_refuse(rq, UPOOL_REASON_IDENT_REFUSED);
        return;
    }
    rq->is_resource = 1; /* the route compares X-Progress-ID with it */
    upool_proto_check_identifier(rq, text);
}

static upool_chunked_kind kind_of_form(const upool_chunked *c)
{
    upool_family_chunk piece;

    /* Parameters that do not agree are a library's too: they will be
     * refused. */
    if (c->says.range || c->says.session || c->says.named
        || upool_family_settle(&c->says.family, &piece)
        || upool_family_is_strange(&c->says.family)
        || !upool_config_speaks(c->rq->conf, UPOOL_PROTOCOL_MULTIPART)) {
        return UPOOL_CHUNKED_FORM;
    }
    return UPOOL_CHUNKED_MAYBE;
}

/* "items 0-9/50": a range in a unit of the application. */
static int has_other_unit(const request_rec *r)
{
    const char *text = apr_table_get(r->headers_in, "Content-Range");
    apr_size_t len = text ? strcspn(text, " ") : 0;

    return len && text[len]
           && (len != 5 || ap_cstr_casecmpn(text, "bytes", len));
}

/* 0: the request is not ours. */
static int recognise_upload(request_rec *r, upool_request *rq, upool_chunked *c)
{
    upool_family_chunk piece;
    int form = is_form(r, rq);

    /* For a named upload, or a file in a form, such a range makes this a piece
     * whose place we cannot tell: it is refused below. */
    if (!form && !c->says.named && has_other_unit(r)) {
        return 0;
    }
    read_range(c);
    read_session(c);
    rq->takes_body = 1;
    if (form) {
        c->kind = kind_of_form(c);
        rq->may_pass = c->kind == UPOOL_CHUNKED_MAYBE;
        return 1;
    }
    if (!c->says.range && !c->says.session
        && upool_family_settle(&c->says.family, &piece) != 1) {
        return 0;
    }
    c->kind = c->says.range && c->says.range->first < 0 && !rq->refusal.reason
                  ? UPOOL_CHUNKED_ASKS
                  : UPOOL_CHUNKED_RAW;
    return 1;
}

static int recognise_post(request_rec *r, upool_request *rq, upool_chunked *c)
{
    if (upool_proto_is_endpoint(r, rq, "complete")) {
        c->kind = UPOOL_CHUNKED_COMPLETES;
        rq->takes_body = 1;
        return 1;
    }
    if (asks_for(r, "clear")
        || (rq->conf->mint == 1 && upool_proto_is_endpoint(r, rq, "new"))) {
        return 0;
    }
    return recognise_upload(r, rq, c);
}

/* A library asks whether a piece is there already. */
static int recognise_test(request_rec *r, upool_chunked *c)
{
    upool_family_chunk piece;

    c->kind = UPOOL_CHUNKED_TESTS;
    return !asks_for(r, "status") && !asks_for(r, "clear")
           && upool_family_settle(&c->says.family, &piece) == 1
           && piece.offset >= 0;
}

static int recognise(request_rec *r, upool_request *rq)
{
    upool_chunked *c;
    int ours = 0;

    if (r->method_number != M_GET && r->method_number != M_POST
        && r->method_number != M_PUT) {
        return 0;
    }
    c = apr_pcalloc(r->pool, sizeof(*c));
    c->r = r;
    c->rq = rq;
    c->protocol = &upool_chunked_protocol;
    upool_chunked_read_query(c);
    if (r->method_number == M_GET) {
        ours = recognise_test(r, c);
    }
    else if (r->method_number == M_POST) {
        ours = recognise_post(r, rq, c);
    }
    else {
        ours = recognise_upload(r, rq, c);
    }
    if (ours) {
        rq->own = c;
        return 1;
    }
    /* The next protocol that is asked finds the request as it was. */
    rq->takes_body = 0;
    rq->base = r->uri;
    return 0;
}

static int handle(request_rec *r, upool_request *rq)
{
    upool_chunked *c = rq->own;

    /* A part of a file put by WebDAV, which names no upload. */
    if (r->method_number == M_PUT && !rq->id[0] && !c->says.named
        && upool_proto_is_for_dav(r)) {
        return upool_proto_pass(r, rq);
    }
    c->says.from_url = rq->id[0] != '\0';
    switch (c->kind) {
    case UPOOL_CHUNKED_FORM:
    case UPOOL_CHUNKED_MAYBE:
        return upool_chunked_take_form(c);
    case UPOOL_CHUNKED_RAW:
        return upool_chunked_take_raw(c);
    case UPOOL_CHUNKED_ASKS:
        return upool_chunked_ask(c);
    case UPOOL_CHUNKED_TESTS:
        return upool_chunked_test(c);
    case UPOOL_CHUNKED_COMPLETES:
        return upool_chunked_complete(c);
    }
    return DECLINED;
}

/* The client gets the application's answer as it is. */
static int answer(request_rec *r, upool_request *rq, int has_body)
{
    (void)r;
    (void)rq;
    (void)has_body;
    return 1;
}

const upool_protocol upool_chunked_protocol = {
    .bit = UPOOL_PROTOCOL_CHUNKED,
    .kind = UPOOL_CHUNKED_PROTOCOL,
    .recognise = recognise,
    .handle = handle,
    .refuse = upool_chunked_refuse,
    .answer = answer,
};
