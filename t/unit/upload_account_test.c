/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* What an upload's account tells the table, the counters and other machines,
 * and when. */
#include "upload/account.h"

#include <store_kit.h>

#include "handlers/builtin.h"
#include "upload/upload.h"

#define SECOND APR_USEC_PER_SEC
#define NOW (1700000000 * (apr_time_t)SECOND)
#define BODY \
    "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"" \
    "\r\n\r\nhello\r\n--b--\r\n"

/* What other machines have heard. */
typedef struct ear {
    int times;
    int forgotten; /* that there is no such upload */
    upool_state state;
    apr_off_t received;
} ear;

typedef struct bench {
    apr_pool_t *p;
    upool_account account;
    upool_account_options options;
    upool_record *record;
    ear ear;
} bench;

static void hear(void *user, const upool_record *record)
{
    ear *e = user;

    e->times++;
    e->forgotten += record == NULL;
    if (record) {
        e->state = record->state;
        e->received = record->received;
    }
}

static void bench_start(bench *t, apr_pool_t *p)
{
    apr_size_t bytes = upool_table_bytes(4);
    apr_size_t counted = upool_counters_bytes(1);

    memset(t, 0, sizeof(*t));
    t->p = p;
    t->record = upool_record_make(p, "id");
    t->record->state = UPOOL_STATE_UPLOADING;
    t->record->size = 1000;
    t->record->created = NOW;
    t->record->updated = NOW;
    t->options.name = "name";
    t->options.table = upool_table_init(apr_pcalloc(p, bytes), bytes, 4);
    t->options.process = 4711;
    t->options.counters =
        upool_counters_init(apr_pcalloc(p, counted), counted, 1);
    t->options.cell = upool_counters_join(t->options.counters, 4711);
    t->options.tell = hear;
    t->options.user = &t->ear;
}

static int publish(bench *t, apr_off_t received, apr_time_t at)
{
    t->record->received = received;
    t->record->updated = NOW + at;
    return upool_account_publish(&t->account, t->record);
}

static apr_int64_t slot_received(const bench *t)
{
    upool_slot_record slot;

    return upool_table_lookup(t->options.table, "name", &slot) ? slot.received
                                                               : -1;
}

static void test_life(bench *t)
{
    tap_is_int(upool_account_claim(&t->account, &t->options, t->record),
               UPOOL_REASON_NONE, "claimed");
    tap_ok(upool_account_has_slot(&t->account), "with a slot");
    tap_is_int(t->ear.times, 0, "which nobody is told of");
    upool_account_begin(&t->account, t->record);
    tap_is_int(t->ear.times, 1, "its beginning is told");
    t->record->filename = "a.txt";
    upool_account_name(&t->account, t->record);
    publish(t, 10, SECOND / 10);
    tap_is_int(slot_received(t), 10, "bytes show in the slot");
    tap_is_int(t->ear.times, 1, "others do not hear of them yet");
    publish(t, 20, SECOND / 4);
    tap_ok(t->ear.times == 2 && t->ear.received == 20, "they do after 250 ms");
    publish(t, 30, SECOND / 3);
    tap_is_int(t->ear.times, 2, "and not again at once");
    publish(t, 30, SECOND);
    tap_is_int(t->ear.times, 3, "the rest comes");
    publish(t, 30, 3 * SECOND);
    tap_is_int(t->ear.times, 3, "of a silent client there is no news");
    publish(t, 30, 4 * SECOND);
    tap_is_int(t->ear.times, 4, "but a sign of life every 3 s");
    t->record->state = UPOOL_STATE_DONE;
    upool_account_end(&t->account, t->record, UPOOL_REASON_NONE);
    tap_ok(t->ear.times == 5 && t->ear.state == UPOOL_STATE_DONE,
           "its end is told at once");
    tap_ok(!upool_account_has_slot(&t->account), "the slot is let go");
    tap_is_int(upool_counters_total(t->options.counters, UPOOL_TOTAL_BYTES), 30,
               "30 bytes");
}

static void test_busy(bench *t)
{
    upool_account other;

    t->record->owner = "me";
    upool_account_claim(&t->account, &t->options, t->record);
    upool_account_begin(&t->account, t->record);
    tap_is_int(upool_account_claim(&other, &t->options, t->record),
               UPOOL_REASON_BUSY, "a second one is told that it is busy");
    upool_account_turn_away(&other, UPOOL_REASON_BUSY);
    t->record->owner = "you";
    tap_is_int(upool_account_claim(&other, &t->options, t->record),
               UPOOL_REASON_OWNER, "a stranger is not");
    upool_account_turn_away(&other, UPOOL_REASON_OWNER);
    tap_is_int(upool_counters_refused(t->options.counters, UPOOL_REASON_OWNER),
               1, "both count as refused");
    tap_is_int(slot_received(t), 0, "the first is not harmed");
    tap_is_int(t->ear.times, 1, "nor are others troubled");
}

