/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/quota.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "store/descriptor.h"
#include "store/ledger.h"
#include "store/room.h"
#include "store/root.h"
#include "store/weigh.h"

#define MOST APR_INT64_MAX
#define AHEAD_MIN ((apr_int64_t)UPOOL_QUOTA_BLOCK)
#define AHEAD_MAX ((apr_int64_t)4 << 20)
/* No file is larger, and a thousand such reservations can be added up. */
#define RESERVED_MAX ((apr_int64_t)1 << 52)

struct upool_quota {
    upool_store *store;
    const char *id;
    const char *owner;
    unsigned char owner_hash[UPOOL_ROW_OWNER];
    upool_quota_limits limits;
    apr_pool_t *p;
    apr_uint64_t token; /* 0: nothing reserved */
    int row;            /* number of the own row when last looked at */
    apr_int64_t reserved;
    apr_interval_time_t cost; /* of a count just done; 0: none */
    apr_interval_time_t kept; /* for so long by the books; 0: they do not say */
    int from_start; /* what is in the bucket's incomplete file counts as that */
    int root;       /* held while rows are written; -1: not */
    apr_array_header_t *others; /* pools below the root; NULL: not looked for */
    apr_status_t error;
};

static apr_int64_t add(apr_int64_t a, apr_int64_t b)
{
    return a > MOST - b ? MOST : a + b;
}

int upool_quota_is_set(const upool_quota_limits *limits)
{
    return limits->pool || limits->owner || limits->below || limits->spare
           || limits->always;
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
    quota->row = UPOOL_ROW_NONE;
    quota->root = -1;
    upool_ledger_hash_owner(quota->owner_hash, owner);
    return quota;
}

/* 1 when so many bytes may still be written to the file system.  If it cannot
 * tell, the answer is 1: a write will fail when the disk is full. */
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

static int is_over(apr_int64_t limit, apr_int64_t others, apr_int64_t bytes)
{
    return limit && add(others, bytes) > limit;
}

/* The own row: as it stands in the ledger, and without this upload. */
typedef struct own_row {
    int n;
    upool_row there;
    upool_row rest;
} own_row;

static apr_int64_t bytes_in(const upool_row *row)
{
    return add(row->stored, row->reserved);
}

/* What the owner holds beside this upload. */
static apr_status_t weigh_owner(const upool_quota *quota, upool_ledger *ledger,
                                const own_row *own, apr_int64_t *bytes)
{
    upool_row row = own->rest;
    upool_row_sums sums;
    apr_status_t rv;

    memcpy(row.owner, quota->owner_hash, UPOOL_ROW_OWNER);
    rv = upool_ledger_of_owner(ledger, &row, &sums);
    *bytes = sums.stored + sums.reserved + own->rest.stored;
    if (!memcmp(own->there.owner, row.owner, UPOOL_ROW_OWNER)) {
        *bytes -= bytes_in(&own->there);
    }
    return rv;
}

static upool_quota_answer failed(upool_quota *quota, apr_status_t rv)
{
    quota->error = rv;
    return UPOOL_QUOTA_FAILED;
}

/* here: what this pool holds beside this upload. */
static upool_quota_answer judge_root(upool_quota *quota, apr_int64_t here,
                                     apr_int64_t bytes)
{
    const upool_quota_limits *limits = &quota->limits;
    apr_int64_t others;
    apr_status_t rv =
        quota->root < 0 ? upool_root_hold(&quota->root, limits->root, quota->p)
                        : APR_SUCCESS;

    rv = rv ? rv
            : upool_root_others(&others, &quota->others, limits->root,
                                quota->store, quota->p);
    if (rv) {
        return failed(quota, rv);
    }
    return is_over(limits->below, add(others, here), bytes)
               ? UPOOL_QUOTA_ROOT
               : UPOOL_QUOTA_GRANTED;
}

/* The lock of the upload's bucket is ours, so a reservation in its row is ours
 * too, or left by a holder that is gone: it does not count. */
static upool_quota_answer judge(upool_quota *quota, upool_ledger *ledger,
                                const own_row *own, apr_int64_t bytes,
                                apr_int64_t written)
{
    const upool_quota_limits *limits = &quota->limits;
    const upool_row_sums *all = &upool_ledger_header(ledger)->sums;
    upool_quota_answer answer;
    apr_int64_t others;
    apr_status_t rv;

    if (limits->owner && quota->owner) {
        rv = weigh_owner(quota, ledger, own, &others);
        if (rv) {
            return failed(quota, rv);
        }
        if (is_over(limits->owner, others, bytes)) {
            return UPOOL_QUOTA_OWNER;
        }
    }
    others =
        all->stored + all->reserved - bytes_in(&own->there) + own->rest.stored;
    if (is_over(limits->pool, others, bytes)) {
        return UPOOL_QUOTA_POOL;
    }
    answer =
        limits->below ? judge_root(quota, others, bytes) : UPOOL_QUOTA_GRANTED;
    if (answer) {
        return answer;
    }
    others = all->reserved - all->written
             - (own->there.reserved - own->there.written);
    if (limits->spare && !is_space_left(quota, add(others, bytes - written))) {
        return UPOOL_QUOTA_SPARE;
    }
    return UPOOL_QUOTA_GRANTED;
}

