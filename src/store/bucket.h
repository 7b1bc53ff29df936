/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_BUCKET_H
#define UPOOL_STORE_BUCKET_H

/* One upload's bucket: POOL/ID/, mode 0700.
 *
 *   metadata.json   the complete upload (state done): written last, to a
 *                   temporary name, then renamed
 *   attempt.json    the last attempt, as long as it is not the one above:
 *                   state error, or uploading where the progress table had no
 *                   slot; removed before a new attempt starts and by commit
 *   N-RANDOM.bin    file N, 128 random bits in hex: a path never comes to
 *                   name other content
 *   lock            only on file systems that cannot flock() a directory
 *
 * A bucket is open for writing by one holder at a time: flock() on the
 * bucket's descriptor, so the lock dies with its holder.  After taking it the
 * holder checks that the directory still is the one of that name (it may have
 * been cleared meanwhile).  A holder that died leaves files that no metadata
 * names; the next begin and the sweep remove them.
 *
 * Replacing a complete upload: its files and metadata.json stay until commit
 * renames the new metadata over; only then the old files go. */

#include <sys/uio.h>
#include "store/record.h"
#include "store/store.h"

typedef struct upool_bucket upool_bucket;
typedef struct upool_spool upool_spool;

/* Opens the bucket of id for a new attempt, making the directory where there
 * is none.  id has been checked by ident/.  APR_EBUSY: another holder.  The
 * lock and all descriptors go with p (fail() is then implied: files of this
 * attempt are removed). *previous: the complete upload's record that this one
 * replaces, or NULL. */
apr_status_t upool_bucket_begin(upool_bucket **bucket, upool_store *store,
                                const char *id, apr_pool_t *p,
                                upool_record **previous, const char **why);

/* A new empty data file for file number n. */
apr_status_t upool_spool_create(upool_spool **spool, upool_bucket *bucket,
                                int n);
/* Appends all of vec (count any number), restarting short writes.  APR error
 * as the system says it (ENOSPC, EDQUOT, …). */
apr_status_t upool_spool_write(upool_spool *spool, struct iovec *vec,
                               int count);
/* Closes (and syncs where asked).  An error means that the bytes may not be
 * there: fatal for the upload. */
apr_status_t upool_spool_close(upool_spool *spool);
/* Closes and unlinks. */
void upool_spool_remove(upool_spool *spool);
/* Name inside the bucket; absolute path. */
const char *upool_spool_name(const upool_spool *spool);
const char *upool_spool_path(const upool_spool *spool);

/* Makes record (state done, its files stored here) the bucket's content. */
apr_status_t upool_bucket_commit(upool_bucket *bucket,
                                 const upool_record *record);
/* Ends the attempt: its files go, attempt.json says why (record, state
 * error).  What was complete before stays. */
void upool_bucket_fail(upool_bucket *bucket, const upool_record *record);
/* Writes attempt.json (state uploading) for pollers without a slot. */
apr_status_t upool_bucket_note(upool_bucket *bucket,
                               const upool_record *record);
/* Lets go of the lock and the descriptors now. */
void upool_bucket_end(upool_bucket *bucket);

/* The record of the last attempt, as a poller wants it: attempt.json where
 * there is one (uploading without a holder reads as error), else the complete
 * upload; a bucket whose files are shorter than it says, or unreadable, reads
 * as error.  APR_ENOENT: no such bucket. */
apr_status_t upool_bucket_status(upool_record **record, upool_store *store,
                                 const char *id, apr_pool_t *p);
/* The complete upload alone, verified as above.  APR_ENOENT: none. */
apr_status_t upool_bucket_complete(upool_record **record, upool_store *store,
                                   const char *id, apr_pool_t *p);
/* Opens a stored file of it for reading (O_NOFOLLOW, regular files only). */
apr_status_t upool_bucket_file_open(apr_file_t **file, upool_store *store,
                                    const char *id, const char *stored,
                                    apr_pool_t *p);
/* Removes the bucket, whether or not somebody holds it.  Success where there
 * was none.  Removes only what a bucket can hold, never follows links, never
 * enters sub-directories. */
apr_status_t upool_bucket_remove(upool_store *store, const char *id,
                                 apr_pool_t *p);

#endif
