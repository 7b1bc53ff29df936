/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/*
 * The few functions the unit tests need to speak TAP, so that prove(1) runs
 * them beside the Perl suites. One test program is one process and includes
 * this file once; the counters below are its own. The plan is printed last
 * (TAP allows it), so a program that dies half way has no plan and fails.
 *
 * Single thread only: tests that use threads or fork count in the main
 * process and report there.
 */
#ifndef UPOOL_T_UNIT_TAP_H
#define UPOOL_T_UNIT_TAP_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TAP_PRINTF(fmt, args) __attribute__((unused, format(printf, fmt, args)))

static struct {
    unsigned run;
    unsigned failed;
} tap_state;

/* Prints a comment line ("# ..."). */
TAP_PRINTF(1, 2)
static void tap_diag(const char *fmt, ...)
{
    va_list ap;

    fputs("# ", stdout);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
    fflush(stdout);
}

/* One test: passes when cond is not zero; returns cond != 0. */
TAP_PRINTF(4, 5)
static int tap_ok_at(const char *file, int line, int cond, const char *fmt, ...)
{
    va_list ap;

    tap_state.run++;
    printf("%sok %u - ", cond ? "" : "not ", tap_state.run);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
    if (!cond) {
        tap_state.failed++;
        tap_diag("failed at %s:%d", file, line);
    }
    fflush(stdout);
    return cond != 0;
}

/* Passes when both strings are equal or both are NULL. */
TAP_PRINTF(5, 6)
static int tap_is_str_at(const char *file, int line, const char *got,
                         const char *want, const char *fmt, ...)
{
    char name[512];
    va_list ap;
    int same = got == want || (got && want && strcmp(got, want) == 0);

    va_start(ap, fmt);
    vsnprintf(name, sizeof(name), fmt, ap);
    va_end(ap);
    tap_ok_at(file, line, same, "%s", name);
    if (!same) {
        tap_diag("     got: %s%s%s", got ? "'" : "", got ? got : "NULL",
                 got ? "'" : "");
        tap_diag("expected: %s%s%s", want ? "'" : "", want ? want : "NULL",
                 want ? "'" : "");
    }
    return same;
}

/* Passes when both numbers are equal. */
TAP_PRINTF(5, 6)
static int tap_is_int_at(const char *file, int line, long long got,
                         long long want, const char *fmt, ...)
{
    char name[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(name, sizeof(name), fmt, ap);
    va_end(ap);
    tap_ok_at(file, line, got == want, "%s", name);
    if (got != want) {
        tap_diag("     got: %lld", got);
        tap_diag("expected: %lld", want);
    }
    return got == want;
}

/* Prints the plan; its result is what main() returns. */
__attribute__((unused)) static int tap_done(void)
{
    printf("1..%u\n", tap_state.run);
    if (tap_state.failed > 0) {
        tap_diag("%u of %u failed", tap_state.failed, tap_state.run);
    }
    return tap_state.failed > 0 || tap_state.run == 0;
}

/* tap_ok(cond, fmt, ...), tap_is_str(got, want, fmt, ...) and
 * tap_is_int(got, want, fmt, ...): what the tests call. The casts accept
 * every integer type without a -Wconversion warning in each test. */
#define tap_ok(cond, ...) \
    tap_ok_at(__FILE__, __LINE__, (cond) ? 1 : 0, __VA_ARGS__)
#define tap_is_str(got, want, ...) \
    tap_is_str_at(__FILE__, __LINE__, (got), (want), __VA_ARGS__)
#define tap_is_int(got, want, ...) \
    tap_is_int_at(__FILE__, __LINE__, (long long)(got), (long long)(want), \
                  __VA_ARGS__)

#endif
