/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "front/route.h"

#include <string.h>
#include <apr_strings.h>

#include "front/fronts.h"
#include "proto/protocol.h"
#include "proto/tus.h"
#include "httpd/filter.h"
#include "httpd/http11.h"
#include "httpd/reply.h"
#include "httpd/substitute.h"
#include "parse/mediatype.h"
#include "parse/names.h"
#include "parse/query.h"

#define IDENT_PARAMETER "X-Progress-ID"
#define CALLBACK_MAX 64

/* Whether the client gave an identifier. */
typedef enum given { GIVEN_NONE = 0, GIVEN_ONE, GIVEN_BAD } given;

/* The protocols other than forms, in the order in which they are asked. */
static const upool_protocol *const protocols[] = {
    &upool_ietf_protocol,
    &upool_filepond_protocol,
    &upool_tus_protocol,
    &upool_chunked_protocol,
    NULL,
};

/* One identifier or none: two that differ, or a parameter given twice, are
 * refused, since a proxy in front of us might read them differently. */
static given find_identifier(request_rec *r, upool_request *rq, char *text,
                             apr_size_t room)
{
    const char *header = apr_table_get(r->headers_in, IDENT_PARAMETER);

    switch (upool_query_find(r->args, IDENT_PARAMETER, text, room)) {
    case UPOOL_QUERY_ABSENT:
        if (!header) {
            return GIVEN_NONE;
        }
        apr_cpystrn(text, header, room);
        /* Even cut to the room it is longer than any identifier: refused. */
        return GIVEN_ONE;
    case UPOOL_QUERY_ONCE:
        if (!header || !strcmp(header, text)) {
            return GIVEN_ONE;
        }
        upool_proto_refuse(rq, UPOOL_REASON_IDENT_DOUBLED);
        return GIVEN_BAD;
    case UPOOL_QUERY_DOUBLED:
        upool_proto_refuse(rq, UPOOL_REASON_IDENT_DOUBLED);
        return GIVEN_BAD;
    case UPOOL_QUERY_BAD:
        break;
    }
    upool_proto_refuse(rq, upool_keys_count(upool_config_ident_keys(rq->conf))
                               ? UPOOL_REASON_IDENT_REFUSED
                               : UPOOL_REASON_IDENT_MALFORMED);
    return GIVEN_BAD;
}

static int has_word(const request_rec *r, const char *name)
{
    char value[8];

    /* Any value, even one that is too long for us, asks for it. */
    return upool_query_find(r->args, name, value, sizeof(value))
           != UPOOL_QUERY_ABSENT;
}

static upool_front front_of_get(request_rec *r, upool_request *rq)
{
    if (upool_proto_is_endpoint(r, rq, "status") || has_word(r, "status")) {
        return UPOOL_FRONT_STATUS;
    }
    /* HEAD changes nothing (RFC 9110 9.2.1), though GET has to here. */
    if (!r->header_only && has_word(r, "clear")) {
        return UPOOL_FRONT_CLEAR;
    }
    if (rq->conf->serve == 1 && upool_proto_is_endpoint(r, rq, "file")) {
        return UPOOL_FRONT_SERVE;
    }
    return UPOOL_FRONT_NONE;
}

/* A type that might be a form's counts as one, without a boundary: the intake
 * refuses it. */
static int is_form(const request_rec *r, upool_request *rq)
{
    const char *type = apr_table_get(r->headers_in, "Content-Type");
    upool_mediatype kind = UPOOL_MEDIATYPE_OTHER;

    if (type) {
        kind = upool_mediatype_parse(type, strlen(type), rq->boundary,
                                     &rq->boundary_len);
    }
    if (kind != UPOOL_MEDIATYPE_FORM) {
        rq->boundary_len = 0;
    }
    return kind != UPOOL_MEDIATYPE_OTHER;
}

static upool_front front_of_post(request_rec *r, upool_request *rq,
                                 given identifier)
{
    if (rq->conf->mint == 1 && upool_proto_is_endpoint(r, rq, "new")) {
        return UPOOL_FRONT_MINT;
    }
    if (identifier != GIVEN_NONE && has_word(r, "clear")) {
        return UPOOL_FRONT_CLEAR;
    }
    if (upool_config_speaks(rq->conf, UPOOL_PROTOCOL_MULTIPART)
        && is_form(r, rq)) {
        return UPOOL_FRONT_FORM;
    }
    if (rq->conf->require_multipart == 1) {
        upool_proto_refuse(rq, UPOOL_REASON_NOT_AN_UPLOAD);
    }
    return UPOOL_FRONT_NONE;
}

