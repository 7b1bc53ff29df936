/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_VIEW_H
#define UPOOL_STORE_VIEW_H

/* The reader's side of a bucket.  Nothing here changes the disk.  A reader may
 * see half of one change and half of the next; so if something does not add up,
 * it looks again some milliseconds later, without a writer there, before it
 * says so.  No state; any thread.  Records live in p. */

#include <apr_file_io.h>

#include "store/record.h"
#include "store/store.h"

/* The record of the last attempt, as a poller wants it: attempt.json where
 * there is one (uploading without a holder reads as error), else the complete
 * upload, else, while a holder is there, uploading with the bytes that are in
 * its files.  An upload whose holder died, and a complete one whose files do
 * not match its record, read as error; such a record has no files.  APR_ENOENT:
 * no such bucket; APR_EINVAL: id is not a name of one; else the system's error
 * (out of descriptors, EIO). */
apr_status_t upool_bucket_status(upool_record **record, upool_store *store,
                                 const char *id, apr_pool_t *p);
/* 1: there is no such bucket, or it was cleared while its application works on
 * it.  This is cheap; it does not look inside. */
int upool_bucket_is_gone(const upool_store *store, const char *id);
/* The complete upload alone, its files verified.  APR_ENOENT: none, or it is
 * damaged; else as above. */
apr_status_t upool_bucket_complete(upool_record **record, upool_store *store,
                                   const char *id, apr_pool_t *p);
/* Opens a stored file of it for reading (O_NOFOLLOW, regular files only).  It
 * closes with p.  APR_ENOENT: not there; APR_EINVAL: stored is not a name of a
 * stored file; APR_EACCES: something else has the name; else the system's
 * error. */
apr_status_t upool_bucket_file_open(apr_file_t **file, upool_store *store,
                                    const char *id, const char *stored,
                                    apr_pool_t *p);

#endif
