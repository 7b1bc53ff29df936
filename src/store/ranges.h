/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_RANGES_H
#define UPOOL_STORE_RANGES_H

/* The bytes of a file that are there: ranges [start, end) in order, none empty,
 * none touching another.  Every number is 0 or more, up to the largest that
 * apr_off_t holds; nothing is added up, so nothing overflows.  Pure data, any
 * thread. */

#include <apr_pools.h>
#include <apr_tables.h>

typedef struct upool_range {
    apr_off_t start;
    apr_off_t end; /* the first byte behind it */
} upool_range;

/* Most ranges of one file: a client that leaves more gaps is not served. */
#define UPOOL_RANGES_MAX 10000

/* An array of upool_range, empty. */
apr_array_header_t *upool_ranges_make(apr_pool_t *p);

/* Adds [start, end), merging it with the ranges that it meets.  Returns 0, or
 * -1 where it is not a range (start < 0, end < start) or there would be too
 * many. */
int upool_ranges_add(apr_array_header_t *ranges, apr_off_t start,
                     apr_off_t end);

/* The offset of the first byte at or after at that is not there. */
apr_off_t upool_ranges_gap(const apr_array_header_t *ranges, apr_off_t at);

/* The offset of the first byte at or after at that is there; limit where there
 * is none below limit. */
apr_off_t upool_ranges_next(const apr_array_header_t *ranges, apr_off_t at,
                            apr_off_t limit);

/* How many bytes are there. */
apr_off_t upool_ranges_sum(const apr_array_header_t *ranges);

/* 1 when the array is as this room makes it: in order, none empty, none
 * touching. */
int upool_ranges_is_sound(const apr_array_header_t *ranges);

#endif
