/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* How slow a client may be, by a clock of our own. */
#include "upload/pace.h"

#include <tap.h>

#define SEC APR_USEC_PER_SEC
#define START (1700000000 * SEC)

static apr_interval_time_t left(const upool_pace *pace, apr_time_t now)
{
    return upool_pace_until(pace) - now;
}

static void test_none(void)
{
    upool_pace pace;

    upool_pace_start(&pace, 0, 5 * SEC, START);
    tap_ok(upool_pace_until(&pace) == UPOOL_PACE_NEVER, "no rate: never");
    upool_pace_credit(&pace, 100, START + SEC);
    tap_ok(upool_pace_until(&pace) == UPOOL_PACE_NEVER, "bytes change nothing");
}

static void test_steady(void)
{
    upool_pace pace;
    int i;
    int late = 0;

    upool_pace_start(&pace, 1000, 5 * SEC, START);
    tap_is_int(left(&pace, START), 5 * SEC, "the grace to begin with");
    for (i = 1; i <= 100000; i++) {
        late += left(&pace, START + i * SEC) <= 0;
        upool_pace_credit(&pace, 1000, START + i * SEC);
    }
    tap_is_int(late, 0, "just fast enough is on time for a day and more");
}

/* A tenth too slow loses the grace within ten times its length. */
static void test_slow(void)
{
    upool_pace pace;
    int i = 0;

    upool_pace_start(&pace, 1000, 5 * SEC, START);
    while (left(&pace, START + i * SEC) > 0 && i < 1000) {
        i++;
        upool_pace_credit(&pace, 900, START + i * SEC);
    }
    tap_ok(i > 40 && i <= 50, "too slow: after %d s", i);
}

static void test_no_hoard(void)
{
    upool_pace pace;

    upool_pace_start(&pace, 1000, 5 * SEC, START);
    upool_pace_credit(&pace, (apr_int64_t)1 << 40, START + SEC);
    tap_is_int(left(&pace, START + SEC), 5 * SEC,
               "a fast beginning gives the grace, no more");
    upool_pace_credit(&pace, 2500, START + 4 * SEC);
    tap_is_int(left(&pace, START + 4 * SEC), 45 * SEC / 10,
               "2 s of grace and 2.5 s of bytes");
}

static void test_pause(void)
{
    upool_pace pace;

    upool_pace_start(&pace, 1000, 5 * SEC, START);
    upool_pace_pause(&pace, 3 * SEC);
    tap_is_int(left(&pace, START + 3 * SEC), 5 * SEC, "a pause costs nothing");
    upool_pace_pause(&pace, -SEC);
    tap_is_int(left(&pace, START + 3 * SEC), 5 * SEC, "nor does a wrong one");
}

static void test_extremes(void)
{
    const apr_int64_t most = (apr_int64_t)(~(apr_uint64_t)0 >> 1);
    upool_pace pace;

    upool_pace_start(&pace, 1, 5 * SEC, START);
    upool_pace_credit(&pace, most, START + SEC);
    tap_is_int(left(&pace, START + SEC), 5 * SEC, "all the bytes there are");
    upool_pace_start(&pace, most, 5 * SEC, START);
    upool_pace_credit(&pace, most - 1, START + 5 * SEC);
    tap_ok(left(&pace, START + 5 * SEC) > SEC * 9 / 10
               && left(&pace, START + 5 * SEC) <= SEC,
           "the highest rate there is");
    upool_pace_start(&pace, 1000, 5 * SEC, START);
    upool_pace_credit(&pace, 1, START - 3600 * SEC);
    tap_is_int(left(&pace, START - 3600 * SEC), 5 * SEC, "a clock set back");
    upool_pace_start(&pace, 1000, 0, START);
    upool_pace_credit(&pace, 5000, START + SEC);
    tap_is_int(left(&pace, START + SEC), 0, "no grace: none");
}

int main(void)
{
    test_none();
    test_steady();
    test_slow();
    test_no_hoard();
    test_pause();
    test_extremes();
    return tap_done();
}
