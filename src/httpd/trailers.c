/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/trailers.h"

#include <string.h>
#include <util_filter.h>

#include "httpd/park.h"

#define FILTER_NAME "UPLOAD_POOL_TRAILERS"
#define ROOM_FIRST 64
#define KEPT_MAX 8192

typedef struct trailers {
    char *text; /* lines that are kept back, in the request's pool */
    apr_size_t room;
    apr_size_t length;
    apr_size_t given; /* how much of text HTTP_IN has been given */
    apr_size_t line;  /* where the last line begins */
    int in_data;      /* the line end after a chunk's data is to come */
    int is_last;      /* the first line is that of the last chunk */
    int is_over;      /* nothing is kept back any more */
} trailers;

static int is_kept(const trailers *kept)
{
    return kept->given < kept->length;
}

static void make_room(trailers *kept, apr_size_t len, apr_pool_t *p)
{
    apr_size_t room = kept->room ? kept->room : ROOM_FIRST;
    char *text;

    if (kept->length + len <= kept->room) {
        return;
    }
    while (room < kept->length + len) {
        room *= 2;
    }
    text = apr_palloc(p, room);
    if (kept->length) {
        memcpy(text, kept->text, kept->length);
    }
    kept->text = text;
    kept->room = room;
}

/* The bytes are copied, because they may come one at a time, each in a bucket
 * with a buffer of its own. */
static apr_status_t keep(trailers *kept, apr_bucket_brigade *bb, apr_pool_t *p)
{
    apr_off_t bytes = 0;
    apr_status_t rv = apr_brigade_length(bb, 1, &bytes);
    apr_size_t len = (apr_size_t)bytes;

    if (rv == APR_SUCCESS) {
        make_room(kept, len, p);
        rv = apr_brigade_flatten(bb, kept->text + kept->length, &len);
        kept->length += len;
    }
    apr_brigade_cleanup(bb);
    return rv;
}

/* Gives HTTP_IN some of the kept text: a line, or this many bytes. */
static apr_status_t give(trailers *kept, apr_bucket_brigade *bb,
                         ap_input_mode_t mode, apr_off_t bytes)
{
    const char *text = kept->text + kept->given;
    apr_size_t len = kept->length - kept->given;
    const char *end =
        mode == AP_MODE_GETLINE ? memchr(text, APR_ASCII_LF, len) : NULL;

    if (end) {
        len = (apr_size_t)(end - text) + 1;
    }
    else if (mode != AP_MODE_GETLINE && bytes < (apr_off_t)len) {
        len = (apr_size_t)bytes;
    }
    APR_BRIGADE_INSERT_TAIL(
        bb, apr_bucket_heap_create(text, len, NULL, bb->bucket_alloc));
    if (mode != AP_MODE_SPECULATIVE) {
        kept->given += len;
    }
    if (!is_kept(kept)) {
        kept->given = kept->length = kept->line = 0;
    }
    return APR_SUCCESS;
}

/* chunk-size = 1*HEXDIG */
static int is_last_chunk(const char *line, apr_size_t len)
{
    apr_size_t n = 0;

    while (n < len && line[n] == '0') {
        n++;
    }
    return n > 0 && n < len && strchr("\r\n; \t", line[n]) != NULL;
}

static int ends_line(const trailers *kept)
{
    return kept->length && kept->text[kept->length - 1] == APR_ASCII_LF;
}

/* Called when a line has come: 1 when HTTP_IN may have what is kept. */
static int is_enough(trailers *kept)
{
    const char *line = kept->text + kept->line;
    apr_size_t len = kept->length - kept->line;

    kept->line = kept->length;
    if (kept->in_data) {
        kept->in_data = 0;
        return 1;
    }
    if (!kept->is_last) {
        kept->is_last = is_last_chunk(line, len);
        return !kept->is_last;
    }
    kept->is_over = len == 1 || (len == 2 && line[0] == APR_ASCII_CR);
    return kept->is_over;
}

/* Reads what has come of the line, or of the section, without waiting. */
static apr_status_t gather(ap_filter_t *f, trailers *kept,
                           apr_bucket_brigade *bb)
{
    do {
        apr_status_t rv =
            ap_get_brigade(f->next, bb, AP_MODE_GETLINE, APR_NONBLOCK_READ, 0);

        if (rv != APR_SUCCESS || APR_BRIGADE_EMPTY(bb)) {
            return rv;
        }
        rv = keep(kept, bb, f->r->pool);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        kept->is_over |= kept->length > KEPT_MAX;
    } while (!kept->is_over && !(ends_line(kept) && is_enough(kept)));
    return give(kept, bb, AP_MODE_GETLINE, 0);
}

static apr_status_t filter(ap_filter_t *f, apr_bucket_brigade *bb,
                           ap_input_mode_t mode, apr_read_type_e block,
                           apr_off_t bytes)
{
    trailers *kept = f->ctx;

    if (mode == AP_MODE_GETLINE && block == APR_NONBLOCK_READ
        && !kept->is_over) {
        return gather(f, kept, bb);
    }
    if (is_kept(kept) && mode != AP_MODE_INIT && mode != AP_MODE_EATCRLF) {
        return give(kept, bb, mode, bytes);
    }
    if (mode == AP_MODE_READBYTES) {
        kept->in_data = 1;
    }
    return ap_get_brigade(f->next, bb, mode, block, bytes);
}

void upool_trailers_register(void)
{
    ap_register_input_filter(FILTER_NAME, filter, NULL,
                             (ap_filter_type)(AP_FTYPE_PROTOCOL + 1));
}

void upool_trailers_insert(request_rec *r, const upool_request *rq)
{
    if (apr_table_get(r->headers_in, "Transfer-Encoding")
        && upool_park_place(r, rq)) {
        ap_add_input_filter(FILTER_NAME, apr_pcalloc(r->pool, sizeof(trailers)),
                            r, r->connection);
    }
}
