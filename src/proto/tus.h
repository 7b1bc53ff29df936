/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PROTO_TUS_H
#define UPOOL_PROTO_TUS_H

/* The tus protocol 1.0.0 (https://tus.io/protocols/resumable-upload), with all
 * of its extensions but concatenation-unfinished.
 *
 *   OPTIONS any      what is on
 *   POST    U        tus_upload.c: a new upload, with or without its first
 *                    bytes; a partial one; a final one made of partial ones
 *   HEAD    U/ID     how far it is
 *   PATCH   U/ID     tus_upload.c: bytes at the offset
 *   DELETE  U/ID     no more of it
 *
 * Whichever request brings the last byte (or says that there is none) runs the
 * application, by proto/complete.h, and answers with its answer; see there for
 * what becomes of that when the client never sees it.
 *
 * What all answers have in common: Tus-Resumable, which is put among the
 * headers that even httpd's own error pages keep. */

#include "proto/protocol.h"
#include "proto/tus_head.h"
#include "upload/resume.h"

/* What an upload of this front is called in its document. */
#define UPOOL_TUS_PROTOCOL "tus"

/* What the front keeps of one request: rq->own. */
typedef struct upool_tus {
    upool_resume *resume;
    upool_tus_append append;
} upool_tus;

/* In the list of front/route.c. */
extern const upool_protocol upool_tus_protocol;

/* --- tus_upload.c: POST and PATCH, as handle() ---------------------------- */

int upool_tus_create(request_rec *r, upool_request *rq);
int upool_tus_patch(request_rec *r, upool_request *rq);

/* --- tus_reply.c ---------------------------------------------------------- */

/* Tus-Resumable into whatever answer r will get. */
void upool_tus_mark(request_rec *r);

/* rq->own, made where it is not there yet. */
upool_tus *upool_tus_of(request_rec *r, upool_request *rq);

/* Opens rq's upload; NULL with *answer set to what the handler returns, when
 * it was refused: there is none, it is another protocol's, … */
upool_tus *upool_tus_open(request_rec *r, upool_request *rq, int *answer);

/* Answers a refusal in the form of the protocol. */
int upool_tus_refuse(request_rec *r, upool_request *rq,
                     const upool_refusal *refusal);
int upool_tus_refuse_for(request_rec *r, upool_request *rq, upool_reason reason,
                         const char *detail);
/* 400 for the header field of that name. */
int upool_tus_refuse_field(request_rec *r, upool_request *rq, const char *name);

/* Upload-Offset into the answer. */
void upool_tus_tell_offset(request_rec *r, const upool_resume *resume);

/* What Upload-Concat said when it was created. */
int upool_tus_is_final(const upool_resume *resume);

/* After the bytes, or where there are none: the application's answer when the
 * upload is complete by now, else 201 or 204. */
int upool_tus_settle(request_rec *r, upool_request *rq);

/* HEAD, DELETE and OPTIONS, as handle(). */
int upool_tus_tell_state(request_rec *r, upool_request *rq);
int upool_tus_terminate(request_rec *r, upool_request *rq);
int upool_tus_tell_options(request_rec *r, upool_request *rq);

/* upool_protocol's answer(). */
int upool_tus_answer(request_rec *r, upool_request *rq, int has_body);

#endif
