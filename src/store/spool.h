/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_SPOOL_H
#define UPOOL_STORE_SPOOL_H

/* A data file while it is written: it is new, has a name that nobody could
 * guess, and is appended to until it is closed.  It lives in the bucket's pool,
 * and the thread that holds the bucket uses it.
 *
 * The first error of a bucket's files is final: the kernel may have dropped
 * the bytes, so every later write, close and commit returns it too. */

#include <sys/uio.h>

#include <apr_pools.h>

typedef struct upool_bucket upool_bucket;
typedef struct upool_spool upool_spool;

/* A new empty data file for file number n, with exactly the store's mode
 * whatever the umask.  APR_ENOENT: the bucket was removed meanwhile; APR_EBADF:
 * the attempt is over; else the system's error (ENOSPC, EDQUOT, …). */
apr_status_t upool_spool_create(upool_spool **spool, upool_bucket *bucket,
                                int n);
/* Appends all of vec (count any number), restarting short writes; vec is used
 * up on the way.  Returns the system's error (ENOSPC, EDQUOT, …). */
apr_status_t upool_spool_write(upool_spool *spool, struct iovec *vec,
                               int count);
/* Closes (and syncs where asked).  An error means that the bytes may not be
 * there: fatal for the upload. */
apr_status_t upool_spool_close(upool_spool *spool);
/* Closes and unlinks the file.  The name must not be used afterwards. */
void upool_spool_remove(upool_spool *spool);
/* Reads up to len bytes at offset of a file of this attempt that is closed:
 * *n of them.  APR_EINVAL: no such name; APR_EBADF: the attempt is over;
 * APR_EGENERAL: something else has the name; else the system's error. */
apr_status_t upool_spool_peek(const upool_bucket *bucket, const char *stored,
                              void *data, apr_size_t len, apr_off_t offset,
                              apr_size_t *n);
/* The same for a caller that does the reading: opens the file, calls visit, and
 * closes the file. */
typedef void upool_spool_visit(void *user, int fd);
apr_status_t upool_spool_show(const upool_bucket *bucket, const char *stored,
                              upool_spool_visit *visit, void *user);
/* The file's name inside the bucket; it lives as long as the bucket. */
const char *upool_spool_name(const upool_spool *spool);

#endif
