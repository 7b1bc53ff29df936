/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_HANDOFF_H
#define UPOOL_HTTPD_HANDOFF_H

/* The body that stands in for an upload (UploadPassAs): JSON, or a form whose
 * files stay in the pool until somebody reads them.  Descriptors are held for
 * the first files only; the other files of a long form are opened one by
 * one. */

#include "httpd/request.h"

/* The headers that describe the body. */
typedef struct upool_handoff_head {
    const char *type;   /* Content-Type */
    const char *length; /* Content-Length */
    /* The text that X-Upload-Signature signs.  JSON and fields: the body.  A
     * form: identifier, type (with its random boundary) and length, with line
     * feeds between them, so that checking it needs no byte of the body. */
    const char *signed_text;
    apr_size_t signed_len;
} upool_handoff_head;

/* Makes rq->handoff and, where sub-requests are to have it, r->kept_body.
 * is_read is 0 where nobody will read it: then it is empty.  Returns 0; or 1
 * with *refusal set: MEMORY, IO, or CONFIGURATION where a file is kept
 * elsewhere. */
int upool_handoff_make(request_rec *r, upool_request *rq, int is_read,
                       upool_handoff_head *head, upool_refusal *refusal);

/* The most bytes that a reader gets at a time, however many it asks for. */
#define UPOOL_HANDOFF_MOST ((apr_off_t)1 << 20)

/* The rest of the body, which has bytes unless it is over.  Its first ready
 * bytes (at most MOST) are buckets of memory, unless the reader in r sends
 * files as files; what follows them may be files.  NULL when it cannot be
 * read. */
apr_bucket_brigade *upool_handoff_rest(request_rec *r, upool_request *rq,
                                       apr_off_t ready);

/* 1 when somebody has read the body to its end. */
int upool_handoff_is_read(const upool_request *rq);

#endif
