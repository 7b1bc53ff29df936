/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "config/group.h"

#include <string.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "config/settings.h"
#include "handlers/kinds.h"

/* Which files may come, and what happens to them: UploadAllow, UploadDeny,
 * UploadDigest, UploadInline, UploadHandler, UploadScan, UploadScanTimeout,
 * UploadScanFailure, UploadSniff.  The setters of handlers are in
 * httpd/handlers.c and httpd/content.c. */

/* UPOOL_UNSET is below every mode of UploadSniff. */
static int stricter(int a, int b)
{
    return a > b ? a : b;
}

static void create(upool_dir_conf *conf)
{
    conf->inline_size = UPOOL_UNSET;
    conf->scan_timeout = UPOOL_UNSET;
    conf->scan_accept = UPOOL_UNSET;
    conf->local_scan_refuse = UPOOL_UNSET;
    conf->sniff = UPOOL_UNSET;
    conf->local_sniff = UPOOL_UNSET;
}

static void merge(upool_dir_conf *conf, const upool_dir_conf *base,
                  const upool_dir_conf *add, apr_pool_t *p)
{
    (void)p;
    UPOOL_MERGE_POINTER(allow);
    UPOOL_MERGE_POINTER(local_allow);
    UPOOL_MERGE_POINTER(deny);
    UPOOL_MERGE_POINTER(local_deny);
    UPOOL_MERGE_POINTER(digests);
    UPOOL_MERGE(inline_size);
    UPOOL_MERGE_POINTER(handlers);
    UPOOL_MERGE_POINTER(local_handlers);
    UPOOL_MERGE_POINTER(scan);
    UPOOL_MERGE(scan_timeout);
    UPOOL_MERGE(scan_accept);
    UPOOL_MERGE(local_scan_refuse);
    UPOOL_MERGE(sniff);
    conf->local_sniff = stricter(base->local_sniff, add->local_sniff);
}

const upool_config_group upool_config_files_group = {
    .create = create,
    .merge = merge,
};

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

upool_extension_lists upool_config_accept(const upool_dir_conf *conf)
{
    upool_extension_lists lists;

    lists.allow[0] = conf->allow;
    lists.allow[1] = conf->local_allow;
    lists.deny[0] = conf->deny;
    lists.deny[1] = conf->local_deny;
    return lists;
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
    upool_settings_push(cmd->pool, &conf->digests, name);
    return NULL;
}

upool_sniff_mode upool_config_sniff(const upool_dir_conf *conf)
{
    int mode = stricter(conf->sniff, conf->local_sniff);

    return mode == UPOOL_UNSET ? UPOOL_SNIFF_OFF : (upool_sniff_mode)mode;
}
