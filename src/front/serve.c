/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "front/fronts.h"

#include <string.h>
#include <apr_escape.h>
#include <apr_lib.h>
#include <apr_sha1.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>

#include "httpd/lookup.h"
#include "httpd/log.h"
#include "httpd/reply.h"
#include "parse/quantity.h"
#include "parse/query.h"

/* Stored files come from strangers: nothing of theirs decides how a browser
 * treats the answer.  The type is fixed, the name is the safe one, and the
 * rest is httpd's own machinery for ranges and conditions. */

static void refuse(upool_refusal *refusal, upool_reason reason)
{
    *refusal = upool_refusal_make(reason, 0, NULL);
}

/* n=K; the first file if it is absent; -1 if it is no number. */
static int file_number(const request_rec *r)
{
    char text[16];
    long long n = 0;

    switch (upool_query_find(r->args, "n", text, sizeof(text))) {
    case UPOOL_QUERY_ABSENT:
        return 0;
    case UPOOL_QUERY_ONCE:
        return !upool_quantity_decimal(text, &n) && n < 1000000 ? (int)n : -1;
    case UPOOL_QUERY_DOUBLED:
    case UPOOL_QUERY_BAD:
        break;
    }
    return -1;
}

/* The fallback for clients that do not know the other form (RFC 6266 4.3): one
 * _ for each character that is not ASCII.  A safe name has no quotes,
 * backslashes or controls. */
static const char *ascii_name(apr_pool_t *p, const char *safe)
{
    char *name = apr_palloc(p, strlen(safe) + 1);
    char *out = name;
    const char *in;

    for (in = safe; *in; in++) {
        if ((*in & 0x80) == 0) {
            *out++ = *in;
        }
        else if ((*in & 0x40) != 0) {
            *out++ = '_';
        }
    }
    *out = '\0';
    return name;
}

static const char *disposition(apr_pool_t *p, const char *safe)
{
    static const char digit[] = "0123456789ABCDEF";
    char *encoded = apr_palloc(p, 3 * strlen(safe) + 1);
    char *out = encoded;
    const char *in;

    for (in = safe; *in; in++) {
        /* Independent of the locale: letters beyond ASCII are bytes here. */
        if ((*in & 0x80) == 0 && (apr_isalnum(*in) || strchr("._-", *in))) {
            *out++ = *in;
        }
        else {
            *out++ = '%';
            *out++ = digit[((unsigned char)*in) >> 4];
            *out++ = digit[((unsigned char)*in) & 15];
        }
    }
    *out = '\0';
    return apr_pstrcat(p, "attachment; filename=\"", ascii_name(p, safe),
                       "\"; filename*=UTF-8''", encoded, NULL);
}

static const upool_file *find_file(const upool_record *record, int n)
{
    return n >= 0 && n < record->files->nelts
               ? &APR_ARRAY_IDX(record->files, n, upool_file)
               : NULL;
}

static void set_headers(request_rec *r, const upool_file *file)
{
    ap_set_content_type(r, "application/octet-stream");
    apr_table_setn(r->headers_out, "Content-Disposition",
                   disposition(r->pool, file->safe_filename));
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    apr_table_setn(r->headers_out, "Content-Security-Policy", "sandbox");
    upool_reply_uncached(r, "private");
    /* One URL gives a different file for each identifier in that header: a
     * browser that caches one must not show it for another. */
    apr_table_mergen(r->headers_out, "Vary", "X-Progress-ID");
}

/* No name is ever used for two files, so the name identifies the bytes and the
 * ETag is a strong one, which ranges need; httpd's own would be weak for a
 * second.  It is a hash, because names on disk must not be shown. */
