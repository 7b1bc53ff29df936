/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/sweeper.h"

#include <string.h>
#include <apr_optional.h>
#include <mod_watchdog.h>

#include "httpd/config.h"
#include "httpd/log.h"
#include "httpd/settings.h"
#include "httpd/slots.h"
#include "store/sweep.h"

#define WATCHDOG_NAME "_upload_pool_"
/* Entries looked at before the watchdog gets its thread back for a moment. */
#define STEPS 512
#define ROUNDS_MAX 4096

typedef struct sweeper {
    server_rec *s;
    const apr_array_header_t *mentions;
} sweeper;

/* UploadExpires where the pool is named, else the virtual host's. */
static apr_interval_time_t expires_at(const upool_pool_mention *m)
{
    const upool_dir_conf *section =
        ap_get_module_config(m->section, &upload_pool_module);
    const upool_dir_conf *host =
        ap_get_module_config(m->server->lookup_defaults, &upload_pool_module);

    return upool_config_expires(section->expires == UPOOL_UNSET ? host
                                                                : section);
}

/* The longest of all contexts that name the pool; -1 where an earlier mention
 * has it swept already. */
static apr_interval_time_t expires_of(const sweeper *sw, int n)
{
    const upool_pool_mention *m =
        APR_ARRAY_IDX(sw->mentions, n, const upool_pool_mention *);
    apr_interval_time_t longest = 0;
    int i;

    for (i = 0; i < sw->mentions->nelts; i++) {
        const upool_pool_mention *other =
            APR_ARRAY_IDX(sw->mentions, i, const upool_pool_mention *);

        if (strcmp(other->path, m->path)) {
            continue;
        }
        if (i < n) {
            return -1;
        }
        if (expires_at(other) > longest) {
            longest = expires_at(other);
        }
    }
    return longest;
}

static void sweep_pool(const sweeper *sw, const upool_pool_mention *m,
                       apr_interval_time_t expires, apr_pool_t *p)
{
    upool_store_options options = { 0600, 0 };
    upool_sweep_result result = { 0, 0, 0 };
    apr_time_t deadline = apr_time_now() - expires;
    upool_store *store = NULL;
    upool_sweep *sweep = NULL;
    const char *why = NULL;
    apr_status_t rv =
        upool_store_open(&store, m->path, NULL, &options, p, &why);
    apr_size_t removed = 0;
    int round;

    if (rv || (rv = upool_sweep_begin(&sweep, store, p))) {
        upool_slog(sw->s, WARNING, rv, 9, "pool %s is not swept: %s", m->path,
                   why ? why : "it cannot be read");
        return;
    }
    for (round = 0; round < ROUNDS_MAX && !result.finished; round++) {
        if (upool_sweep_step(sweep, STEPS, deadline, &result)) {
            break;
        }
        removed += result.removed;
    }
    upool_counters_add(upool_slots_counters(), UPOOL_TOTAL_SWEEPS, 1);
    upool_counters_add(upool_slots_counters(), UPOOL_TOTAL_SWEPT, removed);
    if (removed) {
        upool_slog(sw->s, INFO, 0, 10,
                   "pool %s: %" APR_SIZE_T_FMT " expired uploads removed",
                   m->path, removed);
    }
}

static apr_status_t on_watchdog(int state, void *data, apr_pool_t *p)
{
    const sweeper *sw = data;
    apr_pool_t *round;
    int i;

    if (state != AP_WATCHDOG_STATE_RUNNING) {
        return APR_SUCCESS;
    }
    for (i = 0; i < sw->mentions->nelts; i++) {
        apr_interval_time_t expires = expires_of(sw, i);

        if (expires < 0) {
            continue;
        }
        apr_pool_create(&round, p);
        sweep_pool(sw,
                   APR_ARRAY_IDX(sw->mentions, i, const upool_pool_mention *),
                   expires, round);
        apr_pool_destroy(round);
    }
    return APR_SUCCESS;
}

int upool_sweeper_start(server_rec *s, apr_pool_t *pconf)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *add =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    sweeper *sw = apr_palloc(pconf, sizeof(*sw));
    ap_watchdog_t *watchdog = NULL;

    sw->s = s;
    sw->mentions = upool_settings_mentions(pconf);
    if (!sw->mentions->nelts) {
        return OK;
    }
    /* One child of all, and none while the server only checks itself. */
    if (!get || !add || get(&watchdog, WATCHDOG_NAME, 0, 1, pconf)
        || add(watchdog, upool_config_sweep_interval(upool_config_server(s)),
               sw, on_watchdog)) {
        upool_slog(s, WARNING, 0, 11,
                   "mod_watchdog is missing: expired uploads are not removed"
                   " (UploadExpires)");
    }
    return OK;
}
