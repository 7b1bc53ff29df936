/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_VECTOR_H
#define UPOOL_STORE_VECTOR_H

/* Bytes on their way to a file, left where they are and written together: 64
 * buckets of httpd's 8,000 bytes cost one system call and no copy.
 *
 * Plain data, which must stay in its place; one thread at a time. */

#include <sys/uio.h>

#include <apr_pools.h>

/* Slow clients never have more pieces, and there are thousands at a time. */
#define UPOOL_VECTOR_FEW 4

typedef struct upool_vector {
    struct iovec *vec; /* few, until that is not enough */
    struct iovec few[UPOOL_VECTOR_FEW];
    int count;
    int room;
    apr_size_t bytes;
    apr_pool_t *p;
} upool_vector;

/* An empty one, which takes more room from p when it needs it. */
void upool_vector_init(upool_vector *vector, apr_pool_t *p);

/* Adds len bytes, not copied; slices of one bucket that come one after another
 * are joined.  0; 1: it is full, and must be written out and cleared before the
 * next call. */
int upool_vector_add(upool_vector *vector, const char *data, apr_size_t len);

/* Forgets all bytes, written or not. */
void upool_vector_clear(upool_vector *vector);

#endif
