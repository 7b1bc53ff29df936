/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_FIELDBODY_H
#define UPOOL_UPLOAD_FIELDBODY_H

/* A body that has only fields, in any form in which clients write them: as a
 * form (multipart/form-data; files in it are passed over), as a query
 * (application/x-www-form-urlencoded), or as a JSON object, whose strings are
 * taken unchanged and other values as their JSON text.
 *
 * It stays in memory, so its length is limited to that of one field, or in a
 * form to that of all fields.  One thread at a time.  Lives in the pool of
 * make. */

#include "upload/fields.h"
#include "upload/limits.h"
#include "upload/sink.h"

typedef enum upool_fieldbody_kind {
    UPOOL_FIELDBODY_FORM,
    UPOOL_FIELDBODY_QUERY,
    UPOOL_FIELDBODY_JSON
} upool_fieldbody_kind;

typedef struct upool_fieldbody upool_fieldbody;

/* boundary: of a FORM, UPOOL_BOUNDARY_MAX bytes at most. */
upool_fieldbody *upool_fieldbody_make(upool_fieldbody_kind kind,
                                      const char *boundary,
                                      apr_size_t boundary_len,
                                      const upool_limits *limits,
                                      apr_pool_t *p);

/* Where the body goes.  A body that does not parse is refused: HEADER and its
 * like for a FORM, FIELDS for the others; one that is too long: FIELD_TOO_LARGE
 * or FIELDS_TOO_LARGE. */
upool_sink upool_fieldbody_sink(upool_fieldbody *body);

/* All fields, of upool_field, when the sink has finished. */
const apr_array_header_t *upool_fieldbody_fields(const upool_fieldbody *body);

/* The only value of that name; NULL: there is none, or more than one, or it has
 * a NUL. */
const char *upool_fieldbody_value(const apr_array_header_t *fields,
                                  const char *name);

#endif
