/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_CONFIG_GROUP_H
#define UPOOL_CONFIG_GROUP_H

/* Directives that belong together have a file, group_NAME.c: there are their
 * defaults, merges, setters (config/settings.h) and getters (config/config.h).
 * The values themselves are members of the structs in config/config.h.  For the
 * files group*.c and config.c alone; no state. */

#include "config/config.h"

typedef struct upool_config_group {
    /* Sets its members that are not all zero while they are unset. */
    void (*create)(upool_dir_conf *conf);
    /* Sets its members to what add says, else base; conf is a copy of base. */
    void (*merge)(upool_dir_conf *conf, const upool_dir_conf *base,
                  const upool_dir_conf *add, apr_pool_t *p);
    /* The same for the server's; NULL: it has none. */
    void (*create_server)(upool_server_conf *conf);
    void (*merge_server)(upool_server_conf *conf, const upool_server_conf *base,
                         const upool_server_conf *add);
} upool_config_group;

extern const upool_config_group upool_config_pool_group;
extern const upool_config_group upool_config_limits_group;
extern const upool_config_group upool_config_ident_group;
extern const upool_config_group upool_config_files_group;
extern const upool_config_group upool_config_fields_group;
extern const upool_config_group upool_config_protocols_group;
extern const upool_config_group upool_config_application_group;
extern const upool_config_group upool_config_pace_group;
extern const upool_config_group upool_config_server_group;

/* For the merges. */
#define UPOOL_MERGE(member) \
    conf->member = add->member == UPOOL_UNSET ? base->member : add->member
#define UPOOL_MERGE_POINTER(member) \
    conf->member = add->member ? add->member : base->member

/* The lower of two that are set; else the one that is, or UPOOL_UNSET. */
apr_int64_t upool_config_lower(apr_int64_t a, apr_int64_t b);
/* The higher; UPOOL_UNSET is below everything. */
apr_int64_t upool_config_higher(apr_int64_t a, apr_int64_t b);
/* value, or 0 for UPOOL_UNSET. */
apr_int64_t upool_config_or_none(apr_int64_t value);

#endif
