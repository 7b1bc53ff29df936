/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_RESUMABLE_LOOK_H
#define UPOOL_STORE_RESUMABLE_LOOK_H

/* A look at an upload that arrives in several requests, as it is on the disk;
 * for writing to it see writer.h.
 *
 *   resumable.json   what it is (resumable.h)
 *   0-RANDOM.bin     its one data file
 *   yield            somebody wants its writer to stop (takeover.h)
 *
 * The size of its data file tells how far the upload has come: nothing else has
 * to be written while bytes arrive, and a process killed at any instant leaves
 * a correct prefix behind.  In two cases the size is not enough:
 *
 *   good     bytes are arriving that may have to be removed again (a checksum
 *            follows them), or that a power cut may take (UploadSync): the
 *            offset before the first of them is written down first, and the
 *            next writer cuts the file there
 *   ranges   bytes came out of order, so the file has holes; the ranges that
 *            are there are written down at the end of each part
 *
 * There are two locks: the bucket's (lock.h), held for moments, guards the
 * documents; the region's (region.h), held as long as bytes stream, guards
 * those bytes.  An upload in order has one writer, who holds all of the file;
 * parts out of order hold their own bytes each.  A request that wants bytes
 * that another is writing asks it to stop (takeover.h) and waits PATIENCE at
 * most.
 *
 * Nothing here depends on memory that processes share, so each request of an
 * upload may go to another node that shares the directory.
 *
 * One thread at a time; lives in the pool of open. */

#include "store/bucket.h"
#include "store/resumable.h"
#include "store/store.h"

/* How long to wait for a writer to stop, or for the bucket's lock. */
#define UPOOL_RESUMABLE_PATIENCE apr_time_from_sec(2)

typedef struct upool_resumable_look upool_resumable_look;

/* Values of replaces that are not a time: */
#define UPOOL_REPLACES_ANY 0
#define UPOOL_REPLACES_NONE (-1)

/* Makes the upload, with no bytes yet, and sets about->file.stored and
 * about->created (created may be raised, so that no two uploads of one
 * identifier have the same).  minted, and errors: as of upool_bucket_begin();
 * APR_EBUSY where an upload of that identifier is on its way.  A complete
 * upload stays until this one is complete.  replaces: the time of creation of
 * the complete upload of several requests that the caller has checked; where
 * another such upload, which nobody has checked, is there by now, the result is
 * APR_EBUSY too.  *previous: the complete upload's record, or NULL. */
apr_status_t upool_resumable_create(upool_store *store, upool_resumable *about,
                                    int minted, apr_time_t replaces,
                                    apr_pool_t *p, upool_record **previous,
                                    const char **why);

/* Finds the upload, complete or not.  APR_ENOENT: none; APR_EGENERAL: there is
 * one that can never be completed; else the system's error. */
apr_status_t upool_resumable_open(upool_resumable_look **look,
                                  upool_store *store, const char *id,
                                  apr_pool_t *p);

/* The upload as of the last look (at open, at settle, and in a writer's calls).
 * It stays valid as long as *look; a later look makes another one. */
const upool_resumable *upool_resumable_about(const upool_resumable_look *look);
/* metadata.json, when it is complete; else NULL. */
const upool_record *upool_resumable_record(const upool_resumable_look *look);
/* Where the next byte in order belongs. */
apr_off_t upool_resumable_offset(const upool_resumable_look *look);
apr_off_t upool_resumable_held(const upool_resumable_look *look);
/* When anything was last written. */
apr_time_t upool_resumable_activity(const upool_resumable_look *look);

/* Looks anew, once nobody is writing in order.  APR_EBUSY: a writer does not
 * stop; APR_ENOENT: the upload is gone; else as open. */
apr_status_t upool_resumable_settle(upool_resumable_look *look);

/* Lets change() change the document under the lock, and saves it.  change()
 * returns APR_SUCCESS, or an error for which nothing shall change.  Not to be
 * called while writing.  Errors: change()'s; APR_EBUSY: the lock could not be
 * taken; APR_EOF: the upload is complete; APR_ENOENT: it is gone; else the
 * system's. */
typedef apr_status_t upool_resumable_change(void *user, upool_resumable *about);
apr_status_t upool_resumable_update(upool_resumable_look *look,
                                    upool_resumable_change *change, void *user);

/* upool_resumable_read() calls this for the bytes it has read; any result but
 * APR_SUCCESS ends the reading, and is returned. */
typedef apr_status_t upool_resumable_visit(void *user, const char *data,
                                           apr_size_t len);

/* Reads [from, to) of the file, in order.  APR_EOF: it is shorter; else the
 * visit's or the system's error. */
apr_status_t upool_resumable_read(const upool_resumable_look *look,
                                  apr_off_t from, apr_off_t to,
                                  upool_resumable_visit *visit, void *user);

/* Which upload may be abandoned: others may have found it since it was made. */
typedef enum upool_abandon {
    UPOOL_ABANDON_ANY,       /* in whatever state it is */
    UPOOL_ABANDON_UNWRITTEN, /* only while nobody writes to it */
    UPOOL_ABANDON_EMPTY      /* and only while no byte of it is there */
} upool_abandon;

/* Removes the upload as if it had never been created; a complete upload of that
 * identifier stays.  APR_ENOENT: it is gone, or complete; EEXIST: it stays
 * because of which; APR_EBUSY; else the system's error. */
apr_status_t upool_resumable_abandon(upool_resumable_look *look,
                                     upool_abandon which);

/* Ends the upload without completing it.  record: the error that pollers will
 * see; NULL: no trace is left of it, nor of a complete upload of that
 * identifier. */
apr_status_t upool_resumable_discard(upool_resumable_look *look,
                                     const upool_record *record);

#endif
