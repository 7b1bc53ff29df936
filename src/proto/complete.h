/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PROTO_COMPLETE_H
#define UPOOL_PROTO_COMPLETE_H

/* What follows when an upload of several requests is complete: its application
 * runs, once, and its answer goes to the client.
 *
 * Any request may be the one that completes it: the last append, U/complete, a
 * concatenation; and it may be sent again when its answer was lost.  A front
 * does not have to know which of these it has: when the client has done what
 * completes an upload, and upool_resume_is_complete() says that it is complete,
 * the front returns what upool_complete_run() returns.
 *
 * The application sees "POST U" with the URL and the query of the request that
 * created the upload, the substituted body, headers and environment (contract
 * 3), and none of the protocol's own headers, conditions or ranges.  It is
 * reached by an internal redirect, where httpd checks access anew, for the
 * method POST.  UploadPass changes where.
 *
 * Its answer passes through the protocol's answer(), and is kept in the bucket
 * (store/answer.h).  A request that is sent again thus gets the same answer for
 * ten minutes; later, or if the answer was too long to be kept, it gets the
 * answer's status with the upload's status object.  An answer of 5xx, 401, 407,
 * 408, 425 or 429 is not final, nor is one that the application did not give
 * (access denied): the same request runs the application again.  The same is
 * true of the first request after the process died while the application ran:
 * the application runs once, or at least once after a crash.  A request that
 * comes while the application runs waits for its answer, for some seconds, and
 * on no thread where it can be parked; then it is refused as BUSY. */

#include "proto/protocol.h"
#include "upload/repeat.h"
#include "upload/resume.h"

/* Answers r for resume's upload, which is complete, whichever request completed
 * it.  The caller has checked the owner.  Returns what the handler hook
 * returns. */
int upool_complete_run(request_rec *r, upool_request *rq,
                       const upool_resume *resume);

/* 1 while a request may still wait for another's answer. */
int upool_complete_has_patience(const upool_request *rq);

/* How long a request that has completed an upload is recognised when it is sent
 * again: as long as the application's answer is kept. */
#define UPOOL_COMPLETE_REPEATS apr_time_from_sec(600)

/* Makes the upload that start describes, with a request that will complete it
 * too.  The request is a repeat, sent for an answer that upool_complete_run()
 * gives, if a complete upload exists by the identifier that the client has
 * given, of the same protocol, length, name, type and metadata, for the same
 * target: then *repeated is 1 and the upload is that one.  This also holds when
 * the first of two simultaneous requests has completed it a moment ago.
 * Whether the bytes are the same is seen when they come
 * (upool_complete_repeat()).  Without an identifier of the client's a repeat
 * cannot be recognised.  NULL: *refusal says why. */
upool_resume *upool_complete_create(request_rec *r, upool_request *rq,
                                    upool_resume_start *start, int *repeated,
                                    upool_refusal *refusal);

/* The comparison for a request that brings all of a complete upload again;
 * NULL: handlers may have changed its bytes. */
upool_repeat *upool_complete_repeat(request_rec *r, const upool_request *rq,
                                    const upool_resume *resume);

/* What the upload's application has done so far, for requests that ask how far
 * the upload is.  *status (may be NULL): that of its last answer, 0 if none. */
typedef enum upool_complete_state {
    UPOOL_COMPLETE_OPEN = 0, /* it has not run, or would run again */
    UPOOL_COMPLETE_RUNS,     /* a request waits for its answer */
    UPOOL_COMPLETE_ANSWERED  /* finally */
} upool_complete_state;
upool_complete_state upool_complete_look(request_rec *r, upool_request *rq,
                                         const upool_record *record,
                                         int *status);

#endif
