/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Speed of the delimiter search and of the whole parser over content that is
 * meant to be hard, in windows of 8,000 bytes (what httpd's core filter hands
 * out).  Prints GB/s; nothing is asserted. */
#include "parse/multipart.h"
#include "parse/scan.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WINDOW 8000
#define WINDOWS 512 /* 4 MB, more than the second level cache */

typedef size_t finder(const char *, size_t, const char *, size_t);

static char content[WINDOW * WINDOWS];
static char needle[UPOOL_BOUNDARY_MAX + 4] = "\n--";

static double now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static uint32_t next_random(void)
{
    static uint32_t x = 2463534242u;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return x;
}

/* Fills the content with repetitions of a text. */
static void fill(const char *text, size_t len)
{
    size_t i;

    for (i = 0; i < sizeof(content); i++) {
        content[i] = text[i % len];
    }
}

static void fill_random(void)
{
    size_t i;

    for (i = 0; i < sizeof(content); i++) {
        content[i] = (char)next_random();
    }
}

static double search_rate(finder *find)
{
    double best = 0;
    int round;

    for (round = 0; round < 9; round++) {
        double start = now();
        size_t hits = 0;
        double rate;
        int repeat;
        size_t i;

        for (repeat = 0; repeat < 8; repeat++) {
            for (i = 0; i < sizeof(content); i += WINDOW) {
                hits +=
                    find(content + i, WINDOW, needle, strlen(needle)) != WINDOW;
            }
        }
        rate = 8.0 * sizeof(content) / (now() - start) / 1e9;
        if (hits != 0) {
            puts("unexpected hit");
        }
        best = rate > best ? rate : best;
    }
    return best;
}

static int on_begin(void *user, const char *block, size_t len)
{
    (void)user;
    (void)block;
    (void)len;
    return 0;
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

static double parser_rate(void)
{
    static const upool_multipart_events events = { on_begin, on_data, on_end,
                                                   NULL };
    static const upool_multipart_limits limits = { 10, 1000, 1000, 1000 };
    double best = 0;
    int round;

    for (round = 0; round < 9; round++) {
        upool_multipart mp;
        size_t seen = 0;
        double start;
        double rate;
        int repeat;
        size_t i;

        upool_multipart_init(&mp, needle + 3, strlen(needle + 3), &limits,
                             &events, &seen);
        upool_multipart_feed(&mp, needle + 1, strlen(needle + 1));
        upool_multipart_feed(&mp, "\r\nA: b\r\n\r\n", 10);
        start = now();
        for (repeat = 0; repeat < 8; repeat++) {
            for (i = 0; i < sizeof(content); i += WINDOW) {
                upool_multipart_feed(&mp, content + i, WINDOW);
            }
        }
        rate = 8.0 * sizeof(content) / (now() - start) / 1e9;
        if (seen + 100 < 8 * sizeof(content)) {
            puts("the parser stopped");
        }
        best = rate > best ? rate : best;
    }
    return best;
}

static void row(const char *name)
{
    double vector = search_rate(upool_scan_find);
    double portable = search_rate(upool_scan_find_portable);

    printf("%-28s %8.1f %8.1f %8.1f\n", name, vector, portable, parser_rate());
}

static void table(const char *title)
{
    char near[UPOOL_BOUNDARY_MAX + 5];
    size_t len;

    printf("%s\n%-28s %8s %8s %8s\n", title, "GB/s", "scan", "portable",
           "parser");
    fill_random();
    row("random");
    fill("It was the best of times, it was the worst of times.\r\n", 54);
    row("text");
    fill("\r", 1);
    row("all CR");
    fill("\n", 1);
    row("all LF");
    fill("\r\n", 2);
    row("CR LF");
    fill("\r\n--", 4);
    row("CR LF dash dash");
    fill("\n--", 3);
    row("LF dash dash");
    /* All but the last byte of the delimiter, again and again. */
    len = strlen(needle);
    near[0] = '\r';
    memcpy(near + 1, needle, len);
    near[len] = '!';
    fill(near, len + 1);
    row("delimiter but its last byte");
    near[len / 2] = '!';
    near[len] = needle[len - 1];
    fill(near, len + 1);
    row("delimiter but a middle byte");
    fill("a", 1);
    row("letters a");
    fill("-", 1);
    row("dashes");
}

int main(void)
{
    static const char usual[] = "----WebKitFormBoundary7MA4YWxkTrZu0gW";

    memcpy(needle + 3, usual, sizeof(usual));
    table("usual boundary");
    memset(needle + 3, 'a', UPOOL_BOUNDARY_MAX);
    needle[UPOOL_BOUNDARY_MAX + 3] = '\0';
    table("boundary of 70 equal letters");
    needle[4] = '\0';
    table("boundary of one letter");
    return 0;
}
