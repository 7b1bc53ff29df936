/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PARSE_QUERY_H
#define UPOOL_PARSE_QUERY_H

/* One parameter of a query string (application/x-www-form-urlencoded, as the
 * WHATWG URL standard reads it: "&" separates, ";" does not).  A parameter
 * that is there twice is reported, never resolved: first and last win in about
 * as many parsers each.  Pure; any thread. */

#include <stddef.h>

typedef enum upool_query_found {
    UPOOL_QUERY_ABSENT = 0,
    UPOOL_QUERY_ONCE,
    UPOOL_QUERY_DOUBLED, /* more than once, names compared after decoding */
    UPOOL_QUERY_BAD      /* a NUL, a broken % in the value, longer than
                               room, or a name with a NUL behind it */
} upool_query_found;

/* query may be NULL.  Names are compared exactly, after decoding both %XX and
 * "+".  "name" without "=" counts as present with the value "".  out gets the
 * decoded value, NUL-terminated, on ONCE; otherwise its content is
 * undefined. */
upool_query_found upool_query_find(const char *query, const char *name,
                                   char *out, size_t room);

#endif
