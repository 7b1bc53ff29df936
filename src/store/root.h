/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_ROOT_H
#define UPOOL_STORE_ROOT_H

/* All pools below one directory (UploadPoolRoot), as a quota sees them: what
 * they hold together is recorded only in their own books.
 *
 * A process that reserves in one of them holds the root from its look at the
 * others until its own books are written, so that two pools cannot get the same
 * room.  It already has its own ledger open then, so it must not open another:
 * the others are read without their locks, a moment old at worst.
 *
 * The root need not be writable.  On a file system that cannot lock a directory
 * (NFS) requests of several pools may get the same room at the same moment.
 *
 * No state; any thread. */

#include <apr_tables.h>

#include "store/store.h"

/* Holds the root until *lock, a descriptor, is closed; waits for its present
 * holder.  p: for its path.  Returns the system's error where the root cannot
 * be opened. */
apr_status_t upool_root_hold(int *lock, const char *root, apr_pool_t *p);

/* Bytes that the pools below root, except own, hold or have reserved.  *pools
 * is NULL at first, and keeps in p which pools there are, so that an upload
 * looks for them once and only reads their books from then on.  Returns the
 * system's error where the root cannot be read. */
apr_status_t upool_root_others(apr_int64_t *bytes, apr_array_header_t **pools,
                               const char *root, const upool_store *own,
                               apr_pool_t *p);

#endif
