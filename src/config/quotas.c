/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "config/config.h"

#include <apr_strings.h>

#include "config/places.h"
#include "config/settings.h"

/* The pool's directory, as the server's configuration would name it. */
static const char *path_of(const upool_dir_conf *conf,
                           const upool_server_conf *sc, apr_pool_t *p)
{
    return conf->store && conf->store_is_local
               ? apr_pstrcat(p, sc->root, "/", conf->store, NULL)
               : conf->store;
}

/* As in the sweep: no upload goes before its time because another context of
 * the same pool keeps its uploads for a shorter time. */
static apr_interval_time_t quota_expires(const upool_dir_conf *conf,
                                         const upool_server_conf *sc,
                                         apr_pool_t *p)
{
    const char *path = path_of(conf, sc, p);
    apr_interval_time_t own = upool_config_expires(conf);
    apr_interval_time_t all =
        sc->mentions && path ? upool_settings_expires(sc->mentions, path) : 0;

    return all > own ? all : own;
}

/* 1 for a pool below a root, whoever has named it. */
static int is_below_root(const upool_dir_conf *conf,
                         const upool_server_conf *sc)
{
    return sc->root && conf->store
           && (conf->store_is_local
               || upool_places_is_below(conf->store, sc->root));
}

upool_quota_limits upool_config_quota(const upool_dir_conf *conf,
                                      const server_rec *s, apr_pool_t *p)
{
    const upool_server_conf *sc = upool_config_server(s);
    upool_quota_limits limits;

    limits.pool = conf->quota_pool == UPOOL_UNSET ? 0 : conf->quota_pool;
    limits.owner = conf->quota_owner == UPOOL_UNSET ? 0 : conf->quota_owner;
    limits.root = is_below_root(conf, sc) ? sc->root : NULL;
    limits.below = limits.root ? sc->root_quota : 0;
    limits.spare = conf->spare == UPOOL_UNSET ? 0 : conf->spare;
    limits.since = sc->loaded;
    limits.expires = quota_expires(conf, sc, p);
    limits.always = conf->store_is_local;
    return limits;
}