static const char *entity_tag(apr_pool_t *p, const char *stored)
{
    unsigned char digest[APR_SHA1_DIGESTSIZE];
    apr_sha1_ctx_t sha1;

    apr_sha1_init(&sha1);
    apr_sha1_update(&sha1, stored, (unsigned int)strlen(stored));
    apr_sha1_final(digest, &sha1);
    return apr_pstrcat(p, "\"", apr_pescape_hex(p, digest, 8, 0), "\"", NULL);
}

/* If the context's pages pass through mod_include or PHP's filter, a stranger's
 * file would too, and its content would run.  Filters that code the content or
 * set headers stay. */
static void drop_content_filters(request_rec *r)
{
    ap_filter_t *f = r->output_filters;

    while (f) {
        ap_filter_t *next = f->next;

        if (f->frec->ftype <= AP_FTYPE_RESOURCE) {
            ap_remove_output_filter(f);
        }
        f = next;
    }
}

static int send_file(request_rec *r, const upool_file *stored, apr_file_t *file)
{
    apr_bucket_alloc_t *alloc = r->connection->bucket_alloc;
    apr_bucket_brigade *bb;
    int status;

    if (apr_file_info_get(&r->finfo, APR_FINFO_NORM, file)) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    set_headers(r, stored);
    ap_update_mtime(r, r->finfo.mtime);
    ap_set_last_modified(r);
    apr_table_setn(r->headers_out, "ETag", entity_tag(r->pool, stored->stored));
    ap_set_accept_ranges(r);
    ap_set_content_length(r, stored->size);
    status = ap_meets_conditions(r);
    if (status != OK) {
        return status;
    }
    drop_content_filters(r);
    bb = apr_brigade_create(r->pool, alloc);
    if (stored->size) {
        apr_brigade_insert_file(bb, file, 0, stored->size, r->pool);
    }
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(alloc));
    return ap_pass_brigade(r->output_filters, bb) == APR_SUCCESS
                   || r->connection->aborted
               ? OK
               : AP_FILTER_ERROR;
}

/* A stranger's upload looks the same as none at all. */
static const upool_record *find_complete(request_rec *r, upool_request *rq,
                                         upool_store *store,
                                         upool_refusal *refusal)
{
    upool_record *record = NULL;
    apr_status_t rv = upool_bucket_complete(&record, store, rq->id, r->pool);

    if (rv && !APR_STATUS_IS_ENOENT(rv)) {
        *refusal = upool_refusal_make(UPOOL_REASON_IO, rv,
                                      "the upload cannot be looked at");
        return NULL;
    }
    if (rv || !upool_known_is_mine(record, rq)) {
        return NULL;
    }
    if (record->updated + upool_config_expires(rq->conf) < r->request_time) {
        refuse(refusal, UPOOL_REASON_EXPIRED);
        return NULL;
    }
    return record;
}

int upool_front_serve(request_rec *r, upool_request *rq)
{
    upool_refusal refusal = UPOOL_NO_REFUSAL;
    upool_store *store = upool_request_store(r, rq->conf, &refusal);
    const upool_record *record =
        store ? find_complete(r, rq, store, &refusal) : NULL;
    const upool_file *stored =
        record ? find_file(record, file_number(r)) : NULL;
    apr_file_t *file = NULL;
    apr_status_t rv;

    if (refusal.reason) {
        return upool_reply_refusal(r, rq, &refusal);
    }
    if (!stored || !stored->stored) {
        return HTTP_NOT_FOUND;
    }
    rv = upool_bucket_file_open(&file, store, rq->id, stored->stored, r->pool);
    if (rv && !APR_STATUS_IS_ENOENT(rv)) {
        refusal = upool_refusal_make(UPOOL_REASON_IO, rv,
                                     "the file cannot be opened");
        return upool_reply_refusal(r, rq, &refusal);
    }
    if (rv) {
        upool_rlog(r, INFO, 0, 32, "file %d of upload %s is no longer there",
                   file_number(r), upool_log_ident(r->pool, rq->id));
        return HTTP_NOT_FOUND;
    }
    return send_file(r, stored, file);
}
