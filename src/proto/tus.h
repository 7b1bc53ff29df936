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
 *   DELETE  U/ID     ends the upload and deletes it
 *
 * The request that brings the last byte (or says that there is none) runs the
 * application, by proto/complete.h, and answers with its answer; see there for
 * what happens if the client never sees it.
 *
 * All answers have Tus-Resumable, which is put among the headers that even
 * httpd's own error pages keep. */

#include "proto/protocol.h"
#include "proto/tus_head.h"
#include "upload/resume.h"

/* The protocol of this front's uploads, as their documents call it. */
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

/* Puts Tus-Resumable into whatever answer r will get. */
void upool_tus_mark(request_rec *r);

/* rq->own, made if it is not there yet. */
upool_tus *upool_tus_of(request_rec *r, upool_request *rq);

/* Opens rq's upload.  NULL if it is refused (there is none, it is another
 * protocol's, …), with *answer set to what the handler returns. */
upool_tus *upool_tus_open(request_rec *r, upool_request *rq, int *answer);

/* Answers a refusal in the form of the protocol. */
int upool_tus_refuse(request_rec *r, upool_request *rq,
                     const upool_refusal *refusal);
int upool_tus_refuse_for(request_rec *r, upool_request *rq, upool_reason reason,
                         const char *detail);
/* Answers 400 for the header field of that name. */
int upool_tus_refuse_field(request_rec *r, upool_request *rq, const char *name);

/* Puts Upload-Offset into the answer. */
void upool_tus_tell_offset(request_rec *r, const upool_resume *resume);

/* 1 if Upload-Concat said "final" when it was created. */
int upool_tus_is_final(const upool_resume *resume);

/* Answers after the bytes, or if there are none: with the application's answer
 * if the upload is complete by now, else with 201 or 204. */
int upool_tus_settle(request_rec *r, upool_request *rq);

/* HEAD, DELETE and OPTIONS, as handle(). */
int upool_tus_tell_state(request_rec *r, upool_request *rq);
int upool_tus_terminate(request_rec *r, upool_request *rq);
int upool_tus_tell_options(request_rec *r, upool_request *rq);

/* upool_protocol's answer(). */
int upool_tus_answer(request_rec *r, upool_request *rq, int has_body);

#endif
