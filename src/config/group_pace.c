/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "config/group.h"

#include <string.h>
#include <apr_cstr.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "config/settings.h"
#include "parse/quantity.h"

/* How fast a client may and must be, and what it holds while the server waits
 * for it: UploadRate, UploadMinRate, UploadPark. */

/* What an HTTP/2 client may send before it has received our settings (RFC 9113
 * 6.9.2). */
#define PARK_OVER_DEFAULT 65535
#define GRACE_DEFAULT apr_time_from_sec(30)
#define GRACE_MOST apr_time_from_sec(86400)

extern module AP_MODULE_DECLARE_DATA upload_pool_module;

static void create(upool_dir_conf *conf)
{
    conf->rate = UPOOL_UNSET;
    conf->min_rate = UPOOL_UNSET;
    conf->min_grace = UPOOL_UNSET;
    conf->park = UPOOL_UNSET;
    conf->local_min_rate = UPOOL_UNSET;
    conf->local_min_grace = UPOOL_UNSET;
    conf->park_over = UPOOL_UNSET;
}

static void merge(upool_dir_conf *conf, const upool_dir_conf *base,
                  const upool_dir_conf *add, apr_pool_t *p)
{
    (void)p;
    UPOOL_MERGE(rate);
    UPOOL_MERGE(min_rate);
    UPOOL_MERGE(min_grace);
    conf->local_min_rate =
        upool_config_higher(base->local_min_rate, add->local_min_rate);
    conf->local_min_grace =
        upool_config_lower(base->local_min_grace, add->local_min_grace);
    UPOOL_MERGE(park);
    /* One directive sets both. */
    conf->park_over =
        add->park == UPOOL_UNSET ? base->park_over : add->park_over;
}

static void merge_server(upool_server_conf *conf, const upool_server_conf *base,
                         const upool_server_conf *add)
{
    (void)base;
    /* A virtual host inherits it from the main server, which reports it
     * once. */
    conf->park_always = add->park_always;
}

const upool_config_group upool_config_pace_group = {
    .create = create,
    .merge = merge,
    .merge_server = merge_server,
};

apr_int64_t upool_config_rate(const upool_dir_conf *conf)
{
    return upool_config_or_none(conf->rate);
}

/* A bare number would mean megabytes a second, as everywhere, which is never
 * intended. */
static const char *parse_rate(const cmd_parms *cmd, const char *arg,
                              apr_int64_t *rate)
{
    long long bytes = 0;

    if (!ap_cstr_casecmp(arg, "off") || !strcmp(arg, "0")) {
        *rate = 0;
        return NULL;
    }
    if (!*arg || apr_isdigit(arg[strlen(arg) - 1])
        || upool_quantity_size(arg, &bytes)) {
        return upool_settings_complain(
            cmd, "takes Off, or bytes a second with a unit, such as"
                 " 500B or 2K");
    }
    *rate = bytes;
    return NULL;
}

const char *upool_set_min_rate(cmd_parms *cmd, void *conf_, const char *rate,
                               const char *grace)
{
    upool_dir_conf *conf = conf_;
    apr_int64_t bytes = 0;
    apr_interval_time_t time = UPOOL_UNSET;
    const char *error = parse_rate(cmd, rate, &bytes);

    if (error) {
        return error;
    }
    if (grace
        && (ap_timeout_parameter_parse(grace, &time, "s")
            || time < apr_time_from_sec(1) || time > GRACE_MOST)) {
        return upool_settings_complain(
            cmd, "takes as its second a time from 1s to 1 day");
    }
    if (upool_settings_is_local(cmd)) {
        conf->local_min_rate = bytes;
        conf->local_min_grace = time;
    }
    else {
        conf->min_rate = bytes;
        conf->min_grace = time;
    }
    return NULL;
}

void upool_config_pace(const upool_dir_conf *conf, upool_pace *pace,
                       apr_time_t now)
{
    apr_int64_t rate = upool_config_or_none(
        upool_config_higher(conf->min_rate, conf->local_min_rate));
    apr_int64_t grace =
        upool_config_lower(conf->min_grace, conf->local_min_grace);

    upool_pace_start(pace, rate, grace == UPOOL_UNSET ? GRACE_DEFAULT : grace,
                     now);
}

/* Remembers the place for start-up, which reports where Always cannot do what
 * it says. */
static void note_always(const cmd_parms *cmd)
{
    upool_server_conf *server =
        ap_get_module_config(cmd->server->module_config, &upload_pool_module);

    if (!server->park_always) {
        server->park_always =
            apr_psprintf(cmd->pool, "%s:%d", cmd->directive->filename,
                         cmd->directive->line_num);
    }
}

const char *upool_set_park(cmd_parms *cmd, void *conf_, const char *arg,
                           const char *size)
{
    upool_dir_conf *conf = conf_;
    long long bytes = PARK_OVER_DEFAULT;

    conf->park_over = UPOOL_UNSET;
    if (!ap_cstr_casecmp(arg, "always")) {
        if (size && upool_quantity_size(size, &bytes)) {
            return upool_settings_complain(
                cmd, "Always takes a size, such as 64K, as its second");
        }
        conf->park = 1;
        conf->park_over = bytes;
        note_always(cmd);
        return NULL;
    }
    conf->park = !ap_cstr_casecmp(arg, "on");
    if (size || (!conf->park && ap_cstr_casecmp(arg, "off"))) {
        return upool_settings_complain(cmd,
                                       "takes On, Off, or Always and a size");
    }
    return NULL;
}

int upool_config_parks(const upool_dir_conf *conf)
{
    return conf->park != 0;
}

apr_int64_t upool_config_park_over(const upool_dir_conf *conf)
{
    return conf->park_over;
}
