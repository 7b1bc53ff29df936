/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_REMOVAL_H
#define UPOOL_STORE_REMOVAL_H

/* Taking an upload away while others may use it: a holder, whose commit fails
 * then, or its application (inuse.h), for which it waits.  What it weighed is
 * given back to the quota.  No state; any thread. */

#include "store/directory.h"
#include "store/record.h"

/* Removes the bucket, whether or not somebody holds it; a holder's commit will
 * fail with APR_ENOENT.  One whose application works on it is gone for readers,
 * and goes when that has answered.  Success where there was none; else as
 * upool_purge_bucket(). */
apr_status_t upool_bucket_remove(upool_store *store, const char *id,
                                 apr_pool_t *p);

/* Removes the complete upload that record is, or what is left of it, if its
 * bucket has not become another's since; of one that is being replaced the
 * files alone.  Success where there is nothing of it; else the system's
 * error. */
apr_status_t upool_bucket_discard(upool_store *store,
                                  const upool_record *record, apr_pool_t *p);

/* For run.c: removes the bucket that was cleared, if nobody runs its
 * application and no other upload has begun in it.  APR_EBUSY: so it is; else
 * as upool_purge_bucket(). */
apr_status_t upool_removal_finish(const upool_directory *dir,
                                  upool_store *store, const char *id,
                                  apr_pool_t *p);

#endif
