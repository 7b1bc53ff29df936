/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_INTAKE_H
#define UPOOL_HTTPD_INTAKE_H

/* Begins an upload for a request.  Everything that can be refused before the
 * first byte of the body is read, and so before "100 Continue", is refused
 * here. */

#include "httpd/request.h"
#include "upload/announced.h"

/* The filters are in place, nothing was read.  Afterwards rq->intake is
 * TAKING.  0, or 1 with *refusal set. */
int upool_intake_begin(request_rec *r, upool_request *rq,
                       upool_refusal *refusal);

/* The same in two steps, for a form whose fields will tell whether it is an
 * upload or a piece of one. hold raises every objection that the head gives
 * against it as an upload, and takes its identifier and its room.  Then open
 * makes it an upload; or withdraw says that it is none, and rq->upload is
 * NULL. */
int upool_intake_hold(request_rec *r, upool_request *rq,
                      upool_refusal *refusal);
int upool_intake_open(upool_request *rq, upool_refusal *refusal);
void upool_intake_withdraw(upool_request *rq);

/* Leaves an error for a request that would have begun an upload of several
 * requests, and is refused before there is one: a poller who uses the client's
 * identifier is to see this refusal just as he sees that of a form.  1 when it
 * was left for him, and is counted; 0 when it is not such a request, or the
 * identifier means something else, and nothing is changed. */
int upool_intake_leave_error(request_rec *r, upool_request *rq,
                             const upool_refusal *refusal);

/* 1 when the body still has a content coding that no filter has decoded.
 * Asked once before reading, and again after the first bytes: mod_deflate
 * takes the header away when it starts to inflate. */
int upool_intake_is_encoded(const request_rec *r, const upool_request *rq,
                            int before);

/* What the head of a request with a form already says against it: NONE, or the
 * reason, with *detail for the log (may be NULL). */
upool_reason upool_intake_judge(request_rec *r, const upool_request *rq,
                                const char **detail);

/* Reads the digests that are announced of the content; *digests is all NULL
 * before.  1 where a field is malformed. */
int upool_intake_digests(const request_rec *r, const upool_request *rq,
                         upool_content_digests *digests);

#endif
