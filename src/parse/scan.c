/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "parse/scan.h"

#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Looks at the places first to last - 1 one by one. */
static size_t find_bytewise(const char *data, size_t first, size_t last,
                            const char *needle, size_t nlen, size_t none)
{
    size_t i;

    for (i = first; i < last; i++) {
        if (data[i] == needle[0] && data[i + nlen - 1] == needle[nlen - 1]
            && memcmp(data + i + 1, needle + 1, nlen - 2) == 0) {
            return i;
        }
    }
    return none;
}

static uint64_t load8(const char *from)
{
    uint64_t word;

    memcpy(&word, from, sizeof(word));
    return word;
}

static uint64_t repeat8(char c)
{
    return UINT64_C(0x0101010101010101) * (unsigned char)c;
}

size_t upool_scan_find_portable(const char *data, size_t len,
                                const char *needle, size_t nlen)
{
    const uint64_t ones = repeat8(1);
    const uint64_t highs = repeat8((char)0x80);
    const uint64_t want0 = repeat8(needle[0]);
    const uint64_t want1 = repeat8(needle[1]);
    const uint64_t want2 = repeat8(needle[2]);
    const uint64_t want3 = repeat8(needle[nlen - 1]);
    size_t places;
    size_t found;
    size_t i;

    if (len < nlen) {
        return len;
    }
    places = len - nlen + 1;
    for (i = 0; i + 8 <= places; i += 8) {
        /* A byte of differ is zero exactly where all four probes agree; the
         * term below is not zero exactly where some byte of it is. */
        uint64_t differ = (load8(data + i) ^ want0)
                          | (load8(data + i + 1) ^ want1)
                          | (load8(data + i + 2) ^ want2)
                          | (load8(data + i + nlen - 1) ^ want3);

        if (((differ - ones) & ~differ & highs) != 0) {
            found = find_bytewise(data, i, i + 8, needle, nlen, len);
            if (found != len) {
                return found;
            }
        }
    }
    return find_bytewise(data, i, places, needle, nlen, len);
}

#ifdef __SSE2__

static __m128i load16(const char *from)
{
    return _mm_loadu_si128((const __m128i *)(const void *)from);
}

/* The places of a block of 16 where four bytes of the needle agree. */
static unsigned probe16(const char *at, const __m128i *want, size_t nlen)
{
    __m128i a = _mm_cmpeq_epi8(load16(at), want[0]);
    __m128i b = _mm_cmpeq_epi8(load16(at + 1), want[1]);
    __m128i c = _mm_cmpeq_epi8(load16(at + 2), want[2]);
    __m128i d = _mm_cmpeq_epi8(load16(at + nlen - 1), want[3]);

    return (unsigned)_mm_movemask_epi8(
        _mm_and_si128(_mm_and_si128(a, b), _mm_and_si128(c, d)));
}

/* 1 where one of 32 places has the first and the last byte of the needle:
 * half the work of the full probe, and rare on most content. */
static int maybe32(const char *at, const __m128i *want, size_t nlen)
{
    const char *end = at + nlen - 1;
    __m128i a = _mm_and_si128(_mm_cmpeq_epi8(load16(at), want[0]),
                              _mm_cmpeq_epi8(load16(end), want[3]));
    __m128i b = _mm_and_si128(_mm_cmpeq_epi8(load16(at + 16), want[0]),
                              _mm_cmpeq_epi8(load16(end + 16), want[3]));

    return _mm_movemask_epi8(_mm_or_si128(a, b)) != 0;
}

/* The first of the probed places where the whole needle stands. */
static size_t confirm(const char *data, size_t i, unsigned mask,
                      const char *needle, size_t nlen, size_t none)
{
    while (mask != 0) {
        size_t at = i + (size_t)__builtin_ctz(mask);

        if (memcmp(data + at, needle, nlen) == 0) {
            return at;
        }
        mask &= mask - 1;
    }
    return none;
}

size_t upool_scan_find(const char *data, size_t len, const char *needle,
                       size_t nlen)
{
    __m128i want[4];
    size_t places;
    size_t found;
    size_t i;

    if (len < nlen || len - nlen + 1 < 32) {
        return upool_scan_find_portable(data, len, needle, nlen);
    }
    want[0] = _mm_set1_epi8(needle[0]);
    want[1] = _mm_set1_epi8(needle[1]);
    want[2] = _mm_set1_epi8(needle[2]);
    want[3] = _mm_set1_epi8(needle[nlen - 1]);
    places = len - nlen + 1;
    for (i = 0;; i += 32) {
        unsigned mask;

        /* The last block overlaps the one before it: looking twice at a
         * place without a match does no harm. */
        if (i + 32 > places) {
            i = places - 32;
        }
        if (maybe32(data + i, want, nlen)) {
            mask = probe16(data + i, want, nlen)
                   | probe16(data + i + 16, want, nlen) << 16;
            found = confirm(data, i, mask, needle, nlen, len);
            if (found != len) {
                return found;
            }
        }
        if (i + 32 == places) {
            return len;
        }
    }
}

#else

size_t upool_scan_find(const char *data, size_t len, const char *needle,
                       size_t nlen)
{
    return upool_scan_find_portable(data, len, needle, nlen);
}

#endif

size_t upool_scan_tail(const char *data, size_t len, const char *delimiter,
                       size_t dlen, size_t *from)
{
    /* From the LF on at most dlen - 2 bytes can be there; more would be the
     * whole delimiter. */
    size_t first = len > dlen - 2 ? len - (dlen - 2) : 0;
    size_t at;

    *from = 0;
    if (len == 0) {
        return 0;
    }
    if (memchr(data + first, '\n', len - first) != NULL) {
        /* Only the last LF counts: a delimiter has no second one. */
        for (at = len; data[at - 1] != '\n'; at--) {
        }
        if (memcmp(data + at, delimiter + 2, len - at) == 0) {
            *from = at >= 2 && data[at - 2] == '\r' ? 0 : 1;
            return len - at + 2 - *from;
        }
    }
    return data[len - 1] == '\r' ? 1 : 0;
}
