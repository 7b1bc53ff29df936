/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "config/settings.h"

#include <string.h>
#include <apr_cstr.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <http_core.h>

#include "config/config.h"
#include "parse/quantity.h"

#define MENTIONS_KEY "upload_pool:mentions"
#define NOTES_KEY "upload_pool:notes"
/* A hundred years. */
#define DAYS_MAX 36525

extern module AP_MODULE_DECLARE_DATA upload_pool_module;

const char *upool_settings_complain(const cmd_parms *cmd, const char *what)
{
    return apr_pstrcat(cmd->pool, cmd->cmd->name, " ", what, NULL);
}

const char *upool_settings_refuse(const cmd_parms *cmd, const char *arg,
                                  const char *what)
{
    return apr_psprintf(cmd->pool, "%s: \"%s\" %s", cmd->cmd->name, arg, what);
}

/* httpd reads .htaccess in a pool that is its own temporary pool;
 * ap_check_cmd_context(NOT_IN_HTACCESS) makes the same test. */
int upool_settings_is_local(const cmd_parms *cmd)
{
    return cmd->pool == cmd->temp_pool;
}

/* An array of pointers that lives as long as the configuration. */
static apr_array_header_t *list_of(apr_pool_t *pconf, const char *key)
{
    void *list = NULL;

    apr_pool_userdata_get(&list, key, pconf);
    if (!list) {
        list = apr_array_make(pconf, 4, sizeof(void *));
        apr_pool_userdata_setn(list, key, NULL, pconf);
    }
    return list;
}

apr_array_header_t *upool_settings_mentions(apr_pool_t *pconf)
{
    return list_of(pconf, MENTIONS_KEY);
}

apr_array_header_t *upool_settings_notes(apr_pool_t *pconf)
{
    return list_of(pconf, NOTES_KEY);
}

/* Notes are for the administrator: .htaccess is read at each request, so it
 * adds none. */
static void note(const cmd_parms *cmd, const char *what)
{
    if (!upool_settings_is_local(cmd)) {
        APR_ARRAY_PUSH(upool_settings_notes(cmd->pool), const char *) =
            apr_psprintf(cmd->pool, "%s (%s:%d): %s", cmd->cmd->name,
                         cmd->directive->filename, cmd->directive->line_num,
                         what);
    }
}

upool_server_conf *upool_settings_server(const cmd_parms *cmd)
{
    return ap_get_module_config(cmd->server->module_config,
                                &upload_pool_module);
}

void upool_settings_push(apr_pool_t *p, const apr_array_header_t **list,
                         const char *word)
{
    apr_array_header_t *grown =
        *list ? apr_array_copy(p, *list)
              : apr_array_make(p, 4, sizeof(const char *));

    APR_ARRAY_PUSH(grown, const char *) = word;
    *list = grown;
}

/* The value of the word arg among count words; UPOOL_UNSET when it is none of
 * them. */
int upool_settings_word(const char *arg, const upool_settings_named *words,
                        apr_size_t count)
{
    apr_size_t i;

    for (i = 0; i < count; i++) {
        if (!apr_cstr_casecmp(arg, words[i].text)) {
            return words[i].value;
        }
    }
    return UPOOL_UNSET;
}

const char *upool_settings_size(const cmd_parms *cmd, const char *arg,
                                apr_int64_t *value)
{
    long long bytes = 0;

    switch (upool_quantity_size(arg, &bytes)) {
    case UPOOL_QUANTITY_OK:
        *value = bytes;
        return NULL;
    case UPOOL_QUANTITY_OVERFLOW:
        return upool_settings_complain(cmd, "is larger than any file can be");
    case UPOOL_QUANTITY_BARE_BYTES:
        return upool_settings_complain(
            cmd, "without a unit counts megabytes; a number over"
                 " 1048576 looks like bytes: write it with a B");
    case UPOOL_QUANTITY_BAD:
        break;
    }
    return upool_settings_complain(
        cmd, "takes a size: a number with B, K, M, G or T; a bare"
             " number is megabytes");
}

const char *upool_set_size(cmd_parms *cmd, void *conf, const char *arg)
{
    apr_int64_t value = 0;
    const char *error = upool_settings_size(cmd, arg, &value);
    char *member = (char *)conf + (apr_size_t)cmd->info;

    if (!error) {
        *(apr_int64_t *)(void *)member = value;
    }
    return error;
}

const char *upool_set_flag(cmd_parms *cmd, void *conf, int on)
{
    char *member = (char *)conf + (apr_size_t)cmd->info;

    *(int *)(void *)member = on;
    return NULL;
}

/* httpd 2.4 has no unit for days. */
static apr_interval_time_t parse_days(apr_pool_t *p, const char *arg)
{
    apr_size_t len = strlen(arg);
    long long days = 0;

    if (len < 2 || (arg[len - 1] != 'd' && arg[len - 1] != 'D')
        || upool_quantity_decimal(apr_pstrmemdup(p, arg, len - 1), &days)
        || days > DAYS_MAX) {
        return 0;
    }
    return apr_time_from_sec((apr_int64_t)days * 86400);
}

const char *upool_settings_time(const cmd_parms *cmd, const char *arg,
                                apr_int64_t *value)
{
    apr_interval_time_t t = parse_days(cmd->temp_pool, arg);

    if (t <= 0 && (ap_timeout_parameter_parse(arg, &t, "s") || t <= 0)) {
        return upool_settings_complain(
            cmd, "takes a time above 0: a number with ms, s, min,"
                 " h or d; a bare number is seconds");
    }
    if (apr_isdigit(arg[strlen(arg) - 1]) && t < apr_time_from_sec(60)) {
        note(cmd, apr_psprintf(cmd->temp_pool,
                               "%s is as many seconds; with a unit it says what"
                               " is meant: %ss, %smin, %sh, %sd",
                               arg, arg, arg, arg, arg));
    }
    *value = t;
    return NULL;
}

const char *upool_set_time(cmd_parms *cmd, void *conf, const char *arg)
{
    char *member = (char *)conf + (apr_size_t)cmd->info;

    return upool_settings_time(cmd, arg, (apr_int64_t *)(void *)member);
}
