/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_PARTS_H
#define UPOOL_UPLOAD_PARTS_H

/* The parts of a multipart/form-data body, one by one, within the limits:
 * combines the parser and the reader of part headers of parse/ with an upload's
 * memory and refusals.  Others use the parts: form.h makes an upload of them,
 * chunk.h a piece of one.
 *
 * One thread at a time.  Functions that return int return 0 to go on, 1 when
 * the body is refused (*refusal of make() says why). */

#include <apr_pools.h>
#include "parse/part.h"
#include "upload/limits.h"
#include "upload/refusal.h"

typedef struct upool_parts upool_parts;

/* What a part is, for those who use them. */
typedef enum upool_part_kind {
    UPOOL_PART_FIELD,
    UPOOL_PART_FILE,
    UPOOL_PART_NAMELESS /* filename="": a file only if a byte comes */
} upool_part_kind;

/* Each returns 0 to go on; or 1, with a refusal set. */
typedef struct upool_parts_events {
    /* A part begins; *part is valid during the call only. */
    int (*begin)(void *user, const upool_part *part);
    /* Bytes of it, len > 0; valid as long as what was fed. */
    int (*data)(void *user, const char *data, apr_size_t len);
    int (*end)(void *user);
} upool_parts_events;

/* In p.  boundary: UPOOL_BOUNDARY_MAX bytes at most; events, limits and refusal
 * must outlive it. */
upool_parts *upool_parts_make(const char *boundary, apr_size_t boundary_len,
                              const upool_limits *limits,
                              upool_refusal *refusal,
                              const upool_parts_events *events, void *user,
                              apr_pool_t *p);

/* Bytes of the body. */
int upool_parts_feed(upool_parts *parts, const char *data, apr_size_t len);

/* The body has ended. */
int upool_parts_end(upool_parts *parts);

#endif
