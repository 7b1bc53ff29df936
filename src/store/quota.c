/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/quota.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <apr_tables.h>

#include "store/ledger.h"
#include "store/weigh.h"

/* Time between two counts, in costs of one. */
#define COUNT_PAUSE 8
#define MOST APR_INT64_MAX
#define STEP_AHEAD ((apr_int64_t)4 << 20)

struct upool_quota {
    upool_store *store;
    const char *id;
    const char *owner;
    unsigned char owner_hash[UPOOL_LEDGER_OWNER];
    upool_quota_limits limits;
    apr_pool_t *p;
    apr_uint64_t token; /* 0: nothing reserved */
    apr_int64_t reserved;
    int from_start; /* what is in the bucket's incomplete file counts as that */
    apr_status_t error;
};

/* What all entries but one's own reservation come to. */
typedef struct usage {
    apr_int64_t pool;
    apr_int64_t owner;
    apr_int64_t expected; /* reserved, but not yet written */
} usage;

static apr_int64_t add(apr_int64_t a, apr_int64_t b)
{
    return a > MOST - b ? MOST : a + b;
}

int upool_quota_is_set(const upool_quota_limits *limits)
{
    return limits->pool || limits->owner || limits->spare;
}

upool_quota *upool_quota_make(upool_store *store, const char *id,
                              const char *owner,
                              const upool_quota_limits *limits, apr_pool_t *p)
{
    upool_quota *quota = apr_pcalloc(p, sizeof(*quota));

    quota->store = store;
    quota->id = id;
    quota->owner = owner;
    quota->limits = *limits;
    quota->p = p;
    upool_ledger_hash_owner(quota->owner_hash, owner);
    return quota;
}

static void add_up(usage *sum, const upool_ledger *ledger,
                   const upool_quota *quota, int own)
{
    int i;

    memset(sum, 0, sizeof(*sum));
    for (i = 0; i < ledger->entries->nelts; i++) {
        const upool_ledger_entry *entry = upool_ledger_at(ledger, i);
        /* Its bucket's lock is ours, so a reservation there is ours too, or
         * that of somebody who is gone. */
        apr_int64_t reserved = i == own ? 0 : entry->reserved;
        apr_int64_t bytes = add(entry->stored, reserved);

        if (!entry->identifier[0]) {
            continue;
        }
        sum->pool = add(sum->pool, bytes);
        if (i == own
            || memcmp(entry->owner, quota->owner_hash, UPOOL_LEDGER_OWNER)
                   == 0) {
            sum->owner = add(sum->owner, bytes);
        }
        if (reserved > entry->written) {
            sum->expected = add(sum->expected, reserved - entry->written);
        }
    }
}

/* 1 when so many bytes may still be written to the file system.  One that
 * cannot tell is not asked again: the disk will say when it is full. */
static int is_space_left(const upool_quota *quota, apr_int64_t bytes)
{
    struct statvfs fs;
    apr_uint64_t unit;
    apr_uint64_t left;

    if (fstatvfs(upool_store_fd(quota->store), &fs) < 0) {
        return 1;
    }
    unit = fs.f_frsize ? fs.f_frsize : 1;
    left = fs.f_bavail > (apr_uint64_t)MOST / unit ? (apr_uint64_t)MOST
                                                   : fs.f_bavail * unit;
    return left >= (apr_uint64_t)add(bytes, quota->limits.spare);
}

static upool_quota_answer judge(const upool_quota *quota,
                                const upool_ledger *ledger, int own,
                                apr_int64_t bytes, apr_int64_t written)
{
    const upool_quota_limits *limits = &quota->limits;
    usage sum;

    add_up(&sum, ledger, quota, own);
    if (limits->owner && quota->owner
        && add(sum.owner, bytes) > limits->owner) {
        return UPOOL_QUOTA_OWNER;
    }
    if (limits->pool && add(sum.pool, bytes) > limits->pool) {
        return UPOOL_QUOTA_POOL;
    }
    if (limits->spare
        && !is_space_left(quota, add(sum.expected, bytes - written))) {
        return UPOOL_QUOTA_SPARE;
    }
    return UPOOL_QUOTA_GRANTED;
}

/* A clock that was set back must not keep us from counting for long. */
static int may_count(const upool_ledger *ledger)
{
    apr_time_t now = apr_time_now();

    return now < ledger->counted
           || now - ledger->counted >= COUNT_PAUSE * ledger->cost;
}

static int must_count(const upool_ledger *ledger, const upool_quota *quota)
{
    return !ledger->counted_in_full || ledger->counted < quota->limits.since
           || ledger->counted > apr_time_now();
}

static apr_status_t write_entry(upool_quota *quota, upool_ledger *ledger,
                                int own, apr_int64_t bytes, apr_int64_t written)
{
    upool_ledger_entry *entry;
    apr_status_t rv = APR_SUCCESS;

    if (!quota->token) {
        /* Written first: no token is ever given twice. */
        quota->token = ledger->next_token++;
        rv = upool_ledger_write_header(ledger);
    }
    if (rv) {
        quota->token = 0;
        return rv;
    }
    if (own < 0) {
        own = upool_ledger_add(ledger, quota->id);
    }
    entry = upool_ledger_at(ledger, own);
    memcpy(entry->owner, quota->owner_hash, UPOOL_LEDGER_OWNER);
    entry->reserved = bytes;
    entry->written = written;
    entry->token = quota->token;
    return upool_ledger_write(ledger, own);
}