static const upool_protocol *find_protocol(request_rec *r, upool_request *rq)
{
    const upool_protocol *named = NULL;
    apr_size_t i;

    /* For OPTIONS only the URL tells the protocol; other requests may say
     * it. */
    if (r->method_number == M_OPTIONS) {
        named = upool_proto_named(r, rq, protocols);
    }
    if (named) {
        return named;
    }
    for (i = 0; protocols[i]; i++) {
        /* Drops what the last one kept, which did not take the request. */
        rq->own = NULL;
        if (upool_config_speaks(rq->conf, protocols[i]->bit)
            && protocols[i]->recognise(r, rq)) {
            return protocols[i];
        }
    }
    return upool_proto_named(r, rq, protocols);
}

/* Tells a client whose protocol is not open here so, in the form of that
 * protocol: no other answer would be in words that it understands. */
static int find_closed(request_rec *r, upool_request *rq)
{
    const char *text = NULL;
    apr_size_t i;

    for (i = 0; protocols[i] && !text; i++) {
        rq->protocol = protocols[i];
        rq->own = NULL;
        text = protocols[i]->evident
                       && !upool_config_speaks(rq->conf, protocols[i]->bit)
                   ? protocols[i]->evident(r, rq)
                   : NULL;
    }
    if (!text) {
        rq->protocol = NULL;
        return 0;
    }
    rq->refusal = upool_refusal_make(
        UPOOL_REASON_PROTOCOL, 0,
        apr_psprintf(r->pool, "UploadProtocol %s would open it",
                     rq->protocol->kind));
    rq->refusal.text = text;
    if (r->method_number == M_PATCH) {
        rq->refusal.status = HTTP_METHOD_NOT_ALLOWED;
        apr_table_setn(r->headers_out, "Allow",
                       "GET, HEAD, POST, DELETE, OPTIONS");
    }
    return 1;
}

static upool_front front_of_method(request_rec *r, upool_request *rq,
                                   given identifier)
{
    switch (r->method_number) {
    case M_GET:
        return identifier == GIVEN_NONE ? UPOOL_FRONT_NONE
                                        : front_of_get(r, rq);
    case M_POST:
        return front_of_post(r, rq, identifier);
    case M_DELETE:
        return identifier == GIVEN_NONE ? UPOOL_FRONT_NONE : UPOOL_FRONT_CLEAR;
    default:
        return UPOOL_FRONT_NONE;
    }
}

static upool_front pick_front(request_rec *r, upool_request *rq,
                              given identifier)
{
    upool_front front;

    rq->protocol = find_protocol(r, rq);
    if (rq->protocol) {
        return UPOOL_FRONT_PROTOCOL;
    }
    front = front_of_method(r, rq, identifier);
    if ((front == UPOOL_FRONT_NONE || front == UPOOL_FRONT_FORM)
        && find_closed(r, rq)) {
        return UPOOL_FRONT_PROTOCOL;
    }
    return front;
}

static void mint(request_rec *r, upool_request *rq)
{
    if (upool_ident_mint(rq->id, r->request_time)) {
        upool_proto_refuse(rq, UPOOL_REASON_IO);
    }
    rq->minted = 1;
}

static void settle_length(request_rec *r, upool_request *rq)
{
    const char *length = apr_table_get(r->headers_in, "Content-Length");

    if (length && !apr_table_get(r->headers_in, "Transfer-Encoding")
        && !ap_parse_strict_length(&rq->content_length, length)) {
        upool_proto_refuse(rq, UPOOL_REASON_LENGTH);
    }
}

static void refuse_aged(const request_rec *r, upool_request *rq)
{
    apr_time_t born = rq->refusal.reason ? 0 : upool_ident_time(rq->id);

    if (born && born + upool_config_lifetime(rq->conf) < r->request_time) {
        upool_proto_refuse(rq, UPOOL_REASON_EXPIRED);
    }
}

static void await_body(request_rec *r, upool_request *rq)
{
    rq->intake = UPOOL_INTAKE_PENDING;
    upool_substitute_set_aside(r, rq);
}

