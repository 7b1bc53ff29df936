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
#define BLOCK ((apr_int64_t)UPOOL_QUOTA_BLOCK)

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

static int feed_head(upool_upload *upload)
{
    return upool_upload_feed(upload, HEAD, strlen(HEAD));
}

/* The rest of a body with so many blocks of content, in pieces. */
static int feed_rest(upool_upload *upload, apr_int64_t blocks)
{
    static char piece[UPOOL_QUOTA_BLOCK];
    int refused = 0;

    while (!refused && blocks-- > 0) {
        refused = upool_upload_feed(upload, piece, sizeof(piece))
                  || upool_upload_flush(upload);
    }
    return refused || upool_upload_feed(upload, TAIL, strlen(TAIL))
           || upool_upload_finish(upload);
}

static int feed(upool_upload *upload, apr_int64_t blocks)
{
    return feed_head(upload) || feed_rest(upload, blocks);
}

/* What another upload could still get of the quota, in whole blocks. */
static apr_int64_t left(void)
{
    upool_quota *quota =
        upool_quota_make(k.store, "probe", NULL, &options.quota, k.p);
    apr_int64_t low = 0, high = options.quota.pool / BLOCK;

    while (low < high) {
        apr_int64_t middle = low + (high - low + 1) / 2;

        if (upool_quota_ask(quota, middle * BLOCK, 0) == UPOOL_QUOTA_GRANTED) {
            low = middle;
        }
        else {
            high = middle - 1;
        }
    }
    return low;
}

static void test_known_size(void)
{
    apr_pool_t *p, *q;
    upool_upload *one, *two;
    upool_slot_record slot;

    options.quota.pool = 1000 * BLOCK;
    one = begin(ID, 600 * BLOCK, &p);
    tap_is_int(reason(one), UPOOL_REASON_NONE, "600 of 1000 may begin");
    tap_is_int(left(), 1000, "and keep nothing before they have sent anything");
    two = begin("two", 999 * BLOCK, &q);
    tap_is_int(reason(two), UPOOL_REASON_QUOTA, "what cannot fit may not");
    apr_pool_destroy(q);
    feed_head(one);
    tap_is_int(left(), 398, "then all of it, and a block for its record");
    two = begin("two", 600 * BLOCK, &q);
    tap_is_int(reason(two), UPOOL_REASON_QUOTA, "no second one");
    tap_is_int(upool_upload_refusal(two)->status, 507, "507");
    tap_is_str(kit_status(&k, "two"), "none", "which takes no room to note");
    tap_ok(upool_table_lookup(table, "two", &slot)
               && slot.state == UPOOL_SLOT_ERROR_STATE,
           "for its slot tells");
    apr_pool_destroy(q);
    tap_is_int(feed_rest(one, 100), 0, "the first goes on");
    tap_is_int(left(), 899, "and keeps what it came to");
    apr_pool_destroy(p);
    one = begin(ID, 600 * BLOCK, &p);
    feed_head(one);
    tap_is_int(left(), 297, "replacing, old and new count");
    upool_upload_refuse(one, UPOOL_REASON_GONE, 0, NULL);
    tap_is_int(left(), 898, "failed, the old and a note");
    apr_pool_destroy(p);
    one = begin(ID, 901 * BLOCK, &p);
    tap_is_int(reason(one), UPOOL_REASON_QUOTA, "too large a replacement");
    apr_pool_destroy(p);
    tap_ok(kit_data_name(&k, ID) != NULL, "leaves the old upload");
    one = begin(ID, 700 * BLOCK, &p);
    feed_head(one);
    tap_ok(left() < 200, "begun");
    apr_pool_destroy(p);
    tap_is_int(left(), 898, "interrupted");
    upool_bucket_remove(k.store, ID, k.p);
    tap_is_int(left(), 1000, "cleared");
}

/* Two that came at once: the first who sends something gets the room. */
static void test_at_once(void)
{
    apr_pool_t *p, *q;
    upool_upload *one = begin("one", 600 * BLOCK, &p);
    upool_upload *two = begin("two", 600 * BLOCK, &q);

    tap_is_int(reason(two), UPOOL_REASON_NONE, "both may begin");
    tap_is_int(feed(two, 600), 0, "the first to send gets the room");
    tap_is_int(feed_head(one), 1, "the other does not");
    tap_is_int(reason(one), UPOOL_REASON_QUOTA, "for want of room");
    apr_pool_destroy(p);
    apr_pool_destroy(q);
    upool_bucket_remove(k.store, "two", k.p);
    tap_is_int(left(), 1000, "nothing is left");
}

