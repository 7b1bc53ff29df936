/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/capture.h"

#include <string.h>
#include <apr_strings.h>
#include <http_protocol.h>

#include "httpd/log.h"

#define FILTER_NAME "UPLOAD_POOL_ANSWER"
/* The first room for a body; it is doubled when it is full. */
#define ROOM_FIRST 4096

typedef enum stage {
    STAGE_HEAD = 0, /* waits for the first byte, or for an end without any */
    STAGE_BODY,     /* waits for the end; the head is made */
    STAGE_OVER      /* the run has been told */
} stage;

struct upool_answering {
    upool_answer_map *map;
    upool_run *run;
    upool_answer answer;
    stage stage;
    int reached;   /* the redirect got past httpd's access checks */
    int drops;     /* the application's output is not meant for the client */
    int overflows; /* the output is longer than what is kept */
    int gone;      /* the client is gone, but the application is heard out */
    char *body;
    apr_size_t len;
    apr_size_t room;
};

/* Headers that are worth repeating.  Cookies are left out, because the client
 * that got lost may not be the one that asks; so are headers about the
 * connection or the transfer. */
static const char *const kept_headers[] = {
    "Cache-Control",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Location",
    "Content-Security-Policy",
    "ETag",
    "Expires",
    "Last-Modified",
    "Link",
    "Location",
    "Referrer-Policy",
    "Refresh",
    "Repr-Digest",
    "Retry-After",
    "Vary",
    "X-Content-Type-Options",
    "X-Frame-Options",
};
/* Headers about content: an answer without any has none (RFC 9110 8). */
static const char *const content_headers[] = {
    "Accept-Ranges",    "Content-Disposition", "Content-Encoding",
    "Content-Language", "Content-Length",      "Content-MD5",
    "Content-Range",    "Content-Type",        "ETag",
    "Last-Modified",    "Repr-Digest",         "Content-Digest",
};

/* RFC 8470; httpd 2.4.44 has no name for it. */
#define TOO_EARLY 425

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* 0 for an error of the server, or one that the client can do something about:
 * the same request then gets another try. */
static int is_final(int status)
{
    switch (status) {
    case HTTP_UNAUTHORIZED:
    case HTTP_PROXY_AUTHENTICATION_REQUIRED:
    case HTTP_REQUEST_TIME_OUT:
    case TOO_EARLY:
    case HTTP_TOO_MANY_REQUESTS:
        return 0;
    default:
        return status < HTTP_INTERNAL_SERVER_ERROR;
    }
}

static int add_header(void *headers, const char *name, const char *value)
{
    apr_table_addn(headers, name, value);
    return 1;
}

static apr_table_t *keep_headers(const request_rec *r)
{
    apr_table_t *headers = apr_table_make(r->pool, 8);
    apr_size_t i;

    if (r->content_type) {
        apr_table_setn(headers, "Content-Type", r->content_type);
    }
    for (i = 0; i < COUNT(kept_headers); i++) {
        apr_table_do(add_header, headers, r->headers_out, kept_headers[i],
                     NULL);
        apr_table_do(add_header, headers, r->err_headers_out, kept_headers[i],
                     NULL);
    }
    return headers;
}

static void forget_content(request_rec *r)
{
    apr_size_t i;

    for (i = 0; i < COUNT(content_headers); i++) {
        apr_table_unset(r->headers_out, content_headers[i]);
        apr_table_unset(r->err_headers_out, content_headers[i]);
    }
    ap_set_content_type(r, NULL);
    r->content_encoding = NULL;
    r->content_languages = NULL;
}

static void make_head(request_rec *r, upool_request *rq, int has_body)
{
    struct upool_answering *a = rq->answering;

    a->stage = STAGE_BODY;
    a->answer.status = r->status;
    a->answer.final = a->reached && is_final(r->status);
    a->answer.headers = keep_headers(r);
    a->drops = !a->map(r, rq, has_body);
    if (a->drops) {
        forget_content(r);
    }
}

static void keep_bytes(request_rec *r, struct upool_answering *a,
                       const char *data, apr_size_t len)
{
    if (len > UPOOL_ANSWER_BODY_MAX - a->len) {
        a->overflows = 1;
        a->body = NULL;
        return;
    }
    if (len > a->room - a->len) {
        char *grown;

        a->room = a->room ? a->room : ROOM_FIRST;
        while (len > a->room - a->len) {
            a->room *= 2;
        }
        grown = apr_palloc(r->pool, a->room);
        if (a->len) {
            memcpy(grown, a->body, a->len);
        }
        a->body = grown;
    }
    memcpy(a->body + a->len, data, len);
    a->len += len;
}

