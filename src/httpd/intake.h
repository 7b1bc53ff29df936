/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_INTAKE_H
#define UPOOL_HTTPD_INTAKE_H

/* Begins an upload for a request: everything that can be refused before the
 * first byte of the body is read, and so before "100 Continue", is refused
 * here. */

#include "httpd/request.h"
#include "upload/announced.h"

/* The filters are in place, nothing was read.  Afterwards rq->intake is
 * TAKING.  0, or 1 with *refusal set. */
int upool_intake_begin(request_rec *r, upool_request *rq,
                       upool_refusal *refusal);

/* 1 when the body still has a content coding that no filter has decoded.
 * Asked once before reading, and again after the first bytes: mod_deflate
 * takes the header away when it starts to inflate. */
int upool_intake_is_encoded(const request_rec *r, const upool_request *rq,
                            int before);

/* What the head of a request with a form tells against it already: NONE, or
 * why not, with *detail for the log (may be NULL). */
upool_reason upool_intake_judge(request_rec *r, const upool_request *rq,
                                const char **detail);

/* Reads what is announced of the content; *digests is all NULL before.  1 where
 * a field is malformed. */
int upool_intake_digests(const request_rec *r, const upool_request *rq,
                         upool_content_digests *digests);

#endif
