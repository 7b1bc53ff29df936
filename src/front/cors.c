/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "front/cors.h"

#include <string.h>
#include <apr_strings.h>
#include <util_filter.h>

#include "front/route.h"
#include "parse/origin.h"

#define FILTER_NAME "UPLOAD_POOL_CORS"
/* What the answer says of the origin, kept with the first request of a chain of
 * redirects: "*", the origin, or "" where only Vary is due. */
#define NOTE_ORIGIN "upload-pool-cors-origin"
#define NOTE_PREFLIGHT "upload-pool-cors-preflight"
/* A day; browsers shorten it as they like, Chromium to two hours. */
#define MAX_AGE "86400"

/* For "*": the headers that uploads need and that most pages add, no more. */
static const char allowed_headers[] =
    "Accept, Authorization, Content-Digest, Content-Disposition, Content-Range,"
    " Content-Type, Repr-Digest, Session-ID, Tus-Resumable, Upload-Checksum,"
    " Upload-Complete, Upload-Concat, Upload-Defer-Length,"
    " Upload-Draft-Interop-Version, Upload-Incomplete, Upload-Length,"
    " Upload-Metadata, Upload-Name, Upload-Offset, Want-Repr-Digest,"
    " X-Content-Range, X-HTTP-Method-Override, X-Progress-ID, X-Requested-With,"
    " X-Session-ID";
static const char exposed_headers[] =
    "Content-Disposition, Location, Range, Repr-Digest, Retry-After,"
    " Tus-Checksum-Algorithm, Tus-Extension, Tus-Max-Size, Tus-Resumable,"
    " Tus-Version, Upload-Complete, Upload-Concat, Upload-Defer-Length,"
    " Upload-Draft-Interop-Version, Upload-Expires, Upload-Incomplete,"
    " Upload-Length, Upload-Limit, Upload-Metadata, Upload-Offset";

/* Headers that others may have set and that conflict with ours. */
static const char *const replaced[] = {
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Credentials",
};
static const char *const replaced_preflight[] = {
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Headers",
    "Access-Control-Max-Age",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int names(const upool_dir_conf *conf, const char *origin)
{
    int i;

    for (i = 0; i < conf->cors->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(conf->cors, i, const char *), origin)) {
            return 1;
        }
    }
    return 0;
}

/* A named origin gets its own name, with credentials.  All others get the star,
 * if it is set, except "null", which may be anyone's sandboxed frame. */
static const char *answer_to(const upool_dir_conf *conf, const char *origin)
{
    if (!origin || !strcmp(origin, "*")) {
        return "";
    }
    if (names(conf, origin)) {
        return origin;
    }
    return names(conf, "*") && strcmp(origin, "null") ? "*" : "";
}

/* 1 if an open protocol uses the method, so that a preflight may ask for it. */
static int is_method(const upool_dir_conf *conf, const char *method)
{
    static const struct {
        const char *method;
        int protocols; /* 0: all */
    } used[] = {
        { "GET", 0 },
        { "HEAD", 0 },
        { "POST", 0 },
        { "DELETE", 0 },
        { "PATCH", UPOOL_PROTOCOL_TUS | UPOOL_PROTOCOL_RESUMABLE },
        { "PUT", UPOOL_PROTOCOL_CHUNKED | UPOOL_PROTOCOL_RESUMABLE },
    };
    apr_size_t i;

    for (i = 0; i < COUNT(used); i++) {
        if (!strcmp(method, used[i].method)) {
            return !used[i].protocols
                   || upool_config_speaks(conf, used[i].protocols);
        }
    }
    return 0;
}

static int is_preflight(const request_rec *r, const upool_dir_conf *conf)
{
    const char *method =
        apr_table_get(r->headers_in, "Access-Control-Request-Method");
    const char *headers =
        apr_table_get(r->headers_in, "Access-Control-Request-Headers");

    return r->method_number == M_OPTIONS && method && is_method(conf, method)
           && (!headers || upool_origin_is_names(headers));
}

