/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "config/settings.h"

#include <string.h>
#include <apr_cstr.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "config/config.h"
#include "parse/quantity.h"

/* UploadMinRate: how slow a client may be. */

#define GRACE_MOST apr_time_from_sec(86400)

/* A bare number would be megabytes a second, as everywhere, and is never
 * meant. */
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
