/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/ranges.h"

#include <string.h>

static upool_range *range_at(const apr_array_header_t *ranges, int i)
{
    return &APR_ARRAY_IDX(ranges, i, upool_range);
}

apr_array_header_t *upool_ranges_make(apr_pool_t *p)
{
    return apr_array_make(p, 4, sizeof(upool_range));
}

/* The first range that ends at or behind at; nelts when all end before. */
static int find(const apr_array_header_t *ranges, apr_off_t at)
{
    int low = 0;
    int high = ranges->nelts;

    while (low < high) {
        int middle = low + (high - low) / 2;

        if (range_at(ranges, middle)->end < at) {
            low = middle + 1;
        }
        else {
            high = middle;
        }
    }
    return low;
}

static void insert(apr_array_header_t *ranges, int n)
{
    apr_array_push(ranges);
    memmove(range_at(ranges, n + 1), range_at(ranges, n),
            (size_t)(ranges->nelts - 1 - n) * sizeof(upool_range));
}

static void drop(apr_array_header_t *ranges, int n, int count)
{
    memmove(range_at(ranges, n), range_at(ranges, n + count),
            (size_t)(ranges->nelts - n - count) * sizeof(upool_range));
    ranges->nelts -= count;
}

int upool_ranges_add(apr_array_header_t *ranges, apr_off_t start, apr_off_t end)
{
    int first = find(ranges, start);
    int n = first;

    if (start < 0 || end < start) {
        return -1;
    }
    if (start == end) {
        return 0;
    }
    for (; n < ranges->nelts && range_at(ranges, n)->start <= end; n++) {
        if (range_at(ranges, n)->start < start) {
            start = range_at(ranges, n)->start;
        }
        if (range_at(ranges, n)->end > end) {
            end = range_at(ranges, n)->end;
        }
    }
    if (n == first) {
        if (ranges->nelts >= UPOOL_RANGES_MAX) {
            return -1;
        }
        insert(ranges, first);
    }
    else {
        drop(ranges, first + 1, n - first - 1);
    }
    range_at(ranges, first)->start = start;
    range_at(ranges, first)->end = end;
    return 0;
}

apr_off_t upool_ranges_gap(const apr_array_header_t *ranges, apr_off_t at)
{
    int n = find(ranges, at);

    return n < ranges->nelts && range_at(ranges, n)->start <= at
               ? range_at(ranges, n)->end
               : at;
}

apr_off_t upool_ranges_next(const apr_array_header_t *ranges, apr_off_t at,
                            apr_off_t limit)
{
    int n = find(ranges, at);

    /* One that ends exactly there holds nothing from there on. */
    if (n < ranges->nelts && range_at(ranges, n)->end == at) {
        n++;
    }
    if (n >= ranges->nelts || range_at(ranges, n)->start >= limit) {
        return limit;
    }
    return range_at(ranges, n)->start > at ? range_at(ranges, n)->start : at;
}

apr_off_t upool_ranges_sum(const apr_array_header_t *ranges)
{
    apr_off_t sum = 0;
    int i;

    /* They do not overlap, so the sum is not more than the last one's end. */
    for (i = 0; i < ranges->nelts; i++) {
        sum += range_at(ranges, i)->end - range_at(ranges, i)->start;
    }
    return sum;
}

int upool_ranges_is_sound(const apr_array_header_t *ranges)
{
    int i;

    for (i = 0; i < ranges->nelts; i++) {
        const upool_range *range = range_at(ranges, i);

        if (range->start < 0 || range->end <= range->start
            || (i && range->start <= range_at(ranges, i - 1)->end)) {
            return 0;
        }
    }
    return ranges->nelts <= UPOOL_RANGES_MAX;
}
