/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_PURGE_H
#define UPOOL_STORE_PURGE_H

/* Removal of files by name, relative to a held directory: only names that a
 * bucket can hold (layout.h), never through a link, never in a sub-directory.
 * A link or FIFO with such a name goes, and the target of a link stays; a
 * directory with such a name stays. */

#include "store/directory.h"
#include "store/record.h"

/* Removes what no record names from a bucket whose lock the caller holds:
 * attempt.json, temporary files, data files that keep (NULL: there is none)
 * does not list, and without keep metadata.json too.  The lock file stays.
 * p: for a moment's work.  An error means that something that has to go is
 * still there.
 */
apr_status_t upool_purge_leftovers(int directory, const upool_record *keep,
                                   apr_pool_t *p);

/* Data files that were, or would be, removed. */
typedef struct upool_purge_tally {
    int dry; /* set by the caller: count them, do not remove */
    int files;
    apr_off_t bytes;
} upool_purge_tally;

/* Removes the data files last written before deadline that keep does not list,
 * and nothing else: orphans in a bucket that is otherwise alive.  The caller
 * holds the lock.  tally is added to.  As above. */
apr_status_t upool_purge_orphans(int directory, const upool_record *keep,
                                 apr_time_t deadline, upool_purge_tally *tally,
                                 apr_pool_t *p);

/* Unlinks the data files that record lists; missing ones are not an error. */
void upool_purge_files(int directory, const upool_record *record);

/* Removes everything of a bucket and then its directory, if nothing foreign is
 * in it.  dir stays open.  Safe against a writer who goes on meanwhile.  held:
 * the caller has the bucket's lock, whose file goes last; files that another
 * makes there in that moment are left to the other.  APR_SUCCESS: nothing of
 * ours is left; APR_EBUSY: a writer made new files as fast as they were
 * removed; else the system's error. */
apr_status_t upool_purge_bucket(const upool_directory *dir,
                                const upool_store *store, const char *id,
                                int held);

#endif
