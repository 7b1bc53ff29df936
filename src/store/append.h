/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_APPEND_H
#define UPOOL_STORE_APPEND_H

/* An upload that arrives in several requests, on the disk.
 *
 *   resumable.json   what it is (resumable.h)
 *   0-RANDOM.bin     its one data file
 *   yield            somebody wants its writer to stop (takeover.h)
 *
 * How far it is, is the size of its data file: nothing else has to be written
 * while bytes arrive, and a process killed at any instant leaves a right prefix
 * behind.  Two things are more than that:
 *
 *   good     bytes are arriving that may have to go again (a checksum follows
 *            them), or that a power cut may take (UploadSync): the offset
 *            before the first of them is written down first, and the next who
 *            writes cuts the file there
 *   ranges   bytes came out of order: the file has holes, and what is there is
 *            what was written down when a part had ended
 *
 * Two locks: the bucket's (lock.h), for moments, guards the documents; the
 * region's (region.h), for as long as bytes stream, their bytes.  An upload in
 * order has one writer, who holds all of the file; parts out of order hold
 * their bytes each.  Whoever wants bytes that another is writing asks him to
 * stop (takeover.h) and waits PATIENCE at most.
 *
 *     open ──begin──> writing ──keep──> open        what came counts
 *                        ├────take_back──> open     it goes again
 *                        └────the pool──────> gone  as a kill would leave it
 *
 * Nothing here depends on memory that processes share: nodes that share the
 * directory may each take a request of one upload.
 *
 * One thread at a time; lives in the pool of open. */

#include <sys/uio.h>

#include "store/bucket.h"
#include "store/resumable.h"
#include "store/store.h"

/* How long to wait for a writer to stop, or for the bucket's lock. */
#define UPOOL_APPEND_PATIENCE apr_time_from_sec(2)

typedef struct upool_append upool_append;

typedef struct upool_append_claim {
    apr_off_t start;  /* where the bytes belong; -1: at the end */
    apr_off_t end;    /* the first behind them; -1: not known */
    int out_of_order; /* a part beside others: start and end are known */
    int provisional;  /* they may have to be taken back */
} upool_append_claim;

/* What an upload may replace, when it is no time: */
#define UPOOL_REPLACES_ANY 0
#define UPOOL_REPLACES_NONE (-1)

/* Makes the upload, of no bytes.  about->file.stored and about->created are set
 * here (created may be raised, so that no two of one identifier have the same).
 * minted: as of upool_bucket_begin(), whose errors come back: APR_EBUSY where
 * one of that identifier is on its way.  A complete upload stays until this one
 * is.  replaces: when the complete upload of several requests was created that
 * the caller has judged before; where another such is there by now, which
 * nobody has judged, that is APR_EBUSY too.  *previous: its record, or NULL. */
apr_status_t upool_append_create(upool_store *store, upool_resumable *about,
                                 int minted, apr_time_t replaces, apr_pool_t *p,
                                 upool_record **previous, const char **why);

/* Finds it, complete or not.  APR_ENOENT: none; APR_EGENERAL: there is
 * something that can never be completed; else the system's error. */
apr_status_t upool_append_open(upool_append **append, upool_store *store,
                               const char *id, apr_pool_t *p);

/* What it was at the last look (open, settle, begin, keep).  about stays valid
 * as long as the append; a later look makes another. */
const upool_resumable *upool_append_about(const upool_append *append);
/* metadata.json, when it is complete; else NULL. */
const upool_record *upool_append_record(const upool_append *append);
/* Where the next byte in order belongs; while writing: the next one of this
 * writer. */
apr_off_t upool_append_offset(const upool_append *append);
apr_off_t upool_append_held(const upool_append *append);
/* When anything was last written. */
apr_time_t upool_append_activity(const upool_append *append);

/* Looks anew, when nobody is writing in order.  APR_EBUSY: somebody does not
 * stop; APR_ENOENT: it is gone; else as open. */
apr_status_t upool_append_settle(upool_append *append);

/* What change() does to the document, under the lock, and saved.  It returns
 * APR_SUCCESS, or why nothing is to change.  Not while writing.  Errors: its
 * own; APR_EBUSY: the lock is not to be had; APR_EOF: it is complete;
 * APR_ENOENT: it is gone; else the system's. */
typedef apr_status_t upool_append_change(void *user, upool_resumable *about);
apr_status_t upool_append_update(upool_append *append,
                                 upool_append_change *change, void *user);

/* Becomes the writer of the bytes claimed.  APR_EMISMATCH: start is not where
 * they belong (upool_append_offset() tells); APR_EBUSY: somebody does not let
 * go of them; APR_EOF: it is complete; APR_ENOENT: it is gone; APR_EINVAL: end
 * is before start, or behind the length; else the system's error. */
apr_status_t upool_append_begin(upool_append *append,
                                const upool_append_claim *claim);

/* Writes all of vec, which is used up on the way.  What is there already, in a
 * part out of order, is passed over.  The first error stays: every later write
 * says it again. */
apr_status_t upool_append_write(upool_append *append, struct iovec *vec,
                                int count);

/* Must it stop?  APR_SUCCESS: no; APR_EBUSY: somebody asks for its bytes;
 * APR_ENOENT: the upload was cleared; ENOLCK: the pool is unsafe (farm.h). */
apr_status_t upool_append_look_up(const upool_append *append);

/* With UploadSync: what came so far survives a power cut.  Else nothing. */
apr_status_t upool_append_checkpoint(upool_append *append);

/* What came counts, and the region is let go.  midstates (of upool_midstate):
 * to be kept with it; NULL: what there is stays where it still holds.
 * APR_ENOENT: the upload was cleared; any error: what came may be lost. */
apr_status_t upool_append_keep(upool_append *append,
                               const apr_array_header_t *midstates);

/* What came goes, and the region is let go. */
void upool_append_take_back(upool_append *append);

/* What upool_append_read() calls for the bytes it has read: anything but
 * APR_SUCCESS ends it, and is returned. */
typedef apr_status_t upool_append_visit(void *user, const char *data,
                                        apr_size_t len);

/* Reads [from, to) of the file, in order.  APR_EOF: it is shorter; else the
 * visit's or the system's error. */
apr_status_t upool_append_read(const upool_append *append, apr_off_t from,
                               apr_off_t to, upool_append_visit *visit,
                               void *user);

/* Writes the first length bytes of source behind what this one has written,
 * without their passing through memory where the file system can.  APR_EOF:
 * source is shorter; else as write. */
apr_status_t upool_append_copy(upool_append *append, const upool_append *source,
                               apr_off_t length);

/* Opens the bucket for completing it, all of which has to be there; nobody else
 * writes to it from here to release().  The bucket lives in p.
 * APR_EINCOMPLETE: it is not all there; APR_EOF: it is complete already; else
 * as begin. */
apr_status_t upool_append_complete(upool_append *append, upool_bucket **bucket,
                                   apr_pool_t *p);
/* After the end of that bucket; looks anew. */
apr_status_t upool_append_release(upool_append *append);

/* Takes it back, as if it had never been created: a complete upload of that
 * identifier stays.  APR_ENOENT: it is gone, or complete; APR_EBUSY; else the
 * system's error. */
apr_status_t upool_append_abandon(upool_append *append);

/* The upload ends without being complete: an error of that record for pollers,
 * or NULL: no trace of it, nor of a complete one of that identifier. */
apr_status_t upool_append_discard(upool_append *append,
                                  const upool_record *record);

#endif
