/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_T_UNIT_RESUME_KIT_H
#define UPOOL_T_UNIT_RESUME_KIT_H

/* Uploads of several requests over a real directory and a table in plain
 * memory: each request is a pool. */

#include "store_kit.h"
#include "upload/file.h"
#include "upload/resume.h"

typedef struct rkit {
    kit k;
    void *memory;
    upool_table *table;
    upool_resume_options options;
} rkit;

static inline void rkit_start(rkit *t)
{
    upool_limits limits = UPOOL_LIMITS_DEFAULT;
    apr_size_t bytes = upool_table_bytes(64);

    memset(t, 0, sizeof(*t));
    kit_start(&t->k);
    t->memory = calloc(1, bytes);
    t->table = upool_table_init(t->memory, bytes, 64);
    t->options.identifier = "up";
    t->options.limits = limits;
    t->options.store = t->k.store;
    t->options.account.name = "up";
    t->options.account.table = t->table;
    t->options.account.process = getpid();
    t->options.now = apr_time_now;
    t->options.expires = apr_time_from_sec(3600);
}

static inline int rkit_done(rkit *t)
{
    free(t->memory);
    return kit_done(&t->k);
}

/* Another configuration of the store, over the same directory. */
static inline void rkit_reopen(rkit *t)
{
    kit_open(&t->k);
    t->options.store = t->k.store;
}

static inline apr_pool_t *rkit_request(const rkit *t)
{
    apr_pool_t *p;

    apr_pool_create(&p, t->k.p);
    return p;
}

static inline void rkit_name(rkit *t, const char *id)
{
    t->options.identifier = id;
    t->options.account.name = id;
}

static inline upool_resume_start rkit_what(const rkit *t, apr_off_t length)
{
    upool_resume_start start = UPOOL_RESUME_START;

    start.protocol = "tus";
    start.length = length;
    start.file = upool_file_of_head(NULL, "photo.jpg",
                                    "image/jpeg; charset=binary", t->k.p);
    start.uri = "/u";
    start.args = "a=1";
    return start;
}

/* The reason of a creation. */
static inline upool_reason rkit_create(rkit *t, const char *id,
                                       apr_off_t length)
{
    upool_resume_start start = rkit_what(t, length);
    apr_pool_t *p = rkit_request(t);
    upool_reason reason;

    rkit_name(t, id);
    reason = upool_resume_refusal(upool_resume_create(&t->options, &start, p))
                 ->reason;
    apr_pool_destroy(p);
    return reason;
}

static inline upool_resume *rkit_open(rkit *t, const char *id, apr_pool_t *p)
{
    rkit_name(t, id);
    return upool_resume_open(&t->options, p);
}

/* A plain append of a whole request; its reason. */
static inline upool_reason rkit_feed(upool_resume *resume,
                                     const upool_resume_append *append,
                                     const char *data, apr_size_t len)
{
    upool_sink sink;

    if (!upool_resume_begin(resume, append)) {
        upool_resume_sink(resume, &sink);
        upool_sink_feed(&sink, data, len);
        upool_sink_flush(&sink);
        upool_sink_finish(&sink);
    }
    return upool_resume_refusal(resume)->reason;
}

static inline upool_reason rkit_append(rkit *t, const char *id,
                                       apr_off_t offset, const char *text)
{
    upool_resume_append append = UPOOL_RESUME_APPEND;
    apr_pool_t *p = rkit_request(t);
    upool_resume *resume = rkit_open(t, id, p);
    upool_reason reason = upool_resume_refusal(resume)->reason;

    append.offset = offset;
    append.content_length = (apr_off_t)strlen(text);
    if (!reason) {
        reason = rkit_feed(resume, &append, text, strlen(text));
    }
    apr_pool_destroy(p);
    return reason;
}

/* -1: there is none. */
static inline apr_off_t rkit_offset(rkit *t, const char *id)
{
    apr_pool_t *p = rkit_request(t);
    upool_resume *resume = rkit_open(t, id, p);
    apr_off_t offset =
        upool_resume_refusal(resume)->reason ? -1 : upool_resume_offset(resume);

    apr_pool_destroy(p);
    return offset;
}

/* Content of the complete upload's first file, in k.p; NULL: not complete. */
static inline const char *rkit_content(rkit *t, const char *id)
{
    upool_record *record = NULL;

    if (upool_bucket_complete(&record, t->k.store, id, t->k.p)
        || !record->files->nelts) {
        return NULL;
    }
    return kit_read_file(
        &t->k,
        kit_in(&t->k, id, APR_ARRAY_IDX(record->files, 0, upool_file).stored));
}

static inline const char *rkit_file_digest(rkit *t, const char *id,
                                           const char *algorithm)
{
    upool_record *record = NULL;
    const apr_array_header_t *digests;
    int i;

    if (upool_bucket_complete(&record, t->k.store, id, t->k.p)) {
        return NULL;
    }
    digests = APR_ARRAY_IDX(record->files, 0, upool_file).digests;
    for (i = 0; i < digests->nelts; i++) {
        const upool_digest *d = &APR_ARRAY_IDX(digests, i, upool_digest);

        if (strcmp(d->algorithm, algorithm) == 0) {
            return d->hex;
        }
    }
    return NULL;
}

static inline int rkit_status(rkit *t, const char *id, upool_record **record)
{
    *record = NULL;
    return upool_bucket_status(record, t->k.store, id, t->k.p);
}

#endif