static int must_count(const upool_row_header *header, const upool_quota *quota)
{
    return !header->counted || header->counted < quota->limits.since
           || header->counted > apr_time_now();
}

/* For the sweep of a pool that no configuration of the server names.  A shorter
 * time takes effect once all uploads of the longer time are gone. */
static void note_expires(upool_row_header *header, const upool_quota *quota)
{
    apr_interval_time_t expires = quota->limits.expires;
    apr_time_t now = apr_time_now();

    if (!quota->limits.always) {
        /* The configuration has it by now; what was noted holds no more. */
        header->expires = 0;
    }
    else if (expires >= header->expires
             || now - header->expires_seen > header->expires) {
        header->expires = expires;
        header->expires_seen = now;
    }
}

/* A new token is written to the header before it is written to a row, so no
 * token is ever given twice. */
static apr_status_t write_row(upool_quota *quota, upool_ledger *ledger,
                              const own_row *own, apr_int64_t bytes,
                              apr_int64_t written)
{
    upool_row row = own->rest;
    apr_status_t rv;

    note_expires(upool_ledger_header(ledger), quota);
    row.token = quota->token;
    if (!row.token) {
        row.token = upool_ledger_header(ledger)->next_token++;
    }
    memcpy(row.owner, quota->owner_hash, UPOOL_ROW_OWNER);
    row.reserved = bytes < RESERVED_MAX ? bytes : RESERVED_MAX;
    row.written = written < row.reserved ? written : row.reserved;
    quota->row = own->n;
    rv = upool_ledger_put(ledger, &row, &quota->row);
    quota->token = rv ? quota->token : row.token;
    return rv;
}

void upool_quota_count_from_start(upool_quota *quota)
{
    quota->from_start = 1;
}

static apr_status_t find_own(const upool_quota *quota, upool_ledger *ledger,
                             own_row *own)
{
    apr_status_t rv =
        upool_ledger_find(ledger, quota->id, quota->row, &own->there, &own->n);

    own->rest = own->there;
    if (!rv && quota->from_start) {
        upool_weigh_rest(&own->rest, quota->store, quota->p);
    }
    return rv;
}

/* A request for room. */
typedef struct wish {
    apr_int64_t bytes;
    apr_int64_t written;
    int takes; /* and does not only ask */
} wish;

static upool_quota_answer judge_once(upool_quota *quota, upool_ledger *ledger,
                                     own_row *own, const wish *w)
{
    apr_status_t rv = APR_SUCCESS;

    if (must_count(upool_ledger_header(ledger), quota)) {
        rv = upool_weigh_all(ledger, quota->p);
    }
    rv = rv ? rv : find_own(quota, ledger, own);
    return rv ? failed(quota, rv)
              : judge(quota, ledger, own, w->bytes, w->written);
}

/* Looking for rows may have found damage, and lost what could not be read. */
static upool_quota_answer answer_in(upool_quota *quota, upool_ledger *ledger,
                                    const wish *w)
{
    own_row own;
    upool_quota_answer answer = judge_once(quota, ledger, &own, w);
    apr_status_t rv = APR_SUCCESS;

    if (must_count(upool_ledger_header(ledger), quota)) {
        answer = judge_once(quota, ledger, &own, w);
    }
    if (!answer && w->takes) {
        rv = write_row(quota, ledger, &own, w->bytes, w->written);
    }
    /* Said aloud, as of lock.c. */
    if (quota->root >= 0) {
        flock(quota->root, LOCK_UN);
    }
    upool_fd_close(&quota->root);
    return rv ? failed(quota, rv) : answer;
}

static int is_refusal(upool_quota_answer answer)
{
    return answer != UPOOL_QUOTA_GRANTED && answer != UPOOL_QUOTA_FAILED;
}

/* A process that may count before a refusal says so in the header, so that
 * others do not count too: *counts is 1 then. */
