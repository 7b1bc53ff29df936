/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "config/group.h"

#include "config/settings.h"
#include "parse/quantity.h"

/* How large an upload may be: UploadMaxSize, UploadMaxFileSize, UploadMaxParts,
 * UploadMaxFieldSize, UploadMaxFields, UploadMaxHeaderSize. */

static const upool_limits unset_limits = {
    UPOOL_UNSET, UPOOL_UNSET, UPOOL_UNSET,
    UPOOL_UNSET, UPOOL_UNSET, UPOOL_UNSET,
};

/* Sets each limit of *to by pick(base's, add's). */
static void merge_limits(upool_limits *to, const upool_limits *base,
                         const upool_limits *add,
                         apr_int64_t (*pick)(apr_int64_t, apr_int64_t))
{
    to->body = pick(base->body, add->body);
    to->file = pick(base->file, add->file);
    to->parts = pick(base->parts, add->parts);
    to->field = pick(base->field, add->field);
    to->fields = pick(base->fields, add->fields);
    to->header = pick(base->header, add->header);
}

static apr_int64_t later(apr_int64_t base, apr_int64_t add)
{
    return add == UPOOL_UNSET ? base : add;
}

static void create(upool_dir_conf *conf)
{
    conf->limits = unset_limits;
    conf->local_limits = unset_limits;
}

static void merge(upool_dir_conf *conf, const upool_dir_conf *base,
                  const upool_dir_conf *add, apr_pool_t *p)
{
    (void)p;
    merge_limits(&conf->limits, &base->limits, &add->limits, later);
    merge_limits(&conf->local_limits, &base->local_limits, &add->local_limits,
                 upool_config_lower);
}

const upool_config_group upool_config_limits_group = {
    .create = create,
    .merge = merge,
};

/* For limits, cmd->info is the offset in upool_limits; a limit from .htaccess
 * is kept where it can only lower. */
static apr_int64_t *limit_member(const cmd_parms *cmd, upool_dir_conf *conf)
{
    char *limits = upool_settings_is_local(cmd) ? (char *)&conf->local_limits
                                                : (char *)&conf->limits;

    return (apr_int64_t *)(void *)(limits + (apr_size_t)cmd->info);
}

const char *upool_set_size_limit(cmd_parms *cmd, void *conf, const char *arg)
{
    apr_int64_t value = 0;
    const char *error = upool_settings_size(cmd, arg, &value);

    if (!error) {
        *limit_member(cmd, conf) = value ? value : UPOOL_UNLIMITED;
    }
    return error;
}

const char *upool_set_count_limit(cmd_parms *cmd, void *conf, const char *arg)
{
    long long value = 0;

    if (upool_quantity_decimal(arg, &value) || value < 1 || value > 1000000) {
        return upool_settings_complain(cmd, "takes a number from 1 to 1000000");
    }
    *limit_member(cmd, conf) = value;
    return NULL;
}

upool_limits upool_config_limits(const upool_dir_conf *conf)
{
    static const upool_limits defaults = UPOOL_LIMITS_DEFAULT;
    upool_limits set;
    upool_limits limits;

    merge_limits(&set, &defaults, &conf->limits, later);
    merge_limits(&limits, &set, &conf->local_limits, upool_config_lower);
    return limits;
}
