/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "config/group.h"

#include "config/settings.h"
#include "parse/quantity.h"

/* The server as a whole: UploadProgress (httpd/shared.c), UploadProgressSlots,
 * UploadWatchers, UploadReadSize, UploadSweepInterval. */

#define SWEEP_DEFAULT apr_time_from_sec(60)

extern module AP_MODULE_DECLARE_DATA upload_pool_module;

static void create_server(upool_server_conf *conf)
{
    conf->slots = UPOOL_UNSET;
    conf->watchers = UPOOL_UNSET;
    conf->holders = UPOOL_UNSET;
    conf->read_size = UPOOL_UNSET;
    conf->sweep_interval = UPOOL_UNSET;
}

static void merge_server(upool_server_conf *conf, const upool_server_conf *base,
                         const upool_server_conf *add)
{
    UPOOL_MERGE_POINTER(shared);
    UPOOL_MERGE(slots);
    UPOOL_MERGE(watchers);
    UPOOL_MERGE(holders);
    UPOOL_MERGE(read_size);
    UPOOL_MERGE(sweep_interval);
}

const upool_config_group upool_config_server_group = {
    .create_server = create_server,
    .merge_server = merge_server,
};

const upool_server_conf *upool_config_server(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &upload_pool_module);
}

const char *upool_set_slots(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    long long slots = 0;

    (void)unused;
    if (error) {
        return error;
    }
    if (upool_quantity_decimal(arg, &slots) || slots < UPOOL_SLOTS_MIN
        || slots > UPOOL_SLOTS_MAX) {
        return upool_settings_complain(cmd,
                                       "takes a number from 64 to 1048576");
    }
    upool_settings_server(cmd)->slots = slots;
    return NULL;
}

apr_uint32_t upool_config_slots(const upool_server_conf *conf)
{
    return conf->slots == UPOOL_UNSET ? UPOOL_SLOTS_DEFAULT
                                      : (apr_uint32_t)conf->slots;
}

static int parse_watchers(const char *arg, apr_int64_t *number)
{
    long long value = 0;

    if (upool_quantity_decimal(arg, &value) || value < 0
        || value > UPOOL_WATCHERS_MAX) {
        return 1;
    }
    *number = value;
    return 0;
}

const char *upool_set_watchers(cmd_parms *cmd, void *unused, const char *most,
                               const char *holders)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    upool_server_conf *conf = upool_settings_server(cmd);

    (void)unused;
    if (error) {
        return error;
    }
    if (parse_watchers(most, &conf->watchers)
        || (holders && parse_watchers(holders, &conf->holders))) {
        return upool_settings_complain(
            cmd, "takes one or two numbers from 0 to 1000000");
    }
    return NULL;
}

apr_uint64_t upool_config_watchers(const upool_server_conf *conf)
{
    return conf->watchers == UPOOL_UNSET ? UPOOL_WATCHERS_DEFAULT
                                         : (apr_uint64_t)conf->watchers;
}

apr_uint64_t upool_config_holders(const upool_server_conf *conf)
{
    return conf->holders == UPOOL_UNSET ? UPOOL_HOLDERS_DEFAULT
                                        : (apr_uint64_t)conf->holders;
}

const char *upool_set_read_size(cmd_parms *cmd, void *unused, const char *arg)
{
    apr_int64_t bytes = 0;
    const char *error = upool_settings_size(cmd, arg, &bytes);

    (void)unused;
    if (error) {
        return error;
    }
    if (bytes && (bytes < UPOOL_READ_SIZE_MIN || bytes > UPOOL_READ_SIZE_MAX)) {
        return upool_settings_complain(cmd, "takes 0 or a size from 16K to 1M");
    }
    upool_settings_server(cmd)->read_size = bytes;
    return NULL;
}

apr_size_t upool_config_read_size(const upool_server_conf *conf)
{
    return conf->read_size == UPOOL_UNSET ? UPOOL_READ_SIZE_DEFAULT
                                          : (apr_size_t)conf->read_size;
}

const char *upool_set_sweep(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    (void)unused;
    return error ? error
                 : upool_settings_time(
                     cmd, arg, &upool_settings_server(cmd)->sweep_interval);
}

apr_interval_time_t upool_config_sweep_interval(const upool_server_conf *conf)
{
    return conf->sweep_interval == UPOOL_UNSET ? SWEEP_DEFAULT
                                               : conf->sweep_interval;
}
