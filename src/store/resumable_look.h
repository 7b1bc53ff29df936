/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_RESUMABLE_LOOK_H
#define UPOOL_STORE_RESUMABLE_LOOK_H

/* A look at an upload that arrives in several requests, as it is on the disk;
 * writer.h has those who write to it.
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
 * Nothing here depends on memory that processes share: nodes that share the
 * directory may each take a request of one upload.
 *
 * One thread at a time; lives in the pool of open. */

#include "store/bucket.h"
#include "store/resumable.h"
#include "store/store.h"

/* How long to wait for a writer to stop, or for the bucket's lock. */
#define UPOOL_RESUMABLE_PATIENCE apr_time_from_sec(2)

typedef struct upool_resumable_look upool_resumable_look;

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
apr_status_t upool_resumable_create(upool_store *store, upool_resumable *about,
                                    int minted, apr_time_t replaces,
                                    apr_pool_t *p, upool_record **previous,
                                    const char **why);

/* Finds it, complete or not.  APR_ENOENT: none; APR_EGENERAL: there is
 * something that can never be completed; else the system's error. */
apr_status_t upool_resumable_open(upool_resumable_look **look,
                                  upool_store *store, const char *id,
                                  apr_pool_t *p);

/* What it was at the last look (open, settle, and what a writer does).  about
 * stays valid as long as the look; a later one makes another. */
const upool_resumable *upool_resumable_about(const upool_resumable_look *look);
/* metadata.json, when it is complete; else NULL. */
const upool_record *upool_resumable_record(const upool_resumable_look *look);
/* Where the next byte in order belongs. */
apr_off_t upool_resumable_offset(const upool_resumable_look *look);
apr_off_t upool_resumable_held(const upool_resumable_look *look);
/* When anything was last written. */
apr_time_t upool_resumable_activity(const upool_resumable_look *look);

/* Looks anew, when nobody is writing in order.  APR_EBUSY: somebody does not
 * stop; APR_ENOENT: it is gone; else as open. */
apr_status_t upool_resumable_settle(upool_resumable_look *look);

/* What change() does to the document, under the lock, and saved.  It returns
 * APR_SUCCESS, or why nothing is to change.  Not while writing.  Errors: its
 * own; APR_EBUSY: the lock is not to be had; APR_EOF: it is complete;
 * APR_ENOENT: it is gone; else the system's. */
typedef apr_status_t upool_resumable_change(void *user, upool_resumable *about);
apr_status_t upool_resumable_update(upool_resumable_look *look,
                                    upool_resumable_change *change, void *user);

/* What upool_resumable_read() calls for the bytes it has read: anything but
 * APR_SUCCESS ends it, and is returned. */
typedef apr_status_t upool_resumable_visit(void *user, const char *data,
                                           apr_size_t len);

/* Reads [from, to) of the file, in order.  APR_EOF: it is shorter; else the
 * visit's or the system's error. */
apr_status_t upool_resumable_read(const upool_resumable_look *look,
                                  apr_off_t from, apr_off_t to,
                                  upool_resumable_visit *visit, void *user);

/* Takes it back, as if it had never been created: a complete upload of that
 * identifier stays.  APR_ENOENT: it is gone, or complete; APR_EBUSY; else the
 * system's error. */
apr_status_t upool_resumable_abandon(upool_resumable_look *look);

/* The upload ends without being complete: an error of that record for pollers,
 * or NULL: no trace of it, nor of a complete one of that identifier. */
apr_status_t upool_resumable_discard(upool_resumable_look *look,
                                     const upool_record *record);

#endif
