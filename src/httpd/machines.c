/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/machines.h"

#include <string.h>
#include <apr_optional.h>
#include <mod_watchdog.h>

#include "config/config.h"
#include "config/settings.h"
#include "httpd/log.h"
#include "httpd/sweeper.h"
#include "store/farm.h"
#include "store/filesystem.h"

/* One shared pool.  It is made in the parent; its farm is made by the child
 * that the watchdog has picked. */
typedef struct shared_pool {
    const char *path;
    upool_farm *farm; /* NULL: not yet */
    upool_farm_state state;
} shared_pool;

typedef struct machines {
    server_rec *s;
    apr_array_header_t *pools; /* of shared_pool */
    apr_pool_t *round;         /* NULL: no round yet */
} machines;

static void tell_kind(const machines *m, const shared_pool *one,
                      const upool_store *store)
{
    const char *name;

    if (upool_filesystem_of(upool_store_fd(store), &name)
        == UPOOL_FILESYSTEM_FUSE) {
        upool_slog(m->s, NOTICE, 0, 385,
                   "pool %s lies on a file system of FUSE, a program that may"
                   " keep locks to one machine; they are tried as long as the"
                   " server runs (manual, \"A farm\")",
                   one->path);
    }
}

static void tell_change(const machines *m, const shared_pool *one,
                        upool_farm_state before, const char *why,
                        apr_status_t rv)
{
    switch (one->state) {
    case UPOOL_FARM_UNSAFE:
        upool_slog(m->s, ERR, 0, 386,
                   "pool %s is unsafe to write to: %s; uploads are refused"
                   " until that is mended (manual, \"A farm\")",
                   one->path, why);
        break;
    case UPOOL_FARM_FAILED:
        upool_slog(m->s, WARNING, rv, 387,
                   "pool %s: %s, so nobody knows whether other machines are"
                   " kept out",
                   one->path, why);
        break;
    case UPOOL_FARM_SAFE:
    case UPOOL_FARM_ALONE:
        if (before == UPOOL_FARM_UNSAFE) {
            upool_slog(m->s, NOTICE, 0, 388,
                       "pool %s is safe again: uploads are taken", one->path);
        }
        break;
    }
}

static void go_round(const machines *m, shared_pool *one)
{
    upool_store_options options;
    upool_store *store = NULL;
    upool_farm_state before = one->state;
    apr_status_t rv = APR_SUCCESS;
    const char *why = NULL;

    memset(&options, 0, sizeof(options));
    /* The sweep reports a pool that does not exist. */
    if (upool_store_open(&store, one->path, NULL, &options, m->round, &why)) {
        return;
    }
    if (!one->farm) {
        apr_pool_t *p;

        apr_pool_create(&p, NULL);
        one->farm = upool_farm_make(p);
        tell_kind(m, one, store);
    }
    one->state = upool_farm_round(one->farm, store, &why, &rv);
    if (one->state != before) {
        tell_change(m, one, before, why, rv);
    }
}

static apr_status_t on_watchdog(int state, void *data, apr_pool_t *p)
{
    machines *m = data;
    int i;

    (void)p;
    /* As in httpd/sweeper.c: other states may come from another thread, which
     * ends the child. */
    if (state != AP_WATCHDOG_STATE_RUNNING) {
        return APR_SUCCESS;
    }
    if (!m->round) {
        apr_pool_create(&m->round, NULL);
    }
    for (i = 0; i < m->pools->nelts; i++) {
        go_round(m, &APR_ARRAY_IDX(m->pools, i, shared_pool));
        apr_pool_clear(m->round);
    }
    return APR_SUCCESS;
}

static void add_pool(machines *m, const char *path)
{
    shared_pool *one;
    int i;

    for (i = 0; i < m->pools->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(m->pools, i, shared_pool).path, path) == 0) {
            return;
        }
    }
    one = apr_array_push(m->pools);
    memset(one, 0, sizeof(*one));
    one->path = path;
}

int upool_machines_start(server_rec *s, apr_pool_t *pconf)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *add =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    const apr_array_header_t *mentions = upool_settings_mentions(pconf);
    machines *m = apr_pcalloc(pconf, sizeof(*m));
    ap_watchdog_t *watchdog;
    int i;

    m->s = s;
    m->pools = apr_array_make(pconf, 4, sizeof(shared_pool));
    for (i = 0; i < mentions->nelts; i++) {
        add_pool(m,
                 APR_ARRAY_IDX(mentions, i, const upool_pool_mention *)->path);
    }
    /* The sweeper reports a missing watchdog. */
    if (m->pools->nelts && get && add
        && !get(&watchdog, UPOOL_WATCHDOG_NAME, 0, 1, pconf)) {
        add(watchdog, UPOOL_FARM_PAUSE, m, on_watchdog);
    }
    return OK;
}
