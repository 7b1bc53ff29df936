/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "config/group.h"

#include <string.h>
#include <apr_cstr.h>
#include <apr_strings.h>
#include <apr_user.h>
#include <http_core.h>

#include "config/places.h"
#include "config/settings.h"
#include "parse/quantity.h"

/* Where uploads lie, what they may hold there and for how long: UploadPool,
 * UploadPoolRoot, UploadPoolPublic, UploadSync, UploadFileMode,
 * UploadFileGroup, UploadQuota, UploadFreeSpace, UploadExpires. */

#define DAY apr_time_from_sec(86400)
#define FILE_MODE_DEFAULT 0600

extern module AP_MODULE_DECLARE_DATA upload_pool_module;

static void create(upool_dir_conf *conf)
{
    conf->on = UPOOL_UNSET;
    conf->public = UPOOL_UNSET;
    conf->sync = UPOOL_UNSET;
    conf->file_mode = UPOOL_UNSET;
    conf->file_group = UPOOL_UNSET;
    conf->quota_pool = UPOOL_UNSET;
    conf->quota_owner = UPOOL_UNSET;
    conf->spare = UPOOL_UNSET;
    conf->expires = UPOOL_UNSET;
    conf->local_expires = UPOOL_UNSET;
}

static void merge(upool_dir_conf *conf, const upool_dir_conf *base,
                  const upool_dir_conf *add, apr_pool_t *p)
{
    (void)p;
    UPOOL_MERGE(on);
    if (add->on != UPOOL_UNSET) {
        conf->store = add->store;
        conf->store_is_local = add->store_is_local;
        conf->place = add->place;
    }
    UPOOL_MERGE(public);
    UPOOL_MERGE(sync);
    UPOOL_MERGE(file_mode);
    UPOOL_MERGE(file_group);
    UPOOL_MERGE(quota_pool);
    UPOOL_MERGE(quota_owner);
    UPOOL_MERGE(spare);
    UPOOL_MERGE(expires);
    conf->local_expires =
        upool_config_lower(base->local_expires, add->local_expires);
}

static void merge_server(upool_server_conf *conf, const upool_server_conf *base,
                         const upool_server_conf *add)
{
    UPOOL_MERGE_POINTER(root);
    conf->root_quota = add->root ? add->root_quota : base->root_quota;
    UPOOL_MERGE_POINTER(root_said);
    UPOOL_MERGE_POINTER(places);
    UPOOL_MERGE_POINTER(mentions);
}

const upool_config_group upool_config_pool_group = {
    .create = create,
    .merge = merge,
    .merge_server = merge_server,
};

static void mention(cmd_parms *cmd, const char *path)
{
    apr_array_header_t *list = upool_settings_mentions(cmd->pool);
    upool_pool_mention *m = apr_palloc(cmd->pool, sizeof(*m));

    m->path = path;
    m->file = cmd->directive->filename;
    m->line = cmd->directive->line_num;
    m->section = cmd->context;
    m->server = cmd->server;
    APR_ARRAY_PUSH(list, upool_pool_mention *) = m;
}

/* 1 for a path that .htaccess may name: relative, without "." and ".."
 * components.  Links are refused when it is opened, component by component. */
static int is_plain_relative(const char *path)
{
    const char *part = path;

    if (!*path || *path == '/') {
        return 0;
    }
    while (part) {
        const char *slash = strchr(part, '/');
        size_t len = slash ? (size_t)(slash - part) : strlen(part);

        if (!len || (len == 1 && part[0] == '.')
            || (len == 2 && part[0] == '.' && part[1] == '.')) {
            return 0;
        }
        part = slash ? slash + 1 : NULL;
    }
    return 1;
}

const char *upool_set_pool(cmd_parms *cmd, void *conf_, const char *arg)
{
    upool_dir_conf *conf = conf_;

    conf->store_is_local = upool_settings_is_local(cmd);
    if (!ap_cstr_casecmp(arg, "off")) {
        conf->on = 0;
        return NULL;
    }
    conf->on = 1;
    conf->place = cmd->path;
    if (conf->store_is_local) {
        if (!upool_config_server(cmd->server)->root) {
            return upool_settings_complain(
                cmd, "may stand in .htaccess only where the"
                     " server has an UploadPoolRoot");
        }
        if (!is_plain_relative(arg)) {
            return upool_settings_complain(
                cmd, "in .htaccess takes a path relative to"
                     " UploadPoolRoot, without . and ..");
        }
        conf->store = arg;
        return NULL;
    }
    conf->store = ap_server_root_relative(cmd->pool, arg);
    if (!conf->store) {
        return upool_settings_complain(cmd, "has an invalid path");
    }
    mention(cmd, conf->store);
    return NULL;
}

/* The slashes at the end are dropped, because two roots are compared by their
 * text. */
const char *upool_set_root(cmd_parms *cmd, void *unused, const char *dir,
                           const char *quota)
{
    upool_server_conf *conf =
        ap_get_module_config(cmd->server->module_config, &upload_pool_module);
    char *path = ap_server_root_relative(cmd->pool, dir);

    (void)unused;
    if (!path) {
        return upool_settings_complain(cmd, "has an invalid path");
    }
    ap_no2slash(path);
    if (path[1] && path[strlen(path) - 1] == '/') {
        path[strlen(path) - 1] = '\0';
    }
    conf->root = path;
    conf->root_quota = 0;
    conf->root_said = cmd->directive;
    return quota ? upool_settings_size(cmd, quota, &conf->root_quota) : NULL;
}

const char *upool_set_expires(cmd_parms *cmd, void *conf_, const char *arg)
{
    upool_dir_conf *conf = conf_;

    return upool_settings_time(
        cmd, arg,
        upool_settings_is_local(cmd) ? &conf->local_expires : &conf->expires);
}