static void test_cleared(bench *t)
{
    upool_account_claim(&t->account, &t->options, t->record);
    upool_account_begin(&t->account, t->record);
    tap_ok(publish(t, 5, SECOND), "it goes on");
    upool_table_drop(t->options.table, "name");
    tap_ok(!publish(t, 6, 2 * SECOND), "until it is cleared");
    t->record->state = UPOOL_STATE_ERROR;
    upool_account_end(&t->account, t->record, UPOOL_REASON_CLEARED);
    tap_is_int(t->ear.forgotten, 1, "others forget it");
    tap_is_int(slot_received(t), -1, "as the table did");
    tap_is_int(upool_counters_failed(t->options.counters, UPOOL_REASON_CLEARED),
               1, "it has failed");
}

static apr_uint64_t started(const bench *t)
{
    return upool_counters_total(t->options.counters, UPOOL_TOTAL_STARTED);
}

static void test_pause(bench *t)
{
    upool_account_claim(&t->account, &t->options, t->record);
    upool_account_begin(&t->account, t->record);
    publish(t, 5, SECOND / 10);
    upool_account_pause(&t->account, t->record);
    tap_is_int(t->ear.received, 5, "others hear how far it came");
    tap_is_int(slot_received(t), -1, "its slot is free");
    tap_is_int(upool_counters_uploads(t->options.counters).live, 0,
               "it is not live");
    tap_is_int(upool_counters_total(t->options.counters, UPOOL_TOTAL_PAUSED), 1,
               "but paused");
    upool_account_claim(&t->account, &t->options, t->record);
    upool_account_begin(&t->account, t->record);
    tap_is_int(upool_counters_uploads(t->options.counters).live, 1,
               "the request that goes on is live");
    tap_is_int((int)started(t), 2, "and was started, as the one before it");
    t->record->state = UPOOL_STATE_DONE;
    upool_account_end(&t->account, t->record, UPOOL_REASON_NONE);
    tap_is_int(
        (int)(upool_counters_total(t->options.counters, UPOOL_TOTAL_DONE)
              + upool_counters_total(t->options.counters, UPOOL_TOTAL_PAUSED)),
        (int)started(t), "each of them ended as something");
}

static int counts(const bench *t, unsigned live, unsigned parked)
{
    upool_uploads uploads = upool_counters_uploads(t->options.counters);

    return uploads.live == live && uploads.parked == parked;
}

static void test_park(bench *t)
{
    upool_account_claim(&t->account, &t->options, t->record);
    upool_account_park(&t->account, 1);
    tap_ok(counts(t, 0, 0), "what has not begun is not counted as parked");
    upool_account_begin(&t->account, t->record);
    upool_account_park(&t->account, 1);
    tap_ok(counts(t, 1, 1), "then it is");
    upool_account_park(&t->account, 0);
    tap_ok(counts(t, 1, 0), "and it has a thread again");
    upool_account_park(&t->account, 1);
    t->record->state = UPOOL_STATE_ERROR;
    upool_account_end(&t->account, t->record, UPOOL_REASON_TIMEOUT);
    tap_ok(counts(t, 0, 0), "what ends while it is parked is neither");
    upool_account_park(&t->account, 0);
    tap_ok(counts(t, 0, 0), "nor is it counted twice");
}

/* On a farm an upload is cleared where its slot is not: its bucket is gone. */
static apr_time_t clock_now = NOW;

static apr_time_t tell_time(void)
{
    return clock_now;
}

static upool_upload *upload_start(kit *k, bench *t, const char *id)
{
    upool_limits limits = UPOOL_LIMITS_DEFAULT;
    upool_upload_options options;
    upool_upload *upload;

    memset(&options, 0, sizeof(options));
    options.identifier = id;
    options.content_length = (apr_off_t)strlen(BODY);
    options.limits = limits;
    options.store = k->store;
    options.account = t->options;
    options.account.name = id;
    options.now = tell_time;
    upload = upool_upload_start(&options, t->p);
    upool_chain_add(upool_upload_chain(upload), &upool_spool_handler,
                    upool_spool_make(upool_upload_bucket(upload),
                                     upool_upload_refusal(upload), t->p));
    upool_upload_open(upload, "b", 1);
    upool_upload_feed(upload, BODY, 30);
    return upload;
}

