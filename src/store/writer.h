/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_WRITER_H
#define UPOOL_STORE_WRITER_H

/* The writer of an upload that arrives in several requests.  It lives from
 * begin, which takes the region of the bytes (region.h), to the call that ends
 * it and releases them: keep, take_back, release, or the pool's end.  Nothing
 * may be called for a writer that has ended.
 *
 *     begin ──write, copy──┬──keep──────> what came counts
 *                          ├──take_back─> it goes again
 *                          └──the pool──> as a kill would leave it
 *     complete ────────────┬──release──> the bucket was committed, or not
 *                          └──the pool
 *
 * It lives in the pool of its look, and uses the look: one thread at a time has
 * both.  The look is not made anew while a writer writes. */

#include <sys/uio.h>

#include "store/resumable_look.h"

typedef struct upool_writer upool_writer;

typedef struct upool_writer_claim {
    apr_off_t start;  /* where the bytes belong; -1: at the end */
    apr_off_t end;    /* the first behind them; -1: not known */
    int out_of_order; /* a part beside others: start and end are known */
    int provisional;  /* they may have to be taken back */
} upool_writer_claim;

/* Makes a writer of the bytes claimed.  NULL and APR_EMISMATCH: start is not
 * where they belong (upool_resumable_offset() tells that place); APR_EBUSY:
 * another writer does not release them; APR_EOF: the upload is complete;
 * APR_ENOENT: it is gone; APR_EINVAL: end is before start, or behind the
 * length; else the system's error. */
apr_status_t upool_writer_begin(upool_writer **writer,
                                upool_resumable_look *look,
                                const upool_writer_claim *claim);

/* Where its next byte goes. */
apr_off_t upool_writer_offset(const upool_writer *writer);

/* Writes all of vec, which is used up on the way.  In a part out of order,
 * bytes that are there already are passed over.  The first error stays: every
 * later write returns it again. */
apr_status_t upool_writer_write(upool_writer *writer, struct iovec *vec,
                                int count);

/* Copies the first length bytes of source behind what this writer has written;
 * they do not pass through memory where the file system supports that.  Only
 * for a writer in order.  APR_EOF: source is shorter; else as write. */
apr_status_t upool_writer_copy(upool_writer *writer,
                               const upool_resumable_look *source,
                               apr_off_t length);

/* Must it stop?  APR_SUCCESS: no; APR_EBUSY: somebody asks for its bytes;
 * APR_ENOENT: the upload was cleared; ENOLCK: the pool is unsafe (farm.h). */
apr_status_t upool_writer_look_up(const upool_writer *writer);

/* With UploadSync: makes what came so far survive a power cut.  Else does
 * nothing. */
apr_status_t upool_writer_checkpoint(upool_writer *writer);

/* Ends the writer; the bytes that came count.  midstates (of upool_midstate):
 * to be kept with the upload; NULL: its old ones stay if they still hold.
 * APR_ENOENT: the upload was cleared; after any error the bytes that came may
 * be lost. */
apr_status_t upool_writer_keep(upool_writer *writer,
                               const apr_array_header_t *midstates);

/* Ends the writer; the bytes that came are removed. */
void upool_writer_take_back(upool_writer *writer);

/* Opens the bucket for completing the upload, all of whose bytes must be there;
 * nobody else writes to it from here to release().  The bucket lives in p.
 * APR_EINCOMPLETE: bytes are missing; APR_EOF: it is complete already; else as
 * begin. */
apr_status_t upool_writer_complete(upool_writer **writer,
                                   upool_resumable_look *look,
                                   upool_bucket **bucket, apr_pool_t *p);
/* Ends the writer, after the end of that bucket; the look is made anew. */
apr_status_t upool_writer_release(upool_writer *writer);

#endif
