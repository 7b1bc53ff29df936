/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_QUOTA_H
#define UPOOL_STORE_QUOTA_H

/* How much a pool, and each owner in it, may hold.  An upload reserves its
 * largest possible size before its first byte is written, and settles its real
 * size when it ends; in between nobody else can get the same room.
 *
 * The ledger (ledger.h) may say more than there is, but hardly ever less: room
 * is taken before bytes are written and given back after they are gone.  Where
 * it says too much (a process was killed, the application took files away), it
 * is put right before that matters: no upload is refused before everything that
 * has expired was removed and the rest counted anew, bucket by bucket, while
 * others go on.  The reservation of a process that died is known by the
 * bucket's lock, which died with it.  So that a full pool does not keep the
 * disk busy with counting, such counts take a ninth of the time at most; within
 * that bound a refusal may be out of date by a few counts.
 *
 * Pools below one root may share a limit (root.h).
 *
 * Files in the pool that were never reserved (written in a context without a
 * quota) are found by the next count; every sweep does one (recount.h).
 *
 * Everything that a client can cause counts: the bytes of each file of a
 * bucket, data and records alike, but at least a block of 4 KiB for each. */

#include <apr_time.h>

#include "store/store.h"

typedef struct upool_quota upool_quota;

/* What a file counts at least. */
#define UPOOL_QUOTA_BLOCK 4096

/* Bytes each; 0: no limit. */
typedef struct upool_quota_limits {
    apr_int64_t pool;  /* all uploads of the pool together */
    apr_int64_t owner; /* all of one owner; without owner: no limit */
    apr_int64_t below; /* all uploads of all pools below root together */
    const char *root;  /* absolute; NULL: none */
    apr_int64_t spare; /* to be left free on the file system */
    apr_time_t since;  /* a count before this is not believed: there may have
                          been no quota then */
    apr_interval_time_t expires; /* uploads untouched for this long go before
                                    anybody is refused; 0: none */
    int always; /* keep books though nothing is limited: they mark a pool that
                   no configuration of the server names */
} upool_quota_limits;

typedef enum upool_quota_answer {
    UPOOL_QUOTA_GRANTED = 0,
    UPOOL_QUOTA_POOL,   /* over the pool's limit */
    UPOOL_QUOTA_OWNER,  /* over the owner's limit */
    UPOOL_QUOTA_ROOT,   /* over the limit of all pools below the root */
    UPOOL_QUOTA_SPARE,  /* too little would be left free */
    UPOOL_QUOTA_FAILED, /* the ledger cannot be used: upool_quota_error() */
} upool_quota_answer;

/* 1 when limits sets any. */
int upool_quota_is_set(const upool_quota_limits *limits);

/* Makes a quota for the upload of id, whose bucket's lock the caller must hold
 * from before the first reserve until after settle.  It lives in p and does
 * nothing yet. */
upool_quota *upool_quota_make(upool_store *store, const char *id,
                              const char *owner,
                              const upool_quota_limits *limits, apr_pool_t *p);

/* To be called before the first reserve: bytes that earlier requests have put
 * into the upload's own file are part of what will be reserved.  The caller
 * then need not hold the bucket's lock and may be writing to that file; it ends
 * with forget() instead of settle(), when it has stopped writing. */
void upool_quota_count_from_start(upool_quota *quota);

/* Raises the reservation to bytes in all, of which written may have been
 * written by now.  If refused, the reservation stays what it was. */
upool_quota_answer upool_quota_reserve(upool_quota *quota, apr_int64_t bytes,
                                       apr_int64_t written);

/* Would that be granted?  Reserves nothing. */
upool_quota_answer upool_quota_ask(upool_quota *quota, apr_int64_t bytes,
                                   apr_int64_t written);

/* Reserves for an upload of unknown size: more than it needs if there is room,
 * so that it need not ask for every buffer, but only about as much as it has
 * brought (4 KiB to 4 MiB), so that a client that has sent little keeps little
 * from others. */
upool_quota_answer upool_quota_reserve_ahead(upool_quota *quota,
                                             apr_int64_t bytes,
                                             apr_int64_t written);

/* Bytes reserved. */
apr_int64_t upool_quota_reserved(const upool_quota *quota);

/* The error behind the last answer FAILED. */
apr_status_t upool_quota_error(const upool_quota *quota);

/* The attempt has ended, committed or failed, and its bucket's lock is still
 * held: from now on what is in the bucket counts.  Nothing to do where nothing
 * was reserved. */
void upool_quota_settle(upool_quota *quota);

/* The bucket of id was removed, or lost files.  Nothing to do in a pool that
 * has no ledger. */
void upool_quota_forget(upool_store *store, const char *id, apr_pool_t *p);

/* What the ledger of a pool says. */
typedef struct upool_quota_sum {
    apr_time_t counted; /* when the last count ended; 0: none can be believed */
    int uploads;        /* entries */
    apr_int64_t stored;
    apr_int64_t reserved;        /* by uploads under way */
    apr_int64_t written;         /* of that */
    apr_interval_time_t expires; /* with always: how long any is kept; or 0 */
} upool_quota_sum;

/* Reads the sums: only the header, unless the file has to be repaired.
 * APR_ENOENT: the pool has no ledger; else the system's error. */
apr_status_t upool_quota_read(upool_quota_sum *sum, upool_store *store);

#endif
