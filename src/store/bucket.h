/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_BUCKET_H
#define UPOOL_STORE_BUCKET_H

/* One upload's bucket: POOL/ID/, mode 0700 (0710 and 0711 where the files may
 * be read by others, see store.h).
 *
 *   metadata.json   the complete upload (state done): written last, to a
 *                   temporary name, then renamed
 *   attempt.json    the last attempt, as long as it is not the one above:
 *                   state error, or uploading where the progress table had no
 *                   slot; removed before a new attempt starts and by commit
 *   resumable.json  an upload in several requests (resumable_look.h)
 *   yield           somebody wants its writer to stop (takeover.h)
 *   run             who runs its application, and what came of it (run.h)
 *   cleared         it goes when that has answered (inuse.h)
 *   answer.json     what the application answered, for a while (answer.h)
 *   N-RANDOM.bin    file N, 128 random bits in hex: a path never comes to
 *                   name other content
 *   lock            what its holder locks (lock.h)
 *
 * A bucket is open for writing by one holder at a time: flock() on its lock
 * file, so the lock dies with its holder.  After taking it the
 * holder checks that the directory still is the one of that name (it may have
 * been cleared meanwhile).  A holder that died leaves files that no metadata
 * names; the next begin and the sweep remove them.
 *
 * Replacing a complete upload: its files and metadata.json stay until commit
 * renames the new metadata over; only then the old files go.
 *
 * This is the holder's side.  Files are written through spool.h, readers use
 * view.h and clear uses purge.h; this header includes all three.  A bucket is
 * used by one thread at a time and lives in the pool of begin.  After the
 * attempt has ended every function returns APR_EBADF or does nothing. */

#include "store/removal.h"
#include "store/record.h"
#include "store/resumable.h"
#include "store/spool.h"
#include "store/store.h"
#include "store/view.h"

/* Opens the bucket of id for a new attempt, making the directory where there
 * is none.  id has been checked by ident/, and is checked again; minted: it was
 * made for this very upload, and nobody else knows it yet.  APR_EBUSY: there is
 * another holder, or an application works on the current content; ENOLCK: the
 * pool is unsafe (farm.h); else the system's error.  On an error *why has a
 * text for the error log.  The lock and all descriptors go with p (which then
 * implies fail() without record).  *previous: the record of the complete upload
 * that this one replaces, or NULL; a damaged one does not count as complete,
 * and goes with commit. */
apr_status_t upool_bucket_begin(upool_bucket **bucket, upool_store *store,
                                const char *id, int minted, apr_pool_t *p,
                                upool_record **previous, const char **why);

/* Ends the attempt, which must have written nothing, by turning it into an
 * upload of several requests: sets about->file.stored and about->created
 * (created is raised where it equals that of the complete upload), and writes
 * resumable.json.  end() must follow; on an error end() leaves no trace. */
apr_status_t upool_bucket_defer(upool_bucket *bucket, upool_resumable *about);

/* Opens the bucket for completing the upload of several requests that about
 * describes.  Its data file counts as a closed one of this attempt, but stays
 * if the attempt ends without commit() or fail().  Waits until deadline for
 * others.  APR_ENOENT: it is gone, or complete; APR_EGENERAL: damaged;
 * APR_EBUSY; else the system's error. */
apr_status_t upool_bucket_adopt(upool_bucket **bucket, upool_store *store,
                                const upool_resumable *about, apr_pool_t *p,
                                apr_time_t deadline);

/* Makes record (state done, its files stored here in this attempt and closed)
 * the bucket's content.  On failure nothing is changed and fail() must follow.
 * APR_ENOENT: somebody has cleared the bucket; APR_EINVAL: the record does not
 * fit the attempt; APR_EGENERAL: a file does not have the size that the record
 * says; else the system's error, or the first one that a spool has met. */
apr_status_t upool_bucket_commit(upool_bucket *bucket,
                                 const upool_record *record);
/* Ends the attempt: its files go, and attempt.json says why (record, state
 * error; NULL: no trace is left).  An upload that was complete before stays. */
void upool_bucket_fail(upool_bucket *bucket, const upool_record *record);
/* Writes attempt.json (state uploading) for pollers without a slot.  An error
 * does not matter to the upload. */
apr_status_t upool_bucket_note(upool_bucket *bucket,
                               const upool_record *record);
/* Is the bucket still there?  APR_ENOENT: somebody has removed it; ENOLCK:
 * nobody may write to the pool any more (farm.h); other errors prove nothing.
 * Costs a few system calls. */
apr_status_t upool_bucket_look(const upool_bucket *bucket);
/* Lets go of the lock and the descriptors now.  An attempt that was neither
 * committed nor failed leaves no files. */
void upool_bucket_end(upool_bucket *bucket);

#endif
