/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_BATCH_H
#define UPOOL_STORE_BATCH_H

/* The names of a large directory in an order that a disk likes.
 *
 * ext4 lists names in the order of their hashes; looking at the files in that
 * order reads another block of the disk for each.  In the order of inode
 * numbers, neighbours lie in one block.  Names are read, sorted and told in
 * batches of a fixed size, so that memory does not grow with the directory.
 *
 * By the time a name is told it may be gone or mean something else; a name that
 * appears after its batch was read may be missed.  One thread at a time per
 * batch. */

#include <apr_errno.h>
#include <apr_pools.h>

typedef struct upool_batch upool_batch;

/* Opens a batch for the directory fd, with at most most names at a time.  It
 * lives in p, and keeps its own descriptor until p goes.  Returns the system's
 * error. */
apr_status_t upool_batch_open(upool_batch **batch, int fd, int most,
                              apr_pool_t *p);

/* Takes one step: the next name, which is good until the next call, or NULL
 * where a name was only read; then call again.  Neither "." nor ".." is told.
 * APR_EOF: that was all; else the reason why the rest of the directory cannot
 * be read, returned after all names that could be read. */
apr_status_t upool_batch_next(const char **name, upool_batch *batch);

#endif
