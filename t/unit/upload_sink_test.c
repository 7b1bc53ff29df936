/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* An upload as the sink of its request's body: what goes in through the sink
 * is what the upload does, and a clear is learnt of without a byte. */
#include "upload/upload.h"

#include <store_kit.h>

#include "handlers/builtin.h"

#define ID "upload-1"
#define BODY \
    "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"" \
    "\r\n\r\nhello\r\n--b--\r\n"

typedef struct bench {
    kit k;
    void *memory;
    upool_table *table;
    upool_upload *upload;
    upool_sink sink;
} bench;

static apr_time_t tell_time(void)
{
    return apr_time_from_sec(1700000000);
}

static void bench_start(bench *t)
{
    upool_limits limits = UPOOL_LIMITS_DEFAULT;
    upool_upload_options options;
    apr_size_t bytes = upool_table_bytes(4);

    kit_start(&t->k);
    t->memory = calloc(1, bytes);
    t->table = upool_table_init(t->memory, bytes, 4);
    memset(&options, 0, sizeof(options));
    options.identifier = ID;
    options.content_length = (apr_off_t)strlen(BODY);
    options.limits = limits;
    options.store = t->k.store;
    options.account.table = t->table;
    options.account.process = 4711;
    options.now = tell_time;
    t->upload = upool_upload_start(&options, t->k.p);
    upool_chain_add(upool_upload_chain(t->upload), &upool_spool_handler,
                    upool_spool_make(upool_upload_bucket(t->upload),
                                     upool_upload_refusal(t->upload), t->k.p));
    upool_upload_open(t->upload, "b", 1);
    upool_upload_sink(t->upload, &t->sink);
}

static void bench_end(bench *t)
{
    free(t->memory);
    apr_pool_destroy(t->k.p);
    kit_wipe(t->k.root);
    apr_terminate();
}

static void test_through(void)
{
    bench t;
    const upool_file *file;
    const upool_record *record;

    bench_start(&t);
    tap_is_int(upool_sink_received(&t.sink), 0, "nothing yet");
    tap_is_int(upool_sink_feed(&t.sink, BODY, 20), 0, "a piece");
    tap_is_int(upool_sink_flush(&t.sink), 0, "flushed");
    tap_is_int(upool_sink_received(&t.sink), 20, "counted");
    tap_is_int(upool_sink_is_unwanted(&t.sink), 0, "wanted");
    tap_is_int(upool_sink_feed(&t.sink, &BODY[20], strlen(BODY) - 20), 0,
               "the rest");
    tap_is_int(upool_sink_flush(&t.sink), 0, "flushed");
    tap_is_int(upool_sink_finish(&t.sink), 0, "finished");
    tap_is_int(upool_sink_refusal(&t.sink)->reason, UPOOL_REASON_NONE,
               "not refused");
    record = upool_upload_record(t.upload);
    tap_is_int(record->state, UPOOL_STATE_DONE, "done");
    file = &APR_ARRAY_IDX(record->files, 0, upool_file);
    tap_is_int(file->size, 5, "its file");
    tap_is_int(upool_sink_feed(&t.sink, "x", 1), 1, "no byte after the end");
    bench_end(&t);
}

static void test_refuse(void)
{
    bench t;

    bench_start(&t);
    upool_sink_feed(&t.sink, BODY, 30);
    upool_sink_refuse(&t.sink, UPOOL_REASON_TIMEOUT, 0, "slow");
    tap_is_int(upool_sink_refusal(&t.sink)->reason, UPOOL_REASON_TIMEOUT,
               "refused");
    tap_is_str(upool_sink_refusal(&t.sink)->detail, "slow", "and why");
    upool_sink_refuse(&t.sink, UPOOL_REASON_GONE, 0, NULL);
    tap_is_int(upool_sink_refusal(&t.sink)->reason, UPOOL_REASON_TIMEOUT,
               "the first reason stands");
    tap_is_int(upool_sink_feed(&t.sink, "x", 1), 1, "no feed");
    tap_is_int(upool_sink_flush(&t.sink), 1, "no flush");
    tap_is_int(upool_sink_is_unwanted(&t.sink), 1, "unwanted");
    tap_is_int(upool_sink_finish(&t.sink), 1, "no finish");
    tap_is_int(upool_upload_record(t.upload)->state, UPOOL_STATE_ERROR,
               "an error");
    bench_end(&t);
}

static void test_cleared(void)
{
    bench t;

    bench_start(&t);
    upool_sink_feed(&t.sink, BODY, 30);
    upool_sink_flush(&t.sink);
    upool_table_drop(t.table, ID);
    tap_is_int(upool_sink_is_unwanted(&t.sink), 1, "cleared: unwanted");
    tap_is_int(upool_sink_refusal(&t.sink)->reason, UPOOL_REASON_CLEARED,
               "and it says so");
    bench_end(&t);
}

int main(void)
{
    test_through();
    test_refuse();
    test_cleared();
    return tap_done();
}
