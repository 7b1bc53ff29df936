/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "config/settings.h"

#include <string.h>
#include <apr_lib.h>
#include <apr_cstr.h>
#include <apr_strings.h>

#include "config/config.h"
#include "handlers/kinds.h"
#include "parse/origin.h"

/* Directives that take a list: extensions, digests, protocols, origins,
 * statuses. */

static void push(apr_pool_t *p, const apr_array_header_t **list,
                 const char *word)
{
    apr_array_header_t *grown =
        *list ? apr_array_copy(p, *list)
              : apr_array_make(p, 4, sizeof(const char *));

    APR_ARRAY_PUSH(grown, const char *) = word;
    *list = grown;
}

/* cmd->info is not NULL for UploadAllow. */
static const apr_array_header_t **extension_list(const cmd_parms *cmd,
                                                 upool_dir_conf *conf)
{
    if (upool_settings_is_local(cmd)) {
        return cmd->info ? &conf->local_allow : &conf->local_deny;
    }
    return cmd->info ? &conf->allow : &conf->deny;
}

static void take_word(void *user, const char *word, unsigned long len)
{
    apr_array_header_t *list = user;

    APR_ARRAY_PUSH(list, const char *) = apr_pstrmemdup(list->pool, word, len);
}

int upool_settings_add_group(apr_array_header_t *list, const char *name,
                             int are_types)
{
    upool_group group = upool_kinds_group(name);

    if (group == UPOOL_GROUP_NONE) {
        return 0;
    }
    upool_kinds_each(group, are_types, take_word, list);
    return 1;
}

const char *upool_set_extension(cmd_parms *cmd, void *conf, const char *arg)
{
    char *word = apr_pstrdup(cmd->pool, *arg == '.' ? arg + 1 : arg);
    const apr_array_header_t **list;
    apr_array_header_t *grown;
    char *c;

    for (c = word; *c; c++) {
        if (!apr_isalnum(*c) && *c != '_' && *c != '-') {
            return upool_settings_refuse(
                cmd, arg,
                "is not one extension: letters, digits,"
                " _ and -, with or without a leading dot");
        }
        *c = (char)apr_tolower(*c);
    }
    if (!*word) {
        return upool_settings_refuse(cmd, arg, "is empty");
    }
    list = extension_list(cmd, conf);
    grown = *list ? apr_array_copy(cmd->pool, *list)
                  : apr_array_make(cmd->pool, 4, sizeof(const char *));
    if (!upool_settings_add_group(grown, word, 0)) {
        APR_ARRAY_PUSH(grown, const char *) = word;
    }
    *list = grown;
    return NULL;
}

const char *upool_set_digest(cmd_parms *cmd, void *conf_, const char *arg)
{
    upool_dir_conf *conf = conf_;
    const char *name = upool_digest_known(arg);
    int i;

    if (!name) {
        return upool_settings_refuse(
            cmd, arg, "is not one of md5 sha-1 sha-256 sha-512 crc32");
    }
    for (i = 0; conf->digests && i < conf->digests->nelts; i++) {
        if (APR_ARRAY_IDX(conf->digests, i, const char *) == name) {
            return NULL;
        }
    }
    push(cmd->pool, &conf->digests, name);
    return NULL;
}

/* The origins of one section add up, and replace those of the sections around
 * it; so does an empty list (Off). */
const char *upool_set_cors(cmd_parms *cmd, void *conf_, const char *arg)
{
    upool_dir_conf *conf = conf_;

    if (!ap_cstr_casecmp(arg, "off")) {
        conf->cors = apr_array_make(cmd->pool, 1, sizeof(const char *));
        return NULL;
    }
    if (strcmp(arg, "*") != 0 && strcmp(arg, "null") != 0
        && !upool_origin_is_valid(arg)) {
        return upool_settings_refuse(
            cmd, arg,
            "is neither *, null nor an origin as browsers send it:"
            " https://app.example.com or with a port that is not"
            " the usual one, in lower case and without a path");
    }
    push(cmd->pool, &conf->cors, arg);
    return NULL;
}

/* The words of one section add up; together they replace those of the sections
 * around it. */
const char *upool_set_protocol(cmd_parms *cmd, void *conf_, const char *arg)
{
    static const struct {
        const char *word;
        int bit;
    } known[] = { { "multipart", UPOOL_PROTOCOL_MULTIPART },
                  { "chunked", UPOOL_PROTOCOL_CHUNKED },
                  { "tus", UPOOL_PROTOCOL_TUS },
                  { "resumable", UPOOL_PROTOCOL_RESUMABLE } };
    upool_dir_conf *conf = conf_;
    apr_size_t i;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (!ap_cstr_casecmp(arg, known[i].word)) {
            conf->protocols =
                known[i].bit
                | (conf->protocols == UPOOL_UNSET ? 0 : conf->protocols);
            return NULL;
        }
    }
    return upool_settings_refuse(cmd, arg,
                                 "is none of multipart chunked tus resumable");
}

static int parse_status(const char *text, apr_size_t len, int *status)
{
    if (len != 3 || !apr_isdigit(text[0]) || !apr_isdigit(text[1])
        || !apr_isdigit(text[2])) {
        return 0;
    }
    *status = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
    return *status >= 100 && *status < UPOOL_STATUSES;
}

/* "404", "500-505" or "4xx". */
static int parse_range(const char *arg, int *first, int *last)
{
    if (arg[0] >= '1' && arg[0] <= '5' && !ap_cstr_casecmp(arg + 1, "xx")) {
        *first = (arg[0] - '0') * 100;
        *last = *first + 99;
        return 1;
    }
    if (strlen(arg) == 7 && arg[3] == '-') {
        return parse_status(arg, 3, first) && parse_status(arg + 4, 3, last)
               && *first <= *last;
    }
    if (!parse_status(arg, strlen(arg), first)) {
        return 0;
    }
    *last = *first;
    return 1;
}

const char *upool_set_cleanup(cmd_parms *cmd, void *conf_, const char *arg)
{
    upool_dir_conf *conf = conf_;
    upool_statuses *set;
    int first = 0;
    int last = 0;

    if (!parse_range(arg, &first, &last)) {
        return upool_settings_refuse(
            cmd, arg, "is no status such as 404, 4xx or 500-505");
    }
    set = apr_pcalloc(cmd->pool, sizeof(*set));
    if (conf->cleanup) {
        *set = *conf->cleanup;
    }
    for (; first <= last; first++) {
        set->bits[first / 8] =
            (unsigned char)(set->bits[first / 8] | 1 << (first % 8));
    }
    conf->cleanup = set;
    return NULL;
}
