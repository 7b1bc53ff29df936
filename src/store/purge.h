/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_PURGE_H
#define UPOOL_STORE_PURGE_H

/* Removing, by name and relative to a held directory: only what a bucket can
 * hold (layout.h), never through a link, never into a sub-directory.  A link
 * or FIFO that bears such a name goes, what it points to stays; a directory
 * that does stays. */

#include "store/directory.h"
#include "store/record.h"

/* Removes what no record names from a bucket whose lock the caller holds:
 * attempt.json, temporary files, data files that keep (NULL: there is none)
 * does not list, and without keep metadata.json too.  The lock file stays.
 * p: for a moment's work.  An error: something that has to go is still there.
 */
apr_status_t upool_purge_leftovers(int directory, const upool_record *keep,
                                   apr_pool_t *p);

/* What became, or would become, of data files. */
typedef struct upool_purge_tally {
    int dry; /* set by the caller: they are counted, and stay */
    int files;
    apr_off_t bytes;
} upool_purge_tally;

/* Removes the data files last written before deadline that keep does not list,
 * and nothing else: orphans in a bucket that is otherwise alive.  The caller
 * holds the lock.  tally is added to.  As above. */
apr_status_t upool_purge_orphans(int directory, const upool_record *keep,
                                 apr_time_t deadline, upool_purge_tally *tally,
                                 apr_pool_t *p);

/* Unlinks the data files that record lists; what is not there is no matter. */
void upool_purge_files(int directory, const upool_record *record);

/* Removes everything of a bucket and then, when nothing foreign is in it, its
 * directory.  dir stays open.  Safe against a writer who goes on meanwhile.
 * held: the caller has its lock, whose file goes last; what another makes there
 * in that moment is his.  APR_SUCCESS: nothing of ours is left; APR_EBUSY: a
 * writer made new files as fast as they went; else the system's error. */
apr_status_t upool_purge_bucket(const upool_directory *dir,
                                const upool_store *store, const char *id,
                                int held);

#endif
