/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Once a minute, for each subject; or once. */
#include "progress/notices.h"

#include <stdio.h>
#include <string.h>

#include <tap.h>

static upool_notices notices;

static void test_once(void)
{
    int told = 0;
    int n;

    tap_ok(upool_notices_once(&notices, "a"), "told for good");
    tap_ok(!upool_notices_once(&notices, "a"), "once");
    tap_ok(upool_notices_once(&notices, "b"), "another is told");
    for (n = 2; n < 1000; n++) {
        char subject[16];

        snprintf(subject, sizeof(subject), "s%d", n);
        told += upool_notices_once(&notices, subject);
        told += upool_notices_once(&notices, subject);
    }
    tap_is_int(told, UPOOL_NOTICES - 2, "none twice, as many as there is room");
    tap_ok(!upool_notices_once(&notices, "a"), "the first is not told again");
    upool_notices_renew(&notices);
    tap_ok(upool_notices_once(&notices, "a"), "until it is forgotten");
}

int main(void)
{
    apr_time_t now = apr_time_from_sec(1800000000);
    apr_time_t later = now + apr_time_from_sec(59);
    int told = 0;
    int n;

    tap_ok(upool_notices_is_due(&notices, "a", now), "never told: due");
    tap_ok(upool_notices_take(&notices, "a", now), "taken");
    tap_ok(!upool_notices_is_due(&notices, "a", now), "not due any more");
    tap_ok(!upool_notices_take(&notices, "a", now), "nor to be taken");
    tap_ok(!upool_notices_take(&notices, "a", later), "for 59 seconds");
    tap_ok(upool_notices_is_due(&notices, "b", now), "another is due");
    later += apr_time_from_sec(1);
    tap_ok(upool_notices_is_due(&notices, "a", later), "due after a minute");
    tap_ok(upool_notices_take(&notices, "a", later), "and taken again");
    tap_ok(upool_notices_take(&notices, "a", now),
           "a clock that was set back does not keep it quiet");
    for (n = 0; n < 1000; n++) {
        char subject[16];

        snprintf(subject, sizeof(subject), "s%d", n);
        told += upool_notices_take(&notices, subject, now);
    }
    tap_ok(told == 1000, "of too many subjects each is told");
    test_once();
    return tap_done();
}