static void test_elsewhere(kit *k, bench *t)
{
    upool_record *seen = NULL;
    upool_upload *upload = upload_start(k, t, "silent");

    clock_now += SECOND;
    tap_ok(!upool_upload_flush(upload), "an upload on a farm");
    upool_bucket_status(&seen, k->store, "silent", t->p);
    tap_ok(seen && seen->state == UPOOL_STATE_UPLOADING && seen->received == 30,
           "notes in its bucket how far it is");
    upool_bucket_remove(k->store, "silent", t->p);
    clock_now += SECOND;
    tap_ok(upool_upload_flush(upload), "silent, it learns that it was cleared");
    tap_is_int(upool_upload_refusal(upload)->reason, UPOOL_REASON_CLEARED,
               "as what it is");
    upload = upload_start(k, t, "loud");
    upool_bucket_remove(k->store, "loud", t->p);
    clock_now += SECOND;
    upool_upload_feed(upload, &BODY[30], 5);
    tap_ok(upool_upload_flush(upload), "so does one that sends");
    tap_is_int(upool_upload_refusal(upload)->reason, UPOOL_REASON_CLEARED,
               "too");
    tap_is_int(kit_count(k->dir), 0, "nothing is left of either");
}

static void run(apr_pool_t *p, void (*test)(bench *))
{
    bench t;

    bench_start(&t, p);
    test(&t);
}

static int nobody_lives(apr_int64_t process)
{
    (void)process;
    return 0;
}

/* An upload that may be none is live, but counted as started when it is known;
 * or when its process is killed before, because it counts as failed then. */
static void test_undecided(bench *t)
{
    t->options.undecided = 1;
    upool_account_claim(&t->account, &t->options, t->record);
    upool_account_begin(&t->account, t->record);
    tap_is_int((int)upool_counters_uploads(t->options.counters).live, 1,
               "it is live");
    tap_is_int((int)started(t), 0, "but has not started");
    upool_account_withdraw(&t->account);
    tap_is_int((int)upool_counters_uploads(t->options.counters).live, 0,
               "it was none");
    tap_is_int((int)started(t), 0, "and is not counted");
    tap_ok(!upool_account_has_slot(&t->account), "nor has a slot");
    upool_account_claim(&t->account, &t->options, t->record);
    upool_account_begin(&t->account, t->record);
    upool_account_decide(&t->account);
    upool_account_decide(&t->account);
    tap_is_int((int)started(t), 1, "one that is one starts once");
    t->record->state = UPOOL_STATE_ERROR;
    upool_account_end(&t->account, t->record, UPOOL_REASON_GONE);
    tap_is_int((int)started(t), 1, "and not again at its end");
    upool_account_claim(&t->account, &t->options, t->record);
    upool_account_begin(&t->account, t->record);
    upool_account_end(&t->account, t->record, UPOOL_REASON_GONE);
    tap_is_int((int)started(t), 2, "which counts one that was never decided");
    upool_account_claim(&t->account, &t->options, t->record);
    upool_account_begin(&t->account, t->record);
    tap_is_int((int)upool_counters_reap(t->options.counters, 1, nobody_lives,
                                        UPOOL_REASON_GONE),
               1, "an undecided upload fails with its process");
    tap_is_int((int)started(t), 3, "and counts as started then");
    t->options.cell = upool_counters_join(t->options.counters, 4711);
    upool_account_claim(&t->account, &t->options, t->record);
    upool_account_begin(&t->account, t->record);
    upool_account_decide(&t->account);
    upool_counters_reap(t->options.counters, 1, nobody_lives,
                        UPOOL_REASON_GONE);
    tap_is_int((int)started(t), 4, "a decided one is not counted again");
    t->options.cell = upool_counters_join(t->options.counters, 4711);
    upool_account_claim(&t->account, &t->options, t->record);
    upool_account_begin(&t->account, t->record);
    upool_account_withdraw(&t->account);
    upool_counters_reap(t->options.counters, 1, nobody_lives,
                        UPOOL_REASON_GONE);
    tap_is_int((int)started(t), 4, "nor is one that turned out to be none");
}

int main(void)
{
    kit k;
    bench t;

    kit_start(&k);
    run(k.p, test_life);
    run(k.p, test_busy);
    run(k.p, test_cleared);
    run(k.p, test_pause);
    run(k.p, test_park);
    run(k.p, test_undecided);
    bench_start(&t, k.p);
    test_elsewhere(&k, &t);
    apr_pool_destroy(k.p);
    kit_wipe(k.root);
    apr_terminate();
    return tap_done();
}
