/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PROTO_IETF_HEAD_H
#define UPOOL_PROTO_IETF_HEAD_H

/* The header fields of the IETF's resumable uploads, as a request has them.
 * A field of another type than the draft gives it, an integer below zero or
 * one that was sent twice is no field at all (4.1.1, 4.1.2, 4.1.3).
 *
 * Upload-Draft-Interop-Version says which draft the client was written after:
 *
 *   3     drafts -00 and -01: Upload-Incomplete instead of Upload-Complete
 *   4, 5  drafts -02 and -03: appends have no media type of their own
 *   6     drafts -04 and -05: application/partial-upload, Upload-Length; the
 *         limit of age is called expires
 *   7, 8  drafts -06 to -08, and -09 onwards
 *
 * Pure; any thread. */

#include <apr_tables.h>

#define UPOOL_IETF_INTEROP_MIN 3
#define UPOOL_IETF_INTEROP_MAX 8

typedef struct upool_ietf_head {
    int interop;      /* a version that we speak; 0: none, or another */
    int complete;     /* 0 or 1; -1: not said */
    long long offset; /* -1: not said */
    long long length; /* -1: not said */
} upool_ietf_head;

void upool_ietf_head_read(const apr_table_t *headers, upool_ietf_head *head);

#endif