int upool_cors_request(request_rec *r, const upool_dir_conf *conf)
{
    const char *origin;

    if (!conf->cors || !conf->cors->nelts) {
        return 0;
    }
    origin = answer_to(conf, apr_table_get(r->headers_in, "Origin"));
    if (*origin && is_preflight(r, conf)) {
        apr_table_set(r->notes, NOTE_ORIGIN, origin);
        apr_table_setn(r->notes, NOTE_PREFLIGHT, "1");
        return 1;
    }
    if (upool_route_is_ours(r, conf)) {
        apr_table_set(r->notes, NOTE_ORIGIN, origin);
    }
    return 0;
}

static const request_rec *first_of(const request_rec *r)
{
    while (r->prev) {
        r = r->prev;
    }
    return r;
}

static void replace(request_rec *r, const char *const *list, apr_size_t count)
{
    apr_size_t i;

    for (i = 0; i < count; i++) {
        apr_table_unset(r->headers_out, list[i]);
        apr_table_unset(r->err_headers_out, list[i]);
    }
}

static const char *methods_text(apr_pool_t *p, const upool_dir_conf *conf)
{
    return apr_pstrcat(p, "GET, HEAD, POST, DELETE",
                       is_method(conf, "PATCH") ? ", PATCH" : "",
                       is_method(conf, "PUT") ? ", PUT" : "", NULL);
}

/* Pages of a named origin may send any header. */
static const char *headers_text(const request_rec *r, const char *origin)
{
    const char *asked =
        apr_table_get(r->headers_in, "Access-Control-Request-Headers");

    return strcmp(origin, "*") && asked ? asked : allowed_headers;
}

static void set_preflight(request_rec *r, const char *origin)
{
    apr_table_t *headers = r->err_headers_out;

    replace(r, replaced_preflight, COUNT(replaced_preflight));
    apr_table_setn(headers, "Access-Control-Allow-Methods",
                   methods_text(r->pool, upool_config_of(r)));
    apr_table_set(headers, "Access-Control-Allow-Headers",
                  headers_text(r, origin));
    apr_table_setn(headers, "Access-Control-Max-Age", MAX_AGE);
    apr_table_mergen(headers, "Vary",
                     "Access-Control-Request-Method,"
                     " Access-Control-Request-Headers");
}

static void expose(request_rec *r)
{
    const char *theirs =
        apr_table_get(r->headers_out, "Access-Control-Expose-Headers");

    apr_table_unset(r->headers_out, "Access-Control-Expose-Headers");
    apr_table_mergen(r->err_headers_out, "Access-Control-Expose-Headers",
                     exposed_headers);
    if (theirs) {
        apr_table_mergen(r->err_headers_out, "Access-Control-Expose-Headers",
                         theirs);
    }
}

static void set_headers(request_rec *r, const request_rec *first,
                        const char *origin, int preflight)
{
    /* If only "*" is set, every origin gets the same answer. */
    if (strcmp(origin, "*") || upool_config_of(first)->cors->nelts > 1) {
        apr_table_mergen(r->err_headers_out, "Vary", "Origin");
    }
    if (!*origin) {
        return;
    }
    replace(r, replaced, COUNT(replaced));
    apr_table_setn(r->err_headers_out, "Access-Control-Allow-Origin", origin);
    if (strcmp(origin, "*")) {
        apr_table_setn(r->err_headers_out, "Access-Control-Allow-Credentials",
                       "true");
    }
    if (preflight) {
        set_preflight(r, origin);
    }
    else {
        expose(r);
    }
}

/* Runs once, before the head of the response is made of these tables. */
static apr_status_t filter_answer(ap_filter_t *f, apr_bucket_brigade *bb)
{
    const request_rec *first = first_of(f->r);

    set_headers(f->r, first, apr_table_get(first->notes, NOTE_ORIGIN),
                apr_table_get(first->notes, NOTE_PREFLIGHT) != NULL);
    ap_remove_output_filter(f);
    return ap_pass_brigade(f->next, bb);
}

void upool_cors_register(void)
{
    /* After mod_headers, before httpd's own filter, which sends the head. */
    ap_register_output_filter(FILTER_NAME, filter_answer, NULL,
                              (ap_filter_type)(AP_FTYPE_PROTOCOL - 1));
}

void upool_cors_insert(request_rec *r)
{
    if (!r->main && apr_table_get(first_of(r)->notes, NOTE_ORIGIN)) {
        ap_add_output_filter(FILTER_NAME, NULL, r, r->connection);
    }
}
