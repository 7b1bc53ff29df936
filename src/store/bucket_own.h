/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_BUCKET_OWN_H
#define UPOOL_STORE_BUCKET_OWN_H

/* What the holder of a bucket has, for bucket.c, commit.c and spool.c alone.
 *
 *   stage     writing ──commit──> committed ──┐
 *                └──────fail────> failed ─────┴──end, or the pool──> ended
 *
 * If the attempt ends in the writing stage, its files go as if it had failed.
 * Everything is allocated in the pool of begin; one thread at a time. */

#include <apr_tables.h>

#include "store/directory.h"
#include "store/lock.h"
#include "store/record.h"
#include "store/spool.h"

typedef enum upool_stage {
    UPOOL_STAGE_WRITING = 0, /* files may be made; nothing is decided */
    UPOOL_STAGE_COMMITTED,   /* metadata.json names this attempt's files */
    UPOOL_STAGE_FAILED,      /* this attempt's files are gone */
    UPOOL_STAGE_ENDED        /* no lock, no descriptors */
} upool_stage;

struct upool_bucket {
    apr_pool_t *pool;
    upool_store *store;
    const char *id;
    upool_directory directory;
    upool_lock lock;
    upool_stage stage;
    upool_record *previous;     /* the complete upload so far, or NULL */
    apr_array_header_t *spools; /* upool_spool *, this attempt's, in order */
    apr_status_t broken; /* the first write error: never commit after it */
    int damaged;         /* the old content is unreadable; goes with commit */
    int minted;          /* nobody else knows id */
    int noted;           /* attempt.json has been written */
    int adopted;         /* it completes the upload of resumable.json */
};

struct upool_spool {
    upool_bucket *bucket;
    const char *name; /* NULL: removed */
    int fd;           /* -1: closed */
    int listed;       /* by the record that is being committed */
    int adopted;      /* made by earlier requests: outlives a failure */
};

#endif
