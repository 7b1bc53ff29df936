/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_CHUNK_H
#define UPOOL_UPLOAD_CHUNK_H

/* A piece of an upload that comes as the file of a form (multipart/form-data),
 * among fields that say which upload it belongs to:
 *
 *     fields ──(file begins: whose is it?)──> bytes go on to the sink of an
 *       │                                     append, as many as announced
 *       │                                        │
 *       └──(end: there was no file)──>     (end: that many?)──> it finishes
 *
 * There is one file at most; an input without a file does not count.  Fields
 * behind the file may still change the owner's mind in ends().
 *
 * If the request ends early the append is told why, and keeps the bytes that
 * came.  If the form is wrong, or its owner refuses it, the append is told
 * CHUNK_SIZE, which takes the bytes back.
 *
 * One thread at a time.  Lives in the pool of make. */

#include "upload/announced.h"
#include "upload/fields.h"
#include "upload/limits.h"
#include "upload/sink.h"

typedef struct upool_chunk upool_chunk;

typedef struct upool_chunk_options {
    const char *boundary; /* UPOOL_BOUNDARY_MAX bytes at most */
    apr_size_t boundary_len;
    upool_limits limits;
    upool_content_digests digests; /* announced for the request's content */
    /* The file begins, of which *file says what its part's head said (without
     * its safe name); the fields so far are known.  Says where its bytes go
     * (*inner) and how many it must have (*length, -1: any number).  0; or 1
     * with *refusal set. */
    int (*begins)(void *user, const upool_file *file, upool_sink *inner,
                  apr_off_t *length, upool_refusal *refusal);
    /* The form has ended as it should, and the file, if has_file, has as many
     * bytes as it must: its sink is finished next.  0; or 1 with *refusal
     * set. */
    int (*ends)(void *user, int has_file, upool_refusal *refusal);
    void *user;
} upool_chunk_options;

/* In p. */
upool_chunk *upool_chunk_make(const upool_chunk_options *options,
                              apr_pool_t *p);

/* Where the body goes. */
upool_sink upool_chunk_sink(upool_chunk *chunk);

/* The fields so far, of upool_field. */
const apr_array_header_t *upool_chunk_fields(const upool_chunk *chunk);

#endif
