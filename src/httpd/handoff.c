/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/handoff.h"

#include <string.h>
#include <apr_escape.h>
#include <apr_strings.h>
#include <http_core.h>

#include "httpd/log.h"
#include "httpd/lookup.h"
#include "upload/formbody.h"
#include "upload/result.h"

/* This many files of one form are open at a time, and are passed on as files.
 * The files after them are read one at a time, this many bytes at a time. */
#define OPEN_MOST 16
#define READ_SIZE ((apr_size_t)65536)
/* This much of a file is mapped at a time: whole pages, because mmap takes no
 * offset within a page. */
#define WINDOW ((apr_size_t)UPOOL_HANDOFF_MOST)

struct upool_handoff {
    apr_bucket_brigade *rest;
    /* For a form with more files than may be open: */
    upool_store *store;
    const char *id;
    const apr_array_header_t *pieces; /* of upool_formbody_piece */
    int next;                         /* the next piece, not in rest yet */
    apr_pool_t *pool;                 /* of the open file */
    apr_file_t *file;                 /* the open file; NULL: none */
    apr_off_t left;                   /* bytes left to read of it */
};

static struct upool_handoff *make_handoff(request_rec *r)
{
    struct upool_handoff *h = apr_pcalloc(r->pool, sizeof(*h));

    h->rest = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    return h;
}

static void add_text(struct upool_handoff *h, apr_pool_t *p, const char *text,
                     apr_size_t len)
{
    APR_BRIGADE_INSERT_TAIL(
        h->rest, apr_bucket_pool_create(text, len, p, h->rest->bucket_alloc));
}

/* A copied bucket shares the open file, and knows when it moves to another
 * pool. */
static int keep_for_subrequests(request_rec *r, const upool_request *rq,
                                struct upool_handoff *h)
{
    apr_bucket *b;
    apr_bucket *copy;

    if (!r->kept_body && !rq->keeps_body) {
        return 0;
    }
    r->kept_body = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    for (b = APR_BRIGADE_FIRST(h->rest); b != APR_BRIGADE_SENTINEL(h->rest);
         b = APR_BUCKET_NEXT(b)) {
        if (apr_bucket_copy(b, &copy)) {
            return -1;
        }
        APR_BRIGADE_INSERT_TAIL(r->kept_body, copy);
    }
    return 0;
}

static void set_head(request_rec *r, upool_handoff_head *head, const char *type,
                     apr_off_t length)
{
    head->type = type;
    head->length = apr_off_t_toa(r->pool, length);
}

/* --- JSON ----------------------------------------------------------------- */

static int make_json(request_rec *r, upool_request *rq, int is_read,
                     upool_handoff_head *head, upool_refusal *refusal)
{
    const upool_outcome *outcome = &rq->outcome;
    struct upool_handoff *h = make_handoff(r);
    const char *body = is_read
                           ? upool_result_body(outcome->record, outcome->fields,
                                               outcome->path, r->pool)
                           : "";
    apr_size_t len;

    if (!body) {
        return upool_refusal_set(
            refusal, UPOOL_REASON_MEMORY, 0,
            "the upload is done, but its JSON cannot be made");
    }
    len = strlen(body);
    if (len) {
        add_text(h, r->pool, body, len);
    }
    rq->handoff = h;
    set_head(r, head, "application/json", (apr_off_t)len);
    head->signed_text = body;
    head->signed_len = len;
    return keep_for_subrequests(r, rq, h)
           && upool_refusal_set(refusal, UPOOL_REASON_MEMORY, 0,
                                "KeptBodySize");
}

/* --- A form --------------------------------------------------------------- */

static apr_status_t open_file(apr_file_t **file, const struct upool_handoff *h,
                              const upool_file *of, apr_pool_t *p)
{
    apr_finfo_t info;
    apr_status_t rv =
        upool_bucket_file_open(file, h->store, h->id, of->stored, p);

    if (!rv) {
        rv = apr_file_info_get(&info, APR_FINFO_SIZE, *file);
    }
    return !rv && info.size != of->size ? APR_EGENERAL : rv;
}

static apr_status_t add_file(request_rec *r, struct upool_handoff *h,
                             const upool_file *of)
{
    const core_dir_config *core = ap_get_core_module_config(r->per_dir_config);
    apr_file_t *file;
    apr_bucket *b;
    apr_status_t rv = open_file(&file, h, of, r->pool);

    if (rv) {
        return rv;
    }
    b = apr_brigade_insert_file(h->rest, file, 0, of->size, r->pool);
    if (core->enable_mmap == ENABLE_MMAP_OFF) {
        apr_bucket_file_enable_mmap(b, 0);
    }
    return APR_SUCCESS;
}

/* Checks that a file can be opened later: a failure is better known now, before
 * the application runs. */
static apr_status_t look_at(request_rec *r, const struct upool_handoff *h,
                            const upool_file *of)
{
    apr_file_t *file;
    apr_pool_t *pool;
    apr_status_t rv;

    apr_pool_create(&pool, r->pool);
    rv = open_file(&file, h, of, pool);
    apr_pool_destroy(pool);
    return rv;
}

