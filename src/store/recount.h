/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_RECOUNT_H
#define UPOOL_STORE_RECOUNT_H

/* Counts a pool for its ledger, a bucket at a time, while uploads come and go.
 * The ledger is held for one row at a time, or for as many as can be read in
 * well under a millisecond, so a reservation never waits for a count, however
 * large the pool is.  For code that walks through the pool anyway (sweep.h):
 *
 *     begin; for each bucket of the pool: bucket; then step until finished
 *
 * The count is the authority: it corrects what the ledger says of a bucket, of
 * an owner and of all.  One thread at a time per count; it takes one bit of
 * memory for each row. */

#include "store/store.h"

typedef struct upool_recount upool_recount;

/* Lives in p.  APR_ENOENT: the pool has no ledger; else the system's error. */
apr_status_t upool_recount_begin(upool_recount **recount, upool_store *store,
                                 apr_pool_t *p);

/* The walk has met the bucket of id: it is there, or was removed just now. */
void upool_recount_bucket(upool_recount *recount, const char *id);

/* After the last bucket: looks at up to rows rows whose buckets the walk did
 * not meet.  1: all is counted, and the ledger says so. */
int upool_recount_step(upool_recount *recount, int rows);

#endif