apr_interval_time_t upool_config_expires(const upool_dir_conf *conf)
{
    return upool_config_lower(conf->expires == UPOOL_UNSET ? DAY
                                                           : conf->expires,
                              conf->local_expires);
}

/* The UploadExpires where the pool is named, else that of the virtual host. */
static apr_interval_time_t expires_at(const upool_pool_mention *m)
{
    const upool_dir_conf *section =
        ap_get_module_config(m->section, &upload_pool_module);
    const upool_dir_conf *host =
        ap_get_module_config(m->server->lookup_defaults, &upload_pool_module);

    return upool_config_expires(section->expires == UPOOL_UNSET ? host
                                                                : section);
}

apr_interval_time_t upool_settings_expires(const apr_array_header_t *mentions,
                                           const char *path)
{
    apr_interval_time_t longest = 0;
    int i;

    for (i = 0; i < mentions->nelts; i++) {
        const upool_pool_mention *m =
            APR_ARRAY_IDX(mentions, i, const upool_pool_mention *);

        if (!strcmp(m->path, path) && expires_at(m) > longest) {
            longest = expires_at(m);
        }
    }
    return longest;
}

/* Execute bits are refused: nothing that a client sent should ever run. */
const char *upool_set_file_mode(cmd_parms *cmd, void *conf_, const char *arg)
{
    upool_dir_conf *conf = conf_;
    char *end = NULL;
    apr_int64_t mode = apr_strtoi64(arg, &end, 8);

    if (!*arg || *end || mode < 0 || mode > 0666 || (mode & 0111)
        || (mode & 0600) != 0600) {
        return upool_settings_complain(
            cmd, "takes octal permission bits from 0600 to 0666"
                 " without execute bits");
    }
    conf->file_mode = (int)mode;
    return NULL;
}

int upool_config_file_mode(const upool_dir_conf *conf)
{
    return conf->file_mode == UPOOL_UNSET ? FILE_MODE_DEFAULT : conf->file_mode;
}

const char *upool_set_file_group(cmd_parms *cmd, void *conf_, const char *arg)
{
    upool_dir_conf *conf = conf_;
    long long number = 0;
    apr_gid_t gid = 0;

    if (!apr_gid_get(&gid, arg, cmd->temp_pool)) {
        conf->file_group = (apr_int64_t)gid;
        return NULL;
    }
    /* To chown() the highest number means "leave it as it is". */
    if (upool_quantity_decimal(arg, &number) || number > 4294967294LL) {
        return upool_settings_complain(
            cmd, "takes the name or the number of a group, and"
                 " there is none of this name");
    }
    conf->file_group = number;
    return NULL;
}

static const char *set_one_quota(cmd_parms *cmd, upool_dir_conf *conf,
                                 const char *whose, const char *size)
{
    if (!ap_cstr_casecmp(whose, "pool")) {
        return upool_settings_size(cmd, size, &conf->quota_pool);
    }
    if (!ap_cstr_casecmp(whose, "owner")) {
        return upool_settings_size(cmd, size, &conf->quota_owner);
    }
    return upool_settings_complain(
        cmd, "takes pool or owner and a size, or both pairs");
}

const char *upool_set_quota(cmd_parms *cmd, void *conf, int argc,
                            char *const argv[])
{
    const char *error;

    if (argc != 2 && argc != 4) {
        return upool_settings_complain(
            cmd, "takes pool or owner and a size, or both pairs");
    }
    error = set_one_quota(cmd, conf, argv[0], argv[1]);
    if (error || argc == 2) {
        return error;
    }
    return ap_cstr_casecmp(argv[0], argv[2])
               ? set_one_quota(cmd, conf, argv[2], argv[3])
               : upool_settings_complain(cmd, "says the same twice");
}

/* The pool's directory, as the server's configuration would name it. */
static const char *path_of(const upool_dir_conf *conf,
                           const upool_server_conf *sc, apr_pool_t *p)
{
    return conf->store && conf->store_is_local
               ? apr_pstrcat(p, sc->root, "/", conf->store, NULL)
               : conf->store;
}

/* As in the sweep: no upload goes before its time because another context of
 * the same pool keeps its uploads for a shorter time. */
static apr_interval_time_t quota_expires(const upool_dir_conf *conf,
                                         const upool_server_conf *sc,
                                         apr_pool_t *p)
{
    const char *path = path_of(conf, sc, p);
    apr_interval_time_t own = upool_config_expires(conf);
    apr_interval_time_t all =
        sc->mentions && path ? upool_settings_expires(sc->mentions, path) : 0;

    return all > own ? all : own;
}

/* 1 for a pool below a root, whoever has named it. */
static int is_below_root(const upool_dir_conf *conf,
                         const upool_server_conf *sc)
{
    return sc->root && conf->store
           && (conf->store_is_local
               || upool_places_is_below(conf->store, sc->root));
}

upool_quota_limits upool_config_quota(const upool_dir_conf *conf,
                                      const server_rec *s, apr_pool_t *p)
{
    const upool_server_conf *sc = upool_config_server(s);
    upool_quota_limits limits;

    limits.pool = upool_config_or_none(conf->quota_pool);
    limits.owner = upool_config_or_none(conf->quota_owner);
    limits.root = is_below_root(conf, sc) ? sc->root : NULL;
    limits.below = limits.root ? sc->root_quota : 0;
    limits.spare = upool_config_or_none(conf->spare);
    limits.since = sc->loaded;
    limits.expires = quota_expires(conf, sc, p);
    limits.always = conf->store_is_local;
    return limits;
}