static void keep_answer(request_rec *r, const upool_request *rq)
{
    struct upool_answering *a = rq->answering;
    apr_status_t rv;

    a->answer.answered = apr_time_now();
    a->answer.len = a->len;
    a->answer.body = a->overflows ? NULL : a->len ? a->body : "";
    rv = upool_run_tell(a->run, &a->answer);
    if (rv) {
        upool_rlog(r, ERR, rv, 61,
                   "upload %s: its application has answered with %d, which"
                   " cannot be kept",
                   upool_log_ident(r->pool, rq->id), a->answer.status);
    }
}

/* Called before the client sees the end: when it comes again after that, it
 * finds the answer kept, or may run the application again.  The run of an
 * upload that is deleted at the end of this request goes on until then. */
static void tell(request_rec *r, const upool_request *rq)
{
    struct upool_answering *a = rq->answering;

    if (a->stage == STAGE_OVER) {
        return;
    }
    a->stage = STAGE_OVER;
    if (a->reached) {
        keep_answer(r, rq);
    }
    if (!a->reached || !upool_config_cleans(rq->conf, a->answer.status)) {
        upool_run_end(a->run);
    }
}

static apr_status_t pass_on(ap_filter_t *f, apr_bucket_brigade *bb)
{
    const upool_request *rq = f->ctx;
    struct upool_answering *a = rq->answering;
    apr_status_t rv = APR_SUCCESS;

    if (!a->gone && !APR_BRIGADE_EMPTY(bb)) {
        rv = ap_pass_brigade(f->next, bb);
    }
    apr_brigade_cleanup(bb);
    if (rv != APR_SUCCESS && f->c->aborted && !a->overflows) {
        a->gone = 1;
        return APR_SUCCESS;
    }
    /* There is more than can be kept, and no client to receive it. */
    return a->gone && a->overflows ? APR_ECONNABORTED : rv;
}

/* Reads b, which may block; what is ready is sent first. */
static apr_status_t read_bucket(ap_filter_t *f, apr_bucket *b,
                                apr_bucket_brigade *ready, const char **data,
                                apr_size_t *len)
{
    apr_status_t rv = apr_bucket_read(b, data, len, APR_NONBLOCK_READ);

    if (!APR_STATUS_IS_EAGAIN(rv)) {
        return rv;
    }
    APR_BRIGADE_INSERT_TAIL(ready, apr_bucket_flush_create(f->c->bucket_alloc));
    rv = pass_on(f, ready);
    return rv ? rv : apr_bucket_read(b, data, len, APR_BLOCK_READ);
}

/* 1 when bb tells whether there is content.  Flushes before it tell nothing,
 * and would send the head. */
static int tells_head(ap_filter_t *f, apr_bucket_brigade *bb)
{
    apr_bucket *b = APR_BRIGADE_FIRST(bb);

    while (b != APR_BRIGADE_SENTINEL(bb)) {
        apr_bucket *next;
        const char *data;
        apr_size_t len = 0;

        if (APR_BUCKET_IS_EOS(b)) {
            make_head(f->r, f->ctx, 0);
            return 1;
        }
        if (!APR_BUCKET_IS_METADATA(b)
            && (apr_bucket_read(b, &data, &len, APR_BLOCK_READ) || len)) {
            make_head(f->r, f->ctx, 1);
            return 1;
        }
        next = APR_BUCKET_NEXT(b);
        apr_bucket_delete(b);
        b = next;
    }
    return 0;
}

static apr_status_t keep_bucket(ap_filter_t *f, apr_bucket *b,
                                apr_bucket_brigade *ready)
{
    const upool_request *rq = f->ctx;
    const char *data;
    apr_size_t len;
    apr_status_t rv = read_bucket(f, b, ready, &data, &len);

    if (rv == APR_SUCCESS) {
        keep_bytes(f->r, rq->answering, data, len);
    }
    return rv;
}

static apr_status_t pass_body(ap_filter_t *f, apr_bucket_brigade *bb)
{
    const upool_request *rq = f->ctx;
    struct upool_answering *a = rq->answering;
    apr_bucket_brigade *ready =
        apr_brigade_create(f->r->pool, f->c->bucket_alloc);
    apr_status_t rv = APR_SUCCESS;

    while (rv == APR_SUCCESS && !APR_BRIGADE_EMPTY(bb)) {
        apr_bucket *b = APR_BRIGADE_FIRST(bb);
        int is_data = !APR_BUCKET_IS_METADATA(b);

        if (APR_BUCKET_IS_EOS(b)) {
            tell(f->r, rq);
        }
        else if (is_data && !a->overflows) {
            rv = keep_bucket(f, b, ready);
        }
        APR_BUCKET_REMOVE(b);
        if (is_data && a->drops) {
            apr_bucket_destroy(b);
        }
        else {
            APR_BRIGADE_INSERT_TAIL(ready, b);
        }
    }
    if (rv == APR_SUCCESS) {
        rv = pass_on(f, ready);
    }
    apr_brigade_destroy(ready);
    return rv;
}

