/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Small files in memory; larger ones pass on to the next handler, whole. */
#include "handlers/builtin.h"

#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <tap.h>

#include "upload/chain.h"

/* Stands behind: copies what reaches it, as the spool writes it. */
typedef struct sink {
    char bytes[65536];
    apr_size_t len;
} sink;

static upload_pool_verdict sink_new(upload_pool_instance *self,
                                    upload_pool_file *file)
{
    (void)file;
    ((sink *)self->data)->len = 0;
    return UPLOAD_POOL_GO_ON;
}

static upload_pool_verdict sink_chunk(upload_pool_instance *self,
                                      upload_pool_file *file, const char **data,
                                      apr_size_t *len, apr_off_t offset)
{
    sink *s = self->data;

    (void)file;
    if (offset != (apr_off_t)s->len || s->len + *len > sizeof(s->bytes)) {
        return UPLOAD_POOL_STOP;
    }
    memcpy(s->bytes + s->len, *data, *len);
    s->len += *len;
    return UPLOAD_POOL_GO_ON;
}

static upload_pool_verdict sink_end(upload_pool_instance *self,
                                    upload_pool_file *file, apr_off_t size,
                                    upload_pool_kept *kept)
{
    (void)self;
    (void)file;
    (void)size;
    if (!kept->content) {
        kept->stored = "sink";
    }
    return UPLOAD_POOL_GO_ON;
}

static const upload_pool_handler sink_handler = {
    .name = "sink",
    .new_file = sink_new,
    .receive_data_chunk = sink_chunk,
    .file_complete = sink_end,
};

typedef struct bench {
    apr_pool_t *p;
    upload_pool_request request;
    upool_refusal refusal;
    upool_chain *chain;
    apr_int64_t memory;
    sink behind;
    upload_pool_file file;
    upload_pool_kept kept;
    int skipped;
} bench;

static void bench_start(bench *t, apr_int64_t size, apr_int64_t memory)
{
    memset(t, 0, sizeof(*t));
    apr_pool_create(&t->p, NULL);
    t->memory = memory;
    t->request.pool = t->p;
    t->file.pool = t->p;
    t->refusal = upool_refusal_make(UPOOL_REASON_NONE, 0, NULL);
    t->chain = upool_chain_make(&t->request, &t->refusal, t->p);
    upool_chain_add(t->chain, &upool_inline_handler,
                    upool_inline_make(size, &t->memory, &t->refusal, t->p));
    upool_chain_add(t->chain, &sink_handler, &t->behind);
    upool_chain_open(t->chain);
}

/* A file of len bytes in pieces; 0 when the chain agreed to all. */
static int pass(bench *t, const char *bytes, apr_size_t len, apr_size_t piece)
{
    apr_size_t at;
    int stop = upool_chain_file_begin(t->chain, &t->file);

    for (at = 0; at < len && !stop; at += piece) {
        stop = upool_chain_data(t->chain, bytes + at,
                                len - at < piece ? len - at : piece);
    }
    return stop || upool_chain_flush(t->chain)
           || upool_chain_file_end(t->chain, &t->kept, &t->skipped);
}

/* What was kept ends with its size, not with a NUL. */
static const char *content(const bench *t)
{
    return t->kept.content
               ? apr_pstrmemdup(t->p, t->kept.content, (apr_size_t)t->kept.size)
               : NULL;
}

static void test_small(void)
{
    bench t;

    bench_start(&t, 10, 100);
    tap_is_int(pass(&t, "0123456789", 10, 4), 0, "a file of the limit");
    tap_is_str(t.kept.stored, NULL, "is not stored");
    tap_is_str(content(&t), "0123456789", "its bytes are kept");
    tap_is_int(t.behind.len, 0, "none passes on");
    tap_is_int(t.memory, 90, "and counted");
    tap_is_int(pass(&t, "", 0, 1), 0, "an empty file");
    tap_is_str(content(&t), "", "is kept too");
    tap_is_int(t.memory, 90, "for nothing");
    tap_is_int(pass(&t, "x", 1, 1), 0, "another");
    tap_is_str(content(&t), "x", "has its own bytes");
    apr_pool_destroy(t.p);
}

static void test_over(void)
{
    static const apr_size_t pieces[] = { 1, 3, 10, 11, 64 };
    char bytes[64];
    bench t;
    size_t i;

    for (i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)('a' + i % 26);
    }
    for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        bench_start(&t, 10, 100);
        tap_is_int(pass(&t, bytes, 11, pieces[i]), 0,
                   "one byte over, in pieces of %d", (int)pieces[i]);
        tap_is_str(t.kept.stored, "sink", "stored");
        tap_ok(t.behind.len == 11 && !memcmp(t.behind.bytes, bytes, 11),
               "all its bytes, in order");
        tap_is_int(t.memory, 100, "nothing is counted");
        tap_is_int(pass(&t, bytes, 64, pieces[i]), 0, "far over");
        tap_ok(t.behind.len == 64 && !memcmp(t.behind.bytes, bytes, 64),
               "all its bytes, in order");
        tap_is_int(pass(&t, bytes, 9, pieces[i]), 0, "a small one after it");
        tap_ok(t.kept.content && !memcmp(t.kept.content, bytes, 9),
               "is kept in memory again");
        apr_pool_destroy(t.p);
    }
}

static void test_budget(void)
{
    bench t;

    bench_start(&t, 10, 15);
    pass(&t, "0123456789", 10, 10);
    tap_is_int(t.memory, 5, "the budget goes down");
    pass(&t, "012345", 6, 2);
    tap_is_str(t.kept.stored, "sink", "what it does not reach for is stored");
    tap_ok(t.behind.len == 6 && !memcmp(t.behind.bytes, "012345", 6), "whole");
    pass(&t, "01234", 5, 2);
    tap_is_str(content(&t), "01234", "what it does reach for is kept");
    tap_is_int(t.memory, 0, "to the last byte");
    pass(&t, "", 0, 1);
    tap_is_str(content(&t), "", "an empty one costs nothing");
    apr_pool_destroy(t.p);
}

static void test_interrupted(void)
{
    bench t;

    bench_start(&t, 1000, 1000);
    upool_chain_file_begin(t.chain, &t.file);
    upool_chain_data(t.chain, "abc", 3);
    upool_chain_interrupt(t.chain);
    tap_is_int(t.memory, 1000, "an interrupted file costs nothing");
    apr_pool_destroy(t.p);
    bench_start(&t, 1000, 1000);
    upool_chain_file_begin(t.chain, &t.file);
    tap_is_int(upool_chain_data(t.chain, "abc", 3), 0, "nor one forgotten");
    apr_pool_destroy(t.p);
}

int main(void)
{
    apr_initialize();
    test_small();
    test_over();
    test_budget();
    test_interrupted();
    apr_terminate();
    return tap_done();
}
