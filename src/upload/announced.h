/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_ANNOUNCED_H
#define UPOOL_UPLOAD_ANNOUNCED_H

/* Digests that the client announced, checked while the bytes pass: of the
 * request's content (Content-Digest and Repr-Digest, RFC 9530), and of single
 * files, in a form field (UploadDigestField).
 *
 * Files are digested as the client sent them, before any handler has them.  The
 * first value of the form field belongs to the first file of the upload, the
 * second to the second, whether it stands before or behind its file; empty
 * values do not count, and neither do inputs without a file.  A value may be
 * md5 or sha-256: for a file whose value has not come yet both are computed.
 *
 * One thread at a time.  Functions that return int return 0 to go on, 1 when
 * the upload is refused (*refusal of make() says why). */

#include <apr_pools.h>
#include "parse/digestfield.h"
#include "upload/fields.h"
#include "upload/refusal.h"

/* What was announced for the content; NULL: nothing. */
typedef struct upool_content_digests {
    const upool_digestfield *content; /* Content-Digest */
    const upool_digestfield *repr;    /* Repr-Digest */
} upool_content_digests;

typedef struct upool_content_check upool_content_check;

/* In p; NULL where no digest was announced, or none that we know. */
upool_content_check *upool_content_check_make(
    const upool_content_digests *announced, upool_refusal *refusal,
    apr_pool_t *p);

/* Bytes of the content. */
int upool_content_check_data(upool_content_check *check, const char *data,
                             apr_size_t len);

/* The content has ended: does every digest match? */
int upool_content_check_end(upool_content_check *check);

typedef struct upool_file_check upool_file_check;

/* In p, the pool of the form's fields; NULL where name is NULL. */
upool_file_check *upool_file_check_make(const char *name,
                                        upool_refusal *refusal, apr_pool_t *p);

/* A field is complete: is it one of those that announce? */
int upool_file_check_field(upool_file_check *check, const upool_field *field);

/* A file begins, some of its bytes have come, it has ended. */
int upool_file_check_begin(upool_file_check *check);
int upool_file_check_data(upool_file_check *check, const char *data,
                          apr_size_t len);
int upool_file_check_end(upool_file_check *check);

/* The body has ended: was something announced for a file that never came? */
int upool_file_check_finish(upool_file_check *check);

#endif