/* 1 when a handler says in its output that it has failed: httpd then answers,
 * and adds this filter again. */
static int has_error(apr_bucket_brigade *bb)
{
    apr_bucket *b;

    for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb);
         b = APR_BUCKET_NEXT(b)) {
        if (AP_BUCKET_IS_ERROR(b)) {
            return 1;
        }
    }
    return 0;
}

static apr_status_t filter_answer(ap_filter_t *f, apr_bucket_brigade *bb)
{
    const upool_request *rq = f->ctx;
    const struct upool_answering *a = rq->answering;

    if (a->stage == STAGE_OVER || has_error(bb)) {
        ap_remove_output_filter(f);
        return ap_pass_brigade(f->next, bb);
    }
    if (a->stage == STAGE_HEAD && !tells_head(f, bb)) {
        return APR_SUCCESS;
    }
    return pass_body(f, bb);
}

void upool_answer_register(void)
{
    ap_register_output_filter(FILTER_NAME, filter_answer, NULL,
                              (ap_filter_type)(AP_FTYPE_CONTENT_SET - 1));
}

/* The upload whose application answers r; NULL when there is none. */
static upool_request *awaited(const request_rec *r)
{
    upool_request *rq =
        r->prev && !r->main ? upool_request_substituted(r->prev) : NULL;

    return rq && rq->answering ? rq : NULL;
}

void upool_answer_insert(request_rec *r)
{
    upool_request *rq = awaited(r);

    if (!rq) {
        return;
    }
    /* An ErrorDocument's request has the status of the error. */
    rq->answering->reached |= r->status == HTTP_OK;
    ap_add_output_filter(FILTER_NAME, rq, r, r->connection);
}

void upool_answer_insert_error(request_rec *r)
{
    upool_request *rq = awaited(r);

    if (rq) {
        ap_add_output_filter(FILTER_NAME, rq, r, r->connection);
    }
}

void upool_answer_await(request_rec *r, upool_request *rq,
                        upool_answer_map *map, upool_run *run)
{
    rq->answering = apr_pcalloc(r->pool, sizeof(*rq->answering));
    rq->answering->map = map;
    rq->answering->run = run;
}

void upool_answer_end(request_rec *r, upool_request *rq)
{
    struct upool_answering *a = rq->answering;

    /* The handler said nothing at all, and httpd did not end the answer for it
     * either. */
    if (a->stage == STAGE_HEAD) {
        const request_rec *last = r;

        while (last->next) {
            last = last->next;
        }
        a->answer.status = last->status;
        a->answer.headers = apr_table_make(r->pool, 1);
        a->answer.final = a->reached && is_final(last->status);
        a->overflows = 1;
    }
    tell(r, rq);
    rq->outcome.status = a->reached ? a->answer.status : 0;
    rq->outcome.again = !a->answer.final;
}

static int restore_header(void *r, const char *name, const char *value)
{
    if (!strcmp(name, "Content-Type")) {
        ap_set_content_type(r, value);
    }
    else {
        apr_table_addn(((request_rec *)r)->headers_out, name, value);
    }
    return 1;
}

/* RFC 9110 15.3.5 and 15.4.5: no content. */
static int has_content(int status)
{
    return status != HTTP_NO_CONTENT && status != HTTP_NOT_MODIFIED;
}

int upool_answer_again(request_rec *r, upool_request *rq, upool_answer_map *map,
                       const upool_answer *answer, const char *text)
{
    const char *body = answer->body ? answer->body : text;
    apr_size_t len = answer->body ? answer->len : strlen(text);

    r->status = answer->status;
    if (answer->headers && answer->body) {
        apr_table_do(restore_header, r, answer->headers, NULL);
    }
    else {
        ap_set_content_type(r, "application/json");
        apr_table_setn(r->headers_out, "Cache-Control", "no-store");
        apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    }
    len = has_content(r->status) ? len : 0;
    if (!map(r, rq, len > 0) || !len) {
        forget_content(r);
        return OK;
    }
    ap_set_content_length(r, (apr_off_t)len);
    ap_rwrite(body, (int)len, r);
    return OK;
}
