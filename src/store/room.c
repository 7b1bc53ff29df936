/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/room.h"

#include <string.h>

#include "store/pools.h"
#include "store/sweep.h"

/* From one try to the next, in costs of one. */
#define PAUSE 9
/* Buckets in one go, since nobody has to be let in between. */
#define SWEPT 4096

/* A clock that was set back must not keep us from counting for long. */
int upool_room_may(const upool_row_header *header)
{
    apr_time_t now = apr_time_now();

    return now < header->tried || now - header->tried >= PAUSE * header->cost;
}

apr_interval_time_t upool_room_make(upool_store *store,
                                    apr_interval_time_t expires, apr_pool_t *p)
{
    upool_sweep_result result = { 0, 0, 0 };
    upool_sweep *sweep = NULL;
    apr_time_t begun = apr_time_now();
    apr_pool_t *scratch;

    apr_pool_create(&scratch, p);
    if (!upool_sweep_begin(&sweep, store, scratch)) {
        while (!result.finished) {
            upool_sweep_step(sweep, SWEPT, expires ? begun - expires : 0,
                             &result);
        }
    }
    apr_pool_destroy(scratch);
    return apr_time_now() - begun;
}

/* Announces a try in the books of store, or what it has cost (0: it begins).
 * 1; 0: it may not be, or the books cannot be written. */
static int note(upool_store *store, apr_interval_time_t cost,
                apr_interval_time_t *expires)
{
    upool_ledger ledger;
    upool_row_header *header = upool_ledger_header(&ledger);
    int may;

    if (upool_ledger_open(&ledger, store, 0)) {
        return 0;
    }
    may = cost || upool_room_may(header);
    *expires = header->expires;
    if (may && cost) {
        header->cost = cost;
    }
    else if (may) {
        header->tried = apr_time_now();
    }
    may = may && upool_ledger_save(&ledger) == APR_SUCCESS;
    upool_ledger_close(&ledger);
    return may;
}

static void make_in(const char *path, const upool_store *own, apr_pool_t *p)
{
    upool_store *store = NULL;
    apr_interval_time_t expires;
    apr_pool_t *open;
    const char *why;

    /* There may be thousands of pools: only one is open at a time. */
    apr_pool_create(&open, p);
    if (strcmp(path, upool_store_path(own))
        && !upool_store_open(&store, path, NULL, upool_store_settings(own),
                             open, &why)
        && note(store, 0, &expires)) {
        note(store, upool_room_make(store, expires, open), &expires);
    }
    apr_pool_destroy(open);
}

void upool_room_make_below(const char *root, const upool_store *own,
                           apr_pool_t *p)
{
    apr_array_header_t *pools;
    apr_pool_t *scratch;
    int i;

    apr_pool_create(&scratch, p);
    pools = apr_array_make(scratch, 8, sizeof(const char *));
    upool_pools_find(pools, root, scratch);
    for (i = 0; i < pools->nelts; i++) {
        make_in(APR_ARRAY_IDX(pools, i, const char *), own, scratch);
    }
    apr_pool_destroy(scratch);
}
