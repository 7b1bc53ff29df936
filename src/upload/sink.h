/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_SINK_H
#define UPOOL_UPLOAD_SINK_H

/* Where the bytes of one request's body go: a multipart upload, an append of
 * raw bytes, a chunk inside a form.  The reader of the body (httpd/drive.h)
 * knows nothing else of them:
 *
 *     feed, feed, …, flush ──> feed, …, flush ──> … ──> finish
 *        any of them ──> refused: it stays so, the first reason stands
 *
 * A sink never blocks on the client and keeps nothing on the stack or in the
 * thread: between two flushes it may wait for hours and go on in another
 * thread.  One thread at a time.
 *
 * All functions that return int return 0, or 1 when the sink is refused; after
 * that every further call does nothing and returns 1. */

#include <apr.h>
#include <apr_errno.h>

#include "upload/refusal.h"

typedef struct upool_sink_ops {
    /* Bytes of the body, in order, valid until the flush that follows. */
    int (*feed)(void *self, const char *data, apr_size_t len);
    /* The bytes fed are about to become invalid: writes them, tells progress,
     * and checks as is_unwanted() does. */
    int (*flush)(void *self);
    /* The body has ended, after a last flush: commits, or keeps the bytes. */
    int (*finish)(void *self);
    /* Nothing more will come, for that reason: ends what was begun, or keeps
     * the bytes that came.  detail: static, or in the sink's pool. */
    void (*refuse)(void *self, upool_reason reason, apr_status_t rv,
                   const char *detail);
    /* Must it stop: has somebody cleared it, or is somebody taking over?  If so
     * it has refused itself.  Cheap; asked at most every 250 ms while bytes
     * flow, and at least every 500 ms while it waits for its client. */
    int (*is_unwanted)(void *self);
    /* The request waits without a thread (1), or has one again (0); for the
     * metrics.  NULL: the request brings no upload, or none yet. */
    void (*park)(void *self, int parked);
    /* Bytes fed so far. */
    apr_off_t (*received)(const void *self);
    /* Why it was refused; reason NONE: it was not. */
    const upool_refusal *(*refusal)(void *self);
} upool_sink_ops;

/* Plain data; lives as long as self, in its pool. */
typedef struct upool_sink {
    const upool_sink_ops *ops;
    void *self;
} upool_sink;

/* These call what they are named after. */
int upool_sink_feed(const upool_sink *sink, const char *data, apr_size_t len);
int upool_sink_flush(const upool_sink *sink);
int upool_sink_finish(const upool_sink *sink);
void upool_sink_refuse(const upool_sink *sink, upool_reason reason,
                       apr_status_t rv, const char *detail);
int upool_sink_is_unwanted(const upool_sink *sink);
void upool_sink_park(const upool_sink *sink, int parked);
apr_off_t upool_sink_received(const upool_sink *sink);
const upool_refusal *upool_sink_refusal(const upool_sink *sink);

#endif
