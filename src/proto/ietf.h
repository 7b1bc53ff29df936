/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PROTO_IETF_H
#define UPOOL_PROTO_IETF_H

/* Resumable Uploads for HTTP (draft-ietf-httpbis-resumable-upload): the front
 * of UploadProtocol resumable.  Its files:
 *
 *   ietf.c           what is ours, and who answers it
 *   ietf_head.c      what the client says, and what of it is kept
 *   ietf_upload.c    a request with Upload-Complete makes an upload resource,
 *                    PATCH application/partial-upload appends to it
 *   ietf_interim.c   interim answers meanwhile
 *   ietf_reply.c     header fields and problem documents; HEAD and GET of the
 *                    resource, DELETE, OPTIONS
 *
 * The sections named in comments are those of the draft as of version -11 and
 * of its later text in the working group's repository.  Where the two differ,
 * or an older interop version (ietf_head.h) does, the comment says what we do.
 *
 * The representation is whatever the client sends, content coding included (8):
 * one file, whose type and name are those of the creating request.  This holds
 * for multipart/form-data too: a form that is sent so is not taken apart. */

#include "proto/protocol.h"
#include "proto/ietf_head.h"
#include "upload/resume.h"

/* The protocol of this front's uploads, as their documents call it. */
#define UPOOL_IETF_PROTOCOL "resumable"

/* What the front keeps of a request, in rq->own. */
typedef struct upool_ietf {
    upool_ietf_head head;
    upool_resume *resume; /* NULL until it is made or found */
    upool_sink sink;      /* of the bytes; rq->sink is ietf_interim.c's */
    request_rec *r;
    apr_off_t begin; /* where this request's bytes belong */
    int interims;    /* interim answers that may still be sent */
    apr_off_t step;  /* bytes to the next one with an offset; 0: none */
    apr_off_t told;  /* the offset of the last one */
    int gone;        /* refused for good: nothing is left to go on with */
    int processed;   /* refused by a check of the whole representation */
} upool_ietf;

/* What the front keeps of rq, from recognise() on. */
static inline upool_ietf *upool_ietf_of(const upool_request *rq)
{
    return rq->own;
}

/* --- ietf_upload.c: as handle() ------------------------------------------- */

int upool_ietf_create(request_rec *r, upool_request *rq);
int upool_ietf_append(request_rec *r, upool_request *rq);

/* --- ietf_interim.c ------------------------------------------------------- */

/* How many interim answers r may have (UploadInterim): as many in a row as
 * every client can cope with, so none if a proxy stands between. */
int upool_ietf_interims(const request_rec *r, const upool_request *rq);

/* Tells the client where the upload resource is, if it understands that. */
void upool_ietf_announce(request_rec *r, const upool_request *rq,
                         const char *location);

/* Sets rq->sink: the resume's, with interim answers in between. */
void upool_ietf_wrap(request_rec *r, upool_request *rq);

/* --- ietf_reply.c --------------------------------------------------------- */

/* Upload-Limit (4.1.4), its members named as rq's client knows them; never
 * NULL. If the resource is known its remaining life is among them. */
const char *upool_ietf_limits(request_rec *r, const upool_request *rq);

/* Sets the answer's Upload-Offset, Upload-Complete, Upload-Limit and, if it is
 * known, Upload-Length of the resource. */
void upool_ietf_set_state(request_rec *r, const upool_request *rq);

/* Opens the resource that rq names.  0, or 1 with *refusal set. */
int upool_ietf_open(request_rec *r, upool_request *rq, upool_refusal *refusal);

/* Ends a request that still writes, and looks again (4.6).  0, or 1 with
 * *refusal set. */
int upool_ietf_settle(upool_request *rq, upool_refusal *refusal);

/* HEAD and GET of the resource, DELETE, OPTIONS: as handle(). */
int upool_ietf_tell_offset(request_rec *r, upool_request *rq);
int upool_ietf_cancel(request_rec *r, upool_request *rq);
int upool_ietf_options(request_rec *r, upool_request *rq);

/* upool_protocol's answer(). */
int upool_ietf_answer(request_rec *r, upool_request *rq, int has_body);

/* upool_protocol's refuse(): a problem document (RFC 9457) that is also the
 * object of contract 5. */
int upool_ietf_refuse(request_rec *r, upool_request *rq,
                      const upool_refusal *refusal);

#endif
