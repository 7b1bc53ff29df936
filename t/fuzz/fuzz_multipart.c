/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* The multipart and part parsers: a body fed whole must give the same events
 * as the same body in pieces.
 *
 * Input: length of the boundary, limits, number of cuts, the sizes of the
 * pieces, the boundary, the body.  A body for the boundary "b" without cuts
 * begins with "\x01\x00\x00" "b". */
#include "t/unit/parse_events.h"

#include <stdint.h>

/* P1: Whatever bytes there are. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const upool_multipart_limits limits[] = {
    { 100, 16384, 65536, 1024 },
    { 4, 300, 700, 20 },
    { 1, 100, 100, 0 },
};

static void run_whole(events *log, const char *boundary, unsigned choice,
                      const char *body, size_t len)
{
    events_open(log, boundary, &limits[choice % 3]);
    events_feed(log, body, len);
    events_end(log);
}

/* The sizes repeat until the body is used up. */
static void run_pieces(events *log, const char *boundary, unsigned choice,
                       const char *body, size_t len, const uint8_t *sizes,
                       size_t cuts)
{
    size_t at = 0;
    size_t i = 0;

    events_open(log, boundary, &limits[choice % 3]);
    while (at < len) {
        size_t piece = cuts > 0 ? sizes[i % cuts] : 1;

        /* Only zeros would never end. */
        piece = piece == 0 && i % 7 == 6 ? 1 : piece;
        piece = piece < len - at ? piece : len - at;
        events_feed(log, body + at, piece);
        at += piece;
        i++;
    }
    events_end(log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char boundary[UPOOL_BOUNDARY_MAX + 1];
    const uint8_t *sizes = data + 3;
    size_t boundary_len;
    const char *body;
    events whole;
    events pieces;
    size_t cuts;
    size_t len;
    size_t i;

    if (size < 3) {
        return 0;
    }
    boundary_len = data[0] % UPOOL_BOUNDARY_MAX + 1u;
    boundary_len =
        data[0] > 0 && data[0] <= UPOOL_BOUNDARY_MAX ? data[0] : boundary_len;
    cuts = data[2] % 16;
    if (size < 3 + cuts + boundary_len) {
        return 0;
    }
    for (i = 0; i < boundary_len; i++) {
        char c = (char)data[3 + cuts + i];

        /* What upool_multipart_init() demands; mediatype.c sees to it. */
        boundary[i] = c == '\r' || c == '\n' || c == '\0' ? 'x' : c;
    }
    boundary[boundary_len] = '\0';
    body = (const char *)data + 3 + cuts + boundary_len;
    len = size - 3 - cuts - boundary_len;
    run_whole(&whole, boundary, data[1], body, len);
    run_pieces(&pieces, boundary, data[1], body, len, sizes, cuts);
    if (whole.len != pieces.len
        || memcmp(whole.text, pieces.text, whole.len) != 0 || whole.misuse
        || pieces.misuse) {
        fprintf(stderr, "whole:\n%s\npieces:\n%s\n", whole.text, pieces.text);
        abort();
    }
    free(whole.text);
    free(pieces.text);
    return 0;
}