static void refuse_missing(upool_request *rq)
{
    if (rq->refusal.reason == UPOOL_REASON_NONE) {
        rq->refusal = upool_proto_missing();
    }
}

/* With a key every upload needs a signed identifier; without one we mint what
 * the client did not give. */
static void settle_form(request_rec *r, upool_request *rq, given identifier)
{
    if (identifier == GIVEN_NONE
        && upool_keys_count(upool_config_ident_keys(rq->conf))) {
        refuse_missing(rq);
    }
    else if (identifier == GIVEN_NONE) {
        mint(r, rq);
    }
    refuse_aged(r, rq);
    settle_length(r, rq);
    await_body(r, rq);
}

/* Clients of the protocols do not choose an identifier, they are told one: with
 * UploadMint it is signed for any client that may create; without it clients
 * bring one that the application has signed. */
static void settle_protocol(request_rec *r, upool_request *rq, given identifier)
{
    if (rq->creates) {
        if (identifier == GIVEN_NONE && rq->conf->mint != 1
            && upool_keys_count(upool_config_ident_keys(rq->conf))) {
            refuse_missing(rq);
        }
        else if (identifier == GIVEN_NONE && !rq->id[0]) {
            mint(r, rq);
        }
        refuse_aged(r, rq);
    }
    settle_length(r, rq);
    if (rq->takes_body) {
        await_body(r, rq);
    }
}

/* The URL has named the upload already: another name contradicts it. */
static void compare_identifier(upool_request *rq, const char *text)
{
    char id[UPOOL_IDENT_MAX + 1];

    if (upool_ident_check(text, upool_config_ident_keys(rq->conf), id)
            != UPOOL_IDENT_GOOD
        || strcmp(id, rq->id)) {
        upool_proto_refuse(rq, UPOOL_REASON_IDENT_DOUBLED);
    }
}

static void find_callback(request_rec *r, upool_request *rq)
{
    char name[CALLBACK_MAX + 1];

    switch (upool_query_find(r->args, "callback", name, sizeof(name))) {
    case UPOOL_QUERY_ABSENT:
        return;
    case UPOOL_QUERY_ONCE:
        if (upool_names_is_callback(name)) {
            rq->callback = apr_pstrdup(r->pool, name);
            return;
        }
        break;
    case UPOOL_QUERY_DOUBLED:
    case UPOOL_QUERY_BAD:
        break;
    }
    upool_proto_refuse(rq, UPOOL_REASON_CALLBACK);
}

int upool_route_is_ours(request_rec *r, const upool_dir_conf *conf)
{
    upool_request *rq = apr_pcalloc(r->pool, sizeof(*rq));
    char text[UPOOL_IDENT_TEXT_MAX + 8];

    rq->conf = conf;
    rq->content_length = -1;
    rq->base = r->uri;
    return pick_front(r, rq, find_identifier(r, rq, text, sizeof(text)))
               != UPOOL_FRONT_NONE
           || rq->refusal.reason == UPOOL_REASON_NOT_AN_UPLOAD;
}

static void classify(request_rec *r, upool_request *rq)
{
    char text[UPOOL_IDENT_TEXT_MAX + 8];
    given identifier = find_identifier(r, rq, text, sizeof(text));

    rq->front = pick_front(r, rq, identifier);
    if (rq->front == UPOOL_FRONT_NONE) {
        /* A stray identifier on one of the application's requests is not our
         * business, unless nothing but uploads may pass. */
        if (rq->refusal.reason != UPOOL_REASON_NOT_AN_UPLOAD) {
            rq->refusal.reason = UPOOL_REASON_NONE;
        }
        return;
    }
    if (rq->conf->keys_are_local && !rq->conf->store_is_local) {
        rq->refusal = upool_refusal_make(
            UPOOL_REASON_CONFIGURATION, 0,
            "UploadKey in .htaccess needs UploadPool in .htaccess");
        return;
    }
    if (rq->conf->local_key_use != UPOOL_UNSET && !rq->conf->keys_are_local) {
        rq->refusal = upool_refusal_make(
            UPOOL_REASON_CONFIGURATION, 0,
            "UploadKeyUse in .htaccess needs UploadKey in .htaccess");
        return;
    }
    if (identifier == GIVEN_ONE && rq->is_resource) {
        compare_identifier(rq, text);
    }
    else if (identifier == GIVEN_ONE) {
        upool_proto_check_identifier(rq, text);
    }
    rq->owner = upool_request_owner(r, rq->conf);
    if (rq->front == UPOOL_FRONT_FORM) {
        settle_form(r, rq, identifier);
        return;
    }
    if (rq->front == UPOOL_FRONT_PROTOCOL) {
        settle_protocol(r, rq, identifier);
    }
    else if (r->method_number == M_GET) {
        find_callback(r, rq);
    }
    /* The answer is ours whatever lies at that path: mod_dir must not send the
     * client to another URL for it. */
    if (!rq->may_pass) {
        r->finfo.filetype = APR_NOFILE;
    }
}

