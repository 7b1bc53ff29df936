/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_ROOT_H
#define UPOOL_STORE_ROOT_H

/* All pools below one directory (UploadPoolRoot), as far as a quota sees them:
 * what they hold together stands in their own books, and nowhere else.
 *
 * Who reserves in one of them holds the root from the look at the others until
 * his own books are written, so that two pools cannot get the same room.  He
 * has his own ledger open before that, so nobody may open another's meanwhile:
 * theirs are read past their locks, a moment old at worst.
 *
 * The root need not be writable.  On a file system that cannot lock a directory
 * (NFS) requests of several pools may get the same room at the same moment.
 *
 * No state; any thread. */

#include "store/store.h"

/* Holds the root until *lock, a descriptor, is closed; waits for who has it.
 * p: for its path.  The system's error: the root cannot be opened. */
apr_status_t upool_root_hold(int *lock, const char *root, apr_pool_t *p);

/* Bytes that the pools below root hold or have reserved, but for the pool own.
 * p: for a moment's work.  The system's error: the root cannot be read. */
apr_status_t upool_root_others(apr_int64_t *bytes, const char *root,
                               const upool_store *own, apr_pool_t *p);

#endif
