/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Time per byte of the multipart parser for the shapes of t/linear, which
 * counts what this takes the time of: 64 KiB, 1 MiB and 16 MiB, in pieces of
 * 8,000 bytes.  Prints ns per byte, which must not grow along a line; nothing
 * is asserted. */
#include "t/linear/shapes.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LAST ((size_t)16 << 20)
#define PIECE 8000

static double now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static int on_begin(void *user, const char *block, size_t len)
{
    (void)user;
    (void)block;
    return len == 0;
}

static int on_data(void *user, const char *data, size_t len)
{
    (void)data;
    *(size_t *)user += len;
    return 0;
}

static int on_end(void *user)
{
    (void)user;
    return 0;
}

static char *on_hold(void *user, char *old, size_t have, size_t want)
{
    (void)user;
    (void)have;
    if (want == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, want);
}

static double once(const shape *s, const char *body, size_t len)
{
    static const upool_multipart_events events = { on_begin, on_data, on_end,
                                                   on_hold };
    double start = now();
    upool_multipart mp;
    size_t seen = 0;
    size_t at;

    upool_multipart_init(&mp, s->boundary, strlen(s->boundary), &shapes_limits,
                         &events, &seen);
    for (at = 0; at < len; at += PIECE) {
        upool_multipart_feed(&mp, body + at,
                             len - at < PIECE ? len - at : PIECE);
    }
    if (upool_multipart_end(&mp)) {
        puts("the parser stopped");
    }
    return (now() - start) / (double)len;
}

static double best(const shape *s, char *body, size_t size)
{
    size_t len = shapes_body(body, s, size);
    double least = once(s, body, len);
    int round;

    for (round = 0; round < 4; round++) {
        double time = once(s, body, len);

        least = time < least ? time : least;
    }
    return least;
}

int main(void)
{
    char *body = malloc(SHAPES_ROOM(LAST));
    size_t i;

    if (body == NULL) {
        return 1;
    }
    printf("%-46s %8s %8s %8s\n", "ns per byte", "64 KiB", "1 MiB", "16 MiB");
    for (i = 0; i < SHAPES; i++) {
        printf("%-46s %8.3f %8.3f %8.3f\n", shapes[i].name,
               best(&shapes[i], body, (size_t)64 << 10),
               best(&shapes[i], body, (size_t)1 << 20),
               best(&shapes[i], body, LAST));
    }
    free(body);
    return 0;
}
