/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_REMOVAL_H
#define UPOOL_STORE_REMOVAL_H

/* Removal of an upload that others may be using: a holder, whose commit then
 * fails, or its application (inuse.h), which the removal waits for.  Its weight
 * is given back to the quota.  No state; any thread. */

#include "store/directory.h"
#include "store/record.h"

/* Removes the bucket, whether or not somebody holds it; a holder's commit will
 * fail with APR_ENOENT.  An upload whose application works on it disappears for
 * readers, and is removed when the application has answered.  Success where
 * there was none; else as upool_purge_bucket(). */
apr_status_t upool_bucket_remove(upool_store *store, const char *id,
                                 apr_pool_t *p);

/* Removes the complete upload of record, or what is left of it, if its bucket
 * has not become another upload's since; if it is being replaced, only its
 * files.  Success where nothing of it is there; else the system's error. */
apr_status_t upool_bucket_discard(upool_store *store,
                                  const upool_record *record, apr_pool_t *p);

/* For run.c: removes the bucket that was cleared, if nobody runs its
 * application and no other upload has begun in it.  APR_EBUSY: one of these is
 * the case; else as upool_purge_bucket(). */
apr_status_t upool_removal_finish(const upool_directory *dir,
                                  upool_store *store, const char *id,
                                  apr_pool_t *p);

#endif
