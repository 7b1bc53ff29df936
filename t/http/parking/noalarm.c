/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/*
 * Loaded in front of the C library of an httpd: the system has no descriptor
 * for another timer.
 */
#include <errno.h>

int timerfd_create(int clock, int flags);

int timerfd_create(int clock, int flags)
{
    (void)clock;
    (void)flags;
    errno = EMFILE;
    return -1;
}
