/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_SWEEP_H
#define UPOOL_STORE_SWEEP_H

/* Removes what has expired, a bounded number of steps at a time.
 *
 * A bucket is a directory that has an identifier's name, belongs to the
 * server's user and holds only what a bucket can hold.  Anything else in the
 * pool is left alone, whatever its age.  Buckets that somebody holds are left
 * alone too, so a sweep may run beside uploads, clears and other sweeps.
 *
 * Last activity is the newest time in the bucket's records; where none can be
 * read, the newest modification of the directory and its files.  In a bucket
 * that has not expired, files that no record names (their writer died) go when
 * they themselves are older than the deadline.  On its way, a round counts a
 * pool that has quotas anew (recount.h).
 *
 * One thread at a time per sweep. */

#include <apr_time.h>
#include "store/store.h"

typedef struct upool_sweep upool_sweep;

typedef struct upool_sweep_result {
    apr_size_t seen;    /* entries looked at in this step */
    apr_size_t removed; /* buckets removed in this step */
    int finished;       /* the whole directory has been looked at */
} upool_sweep_result;

/* Starts a round over the pool.  The sweep lives in p, and keeps its own
 * descriptor until p goes; call step until finished. */
apr_status_t upool_sweep_begin(upool_sweep **sweep, upool_store *store,
                               apr_pool_t *p);

/* What a round has done to one bucket, or would have done. */
typedef struct upool_sweep_deed {
    const char *id;
    int removed;        /* 1: all of it; 0: files that no record names */
    int files;          /* data files that went, and their bytes */
    apr_off_t bytes;    /* (apparent size) */
    apr_status_t error; /* else why something of it is still there */
} upool_sweep_deed;

typedef void upool_sweep_tell(void *baton, const upool_sweep_deed *deed);

/* To be called before the first step: tell is then called for each bucket that
 * needs something done; baton has to live as long as the sweep.  dry: the disk
 * is only read, and result->removed counts what would go. */
void upool_sweep_report(upool_sweep *sweep, upool_sweep_tell *tell, void *baton,
                        int dry);

/* From now on a step also ends at the time when, but not before it has done
 * something; 0: it ignores the clock. */
void upool_sweep_stop_at(upool_sweep *sweep, apr_time_t when);

/* Looks at up to steps entries: a bucket whose last activity is before deadline
 * and that nobody holds goes.  *result is set anew.  Buckets that cannot be
 * removed are passed over; an error means that the pool cannot be read, and the
 * round is over. */
apr_status_t upool_sweep_step(upool_sweep *sweep, apr_size_t steps,
                              apr_time_t deadline, upool_sweep_result *result);

#endif
