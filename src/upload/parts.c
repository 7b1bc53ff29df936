/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/parts.h"

#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>

#include "parse/multipart.h"

/* The sum of all header blocks, in units of the largest single one. */
#define HEADERS_FACTOR 64
/* Preamble and epilogue: nobody sends one, so the limit is small. */
#define PADDING_LIMIT 65536
/* Enough for the headers that browsers send. */
#define SMALL_SCRATCH 1024

struct upool_parts {
    upool_multipart parser;
    upool_refusal *refusal;
    const upool_parts_events *events;
    void *user;
    apr_pool_t *p;
    char *held; /* malloc'd header block in pieces */
};

static int refuse(upool_parts *parts, upool_reason reason, const char *detail)
{
    if (parts->refusal->reason == UPOOL_REASON_NONE) {
        *parts->refusal = upool_refusal_make(reason, 0, detail);
    }
    return 1;
}

/* A refusal by the parser is told by its own error; the text of an earlier
 * refusal, made in a callback, stands. */
static int refuse_body(upool_parts *parts, upool_multipart_error error)
{
    static const upool_reason reasons[] = {
        [UPOOL_MULTIPART_OK] = UPOOL_REASON_NONE,
        [UPOOL_MULTIPART_DELIMITER] = UPOOL_REASON_DELIMITER,
        [UPOOL_MULTIPART_NO_DELIMITER] = UPOOL_REASON_NO_DELIMITER,
        [UPOOL_MULTIPART_TRUNCATED] = UPOOL_REASON_TRUNCATED,
        [UPOOL_MULTIPART_HEADER] = UPOOL_REASON_HEADER,
        [UPOOL_MULTIPART_HEADER_TOO_LARGE] = UPOOL_REASON_HEADER_TOO_LARGE,
        [UPOOL_MULTIPART_TOO_MANY_PARTS] = UPOOL_REASON_TOO_MANY_PARTS,
        [UPOOL_MULTIPART_PADDING] = UPOOL_REASON_PADDING,
        [UPOOL_MULTIPART_NO_MEMORY] = UPOOL_REASON_MEMORY,
        [UPOOL_MULTIPART_STOPPED] = UPOOL_REASON_INTERRUPTED,
    };

    return refuse(
        parts, reasons[error],
        apr_psprintf(parts->p, "at byte %" APR_UINT64_T_FMT,
                     (apr_uint64_t)upool_multipart_offset(&parts->parser)));
}

static int begin_with(upool_parts *parts, const char *block, size_t len,
                      char *scratch, size_t room)
{
    upool_part part;
    upool_part_error error = upool_part_parse(&part, block, len, scratch, room);
    int stop;

    if (error == UPOOL_PART_OK) {
        stop = parts->events->begin(parts->user, &part);
    }
    else if (error == UPOOL_PART_ENCODED) {
        stop = refuse(parts, UPOOL_REASON_PART_CODING, part.why);
    }
    else {
        stop = refuse(parts, UPOOL_REASON_HEADER, part.why);
    }
    return stop;
}

/* A pool of its own would stay with the connection, a page for as long as the
 * client takes. */
static int on_begin(void *user, const char *block, size_t len)
{
    upool_parts *parts = user;
    apr_pool_t *pool;
    char small[SMALL_SCRATCH];
    size_t room = UPOOL_PART_SCRATCH(len);
    int stop;

    if (room <= sizeof(small)) {
        return begin_with(parts, block, len, small, sizeof(small));
    }
    apr_pool_create(&pool, parts->p);
    stop = begin_with(parts, block, len, apr_palloc(pool, room), room);
    apr_pool_destroy(pool);
    return stop;
}

static int on_data(void *user, const char *data, size_t len)
{
    upool_parts *parts = user;

    return len ? parts->events->data(parts->user, data, len) : 0;
}

static int on_end(void *user)
{
    upool_parts *parts = user;

    return parts->events->end(parts->user);
}

static char *on_hold(void *user, char *old, size_t have, size_t want)
{
    upool_parts *parts = user;
    int first = !parts->held;
    char *held;

    if (!want) {
        free(parts->held);
        parts->held = NULL;
        return NULL;
    }
    held = realloc(parts->held, want);
    if (!held) {
        return NULL;
    }
    if (first && have) {
        memcpy(held, old, have);
    }
    parts->held = held;
    return held;
}

static apr_status_t free_parts(void *arg)
{
    upool_parts *parts = arg;

    free(parts->held);
    free(parts);
    return APR_SUCCESS;
}

static const upool_multipart_events parser_events = {
    .part_begin = on_begin,
    .part_data = on_data,
    .part_end = on_end,
    .hold = on_hold,
};

/* Not in p: a pool takes memory by whole pages, and thousands of uploads may
 * wait for their clients.  Aborts when out of memory, as a pool would. */
upool_parts *upool_parts_make(const char *boundary, apr_size_t boundary_len,
                              const upool_limits *limits,
                              upool_refusal *refusal,
                              const upool_parts_events *events, void *user,
                              apr_pool_t *p)
{
    upool_parts *parts = calloc(1, sizeof(*parts));
    upool_multipart_limits most;

    if (!parts) {
        abort();
    }
    parts->refusal = refusal;
    parts->events = events;
    parts->user = user;
    parts->p = p;
    most.parts = (size_t)limits->parts;
    most.header = (size_t)limits->header;
    most.headers = most.header > (size_t)-1 / HEADERS_FACTOR
                       ? (size_t)-1
                       : most.header * HEADERS_FACTOR;
    most.padding = PADDING_LIMIT;
    upool_multipart_init(&parts->parser, boundary, boundary_len, &most,
                         &parser_events, parts);
    apr_pool_cleanup_register(p, parts, free_parts, apr_pool_cleanup_null);
    return parts;
}

int upool_parts_feed(upool_parts *parts, const char *data, apr_size_t len)
{
    upool_multipart_error error =
        upool_multipart_feed(&parts->parser, data, len);

    return error ? refuse_body(parts, error) : 0;
}

int upool_parts_end(upool_parts *parts)
{
    upool_multipart_error error = upool_multipart_end(&parts->parser);

    return error ? refuse_body(parts, error) : 0;
}
