/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* I1: Does time tell how near a forged signature comes?  200,000 identifiers
 * are checked whose signatures agree with the right one in their first 0 to 63
 * digits, in random order; of each length the median and the mean of the middle
 * half are printed, and the slope by digit with its error.  Nothing is
 * asserted. */
#include "ident/ident.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <apr_general.h>

#define CHECKS 200000
#define LENGTHS 64
#define EACH (CHECKS / LENGTHS)
#define ID "0190a5b2-7c11-7def-8123-456789abcdef"
#define SECRET "a secret of the bench, of forty bytes..."

typedef struct sample {
    int agrees; /* digits */
    int order;
    double ns;
} sample;

static double clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static uint32_t next_random(void)
{
    static uint32_t x = 2463534242u;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return x;
}

static int by_order(const void *a, const void *b)
{
    return ((const sample *)a)->order - ((const sample *)b)->order;
}

static int by_length(const void *a, const void *b)
{
    const sample *s = a, *t = b;

    return s->agrees != t->agrees ? s->agrees - t->agrees
                                  : (s->ns > t->ns) - (s->ns < t->ns);
}

/* The right digits up to agrees, and wrong ones from there. */
static void forge(char *text, const char *good, int agrees)
{
    char *at;

    memcpy(text, good, UPOOL_IDENT_TEXT_MAX + 1);
    for (at = text + sizeof(ID) + agrees; *at; at++) {
        *at = *at == '0' ? '1' : '0';
    }
}

/* What is checked is made before: the clock must not see what wrote it. */
static void measure(sample *all, const char *good, const upool_keys *keys)
{
    static char forged[LENGTHS][UPOOL_IDENT_TEXT_MAX + 1];
    char text[UPOOL_IDENT_TEXT_MAX + 1], id[UPOOL_IDENT_MAX + 1];
    unsigned taken = 0;
    int n;

    for (n = 0; n < LENGTHS; n++) {
        forge(forged[n], good, n);
    }
    for (n = 0; n < EACH * LENGTHS; n++) {
        double start;

        memcpy(text, forged[all[n].agrees], sizeof(text));
        start = clock_ns();
        taken += upool_ident_check(text, keys, id) == UPOOL_IDENT_GOOD;
        all[n].ns = clock_ns() - start;
    }
    printf("%d forgeries checked, %u taken\n", n, taken);
}

/* Least squares over the lengths' means. */
static void print_slope(const double *mean)
{
    double x = (LENGTHS - 1) / 2.0, y = 0, above = 0, below = 0, rest = 0;
    double slope;
    int n;

    for (n = 0; n < LENGTHS; n++) {
        y += mean[n] / LENGTHS;
    }
    for (n = 0; n < LENGTHS; n++) {
        above += (n - x) * (mean[n] - y);
        below += (n - x) * (n - x);
    }
    slope = above / below;
    for (n = 0; n < LENGTHS; n++) {
        double off = mean[n] - y - slope * (n - x);

        rest += off * off;
    }
    printf("slope %+.4f ns a digit, standard error %.4f\n", slope,
           sqrt(rest / (LENGTHS - 2) / below));
}

static void print_lengths(const sample *all)
{
    double mean[LENGTHS];
    int length, n;

    for (length = 0; length < LENGTHS; length++) {
        const sample *of = all + length * EACH;

        mean[length] = 0;
        for (n = EACH / 4; n < 3 * EACH / 4; n++) {
            mean[length] += of[n].ns / (3 * EACH / 4 - EACH / 4);
        }
        if (length % 9 == 0) {
            printf("%2d digits agree: median %.0f ns, middle half %.1f ns\n",
                   length, of[EACH / 2].ns, mean[length]);
        }
    }
    print_slope(mean);
}

int main(void)
{
    sample *all = calloc(EACH * LENGTHS, sizeof(*all));
    char good[UPOOL_IDENT_TEXT_MAX + 1] = "";
    upool_keys *keys;
    apr_pool_t *p;
    int n;

    apr_initialize();
    apr_pool_create(&p, NULL);
    keys = upool_keys_make(p);
    upool_keys_add(keys, SECRET, strlen(SECRET));
    upool_ident_sign(good, ID, keys);
    for (n = 0; n < EACH * LENGTHS; n++) {
        all[n].agrees = n % LENGTHS;
        all[n].order = (int)(next_random() >> 1);
    }
    qsort(all, EACH * LENGTHS, sizeof(*all), by_order);
    measure(all, good, keys);
    qsort(all, EACH * LENGTHS, sizeof(*all), by_length);
    print_lengths(all);
    free(all);
    apr_terminate();
    return 0;
}
