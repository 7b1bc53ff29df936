/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "config/config.h"
#include "config/places.h"
#include "config/settings.h"

/* As the sweep has it: no context's uploads go before their time because
 * another of the same pool keeps them for less. */
static apr_interval_time_t quota_expires(const upool_dir_conf *conf,
                                         const server_rec *s)
{
    const apr_array_header_t *mentions = upool_config_server(s)->mentions;
    apr_interval_time_t own = upool_config_expires(conf);
    apr_interval_time_t all =
        mentions && conf->store && !conf->store_is_local
            ? upool_settings_expires(mentions, conf->store)
            : 0;

    return all > own ? all : own;
}

/* Whoever has named the pool. */
static int is_below_root(const upool_dir_conf *conf, const server_rec *s)
{
    const char *root = upool_config_server(s)->root;

    return root && conf->store
           && (conf->store_is_local
               || upool_places_is_below(conf->store, root));
}

upool_quota_limits upool_config_quota(const upool_dir_conf *conf,
                                      const server_rec *s)
{
    upool_quota_limits limits;

    limits.pool = conf->quota_pool == UPOOL_UNSET ? 0 : conf->quota_pool;
    limits.owner = conf->quota_owner == UPOOL_UNSET ? 0 : conf->quota_owner;
    limits.root = is_below_root(conf, s) ? upool_config_server(s)->root : NULL;
    limits.below = limits.root ? upool_config_server(s)->root_quota : 0;
    limits.spare = conf->spare == UPOOL_UNSET ? 0 : conf->spare;
    limits.since = upool_config_server(s)->loaded;
    limits.expires = quota_expires(conf, s);
    limits.always = conf->store_is_local;
    return limits;
}
