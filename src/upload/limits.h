/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_LIMITS_H
#define UPOOL_UPLOAD_LIMITS_H

/* How large one upload may be.  Everything behind the parser that can grow has
 * its ceiling here. */

#include <apr.h>

/* No limit: larger than any body. */
#define UPOOL_UNLIMITED APR_INT64_MAX

typedef struct upool_limits {
    apr_int64_t body;   /* the whole request body, bytes */
    apr_int64_t file;   /* one file, bytes */
    apr_int64_t parts;  /* parts in a body */
    apr_int64_t field;  /* one field's value, bytes */
    apr_int64_t fields; /* sum of all that is kept in memory, bytes */
    apr_int64_t header; /* one part's header block, bytes */
} upool_limits;

/* Ceiling of what clients say of an upload, beside its bytes, and its record
 * keeps: names and types of a form's files, fields of an upload in several
 * requests.  Every sweep, status request and piece reads it. */
#define UPOOL_KEPT_MAX ((apr_int64_t)256 << 10)

/* Bytes that one upload may keep in memory: as configured, but so that the int
 * of apr_base64 can count them. */
static inline apr_int64_t upool_limits_memory(const upool_limits *limits)
{
    const apr_int64_t most = (apr_int64_t)1 << 30;

    return limits->fields < most ? limits->fields : most;
}

/* The defaults of the directives. */
#define UPOOL_LIMITS_DEFAULT \
    { \
        UPOOL_UNLIMITED, UPOOL_UNLIMITED, 1000, 1048576, 10485760, 16384 \
    }

#endif