/* Puts the pieces of the body into rest, in order, up to the first file beyond
 * those that may be open. */
static apr_status_t add_pieces(request_rec *r, struct upool_handoff *h,
                               int most)
{
    int opened = 0;
    int i;

    h->next = h->pieces->nelts;
    for (i = 0; i < h->pieces->nelts; i++) {
        const upool_formbody_piece *piece =
            &APR_ARRAY_IDX(h->pieces, i, upool_formbody_piece);
        apr_status_t rv = APR_SUCCESS;

        if (piece->file && opened++ >= most && i < h->next) {
            h->next = i;
        }
        if (i >= h->next) {
            rv = piece->file ? look_at(r, h, piece->file) : APR_SUCCESS;
        }
        else if (piece->file) {
            rv = add_file(r, h, piece->file);
        }
        else {
            add_text(h, r->pool, piece->text, piece->len);
        }
        if (rv) {
            return rv;
        }
    }
    return APR_SUCCESS;
}

/* The whole body of fields, which consists of text only. */
static const char *flat_text(const upool_formbody *body, apr_pool_t *p)
{
    char *text = apr_palloc(p, (apr_size_t)body->length + 1);
    char *to = text;
    int i;

    for (i = 0; i < body->pieces->nelts; i++) {
        const upool_formbody_piece *piece =
            &APR_ARRAY_IDX(body->pieces, i, upool_formbody_piece);

        memcpy(to, piece->text, piece->len);
        to += piece->len;
    }
    *to = '\0';
    return text;
}

static const char *random_digits(apr_pool_t *p)
{
    unsigned char bytes[UPOOL_FORMBODY_RANDOM / 2];

    return apr_generate_random_bytes(bytes, sizeof(bytes))
               ? NULL
               : apr_pescape_hex(p, bytes, sizeof(bytes), 0);
}

static void set_form_head(request_rec *r, const upool_request *rq,
                          const upool_formbody *body, int as_facts,
                          upool_handoff_head *head)
{
    set_head(r, head,
             apr_pstrcat(r->pool, "multipart/form-data; boundary=",
                         body->boundary, NULL),
             body->length);
    if (as_facts) {
        head->signed_text = flat_text(body, r->pool);
        head->signed_len = (apr_size_t)body->length;
        return;
    }
    head->signed_text = apr_pstrcat(r->pool, rq->id, "\n", head->type, "\n",
                                    head->length, NULL);
    head->signed_len = strlen(head->signed_text);
}

/* How many files are passed on as files.  Files that can neither be mapped nor
 * sent are read in pieces larger than the buckets that httpd would make of
 * them. */
static int open_most(const request_rec *r, const upool_request *rq)
{
    const core_dir_config *core = ap_get_core_module_config(r->per_dir_config);

    if (r->kept_body || rq->keeps_body) {
        return APR_INT32_MAX;
    }
    return core->enable_sendfile == ENABLE_SENDFILE_ON
                   || core->enable_mmap != ENABLE_MMAP_OFF
               ? OPEN_MOST
               : 0;
}

static int make_form(request_rec *r, upool_request *rq, int as_facts,
                     upool_handoff_head *head, upool_refusal *refusal)
{
    const upool_outcome *outcome = &rq->outcome;
    struct upool_handoff *h = make_handoff(r);
    upool_formbody_options options;
    upool_formbody body;
    const char *detail = NULL;
    upool_reason reason;
    apr_status_t rv;

    options.random = random_digits(r->pool);
    options.bucket = outcome->path;
    options.facts = as_facts ? upool_config_facts(rq->conf, r->pool) : NULL;
    if (!options.random) {
        return upool_refusal_set(refusal, UPOOL_REASON_IO, 0, "no randomness");
    }
    h->store = upool_known_store(r, rq, refusal);
    if (!h->store) {
        return 1;
    }
    reason = upool_formbody_make(&body, outcome->record, outcome->fields,
                                 &options, &detail, r->pool);
    if (reason) {
        return upool_refusal_set(refusal, reason, 0, detail);
    }
    h->id = rq->id;
    h->pieces = body.pieces;
    rv = add_pieces(r, h, open_most(r, rq));
    if (rv) {
        return upool_refusal_set(
            refusal, UPOOL_REASON_IO, rv,
            "a file of the upload is not there as it was stored");
    }
    rq->handoff = h;
    set_form_head(r, rq, &body, as_facts, head);
    return keep_for_subrequests(r, rq, h)
           && upool_refusal_set(refusal, UPOOL_REASON_MEMORY, 0,
                                "KeptBodySize");
}

int upool_handoff_make(request_rec *r, upool_request *rq, int is_read,
                       upool_handoff_head *head, upool_refusal *refusal)
{
    upool_pass_kind kind = upool_config_pass_as(rq->conf);

    if (!is_read || kind == UPOOL_PASS_JSON) {
        return make_json(r, rq, is_read, head, refusal);
    }
    return make_form(r, rq, kind == UPOOL_PASS_FIELDS, head, refusal);
}

/* --- Reading -------------------------------------------------------------- */

