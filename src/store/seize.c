/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/append.h"

#include <fcntl.h>

#include "store/descriptor.h"
#include "store/incomplete.h"
#include "store/opened.h"
#include "store/region.h"
#include "store/takeover.h"

/* Between two tries to get what another holds. */
#define TRY_PAUSE 10000

static const upool_range all = UPOOL_REGION_ALL;

static apr_status_t open_file(upool_append *a)
{
    return upool_fd_own(&a->fd, a->directory.fd, a->about->file.stored,
                        O_WRONLY, 0);
}

void upool_append_let_go(upool_append *a)
{
    if (a->fd >= 0) {
        upool_region_release(a->fd);
        upool_fd_close(&a->fd);
    }
}

/* In order there is one writer; parts out of order have their bytes alone.  The
 * rest of an upload that has begun out of order is a part too. */
static upool_range region_of(const upool_append *a,
                             const upool_append_claim *claim)
{
    upool_range region = all;

    if (claim->out_of_order || a->about->ranges) {
        region.start = claim->start >= 0
                           ? claim->start
                           : upool_incomplete_offset(a->about, a->size);
        region.end = claim->end >= 0 ? claim->end : APR_INT64_MAX;
    }
    /* A lock of no bytes would be one of all. */
    if (region.end <= region.start) {
        region.start -= region.start > 0;
        region.end = region.start + 1;
    }
    return region;
}

/* Under the lock: the region, or APR_EBUSY, without the file. */
static apr_status_t try_region(upool_append *a, const upool_range *region)
{
    apr_status_t rv = open_file(a);

    rv = rv ? rv : upool_region_take(a->fd, region);
    if (rv) {
        upool_append_let_go(a);
    }
    return rv;
}

/* APR_SUCCESS: lock and region are ours; a claim of NULL is for all. */
static apr_status_t take_once(upool_append *a, const upool_append_claim *claim,
                              apr_time_t deadline)
{
    apr_status_t rv = upool_append_lock(a, deadline);

    if (rv) {
        return rv;
    }
    a->region = claim ? region_of(a, claim) : all;
    rv = try_region(a, &a->region);
    if (rv) {
        upool_append_unlock(a);
    }
    return rv;
}

apr_status_t upool_append_take(upool_append *a, const upool_append_claim *claim)
{
    apr_time_t deadline = apr_time_now() + UPOOL_APPEND_PATIENCE;
    int asked = 0;
    apr_status_t rv;

    a->region = all;
    rv = take_once(a, claim, deadline);

    while (rv == APR_EBUSY && apr_time_now() < deadline) {
        asked = 1;
        upool_takeover_ask(a->directory.fd, &a->region);
        apr_sleep(TRY_PAUSE);
        rv = take_once(a, claim, deadline);
    }
    /* Also where nobody asked: one that did may have died since. */
    if (asked || !rv) {
        upool_takeover_withdraw(a->directory.fd);
    }
    return rv;
}

/* APR_EBUSY: somebody writes in order. */
static apr_status_t find_writer(const upool_append *a)
{
    return a->about->ranges || upool_append_is_past(a)
               ? APR_SUCCESS
               : upool_incomplete_writer(a->directory.fd,
                                         a->about->file.stored);
}

apr_status_t upool_append_settle(upool_append *a)
{
    apr_time_t deadline = apr_time_now() + UPOOL_APPEND_PATIENCE;
    int asked = 0;
    apr_status_t rv = upool_append_look(a);

    rv = rv ? rv : find_writer(a);
    while (rv == APR_EBUSY && apr_time_now() < deadline) {
        asked = 1;
        upool_takeover_ask(a->directory.fd, &all);
        apr_sleep(TRY_PAUSE);
        rv = upool_append_look(a);
        rv = rv ? rv : find_writer(a);
    }
    if (asked) {
        upool_takeover_withdraw(a->directory.fd);
    }
    /* The last look may have been one before the writer's last bytes. */
    return rv ? rv : upool_append_look(a);
}