static int is_context(const upool_dir_conf *conf)
{
    return conf->on == 1 || conf->url;
}

/* A page outside every context that includes one of ours (mod_include) passes
 * on what its client sent.  Both requests share the headers, which must stay
 * untouched outside, so they are stripped in a copy.  If a request above was in
 * a context, any marks in them are the module's own. */
static void route_subrequest(request_rec *r, const upool_dir_conf *conf)
{
    const request_rec *above = r;

    if (!is_context(conf)) {
        return;
    }
    while (above->prev || above->main) {
        above = above->prev ? above->prev : above->main;
        if (is_context(upool_config_of(above))) {
            return;
        }
    }
    r->headers_in = apr_table_copy(r->pool, r->headers_in);
    upool_substitute_strip(r);
}

/* NULL: nothing to take in and nothing to answer. */
static upool_request *route(request_rec *r, const upool_dir_conf *conf)
{
    upool_request *rq;

    upool_substitute_strip(r);
    upool_substitute_export_context(r, conf);
    /* With UploadURL another server takes the uploads; an ErrorDocument
     * answers a request that has failed. */
    if (conf->url || r->status != HTTP_OK) {
        return NULL;
    }
    rq = upool_request_make(r, conf);
    classify(r, rq);
    return rq;
}

int upool_route_request(request_rec *r)
{
    const upool_dir_conf *conf = upool_config_of(r);
    upool_request *rq;

    if (r->main) {
        route_subrequest(r, conf);
        return DECLINED;
    }
    rq = r->prev ? upool_request_substituted(r->prev) : NULL;
    if (rq) {
        /* The same upload in another request_rec; its marks are ours. */
        upool_substitute_export(r, rq);
        upool_substitute_export_context(r, rq->conf);
        return DECLINED;
    }
    if (!is_context(conf)) {
        /* A redirect may lead out of the context. */
        upool_substitute_export_context(r, conf);
        return DECLINED;
    }
    rq = route(r, conf);
    if (rq && rq->refusal.reason && !rq->protocol
        && !upool_reply_wants_json(r)) {
        return upool_reply_refusal(r, rq, &rq->refusal);
    }
    return DECLINED;
}

void upool_route_late(request_rec *r)
{
    const upool_dir_conf *conf = upool_config_of(r);

    if (!r->main && is_context(conf) && !upool_request_substituted(r)
        && !upool_request_get(r)) {
        route(r, conf);
    }
}

int upool_route_handle(request_rec *r)
{
    upool_request *rq = upool_request_get(r);

    if (r->prev && !r->main) {
        upool_filter_settle(r);
    }
    if (!rq || rq->intake == UPOOL_INTAKE_REFUSED) {
        return DECLINED;
    }
    if (rq->refusal.reason) {
        return rq->protocol ? rq->protocol->refuse(r, rq, &rq->refusal)
                            : upool_reply_refusal(r, rq, &rq->refusal);
    }
    if (rq->intake == UPOOL_INTAKE_PENDING && upool_http11_is_wanted(r, rq)) {
        return upool_http11_require(r, rq);
    }
    switch (rq->front) {
    case UPOOL_FRONT_FORM:
        return upool_proto_form(r, rq);
    case UPOOL_FRONT_STATUS:
        return upool_front_status(r, rq);
    case UPOOL_FRONT_CLEAR:
        return upool_proto_clear(r, rq);
    case UPOOL_FRONT_MINT:
        return upool_front_mint(r, rq);
    case UPOOL_FRONT_SERVE:
        return upool_front_serve(r, rq);
    case UPOOL_FRONT_PROTOCOL:
        return rq->protocol->handle(r, rq);
    case UPOOL_FRONT_NONE:
        break;
    }
    return DECLINED;
}
