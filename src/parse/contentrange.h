/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PARSE_CONTENTRANGE_H
#define UPOOL_PARSE_CONTENTRANGE_H

/* Where the content of a request belongs in a larger whole (RFC 9110 14.4):
 *
 *   Content-Range = "bytes" SP ( first "-" last "/" ( total / "*" )
 *                              / "*" "/" total )
 *
 * and nothing else: no sign, no further blank, no list.  The one exception is
 * "bytes 0--1/0", by which jQuery File Upload says that a file is empty; the
 * RFC has no way to say so.  Two fields that a proxy or httpd has joined with a
 * comma do not parse, so there is never a choice between them.  Pure; any
 * thread. */

#include <stddef.h>

typedef struct upool_contentrange {
    long long first; /* -1: "*", the request brings nothing and asks */
    long long last;  /* inclusive; first <= last < LLONG_MAX, so that
                        last - first + 1 always fits; -1 of an empty file */
    long long total; /* > last; -1: "*", not yet known */
} upool_contentrange;

/* Reads the len bytes at text; letter case of the unit does not matter.
 * Returns 0; or -1, with *range undefined, where it does not parse, ends before
 * it begins, lies outside its total or has a number beyond 63 bits. */
int upool_contentrange_parse(const char *text, size_t len,
                             upool_contentrange *range);

/* How many bytes the range holds; 0 for one that asks. */
long long upool_contentrange_length(const upool_contentrange *range);

#endif
