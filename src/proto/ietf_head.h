/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PROTO_IETF_HEAD_H
#define UPOOL_PROTO_IETF_HEAD_H

/* The header fields of the IETF's resumable uploads, as a request has them.  A
 * field counts as absent if its type is not the draft's, if it is an integer
 * below zero, or if it was sent twice (4.1.1, 4.1.2, 4.1.3).
 *
 * Upload-Draft-Interop-Version says which draft the client was written after:
 *
 *   3     drafts -00 and -01: Upload-Incomplete instead of Upload-Complete
 *   4, 5  drafts -02 and -03: appends have no media type of their own
 *   6     drafts -04 and -05: application/partial-upload, Upload-Length; the
 *         limit of age is called expires
 *   7, 8  drafts -06 to -08, and -09 onwards
 *
 * No state; any thread. */

#include <httpd.h>

#include "upload/resume.h"

#define UPOOL_IETF_INTEROP_MIN 3
#define UPOOL_IETF_INTEROP_MAX 8

typedef struct upool_ietf_head {
    int interop;      /* a version that we speak; 0: none, or another */
    int complete;     /* 0 or 1; -1: not said */
    long long offset; /* -1: not said */
    long long length; /* -1: not said */
} upool_ietf_head;

void upool_ietf_head_read(const apr_table_t *headers, upool_ietf_head *head);

/* 1 where id looks like one that we mint. */
int upool_ietf_is_minted(const char *id);

/* 1 if type is the Content-Type of an append; type may be NULL. */
int upool_ietf_is_partial(const char *type);

/* Header fields of the creating request that describe the whole representation
 * and that a later request needs.  They are kept with the upload, as the
 * metadata of its document, one line each:
 *
 *     Content-Encoding: FIELD LF     (8) for the application
 *     Repr-Digest: FIELD LF          (10.1, RFC 9530) to be compared
 *     Want-Repr-Digest: FIELD LF     to be answered */

/* The metadata of an upload that r creates; *text NULL: nothing.  NONE, or
 * DIGEST_SYNTAX. */
upool_reason upool_ietf_keep(request_rec *r, const char **text);

/* The codings of the whole, in p; NULL: none. */
const char *upool_ietf_coding(const upool_resumable *about, apr_pool_t *p);

/* Compares the digest once every byte is there.  0, or 1 with the resume
 * refused. */
int upool_ietf_check_digest(upool_resume *resume);

/* Sets Repr-Digest in headers to those digests that the client wants and we
 * know. */
void upool_ietf_tell_digest(const upool_resumable *about,
                            const upool_record *record, apr_table_t *headers,
                            apr_pool_t *p);

#endif