static upool_quota_answer try(upool_quota *quota, const wish *w, int *counts)
{
    upool_ledger ledger;
    upool_row_header *header = upool_ledger_header(&ledger);
    upool_quota_answer answer = UPOOL_QUOTA_FAILED;
    apr_status_t rv = upool_ledger_open(&ledger, quota->store, 1);

    *counts = 0;
    if (rv) {
        return failed(quota, rv);
    }
    if (quota->cost) {
        header->cost = quota->cost;
        rv = upool_ledger_save(&ledger);
        quota->cost = 0;
    }
    answer = rv ? failed(quota, rv) : answer_in(quota, &ledger, w);
    if (is_refusal(answer) && upool_room_may(header)) {
        header->tried = apr_time_now();
        quota->kept = header->expires;
        *counts = upool_ledger_save(&ledger) == APR_SUCCESS;
    }
    upool_ledger_close(&ledger);
    return answer;
}

/* The longest time that uploads of the pool may be kept: in a pool that
 * .htaccess names another user may keep uploads for longer than this one. */
static apr_interval_time_t longest(const upool_quota *quota)
{
    apr_interval_time_t expires = quota->limits.expires;

    return quota->limits.always && quota->kept > expires ? quota->kept
                                                         : expires;
}

static upool_quota_answer answer(upool_quota *quota, const wish *w)
{
    int counts;
    upool_quota_answer said = try(quota, w, &counts);

    if (counts) {
        quota->cost = upool_room_make(quota->store, longest(quota), quota->p);
        if (said == UPOOL_QUOTA_ROOT) {
            upool_room_make_below(quota->limits.root, quota->store, quota->p);
        }
        said = try(quota, w, &counts);
    }
    if (said == UPOOL_QUOTA_GRANTED && w->takes) {
        quota->reserved = w->bytes;
    }
    return said;
}

upool_quota_answer upool_quota_reserve(upool_quota *quota, apr_int64_t bytes,
                                       apr_int64_t written)
{
    wish w = { bytes, written, 1 };

    return answer(quota, &w);
}

upool_quota_answer upool_quota_ask(upool_quota *quota, apr_int64_t bytes,
                                   apr_int64_t written)
{
    wish w = { bytes, written, 0 };

    return answer(quota, &w);
}

static apr_int64_t ahead_of(apr_int64_t bytes)
{
    return bytes < AHEAD_MIN   ? AHEAD_MIN
           : bytes < AHEAD_MAX ? bytes
                               : AHEAD_MAX;
}

upool_quota_answer upool_quota_reserve_ahead(upool_quota *quota,
                                             apr_int64_t bytes,
                                             apr_int64_t written)
{
    wish w = { add(bytes, ahead_of(bytes)), written, 1 };
    int counts;
    upool_quota_answer said = try(quota, &w, &counts);

    /* No count is made for room that is not needed yet. */
    if (is_refusal(said)) {
        w.bytes = bytes;
        said = answer(quota, &w);
    }
    else if (!said) {
        quota->reserved = w.bytes;
    }
    return said;
}

apr_int64_t upool_quota_reserved(const upool_quota *quota)
{
    return quota->reserved;
}

apr_status_t upool_quota_error(const upool_quota *quota)
{
    return quota->error;
}

/* Weighs the bucket of id and writes its row.  The reservation of token goes
 * too; after a clear the name may be another upload's by now.  A ledger that
 * cannot be written now keeps both until the next count. */
static void weigh_again(upool_store *store, const char *id, int hint,
                        apr_uint64_t token, apr_pool_t *p)
{
    upool_ledger ledger;
    upool_row row;
    int n;

    if (upool_ledger_open(&ledger, store, 0)) {
        return;
    }
    if (!upool_ledger_find(&ledger, id, hint, &row, &n)
        && n != UPOOL_ROW_NONE) {
        if (token && row.token == token) {
            row.reserved = 0;
            row.written = 0;
            row.token = 0;
        }
        if (upool_weigh(&row, store, p)) {
            upool_ledger_put(&ledger, &row, &n);
        }
    }
    upool_ledger_close(&ledger);
}

void upool_quota_settle(upool_quota *quota)
{
    if (quota->token) {
        weigh_again(quota->store, quota->id, quota->row, quota->token,
                    quota->p);
        quota->token = 0;
        quota->reserved = 0;
    }
}

void upool_quota_forget(upool_store *store, const char *id, apr_pool_t *p)
{
    weigh_again(store, id, UPOOL_ROW_NONE, 0, p);
}

apr_status_t upool_quota_read(upool_quota_sum *sum, upool_store *store)
{
    upool_ledger ledger;
    const upool_row_header *header = upool_ledger_header(&ledger);
    apr_status_t rv = upool_ledger_open(&ledger, store, 0);

    memset(sum, 0, sizeof(*sum));
    if (rv) {
        return rv;
    }
    sum->uploads = (int)header->sums.uploads;
    sum->stored = header->sums.stored;
    sum->reserved = header->sums.reserved;
    sum->written = header->sums.written;
    sum->counted = header->counted;
    sum->expires = header->expires;
    upool_ledger_close(&ledger);
    return APR_SUCCESS;
}
