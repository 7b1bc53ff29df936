/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Uploads under a quota: when room is taken, when it is given back, and what a
 * refusal leaves. */
#include "upload/upload.h"

#include <store_kit.h>

#include "handlers/builtin.h"

#define ID "upload-1"
#define HEAD \
    "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"" \
    "\r\n\r\n"
#define TAIL "\r\n--b--\r\n"
#define MEGA ((apr_int64_t)1 << 20)

static apr_time_t clock_now;
static kit k;
static upool_table *table;
static upool_upload_options options;

static apr_time_t tell_time(void)
{
    return ++clock_now;
}

static void set_up(void *memory, apr_size_t bytes)
{
    upool_limits limits = UPOOL_LIMITS_DEFAULT;

    kit_start(&k);
    table = upool_table_init(memory, bytes, 4);
    clock_now = apr_time_from_sec(1700000000);
    options.content_length = -1;
    options.limits = limits;
    options.store = k.store;
    options.account.table = table;
    options.account.process = 4711;
    options.now = tell_time;
}

/* Started and opened; its pool is *p. */
static upool_upload *begin(const char *id, apr_int64_t length, apr_pool_t **p)
{
    upool_upload *upload;

    apr_pool_create(p, k.p);
    options.identifier = id;
    options.content_length = length;
    upload = upool_upload_start(&options, *p);
    upool_chain_add(upool_upload_chain(upload), &upool_spool_handler,
                    upool_spool_make(upool_upload_bucket(upload),
                                     upool_upload_refusal(upload), *p));
    upool_upload_open(upload, "b", 1);
    return upload;
}

static int reason(upool_upload *upload)
{
    return (int)upool_upload_refusal(upload)->reason;
}

/* A whole body with so many bytes of content, in pieces. */
static int feed(upool_upload *upload, apr_int64_t bytes)
{
    static char piece[65536];
    int refused = upool_upload_feed(upload, HEAD, strlen(HEAD));

    while (!refused && bytes > 0) {
        apr_size_t len = bytes < (apr_int64_t)sizeof(piece) ? (apr_size_t)bytes
                                                            : sizeof(piece);

        refused =
            upool_upload_feed(upload, piece, len) || upool_upload_flush(upload);
        bytes -= (apr_int64_t)len;
    }
    return refused || upool_upload_feed(upload, TAIL, strlen(TAIL))
           || upool_upload_finish(upload);
}

/* What another upload could still get of the quota, to the byte. */
static apr_int64_t left(void)
{
    upool_quota *quota =
        upool_quota_make(k.store, "probe", NULL, &options.quota, k.p);
    apr_int64_t low = 0, high = options.quota.pool;

    while (low < high) {
        apr_int64_t middle = low + (high - low + 1) / 2;

        if (upool_quota_reserve(quota, middle, 0) == UPOOL_QUOTA_GRANTED) {
            low = middle;
        }
        else {
            high = middle - 1;
        }
    }
    upool_quota_settle(quota);
    return low;
}

static void test_known_size(void)
{
    apr_pool_t *p, *q;
    upool_upload *one, *two;
    upool_slot_record slot;

    options.quota.pool = 1000;
    one = begin(ID, 600, &p);
    tap_is_int(reason(one), UPOOL_REASON_NONE, "600 of 1000 may begin");
    two = begin("two", 600, &q);
    tap_is_int(reason(two), UPOOL_REASON_QUOTA, "no second one");
    tap_is_int(upool_upload_refusal(two)->status, 507, "507");
    tap_is_str(kit_status(&k, "two"), "error: Upload quota is used up",
               "pollers know why");
    tap_ok(upool_table_lookup(table, "two", &slot)
               && slot.state == UPOOL_SLOT_ERROR_STATE,
           "its slot too");
    apr_pool_destroy(q);
    tap_is_int(feed(one, 100), 0, "the first goes on");
    tap_is_int(left(), 900, "and keeps what it came to");
    apr_pool_destroy(p);
    one = begin(ID, 600, &p);
    tap_is_int(left(), 300, "replacing, old and new count");
    upool_upload_refuse(one, UPOOL_REASON_GONE, 0, NULL);
    tap_is_int(left(), 900, "failed, the old alone");
    apr_pool_destroy(p);
    one = begin(ID, 901, &p);
    tap_is_int(reason(one), UPOOL_REASON_QUOTA, "too large a replacement");
    apr_pool_destroy(p);
    tap_ok(kit_data_name(&k, ID) != NULL, "leaves the old upload");
    one = begin(ID, 700, &p);
    tap_is_int(left(), 200, "begun");
    apr_pool_destroy(p);
    tap_is_int(left(), 900, "interrupted");
    upool_bucket_remove(k.store, ID, k.p);
    tap_is_int(left(), 1000, "cleared");
}

static void test_cleared(void)
{
    apr_pool_t *p, *q;
    upool_upload *one, *two;

    one = begin("c", 600, &p);
    upool_table_drop(table, "c");
    upool_bucket_remove(k.store, "c", k.p);
    tap_is_int(left(), 1000, "a cleared one has no room at once");
    two = begin("c", 700, &q);
    tap_is_int(reason(two), UPOOL_REASON_NONE, "its name is taken again");
    tap_is_int(feed(one, 10), 1, "it notices");
    tap_is_int(reason(one), UPOOL_REASON_CLEARED, "why");
    apr_pool_destroy(p);
    tap_is_int(left(), 300, "and takes nothing from the other");
    tap_is_int(feed(two, 10), 0, "which completes");
    apr_pool_destroy(q);
    upool_bucket_remove(k.store, "c", k.p);
}

