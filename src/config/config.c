/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "config/config.h"

#include <apr_strings.h>

#include "config/group.h"

extern module AP_MODULE_DECLARE_DATA upload_pool_module;

static const upool_config_group *const groups[] = {
    &upool_config_pool_group,        &upool_config_limits_group,
    &upool_config_ident_group,       &upool_config_files_group,
    &upool_config_fields_group,      &upool_config_protocols_group,
    &upool_config_application_group, &upool_config_pace_group,
    &upool_config_server_group,
};

#define GROUPS (sizeof(groups) / sizeof(groups[0]))

void *upool_config_dir_create(apr_pool_t *p, char *dir)
{
    upool_dir_conf *conf = apr_pcalloc(p, sizeof(*conf));
    apr_size_t i;

    (void)dir;
    for (i = 0; i < GROUPS; i++) {
        if (groups[i]->create) {
            groups[i]->create(conf);
        }
    }
    return conf;
}

void *upool_config_dir_merge(apr_pool_t *p, void *base, void *add)
{
    upool_dir_conf *conf = apr_pmemdup(p, base, sizeof(*conf));
    apr_size_t i;

    for (i = 0; i < GROUPS; i++) {
        if (groups[i]->merge) {
            groups[i]->merge(conf, base, add, p);
        }
    }
    return conf;
}

void *upool_config_server_create(apr_pool_t *p, server_rec *s)
{
    upool_server_conf *conf = apr_pcalloc(p, sizeof(*conf));
    apr_size_t i;

    (void)s;
    conf->loaded = apr_time_now();
    for (i = 0; i < GROUPS; i++) {
        if (groups[i]->create_server) {
            groups[i]->create_server(conf);
        }
    }
    return conf;
}

void *upool_config_server_merge(apr_pool_t *p, void *base, void *add)
{
    upool_server_conf *conf = apr_pmemdup(p, base, sizeof(*conf));
    apr_size_t i;

    conf->loaded = ((const upool_server_conf *)add)->loaded;
    for (i = 0; i < GROUPS; i++) {
        if (groups[i]->merge_server) {
            groups[i]->merge_server(conf, base, add);
        }
    }
    return conf;
}

const upool_dir_conf *upool_config_of(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &upload_pool_module);
}