static apr_status_t open_next(request_rec *r, struct upool_handoff *h,
                              const upool_file *of)
{
    apr_pool_create(&h->pool, r->pool);
    h->left = of->size;
    return open_file(&h->file, h, of, h->pool);
}

static apr_status_t read_some(struct upool_handoff *h)
{
    apr_size_t len =
        h->left < (apr_off_t)READ_SIZE ? (apr_size_t)h->left : READ_SIZE;
    char *bytes = apr_bucket_alloc(len, h->rest->bucket_alloc);
    apr_status_t rv = apr_file_read_full(h->file, bytes, len, NULL);

    if (rv) {
        apr_bucket_free(bytes);
        return rv;
    }
    APR_BRIGADE_INSERT_TAIL(h->rest,
                            apr_bucket_heap_create(bytes, len, apr_bucket_free,
                                                   h->rest->bucket_alloc));
    h->left -= (apr_off_t)len;
    if (!h->left) {
        apr_pool_destroy(h->pool);
        h->file = NULL;
    }
    return APR_SUCCESS;
}

/* Called when nothing is left in rest: adds the next piece, or the next bytes
 * of its file. */
static apr_status_t fill(request_rec *r, struct upool_handoff *h)
{
    apr_status_t rv = APR_SUCCESS;

    if (!h->file) {
        const upool_formbody_piece *piece =
            &APR_ARRAY_IDX(h->pieces, h->next++, upool_formbody_piece);

        if (!piece->file) {
            add_text(h, r->pool, piece->text, piece->len);
            return APR_SUCCESS;
        }
        rv = open_next(r, h, piece->file);
    }
    return rv ? rv : read_some(h);
}

/* 1 where the reader sends files: mod_proxy_http passes on what it reads, and
 * without TLS httpd's core can send that from the file. */
static int sends_files(const request_rec *r)
{
    const core_dir_config *core = ap_get_core_module_config(r->per_dir_config);

    return core->enable_sendfile == ENABLE_SENDFILE_ON && r->filename
           && !strncmp(r->filename, "proxy:http:", 11);
}

/* Turns a window of the file into memory: it is mapped or, on a file system
 * without mmap, some of its bytes are read. */
static apr_status_t load_window(const struct upool_handoff *h, apr_bucket *b)
{
    const char *data;
    apr_size_t len;
    apr_bucket *next;
    apr_status_t rv;

    if (b->length > WINDOW) {
        apr_bucket_split(b, WINDOW);
    }
    rv = apr_bucket_read(b, &data, &len, APR_BLOCK_READ);
    next = APR_BUCKET_NEXT(b);
    if (!rv && !APR_BUCKET_IS_MMAP(b) && next != APR_BRIGADE_SENTINEL(h->rest)
        && APR_BUCKET_IS_FILE(next)) {
        apr_bucket_file_enable_mmap(next, 0);
    }
    return rv;
}

/* Loads everything that a reader of this many bytes gets from files.  A file is
 * cut at the end of a window only: behind any other place it could not be
 * mapped, and each try would leave memory in the request's pool.  A file that
 * goes out as a file in small parts would be mapped part by part. */
static apr_status_t load(const request_rec *r, const struct upool_handoff *h,
                         apr_off_t bytes)
{
    int sends = sends_files(r);
    apr_bucket *b = APR_BRIGADE_FIRST(h->rest);
    apr_status_t rv = APR_SUCCESS;

    while (!rv && bytes > 0 && b != APR_BRIGADE_SENTINEL(h->rest)) {
        if (APR_BUCKET_IS_FILE(b) && sends) {
            apr_bucket_file_enable_mmap(b, 0);
        }
        else if (APR_BUCKET_IS_FILE(b)) {
            rv = load_window(h, b);
        }
        bytes -= (apr_off_t)b->length;
        b = APR_BUCKET_NEXT(b);
    }
    return rv;
}

/* Drops the empty buckets that reading by lines leaves when a line ends with
 * its bucket. */
static void drop_nothing(apr_bucket_brigade *rest)
{
    while (!APR_BRIGADE_EMPTY(rest) && !APR_BRIGADE_FIRST(rest)->length) {
        apr_bucket_delete(APR_BRIGADE_FIRST(rest));
    }
}

apr_bucket_brigade *upool_handoff_rest(request_rec *r, upool_request *rq,
                                       apr_off_t ready)
{
    struct upool_handoff *h = rq->handoff;
    apr_status_t rv = APR_SUCCESS;

    drop_nothing(h->rest);
    if (APR_BRIGADE_EMPTY(h->rest) && h->pieces
        && (h->file || h->next < h->pieces->nelts)) {
        rv = fill(r, h);
    }
    rv = rv ? rv : load(r, h, ready);
    if (rv) {
        upool_rlog(r, ERR, rv, 330,
                   "upload %s: a file of it cannot be read for its application",
                   upool_log_ident(r->pool, rq->id));
        return NULL;
    }
    return h->rest;
}

int upool_handoff_is_read(const upool_request *rq)
{
    const struct upool_handoff *h = rq->handoff;

    return APR_BRIGADE_EMPTY(h->rest)
           && (!h->pieces || (!h->file && h->next >= h->pieces->nelts));
}