static upool_quota_answer failed(upool_quota *quota, apr_status_t rv)
{
    quota->error = rv;
    return UPOOL_QUOTA_FAILED;
}

void upool_quota_count_from_start(upool_quota *quota)
{
    quota->from_start = 1;
}

/* Number of the own entry, as it stands without this upload. */
static int find_own(const upool_quota *quota, upool_ledger *ledger)
{
    int own = upool_ledger_find(ledger, quota->id);

    if (quota->from_start) {
        /* Even of one that is new there is a document. */
        own = own < 0 ? upool_ledger_add(ledger, quota->id) : own;
        upool_weigh_rest(ledger, own);
    }
    return own;
}

static upool_quota_answer reserve_in(upool_quota *quota, upool_ledger *ledger,
                                     apr_int64_t bytes, apr_int64_t written)
{
    upool_quota_answer answer;
    apr_status_t rv = APR_SUCCESS;
    int own;

    if (must_count(ledger, quota)) {
        rv = upool_weigh_all(ledger);
    }
    if (rv) {
        return failed(quota, rv);
    }
    own = find_own(quota, ledger);
    answer = judge(quota, ledger, own, bytes, written);
    if (answer && may_count(ledger)) {
        rv = upool_weigh_all(ledger);
        if (rv) {
            return failed(quota, rv);
        }
        own = find_own(quota, ledger);
        answer = judge(quota, ledger, own, bytes, written);
    }
    if (!answer) {
        rv = write_entry(quota, ledger, own, bytes, written);
    }
    return rv ? failed(quota, rv) : answer;
}

upool_quota_answer upool_quota_reserve(upool_quota *quota, apr_int64_t bytes,
                                       apr_int64_t written)
{
    upool_ledger *ledger = NULL;
    upool_quota_answer answer;
    apr_status_t rv = upool_ledger_open(&ledger, quota->store, 1, quota->p);

    if (rv) {
        return failed(quota, rv);
    }
    answer = reserve_in(quota, ledger, bytes, written);
    upool_ledger_close(ledger);
    if (answer == UPOOL_QUOTA_GRANTED) {
        quota->reserved = bytes;
    }
    return answer;
}

upool_quota_answer upool_quota_reserve_ahead(upool_quota *quota,
                                             apr_int64_t bytes,
                                             apr_int64_t written)
{
    upool_quota_answer answer = UPOOL_QUOTA_POOL;

    if (bytes < MOST - STEP_AHEAD) {
        answer = upool_quota_reserve(quota, bytes + STEP_AHEAD, written);
    }
    if (answer && answer != UPOOL_QUOTA_FAILED) {
        answer = upool_quota_reserve(quota, bytes, written);
    }
    return answer;
}

apr_int64_t upool_quota_reserved(const upool_quota *quota)
{
    return quota->reserved;
}

apr_status_t upool_quota_error(const upool_quota *quota)
{
    return quota->error;
}

/* A ledger that cannot be written now keeps the reservation until a count finds
 * the bucket's lock free. */
void upool_quota_settle(upool_quota *quota)
{
    upool_ledger *ledger = NULL;
    int own;

    if (!quota->token
        || upool_ledger_open(&ledger, quota->store, 0, quota->p)) {
        return;
    }
    own = upool_ledger_find(ledger, quota->id);
    if (own >= 0) {
        upool_ledger_entry *entry = upool_ledger_at(ledger, own);

        /* Cleared meanwhile, the name may be another's by now. */
        if (entry->token == quota->token) {
            entry->reserved = 0;
            entry->written = 0;
            entry->token = 0;
        }
        if (upool_weigh_one(ledger, own)) {
            upool_ledger_write(ledger, own);
        }
    }
    quota->token = 0;
    quota->reserved = 0;
    upool_ledger_close(ledger);
}

void upool_quota_forget(upool_store *store, const char *id, apr_pool_t *p)
{
    upool_ledger *ledger = NULL;
    int n;

    if (upool_ledger_open(&ledger, store, 0, p)) {
        return;
    }
    n = upool_ledger_find(ledger, id);
    if (n >= 0 && upool_weigh_one(ledger, n)) {
        upool_ledger_write(ledger, n);
    }
    upool_ledger_close(ledger);
}

apr_status_t upool_quota_read(upool_quota_sum *sum, upool_store *store,
                              apr_pool_t *p)
{
    upool_ledger *ledger = NULL;
    apr_status_t rv = upool_ledger_open(&ledger, store, 0, p);
    int i;

    memset(sum, 0, sizeof(*sum));
    if (rv) {
        return rv;
    }
    for (i = 0; i < ledger->entries->nelts; i++) {
        const upool_ledger_entry *entry = upool_ledger_at(ledger, i);

        sum->uploads += entry->identifier[0] != '\0';
        sum->stored = add(sum->stored, entry->stored);
        sum->reserved = add(sum->reserved, entry->reserved);
        sum->written = add(sum->written, entry->written);
    }
    sum->counted = ledger->counted_in_full ? ledger->counted : 0;
    upool_ledger_close(ledger);
    return APR_SUCCESS;
}
