/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_BATCH_H
#define UPOOL_STORE_BATCH_H

/* The names of a large directory in an order that a disk likes.
 *
 * ext4 tells names in the order of their hashes, in which each look at what
 * bears one reads another block of the disk.  By number of inode, neighbours
 * lie in one block.  So that memory does not grow with the directory, so many
 * names are read, told in order, and then the next ones.
 *
 * A name may be gone, or mean something else, when it is told; what comes
 * after its batch was read may be missed.  One thread at a time per batch. */

#include <apr_errno.h>
#include <apr_pools.h>

typedef struct upool_batch upool_batch;

/* Of the directory fd, most names at a time.  Lives in p, and keeps a
 * descriptor of its own until that goes.  The system's error. */
apr_status_t upool_batch_open(upool_batch **batch, int fd, int most,
                              apr_pool_t *p);

/* Takes one step: the next name, which is good until the next call, or NULL
 * where a name was only read; then call again.  Neither "." nor ".." is told.
 * APR_EOF: that was all; else why the rest of the directory cannot be read,
 * told behind what could be. */
apr_status_t upool_batch_next(const char **name, upool_batch *batch);

#endif
