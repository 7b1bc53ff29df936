/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_FIELDS_H
#define UPOOL_UPLOAD_FIELDS_H

/* The form's text fields, in order, repeated names kept.  They stay in memory
 * within the limits: an arriving value grows in one buffer with a ceiling, and
 * a complete one is kept in the upload's pool. */

#include <apr_pools.h>
#include <apr_tables.h>
#include "store/record.h"
#include "upload/limits.h"
#include "upload/refusal.h"

typedef struct upool_field {
    const char *name;
    const char *value; /* len bytes, may hold NUL, NUL behind them */
    apr_size_t len;
    upool_written written;
} upool_field;

typedef struct upool_fields upool_fields;

/* limits must outlive it.  *memory: what the upload may still keep in memory;
 * reduced by every value.  Lives in p. */
upool_fields *upool_fields_make(const upool_limits *limits, apr_int64_t *memory,
                                apr_pool_t *p);

/* A field begins; name is copied. */
void upool_fields_begin(upool_fields *fields, const char *name);
/* How the field that has begun stood in its form; the strings of *written are
 * not copied.  Without this call: as browsers write it, part 0. */
void upool_fields_written(upool_fields *fields, const upool_written *written);
/* Bytes of the field.  NONE, or the reason why they are refused. */
upool_reason upool_fields_data(upool_fields *fields, const char *data,
                               apr_size_t len);
/* It is complete. */
void upool_fields_end(upool_fields *fields);

/* All complete fields, of upool_field. */
const apr_array_header_t *upool_fields_list(const upool_fields *fields);

#endif
