/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "parse/contentrange.h"

#include <limits.h>
#include <string.h>

#include "parse/params.h"

#define UNKNOWN (-1)

/* Reads digits; NULL: there are none, or the number does not fit. */
static const char *read_number(const char *at, const char *end,
                               long long *number)
{
    const char *begin = at;
    long long sum = 0;

    while (at < end && *at >= '0' && *at <= '9') {
        int digit = *at - '0';

        if (sum > (LLONG_MAX - digit) / 10) {
            return NULL;
        }
        sum = sum * 10 + digit;
        at++;
    }
    *number = sum;
    return at > begin ? at : NULL;
}

static const char *read_byte(const char *at, const char *end, char byte)
{
    return at != NULL && at < end && *at == byte ? at + 1 : NULL;
}

/* A number, or "*" for an unknown one. */
static const char *read_starred(const char *at, const char *end,
                                long long *number)
{
    if (at == NULL) {
        return NULL;
    }
    if (at < end && *at == '*') {
        *number = UNKNOWN;
        return at + 1;
    }
    return read_number(at, end, number);
}

static const char *read_span(const char *at, const char *end,
                             upool_contentrange *range)
{
    at = read_starred(at, end, &range->first);
    if (at == NULL || range->first == UNKNOWN) {
        range->last = UNKNOWN;
        return at;
    }
    at = read_byte(at, end, '-');
    if (at != NULL && end - at == 4 && range->first == 0
        && memcmp(at, "-1/0", 4) == 0) {
        range->last = -1;
        return at + 2;
    }
    return at != NULL ? read_number(at, end, &range->last) : NULL;
}

/* RFC 9110 14.4: a recipient must not use a range whose last is before its
 * first or not before its total. */
static int is_possible(const upool_contentrange *range)
{
    if (range->first == UNKNOWN) {
        return range->total != UNKNOWN;
    }
    if (range->last < 0) {
        return 1; /* "0--1/0" */
    }
    return range->last >= range->first && range->last < LLONG_MAX
           && (range->total == UNKNOWN || range->last < range->total);
}

int upool_contentrange_parse(const char *text, size_t len,
                             upool_contentrange *range)
{
    const char *end = text + len;
    const char *at;

    if (len < 6 || !upool_params_is(text, 6, "bytes ")) {
        return -1;
    }
    at = read_span(text + 6, end, range);
    at = read_byte(at, end, '/');
    at = read_starred(at, end, &range->total);
    return at == end && is_possible(range) ? 0 : -1;
}

long long upool_contentrange_length(const upool_contentrange *range)
{
    return range->first == UNKNOWN ? 0 : range->last - range->first + 1;
}
