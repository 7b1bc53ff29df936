/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PARSE_MEDIATYPE_H
#define UPOOL_PARSE_MEDIATYPE_H

/* The request's Content-Type (RFC 9110 8.3): is the body for us? */

#include <stddef.h>
#include "parse/multipart.h"

typedef enum upool_mediatype {
    UPOOL_MEDIATYPE_OTHER = 0,   /* not ours: passes untouched */
    UPOOL_MEDIATYPE_FORM,        /* multipart/form-data with a good boundary */
    UPOOL_MEDIATYPE_BROKEN       /* begins with that token in any letter case,
                                    but does not parse (no or bad or doubled
                                    boundary, "multipart/form-data, x", …): it
                                    must be refused, never passed on unread */
} upool_mediatype;

/* boundary: room for UPOOL_BOUNDARY_MAX + 1, NUL-terminated on FORM. */
upool_mediatype upool_mediatype_parse(const char *value, size_t len,
                                      char *boundary, size_t *boundary_len);

#endif