/* A form of empty files with long names: what they take of the disk counts. */
static void test_small_files(void)
{
    static char name[3000];
    static char part[sizeof(name) + 200];
    apr_pool_t *p;
    upool_upload *one = begin("small", -1, &p);
    int refused = 0;
    int i;

    memset(name, 'n', sizeof(name) - 1);
    snprintf(part, sizeof(part),
             "--b\r\nContent-Disposition: form-data; name=\"f\";"
             " filename=\"%s\"\r\nContent-Type: text/plain\r\n\r\n\r\n",
             name);
    for (i = 0; i < 40 && !refused; i++) {
        refused = upool_upload_feed(one, part, strlen(part))
                  || upool_upload_flush(one);
    }
    tap_is_int(refused, 0, "40 empty files");
    tap_is_int(upool_upload_feed(one, "--b--\r\n", 7), 0, "in a form");
    tap_is_int(upool_upload_finish(one), 0, "are an upload");
    tap_ok(left() < 1000 - 40 - 29, "%d blocks are left", (int)left());
    apr_pool_destroy(p);
    options.quota.pool = 110 * BLOCK;
    one = begin("more", -1, &p);
    for (i = 0; i < 40 && !refused; i++) {
        refused = upool_upload_feed(one, part, strlen(part))
                  || upool_upload_flush(one);
    }
    tap_is_int(refused, 1, "so many more are too many");
    tap_is_int(reason(one), UPOOL_REASON_QUOTA, "for the quota");
    apr_pool_destroy(p);
    upool_bucket_remove(k.store, "small", k.p);
    upool_bucket_remove(k.store, "more", k.p);
    tap_is_int(left(), 110, "nothing is left");
    options.quota.pool = 1000 * BLOCK;
}

static void test_cleared(void)
{
    apr_pool_t *p, *q;
    upool_upload *one, *two;

    one = begin("c", 600 * BLOCK, &p);
    feed_head(one);
    upool_table_drop(table, "c");
    upool_bucket_remove(k.store, "c", k.p);
    tap_is_int(left(), 1000, "a cleared one has no room at once");
    two = begin("c", 700 * BLOCK, &q);
    feed_head(two);
    tap_is_int(reason(two), UPOOL_REASON_NONE, "its name is taken again");
    tap_is_int(feed_rest(one, 10), 1, "it notices");
    tap_is_int(reason(one), UPOOL_REASON_CLEARED, "why");
    apr_pool_destroy(p);
    tap_is_int(left(), 298, "and takes nothing from the other");
    tap_is_int(feed_rest(two, 10), 0, "which completes");
    apr_pool_destroy(q);
    upool_bucket_remove(k.store, "c", k.p);
}

static void test_unknown_size(void)
{
    apr_pool_t *p, *q;
    upool_upload *one, *two;

    options.quota.pool = 5000 * BLOCK;
    options.limits.body = 3000 * BLOCK;
    one = begin(ID, -1, &p);
    two = begin("two", -1, &q);
    feed_head(one);
    feed_head(two);
    tap_ok(left() > 5000 - 2 * 20, "of unknown size: a small beginning");
    tap_is_int(feed_rest(one, 1900), 0, "the first grows");
    tap_is_int(feed_rest(two, 3000), 1, "more than the other may");
    tap_is_int(reason(two), UPOOL_REASON_BODY_TOO_LARGE, "is too large");
    apr_pool_destroy(q);
    upool_bucket_remove(k.store, "two", k.p);
    tap_is_int(left(), 5000 - 1901, "and leaves nothing");
    options.limits.body = UPOOL_UNLIMITED;
    two = begin("two", -1, &q);
    tap_is_int(feed(two, 3099), 1, "more than there is");
    tap_is_int(reason(two), UPOOL_REASON_QUOTA, "is over the quota");
    tap_ok(!kit_data_name(&k, "two"), "nothing of it is kept");
    apr_pool_destroy(q);
    upool_bucket_remove(k.store, "two", k.p);
    two = begin("two", -1, &q);
    tap_is_int(feed(two, 3096), 0, "what there is may be filled");
    apr_pool_destroy(q);
    two = begin("three", -1, &q);
    tap_is_int(feed_head(two), 1, "where next to nothing is left nothing goes");
    tap_is_int(reason(two), UPOOL_REASON_QUOTA, "either");
    apr_pool_destroy(q);
    apr_pool_destroy(p);
    upool_bucket_remove(k.store, ID, k.p);
    upool_bucket_remove(k.store, "two", k.p);
    upool_bucket_remove(k.store, "three", k.p);
}

static void test_other_limits(void)
{
    apr_pool_t *p;
    upool_upload *one;

    options.quota.pool = 0;
    options.quota.owner = 3 * BLOCK;
    one = begin("nobody", 2 * BLOCK, &p);
    tap_is_int(reason(one), UPOOL_REASON_NONE, "nobody's has no limit");
    apr_pool_destroy(p);
    options.owner = "ann";
    one = begin("ann", 2 * BLOCK, &p);
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
    options.quota.pool = 100 * BLOCK;
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
    test_at_once();
    test_small_files();
    test_cleared();
    test_unknown_size();
    test_other_limits();
    test_drop_ended();
    free(memory);
    return kit_done(&k);
}
