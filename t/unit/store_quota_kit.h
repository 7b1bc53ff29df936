/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Uploads under a quota, and what the ledger makes of them.  All sizes are in
 * blocks: a record counts one, and so does a file that is smaller. */
#ifndef UPOOL_T_UNIT_STORE_QUOTA_KIT_H
#define UPOOL_T_UNIT_STORE_QUOTA_KIT_H

#include "store_kit.h"

#include "store/quota.h"

#define BLOCK UPOOL_QUOTA_BLOCK

typedef struct held {
    upool_bucket *bucket;
    upool_quota *quota;
    apr_pool_t *p;
} held;

static upool_quota_limits limits;

static inline void finish(kit *k)
{
    apr_pool_destroy(k->p);
    kit_wipe(k->root);
    apr_terminate();
}

static inline void limit(apr_int64_t pool, apr_int64_t owner)
{
    memset(&limits, 0, sizeof(limits));
    limits.pool = pool * BLOCK;
    limits.owner = owner * BLOCK;
}

static inline held hold(kit *k, const char *id, const char *owner)
{
    apr_status_t rv;
    held h;

    apr_pool_create(&h.p, k->p);
    h.bucket = kit_begin(k, id, h.p, &rv);
    h.quota = upool_quota_make(k->store, id, owner, &limits, h.p);
    return h;
}

static inline upool_quota_answer ask(const held *h, apr_int64_t blocks)
{
    return upool_quota_reserve(h->quota, blocks * BLOCK, 0);
}

static inline void spool(held *h, upool_record *record, apr_size_t blocks)
{
    upool_spool *file = NULL;
    apr_size_t bytes = blocks * BLOCK;

    if (upool_spool_create(&file, h->bucket, 0)
        || kit_write(file, apr_pcalloc(h->p, bytes + 1), bytes)) {
        kit_die("cannot write");
    }
    if (record) {
        upool_spool_close(file);
        kit_add_file(record, h->p, upool_spool_name(file), (apr_off_t)bytes);
    }
}

static inline void leave(held *h)
{
    upool_quota_settle(h->quota);
    upool_bucket_end(h->bucket);
    apr_pool_destroy(h->p);
}

/* Its record is one of the blocks. */
static inline void store_as(held *h, const char *id, const char *owner,
                            apr_size_t blocks)
{
    upool_record *record =
        kit_record(h->p, id, UPOOL_STATE_DONE, apr_time_now());

    record->owner = owner;
    if (blocks > 1) {
        spool(h, record, blocks - 1);
    }
    if (upool_bucket_commit(h->bucket, record)) {
        kit_die("cannot commit");
    }
    leave(h);
}

/* A complete upload that counts so many blocks; 0 when refused. */
static inline int put(kit *k, const char *id, const char *owner,
                      apr_size_t blocks)
{
    held h = hold(k, id, owner);

    if (ask(&h, (apr_int64_t)blocks)) {
        upool_bucket_fail(h.bucket, NULL);
        leave(&h);
        return 0;
    }
    store_as(&h, id, owner, blocks);
    return 1;
}

/* What the ledger says that the pool weighs; -1: it cannot be read. */
static inline apr_int64_t ledger_sum(kit *k)
{
    upool_quota_sum sum;

    if (upool_quota_read(&sum, k->store)) {
        return -1;
    }
    if ((sum.stored + sum.reserved) % BLOCK) {
        kit_die("not whole blocks");
    }
    return (sum.stored + sum.reserved) / BLOCK;
}

/* How many uploads it knows. */
static inline int ledger_entries(kit *k)
{
    upool_quota_sum sum;

    return upool_quota_read(&sum, k->store) ? -1 : sum.uploads;
}

#endif
