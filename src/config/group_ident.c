/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "config/group.h"

#include <string.h>
#include <apr_strings.h>

#include "config/settings.h"

/* Identifiers, their keys and owners: UploadURL, UploadKey, UploadKeyFile,
 * UploadKeyUse, UploadIdentifierLifetime, UploadMint, UploadOwner. */

#define DAY apr_time_from_sec(86400)

static void create(upool_dir_conf *conf)
{
    conf->lifetime = UPOOL_UNSET;
    conf->key_use = UPOOL_UNSET;
    conf->local_key_use = UPOOL_UNSET;
    conf->mint = UPOOL_UNSET;
    conf->owner = UPOOL_UNSET;
    conf->local_owner = UPOOL_UNSET;
}

static void merge(upool_dir_conf *conf, const upool_dir_conf *base,
                  const upool_dir_conf *add, apr_pool_t *p)
{
    (void)p;
    UPOOL_MERGE(lifetime);
    UPOOL_MERGE_POINTER(url);
    if (add->keys) {
        conf->keys = add->keys;
        conf->keys_are_local = add->keys_are_local;
    }
    UPOOL_MERGE(key_use);
    UPOOL_MERGE(local_key_use);
    UPOOL_MERGE(mint);
    UPOOL_MERGE(owner);
    /* A section that follows .htaccess has the last word. */
    conf->local_owner =
        add->owner == UPOOL_UNSET && add->local_owner == UPOOL_UNSET
            ? base->local_owner
            : add->local_owner;
}

const upool_config_group upool_config_ident_group = {
    .create = create,
    .merge = merge,
};

apr_interval_time_t upool_config_lifetime(const upool_dir_conf *conf)
{
    return conf->lifetime == UPOOL_UNSET ? DAY : conf->lifetime;
}

const char *upool_set_url(cmd_parms *cmd, void *conf_, const char *arg)
{
    upool_dir_conf *conf = conf_;
    apr_size_t len = strlen(arg);
    static const char suffix[] = "/upload";
    apr_size_t suffix_len = sizeof(suffix) - 1;

    if (!len || ap_strchr_c(arg, '"') || ap_strchr_c(arg, '<')) {
        return upool_settings_complain(cmd, "takes a URL");
    }
    if (len >= suffix_len && !strcmp(arg + len - suffix_len, suffix)) {
        conf->url = arg;
        return NULL;
    }
    if (arg[len - 1] == '/') {
        len--;
    }
    conf->url = apr_pstrcat(cmd->pool, apr_pstrmemdup(cmd->pool, arg, len),
                            suffix, NULL);
    return NULL;
}

const char *upool_set_key_use(cmd_parms *cmd, void *conf_, const char *arg)
{
    static const upool_settings_named uses[] = {
        { "identifiers", UPOOL_KEYS_IDENTIFIERS },
        { "handoff", UPOOL_KEYS_HANDOFF },
        { "both", UPOOL_KEYS_IDENTIFIERS | UPOOL_KEYS_HANDOFF }
    };
    upool_dir_conf *conf = conf_;
    int use = upool_settings_word(arg, uses, 3);

    if (use == UPOOL_UNSET) {
        return upool_settings_complain(cmd,
                                       "must be identifiers, handoff or both");
    }
    if (upool_settings_is_local(cmd)) {
        conf->local_key_use = use;
    }
    else {
        conf->key_use = use;
    }
    return NULL;
}

/* A .htaccess file says what the keys in .htaccess are for, and no others: the
 * server's keys must go on guarding what they guard. */
static int uses_keys(const upool_dir_conf *conf, int use)
{
    int of = conf->keys_are_local && conf->local_key_use != UPOOL_UNSET
                 ? conf->local_key_use
                 : conf->key_use;

    return of == UPOOL_UNSET || (of & use);
}

const upool_keys *upool_config_ident_keys(const upool_dir_conf *conf)
{
    return uses_keys(conf, UPOOL_KEYS_IDENTIFIERS) ? conf->keys : NULL;
}

const upool_keys *upool_config_handoff_keys(const upool_dir_conf *conf)
{
    return uses_keys(conf, UPOOL_KEYS_HANDOFF) ? conf->keys : NULL;
}

const char *upool_set_owner(cmd_parms *cmd, void *conf_, const char *arg)
{
    static const upool_settings_named kinds[] = { { "none", UPOOL_OWNER_NONE },
                                                  { "user", UPOOL_OWNER_USER },
                                                  { "ip", UPOOL_OWNER_IP } };
    upool_dir_conf *conf = conf_;
    int kind = upool_settings_word(arg, kinds, 3);

    if (kind == UPOOL_UNSET) {
        return upool_settings_complain(cmd, "must be none, user or ip");
    }
    if (upool_settings_is_local(cmd)) {
        conf->local_owner = kind;
    }
    else {
        conf->owner = kind;
    }
    return NULL;
}

upool_owner_kind upool_config_owner(const upool_dir_conf *conf)
{
    int owner = conf->owner;

    if (conf->local_owner != UPOOL_UNSET
        && upool_config_or_none(conf->quota_owner) == 0) {
        owner = conf->local_owner;
    }
    return owner == UPOOL_UNSET ? UPOOL_OWNER_USER : (upool_owner_kind)owner;
}
