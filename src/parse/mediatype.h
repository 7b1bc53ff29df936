/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PARSE_MEDIATYPE_H
#define UPOOL_PARSE_MEDIATYPE_H

/* The request's Content-Type (RFC 9110 8.3): is the body for us?
 *
 * No body that other parsers might take for a form is passed on unread:
 * whatever begins with the token multipart/form-data, in any letter case, is
 * either a form with one boundary that all parsers read alike, or BROKEN.
 * Parameters besides the boundary are ignored but must parse.  A boundary is 1
 * to 70 characters of RFC 2046's bchars, as a token or in quotes without
 * backslashes; RFC 2231's boundary*0 is refused.  Pure; any thread. */

#include <stddef.h>
#include "parse/multipart.h"

typedef enum upool_mediatype {
    UPOOL_MEDIATYPE_OTHER = 0, /* not ours: passes untouched */
    UPOOL_MEDIATYPE_FORM,      /* multipart/form-data with a good boundary */
    UPOOL_MEDIATYPE_BROKEN     /* begins with that token in any letter case,
                                    but does not parse (no or bad or doubled
                                    boundary, "multipart/form-data, x", …): it
                                    must be refused, never passed on unread */
} upool_mediatype;

/* boundary: room for UPOOL_BOUNDARY_MAX + 1, NUL-terminated on FORM and
 * undefined otherwise, as *boundary_len is. */
upool_mediatype upool_mediatype_parse(const char *value, size_t len,
                                      char *boundary, size_t *boundary_len);

#endif
