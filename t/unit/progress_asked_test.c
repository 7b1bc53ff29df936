/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Asked for, again and again, before anything is known. */
#include "progress/asked.h"

#include <stdio.h>

#include <tap.h>

static upool_asked asked;
static apr_time_t start;

static apr_time_t at(int seconds)
{
    return start + apr_time_from_sec(seconds);
}

static void test_one(void)
{
    tap_is_int(upool_asked_for(&asked, "a", at(0)), 0, "never asked for");
    upool_asked_note(&asked, "a", at(0));
    tap_is_int(upool_asked_for(&asked, "a", at(5)), 0, "once");
    upool_asked_note(&asked, "a", at(0));
    tap_is_int(upool_asked_for(&asked, "a", at(5)), 0, "twice in a second");
    upool_asked_note(&asked, "a", at(4));
    tap_is_int(upool_asked_for(&asked, "a", at(5)), 5, "for five seconds");
    upool_asked_note(&asked, "a", at(20));
    tap_is_int(upool_asked_for(&asked, "a", at(25)), 25, "and more");
    tap_is_int(upool_asked_for(&asked, "b", at(25)), 0, "that one alone");
    tap_is_int(upool_asked_for(&asked, "a", at(41)), 0, "a break ends it");
    upool_asked_note(&asked, "a", at(41));
    tap_is_int(upool_asked_for(&asked, "a", at(42)), 0, "and begins anew");
    upool_asked_note(&asked, "a", at(43));
    tap_is_int(upool_asked_for(&asked, "a", at(44)), 3, "from there");
    tap_is_int(upool_asked_for(&asked, "a", at(40)), 0,
               "a clock that was set back");
}

/* They share places; what is told is true. */
static void test_many(void)
{
    int known = 0;
    int n;

    for (n = 0; n < 2 * UPOOL_ASKED; n++) {
        char id[16];

        snprintf(id, sizeof(id), "m%d", n);
        upool_asked_note(&asked, id, at(100));
        upool_asked_note(&asked, id, at(103));
        known += upool_asked_for(&asked, id, at(103)) == 3;
    }
    tap_is_int(known, 2 * UPOOL_ASKED, "each, while nobody else asks");
    tap_is_int(upool_asked_for(&asked, "a", at(103)), 0, "older ones go");
}

int main(void)
{
    start = apr_time_from_sec(1800000000);
    test_one();
    /* Around where 16 bits of seconds begin anew. */
    start = apr_time_from_sec(((apr_time_t)1800000000 / 65536 + 1) * 65536 - 2);
    test_one();
    test_many();
    return tap_done();
}
