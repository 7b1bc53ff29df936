/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_DOCUMENT_H
#define UPOOL_STORE_DOCUMENT_H

/* metadata.json, attempt.json and resumable.json as files.  They are never
 * changed in place: a new one is written beside and renamed over, so a reader
 * sees the old or the new one, whole.  Only the holder of the bucket's lock
 * writes.
 *
 * A record is believed about its data files only if these are there, regular,
 * and of exactly the recorded size.
 *
 * Descriptors live within one call, but for the one that
 * upool_document_hold_resumable() gives away.  No state; any thread. */

#include <sys/stat.h>

#include "store/record.h"
#include "store/resumable.h"

/* Reads the text of the document name into p, with no NUL behind it.  Errors as
 * of upool_document_load(). */
apr_status_t upool_document_read(char **text, apr_size_t *len, int directory,
                                 const char *name, apr_pool_t *p);

/* Writes text, from malloc() and freed here, to fresh and renames that to name.
 * sync, named and errors as of upool_document_save(). */
apr_status_t upool_document_put(char *text, apr_size_t len, int directory,
                                const char *name, const char *fresh, int sync,
                                int *named);

/* Reads the document name (one of layout.h's) in the bucket's directory.
 * APR_ENOENT: there is none; APR_EGENERAL: something else has that name (a
 * link, a FIFO), or it is not a record of id; else the system's error. */
apr_status_t upool_document_load(upool_record **record, int directory,
                                 const char *name, const char *id,
                                 apr_pool_t *p);

/* The complete upload: metadata.json in state done, with its data files
 * verified; a missing one was moved away by the application.  As above;
 * APR_EGENERAL also where they do not agree, and *record is set even then (but
 * on no other error). */
apr_status_t upool_document_complete(upool_record **record, int directory,
                                     const char *id, apr_pool_t *p);

/* Do the data files agree with record?  APR_SUCCESS; APR_ENOENT: one is not
 * there; APR_EGENERAL: one is not a regular file of its size; else the
 * system's error. */
apr_status_t upool_document_verify(const upool_record *record, int directory);

/* Writes record to fresh and renames that to name.  sync: the document and all
 * that is in the directory are on the disk before the rename, and the rename
 * before the return.  On an error before the rename nothing has changed; *named
 * (may be NULL) tells whether the rename was done. */
apr_status_t upool_document_save(const upool_record *record, int directory,
                                 const char *name, const char *fresh, int sync,
                                 int *named);

/* The same for resumable.json.  resumable_state.h tells whether it belongs to
 * the complete upload, and how much of its file is there. */
apr_status_t upool_document_load_resumable(upool_resumable **resumable,
                                           int directory, const char *id,
                                           apr_pool_t *p);

/* Loads it and leaves the file open as *fd, with *st of that file: while it is
 * open, a name with the same number is the same file, and has the same content,
 * since a document is never written to again.  On an error *fd is -1. */
apr_status_t upool_document_hold_resumable(upool_resumable **resumable, int *fd,
                                           struct stat *st, int directory,
                                           const char *id, apr_pool_t *p);
apr_status_t upool_document_save_resumable(const upool_resumable *resumable,
                                           int directory, int sync);

#endif
