/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_RESUMABLE_OWN_H
#define UPOOL_STORE_RESUMABLE_OWN_H

/* What one request holds of an upload that arrives in several: for
 * resumable_look.c and writer.c alone.
 *
 * The bucket's lock is held between upool_resumable_lock() and _unlock(), for a
 * moment's work.  about and record are what the disk said at the last look;
 * under the lock they are up to date. */

#include <sys/stat.h>

#include "store/resumable_look.h"
#include "store/directory.h"
#include "store/lock.h"

struct upool_resumable_look {
    apr_pool_t *pool;
    upool_store *store;
    const char *id;
    upool_directory directory;
    upool_lock lock;
    upool_resumable *about;
    struct stat about_seen;  /* of the file that about was read from */
    int about_fd;            /* that file, held open; -1: it is not */
    upool_record *record;    /* metadata.json, of this upload or another */
    struct stat record_seen; /* all zero: none was there */
    apr_off_t size;          /* of the data file, at the last look */
    apr_time_t activity;     /* the same */
};

/* Takes the bucket's lock, and looks.  APR_EOF: the upload is complete;
 * APR_ENOENT: it is gone; APR_EBUSY; else the system's.  On an error the lock
 * is not held. */
apr_status_t upool_resumable_lock(upool_resumable_look *look,
                                  apr_time_t deadline);
void upool_resumable_unlock(upool_resumable_look *look);

/* Makes the next look read resumable.json even if it seems unchanged: two saves
 * within one tick of the clock may look alike.  Not so where the file is held
 * open: nobody else's can have its number then. */
void upool_resumable_doubt(upool_resumable_look *look);

/* Holds resumable.json no longer: a request that waits for bytes should keep as
 * few descriptors as it can. */
void upool_resumable_let_about_go(upool_resumable_look *look);

/* Under the lock, after the region was taken: the data file as it is now.  What
 * else the look knows changes only under the lock. */
apr_status_t upool_resumable_look_at_file(upool_resumable_look *look);

/* Looks at the disk, with or without the lock; reads what has changed since the
 * last time.  Errors as of open; APR_SUCCESS for a complete upload too. */
apr_status_t upool_resumable_look_again(upool_resumable_look *look);

/* Saves about as it is now, under the lock. */
apr_status_t upool_resumable_save(upool_resumable_look *look);

/* Opens the data file for reading. */
apr_status_t upool_resumable_open_file(const upool_resumable_look *look,
                                       int *fd);

#endif
