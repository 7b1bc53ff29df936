/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Minting, and the age that an identifier tells. */
#include "ident/ident.h"

#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <tap.h>

#define MINTED 10000

static int text_order(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void test_mint(void)
{
    static char ids[MINTED][UPOOL_IDENT_MAX + 1];
    apr_time_t now = apr_time_from_msec(APR_INT64_C(1700000000123)) + 456;
    char id[UPOOL_IDENT_MAX + 1], before[UPOOL_IDENT_MAX + 1];
    unsigned n, bad = 0, twice = 0, shape = 0;
    unsigned seen[128] = { 0 }, digits = 0;

    for (n = 0; n < MINTED; n++) {
        bad += upool_ident_mint(ids[n], now) != APR_SUCCESS;
        shape += strlen(ids[n]) != 36 || ids[n][14] != '7'
                 || !strchr("89ab", ids[n][19]);
        shape += upool_ident_check(ids[n], NULL, id) != UPOOL_IDENT_GOOD;
        shape += strncmp(ids[n], "018bcfe5-687b-7", 15) != 0;
        seen[ids[n][35] & 127]++;
    }
    tap_is_int(bad, 0, "%d minted", MINTED);
    tap_is_int(shape, 0, "all of them version 7 of that millisecond");
    for (n = 0; n < 128; n++) {
        digits += seen[n] > MINTED / 32;
    }
    tap_is_int(digits, 16, "the last digit is any of sixteen");
    qsort(ids, MINTED, sizeof(ids[0]), text_order);
    for (n = 1; n < MINTED; n++) {
        twice += strcmp(ids[n - 1], ids[n]) == 0;
    }
    tap_is_int(twice, 0, "no two alike");
    upool_ident_mint(before, now - apr_time_from_msec(1));
    upool_ident_mint(id, now);
    tap_ok(strcmp(before, id) < 0, "a later one sorts after");
    tap_is_int(upool_ident_time(id), apr_time_from_msec(1700000000123),
               "it tells when it was made");
    tap_is_int(upool_ident_mint(id, -1), APR_EINVAL, "not before 1970");
    tap_is_str(id, "", "and leaves no identifier");
    tap_is_int(upool_ident_mint(id, apr_time_from_msec((apr_time_t)1 << 48)),
               APR_EINVAL, "not beyond 48 bits");
    tap_is_int(
        upool_ident_mint(id, apr_time_from_msec(((apr_time_t)1 << 48) - 1)),
        APR_SUCCESS, "up to them");
    tap_is_int(upool_ident_time(id),
               apr_time_from_msec(((apr_time_t)1 << 48) - 1), "and back");
}

/* The moment of the examples in RFC 9562 A: 2022-02-22 14:22:22 -05:00. */
static void test_time(void)
{
    static const apr_time_t rfc = APR_INT64_C(1645557742000000);
    static const char *const none[] = {
        "",
        "x",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "5df41881-3aed-3515-88a7-2f4a814cf09e",  /* version 3 */
        "919108f7-52d1-4320-9bac-f847db4148a8",  /* version 4 */
        "2ed6657d-e927-568b-95e1-2665a8aea6a2",  /* version 5 */
        "2489e9ad-2ee2-8e00-8ec9-32d5f69181c0",  /* version 8 */
        "017f22e2-79b0-7cc3-18c4-dc0c0c07398f",  /* another variant */
        "017f22e2-79b0-7cc3-d8c4-dc0c0c07398f",  /* and another */
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398",   /* a digit short */
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0", /* a digit more */
        "017f22e279b07cc398c4dc0c0c07398f",      /* no hyphens */
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",  /* no hex digit */
        "017f22e-279b0-7cc3-98c4-dc0c0c07398f",  /* a hyphen astray */
        "{17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
    };
    size_t n;

    tap_is_int(upool_ident_time("C232AB00-9414-11EC-B3C8-9F6BDECED846"), rfc,
               "RFC 9562 A.1, version 1, upper case");
    tap_is_int(upool_ident_time("1EC9414C-232A-6B00-B3C8-9F6BDECED846"), rfc,
               "RFC 9562 A.5, version 6");
    tap_is_int(upool_ident_time("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"), rfc,
               "RFC 9562 A.6, version 7");
    tap_is_int(upool_ident_time("c232ab00-9414-11ec-b3c8-9f6bdeced846"), rfc,
               "in lower case");
    for (n = 0; n < sizeof(none) / sizeof(*none); n++) {
        tap_is_int(upool_ident_time(none[n]), 0, "no time in '%s'", none[n]);
    }
    tap_is_int(upool_ident_time(NULL), 0, "nor in nothing");
    tap_is_int(upool_ident_time("00000000-0000-7000-8000-000000000000"), 1,
               "version 7 of 1970 is old, not without age");
    tap_is_int(upool_ident_time("00000000-0000-1000-8000-000000000000"), 1,
               "version 1 of 1582 too");
    tap_is_int(upool_ident_time("00000000-0000-6000-8000-000000000000"), 1,
               "and version 6");
    tap_ok(upool_ident_time("ffffffff-ffff-7fff-bfff-ffffffffffff") > rfc
               && upool_ident_time("ffffffff-ffff-1fff-bfff-ffffffffffff") > rfc
               && upool_ident_time("ffffffff-ffff-6fff-bfff-ffffffffffff")
                      > rfc,
           "the last that there can be are in the future");
}

int main(void)
{
    apr_initialize();
    test_mint();
    test_time();
    apr_terminate();
    return tap_done();
}
