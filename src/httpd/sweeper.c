/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/sweeper.h"

#include <string.h>
#include <apr_optional.h>
#include <mod_watchdog.h>

#include "config/config.h"
#include "httpd/log.h"
#include "config/settings.h"
#include "httpd/slots.h"
#include "store/pools.h"
#include "store/quota.h"
#include "store/sweep.h"

/* How many entries a call looks at, and how long that may take.  The watchdog
 * pauses for 100 ms between two calls, so that others who wait for the disk or
 * for the pool's directory have both to themselves for most of the time. */
#define STEP_ENTRIES 512
#define STEP_TIME apr_time_from_msec(50)

typedef APR_OPTIONAL_FN_TYPE(ap_watchdog_set_callback_interval) set_interval;

/* Made in the parent.  Each child has a copy, and the child that the watchdog
 * has picked makes its rounds with it, one step at each call. */
typedef struct sweeper {
    server_rec *s;
    const apr_array_header_t *mentions;
    const apr_array_header_t *roots; /* UploadPoolRoot, of const char * */
    apr_pool_t *round;               /* pool of below; NULL: not looked yet */
    apr_array_header_t *below;       /* pools below the roots; const char * */
    int next_below;
    ap_watchdog_t *watchdog;
    set_interval *set_interval;
    int next;           /* the next mention in this round */
    apr_pool_t *pool;   /* memory for the pool being swept; NULL: none is */
    upool_sweep *sweep; /* lives there */
    const char *path;
    apr_time_t deadline;
    apr_size_t seen;
    apr_size_t removed;
    apr_size_t steps;
} sweeper;

/* The longest UploadExpires of all contexts that name the pool; -1 where an
 * earlier mention has had it swept already. */
static apr_interval_time_t expires_of(const sweeper *sw, int n)
{
    const char *path =
        APR_ARRAY_IDX(sw->mentions, n, const upool_pool_mention *)->path;
    int i;

    for (i = 0; i < n; i++) {
        if (!strcmp(APR_ARRAY_IDX(sw->mentions, i, const upool_pool_mention *)
                        ->path,
                    path)) {
            return -1;
        }
    }
    return upool_settings_expires(sw->mentions, path);
}

static void leave_pool(sweeper *sw)
{
    if (sw->pool) {
        apr_pool_destroy(sw->pool);
    }
    sw->pool = NULL;
    sw->sweep = NULL;
}

/* Below a root expires is 0: as long as the pool's own books say. */
static void enter_pool(sweeper *sw, const char *path,
                       apr_interval_time_t expires)
{
    upool_quota_sum sum;
    upool_store_options options;
    upool_store *store = NULL;
    const char *why = NULL;
    apr_status_t rv;

    memset(&options, 0, sizeof(options));
    options.file_mode = 0600;
    /* The watchdog's own pool cannot be used: it is cleared between two
     * steps. */
    apr_pool_create(&sw->pool, NULL);
    rv = upool_store_open(&store, path, NULL, &options, sw->pool, &why);
    if (!rv && !expires) {
        rv = upool_quota_read(&sum, store);
        expires = sum.expires;
    }
    if (rv || (rv = upool_sweep_begin(&sw->sweep, store, sw->pool))) {
        upool_slog(sw->s, WARNING, rv, 9, "pool %s is not swept: %s", path,
                   why ? why : "it cannot be read");
        leave_pool(sw);
        return;
    }
    if (!expires) {
        leave_pool(sw);
        return;
    }
    sw->path = path;
    sw->deadline = apr_time_now() - expires;
    sw->seen = 0;
    sw->removed = 0;
    sw->steps = 0;
}

static int is_mentioned(const sweeper *sw, const char *path)
{
    return upool_settings_expires(sw->mentions, path) > 0;
}

/* Looks for pools that only .htaccess files name: nobody else knows of them. */
static void look_below(sweeper *sw)
{
    int i;

    if (sw->round) {
        return;
    }
    apr_pool_create(&sw->round, NULL);
    sw->below = apr_array_make(sw->round, 4, sizeof(const char *));
    sw->next_below = 0;
    for (i = 0; i < sw->roots->nelts; i++) {
        const char *root = APR_ARRAY_IDX(sw->roots, i, const char *);
        apr_status_t rv = upool_pools_find(sw->below, root, sw->round);

        if (rv) {
            upool_slog(sw->s, WARNING, rv, 401,
                       "pools below UploadPoolRoot %s are not swept", root);
        }
    }
}

