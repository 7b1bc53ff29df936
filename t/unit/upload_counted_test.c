/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* What the counters say of an upload, whichever way it ends: started is live
 * plus done plus failed, at every moment. */
#include "upload/upload.h"

#include <store_kit.h>

#include "handlers/builtin.h"

#define CELL 1
#define BODY \
    "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"" \
    "\r\n\r\nhello\r\n--b--\r\n"

static apr_time_t tell_time(void)
{
    return apr_time_from_sec(1700000000);
}

typedef struct bench {
    kit k;
    upool_counters *counters;
    upool_upload_options options;
} bench;

static void bench_start(bench *t)
{
    upool_limits limits = UPOOL_LIMITS_DEFAULT;
    apr_size_t bytes = upool_counters_bytes(1);
    void *memory;

    kit_start(&t->k);
    memory = apr_pcalloc(t->k.p, bytes);
    t->counters = upool_counters_init(memory, bytes, 1);
    upool_counters_join(t->counters, 4711);
    memset(&t->options, 0, sizeof(t->options));
    t->options.identifier = "upload-1";
    t->options.content_length = (apr_off_t)strlen(BODY);
    t->options.limits = limits;
    t->options.store = t->k.store;
    t->options.account.counters = t->counters;
    t->options.account.cell = CELL;
    t->options.account.process = 4711;
    t->options.now = tell_time;
}

static upool_upload *start(bench *t, apr_pool_t *p)
{
    upool_upload *upload = upool_upload_start(&t->options, p);

    if (!upool_upload_refusal(upload)->reason) {
        upool_chain_add(upool_upload_chain(upload), &upool_spool_handler,
                        upool_spool_make(upool_upload_bucket(upload),
                                         upool_upload_refusal(upload), p));
        upool_upload_open(upload, "b", 1);
    }
    return upload;
}

static void expect(const bench *t, int started, int live, int done,
                   apr_size_t bytes, const char *when)
{
    apr_uint64_t ended = 0;
    int reason;

    for (reason = 0; reason < UPOOL_REASON_COUNT; reason++) {
        ended += upool_counters_failed(t->counters, reason);
    }
    tap_is_int(upool_counters_total(t->counters, UPOOL_TOTAL_STARTED), started,
               "%s: %d started", when, started);
    tap_is_int(upool_counters_uploads(t->counters).live, live, "%s: %d live",
               when, live);
    tap_is_int(upool_counters_total(t->counters, UPOOL_TOTAL_DONE), done,
               "%s: %d done", when, done);
    tap_is_int(ended, started - live - done, "%s: the rest has failed", when);
    tap_is_int(upool_counters_total(t->counters, UPOOL_TOTAL_BYTES), bytes,
               "%s: %lu bytes", when, (unsigned long)bytes);
}

static void expect_parked(const bench *t, unsigned parked, const char *when)
{
    tap_is_int(upool_counters_uploads(t->counters).parked, parked,
               "%s: %u parked", when, parked);
}

static void test_done(bench *t)
{
    apr_size_t half = strlen(BODY) / 2;
    upool_upload *upload = start(t, t->k.p);
    upool_sink sink;

    expect(t, 1, 1, 0, 0, "begun");
    expect_parked(t, 0, "begun");
    upool_upload_sink(upload, &sink);
    upool_sink_park(&sink, 1);
    expect_parked(t, 1, "its request has left its thread");
    upool_upload_park(upload, 0);
    expect_parked(t, 0, "and has one again");
    upool_upload_feed(upload, BODY, half);
    upool_upload_flush(upload);
    expect(t, 1, 1, 0, half, "half way");
    upool_upload_feed(upload, &BODY[half], strlen(BODY) - half);
    upool_upload_finish(upload);
    expect(t, 1, 0, 1, strlen(BODY), "done");
    upool_upload_refuse(upload, UPOOL_REASON_GONE, 0, NULL);
    expect(t, 1, 0, 1, strlen(BODY), "done is for good");
    /* Another may use the identifier. */
    upool_upload_answered(upload);
}

static void test_failed(bench *t)
{
    apr_size_t so_far = strlen(BODY);
    upool_upload *upload = start(t, t->k.p);

    upool_upload_feed(upload, BODY, 10);
    upool_upload_park(upload, 1);
    upool_upload_refuse(upload, UPOOL_REASON_GONE, 0, NULL);
    expect_parked(t, 0, "gone while it was parked");
    upool_upload_refuse(upload, UPOOL_REASON_TIMEOUT, 0, NULL);
    expect(t, 2, 0, 1, so_far + 10, "gone");
    tap_is_int(upool_counters_failed(t->counters, UPOOL_REASON_GONE), 1,
               "for the first reason");
    upload = start(t, t->k.p);
    upool_upload_feed(upload, "nothing", 7);
    upool_upload_finish(upload);
    expect(t, 3, 0, 1, so_far + 17, "malformed");
    t->options.limits.body = 10;
    start(t, t->k.p);
    expect(t, 4, 0, 1, so_far + 17, "too large by its announcement");
    tap_is_int(upool_counters_failed(t->counters, UPOOL_REASON_BODY_TOO_LARGE),
               1, "which is said");
    t->options.limits.body = 1000;
}

static void test_refused(bench *t)
{
    apr_pool_t *p;
    upool_upload *first;

    apr_pool_create(&p, t->k.p);
    first = start(t, p);
    start(t, t->k.p);
    expect(t, 5, 1, 1, strlen(BODY) + 17, "a second at once");
    tap_is_int(upool_counters_refused(t->counters, UPOOL_REASON_BUSY), 1,
               "is refused, not failed");
    upool_upload_feed(first, BODY, 1);
    apr_pool_destroy(p);
    expect(t, 5, 0, 1, strlen(BODY) + 18, "forgotten by its request");
    tap_is_int(upool_counters_failed(t->counters, UPOOL_REASON_INTERRUPTED), 1,
               "as interrupted");
}

int main(void)
{
    bench t;

    bench_start(&t);
    test_done(&t);
    test_failed(&t);
    test_refused(&t);
    apr_pool_destroy(t.k.p);
    kit_wipe(t.k.root);
    apr_terminate();
    return tap_done();
}
