/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PARSE_ORIGIN_H
#define UPOOL_PARSE_ORIGIN_H

/* What CORS compares and repeats (Fetch, "HTTP extensions").  Pure, whatever
 * the locale; any thread. */

#include <stddef.h>

/* 1 when text is an origin as browsers write it (Fetch, "Origin header"; RFC
 * 6454 6.2): scheme://host or scheme://host:port, in lower case, without path,
 * user or a port that the scheme implies.  "null" and "*" are not origins.
 * Anything that browsers never send is refused too, since it would never
 * match. */
int upool_origin_is_valid(const char *text);

/* 1 when text is a list of header names with commas and blanks, as in
 * Access-Control-Request-Headers, and may be repeated in an answer. */
int upool_origin_is_names(const char *text);

#endif