static void test_unknown_size(void)
{
    apr_pool_t *p, *q;
    upool_upload *one, *two;

    options.quota.pool = 20 * MEGA;
    one = begin(ID, -1, &p);
    tap_is_int(left(), 16 * MEGA - 1, "of unknown size: a beginning");
    options.limits.body = 12 * MEGA;
    two = begin("two", -1, &q);
    tap_is_int(left(), 4 * MEGA - 1, "what it may come to");
    tap_is_int(feed(one, 8 * MEGA - 1000), 0, "the first grows to the end");
    tap_is_int(left(), 1000, "of what there is");
    apr_pool_destroy(q);
    tap_is_int(left(), 12 * MEGA + 1000, "the second leaves");
    two = begin("two", -1, &q);
    tap_is_int(feed(two, 12 * MEGA), 1, "more than it may");
    tap_is_int(reason(two), UPOOL_REASON_BODY_TOO_LARGE, "is too large");
    apr_pool_destroy(q);
    options.limits.body = UPOOL_UNLIMITED;
    two = begin("two", -1, &q);
    tap_is_int(feed(two, 13 * MEGA), 1, "more than there is");
    tap_is_int(reason(two), UPOOL_REASON_QUOTA, "is over the quota");
    tap_ok(!kit_data_name(&k, "two"), "nothing of it is kept");
    apr_pool_destroy(q);
    tap_is_int(left(), 12 * MEGA + 1000, "its room is free");
    options.limits.body = 21 * MEGA;
    two = begin("two", -1, &q);
    tap_is_int(reason(two), UPOOL_REASON_NONE,
               "a limit above the quota reserves a beginning");
    tap_is_int(feed(two, 12 * MEGA), 0, "and the rest as it comes");
    apr_pool_destroy(q);
    options.quota.pool = left() == 0 ? 0 : 20 * MEGA - left();
    two = begin("three", -1, &q);
    tap_is_int(reason(two), UPOOL_REASON_QUOTA,
               "where nothing is left none begins");
    apr_pool_destroy(q);
    apr_pool_destroy(p);
    options.limits.body = UPOOL_UNLIMITED;
}

static void test_other_limits(void)
{
    apr_pool_t *p;
    upool_upload *one;

    options.quota.pool = 0;
    options.quota.owner = 10;
    one = begin("nobody", 20, &p);
    tap_is_int(reason(one), UPOOL_REASON_NONE, "nobody's has no limit");
    apr_pool_destroy(p);
    options.owner = "ann";
    one = begin("ann", 20, &p);
    tap_is_int(reason(one), UPOOL_REASON_QUOTA, "ann has one");
    tap_is_str(upool_upload_refusal(one)->detail, "quota of the owner",
               "the log says which");
    apr_pool_destroy(p);
    options.owner = NULL;
    options.quota.owner = 0;
    options.quota.spare = APR_INT64_MAX;
    one = begin("spare", 20, &p);
    tap_is_int(reason(one), UPOOL_REASON_FULL, "less is free than there must");
    apr_pool_destroy(p);
    options.quota.spare = 0;
    options.quota.pool = 100;
    unlink(kit_path(&k, "pool/.quota"));
    if (mkdir(kit_path(&k, "pool/.quota"), 0700)) {
        kit_die("mkdir");
    }
    one = begin("broken", 20, &p);
    tap_is_int(reason(one), UPOOL_REASON_IO, "without a ledger none begins");
    tap_is_int(upool_upload_refusal(one)->status, 500, "500");
    apr_pool_destroy(p);
}

static void test_drop_ended(void)
{
    apr_pool_t *p;
    upool_upload *one;
    upool_slot_record slot;
    apr_time_t ended;

    options.quota.pool = 0;
    one = begin("old", -1, &p);
    feed(one, 10);
    ended = upool_upload_record(one)->updated;
    tap_ok(!upool_table_drop_ended(table, "old", ended - 1), "another time");
    tap_ok(upool_table_lookup(table, "old", &slot), "is another upload");
    tap_ok(upool_table_drop_ended(table, "old", ended), "its own");
    tap_ok(!upool_table_lookup(table, "old", &slot), "is it");
    tap_ok(!upool_table_drop_ended(table, "old", ended), "once");
    apr_pool_destroy(p);
    one = begin("old", -1, &p);
    tap_ok(!upool_table_drop_ended(table, "old",
                                   upool_upload_record(one)->updated),
           "one under way has not ended");
    tap_is_int(feed(one, 10), 0, "and goes on");
    apr_pool_destroy(p);
}

int main(void)
{
    apr_size_t bytes = upool_table_bytes(4);
    void *memory = calloc(1, bytes);

    set_up(memory, bytes);
    test_known_size();
    test_cleared();
    test_unknown_size();
    test_other_limits();
    test_drop_ended();
    free(memory);
    return kit_done(&k);
}