/* Goes on to the next pool that can be swept.  0 when the round is over. */
static int find_pool(sweeper *sw)
{
    while (!sw->pool && sw->next < sw->mentions->nelts) {
        apr_interval_time_t expires = expires_of(sw, sw->next);
        const upool_pool_mention *m =
            APR_ARRAY_IDX(sw->mentions, sw->next, const upool_pool_mention *);

        sw->next++;
        if (expires > 0) {
            enter_pool(sw, m->path, expires);
        }
    }
    if (!sw->pool) {
        look_below(sw);
    }
    while (!sw->pool && sw->next_below < sw->below->nelts) {
        const char *path =
            APR_ARRAY_IDX(sw->below, sw->next_below, const char *);

        sw->next_below++;
        if (!is_mentioned(sw, path)) {
            enter_pool(sw, path, 0);
        }
    }
    return sw->pool != NULL;
}

static void finish_pool(sweeper *sw)
{
    upool_counters_add(upool_slots_counters(), UPOOL_TOTAL_SWEEPS, 1);
    if (sw->removed) {
        upool_slog(sw->s, INFO, 0, 10,
                   "pool %s: %" APR_SIZE_T_FMT " expired uploads removed"
                   " (%" APR_SIZE_T_FMT " entries, %" APR_SIZE_T_FMT " steps)",
                   sw->path, sw->removed, sw->seen, sw->steps);
    }
    leave_pool(sw);
}

/* Looks at up to steps entries of the pool; returns how many there were. */
static apr_size_t step(sweeper *sw, apr_size_t steps, apr_time_t stop_at)
{
    upool_sweep_result result = { 0, 0, 0 };
    apr_status_t rv;

    upool_sweep_stop_at(sw->sweep, stop_at);
    rv = upool_sweep_step(sw->sweep, steps, sw->deadline, &result);
    sw->steps++;
    sw->seen += result.seen;
    sw->removed += result.removed;
    upool_counters_add(upool_slots_counters(), UPOOL_TOTAL_SWEPT,
                       result.removed);
    if (rv || result.finished) {
        finish_pool(sw);
    }
    return result.seen;
}

/* The pause before the next call: within a round, only the watchdog's own. */
static apr_interval_time_t pause_of(sweeper *sw)
{
    if (sw->pool || sw->next < sw->mentions->nelts || !sw->round
        || sw->next_below < sw->below->nelts) {
        return 0;
    }
    sw->next = 0;
    apr_pool_destroy(sw->round);
    sw->round = NULL;
    return upool_config_sweep_interval(upool_config_server(sw->s));
}

static apr_status_t on_watchdog(int state, void *data, apr_pool_t *p)
{
    sweeper *sw = data;
    apr_time_t stop_at = apr_time_now() + STEP_TIME;
    apr_size_t left = STEP_ENTRIES;
    apr_size_t cost;

    (void)p;
    /* STOPPING is reported by the thread that ends the child too, while the
     * watchdog's own may be in the middle of a step: nothing of a round may be
     * touched.  The files that the round has open are closed when the process
     * ends. */
    if (state != AP_WATCHDOG_STATE_RUNNING) {
        return APR_SUCCESS;
    }
    /* A child that is to end waits for this to return.  Small pools are handled
     * together in one call, and an empty one counts as well. */
    while (left && apr_time_now() < stop_at && find_pool(sw)) {
        cost = step(sw, left, stop_at) + 1;
        left -= cost < left ? cost : left;
    }
    sw->set_interval(sw->watchdog, pause_of(sw), sw, on_watchdog);
    return APR_SUCCESS;
}

/* The roots, each of them once. */
static const apr_array_header_t *collect_roots(const server_rec *s,
                                               apr_pool_t *p)
{
    apr_array_header_t *roots = apr_array_make(p, 2, sizeof(const char *));

    for (; s; s = s->next) {
        const char *root = upool_config_server(s)->root;
        int i = 0;

        while (root && i < roots->nelts
               && strcmp(APR_ARRAY_IDX(roots, i, const char *), root) != 0) {
            i++;
        }
        if (root && i == roots->nelts) {
            APR_ARRAY_PUSH(roots, const char *) = root;
        }
    }
    return roots;
}

int upool_sweeper_start(server_rec *s, apr_pool_t *pconf)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *add =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    sweeper *sw = apr_pcalloc(pconf, sizeof(*sw));

    sw->s = s;
    sw->mentions = upool_settings_mentions(pconf);
    sw->roots = collect_roots(s, pconf);
    sw->set_interval =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_set_callback_interval);
    if (!sw->mentions->nelts && !sw->roots->nelts) {
        return OK;
    }
    /* The sweep runs in one child only, and not at all while the server only
     * checks its configuration. */
    if (!get || !add || !sw->set_interval
        || get(&sw->watchdog, UPOOL_WATCHDOG_NAME, 0, 1, pconf)
        || add(sw->watchdog,
               upool_config_sweep_interval(upool_config_server(s)), sw,
               on_watchdog)) {
        upool_slog(s, WARNING, 0, 11,
                   "mod_watchdog is missing: expired uploads are not removed"
                   " (UploadExpires)");
    }
    return OK;
}
