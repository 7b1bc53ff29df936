/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "config/settings.h"

#include <string.h>
#include <apr_cstr.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_user.h>
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

static const char *parse_size(const cmd_parms *cmd, const char *arg,
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
    return quota ? parse_size(cmd, quota, &conf->root_quota) : NULL;
}

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
    const char *error = parse_size(cmd, arg, &value);

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

const char *upool_set_size(cmd_parms *cmd, void *conf, const char *arg)
{
    apr_int64_t value = 0;
    const char *error = parse_size(cmd, arg, &value);
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

static const char *parse_time(const cmd_parms *cmd, const char *arg,
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

    return parse_time(cmd, arg, (apr_int64_t *)(void *)member);
}

const char *upool_set_expires(cmd_parms *cmd, void *conf_, const char *arg)
{
    upool_dir_conf *conf = conf_;

    return parse_time(cmd, arg,
                      upool_settings_is_local(cmd) ? &conf->local_expires
                                                   : &conf->expires);
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

const char *upool_set_pass(cmd_parms *cmd, void *conf_, const char *arg)
{
    upool_dir_conf *conf = conf_;

    if (*arg != '/') {
        return upool_settings_complain(cmd,
                                       "takes a local URI that begins with /");
    }
    conf->pass = arg;
    return NULL;
}

const char *upool_set_owner(cmd_parms *cmd, void *conf_, const char *arg)
{
    upool_dir_conf *conf = conf_;
    int *owner =
        upool_settings_is_local(cmd) ? &conf->local_owner : &conf->owner;

    if (!ap_cstr_casecmp(arg, "none")) {
        *owner = UPOOL_OWNER_NONE;
    }
    else if (!ap_cstr_casecmp(arg, "user")) {
        *owner = UPOOL_OWNER_USER;
    }
    else if (!ap_cstr_casecmp(arg, "ip")) {
        *owner = UPOOL_OWNER_IP;
    }
    else {
        return upool_settings_complain(cmd, "must be none, user or ip");
    }
    return NULL;
}

const char *upool_set_require(cmd_parms *cmd, void *conf_, const char *arg)
{
    upool_dir_conf *conf = conf_;

    if (!ap_cstr_casecmp(arg, "multipart")) {
        conf->require_multipart = 1;
    }
    else if (!ap_cstr_casecmp(arg, "any")) {
        /* .htaccess can only make it stricter. */
        if (!upool_settings_is_local(cmd)) {
            conf->require_multipart = 0;
        }
    }
    else {
        return upool_settings_complain(cmd, "must be multipart or any");
    }
    return NULL;
}

const char *upool_set_interim(cmd_parms *cmd, void *conf_, const char *arg)
{
    upool_dir_conf *conf = conf_;

    if (!ap_cstr_casecmp(arg, "off")) {
        conf->interim = 0;
    }
    else if (arg[0] >= '1' && arg[0] <= '0' + UPOOL_INTERIM_MAX && !arg[1]) {
        conf->interim = arg[0] - '0';
    }
    else {
        return upool_settings_complain(
            cmd, "must be off or a number from 1 to 5: proxies break off"
                 " requests with more interim answers");
    }
    return NULL;
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
        return parse_size(cmd, size, &conf->quota_pool);
    }
    if (!ap_cstr_casecmp(whose, "owner")) {
        return parse_size(cmd, size, &conf->quota_owner);
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

const char *upool_set_keep(cmd_parms *cmd, void *conf_, const char *arg)
{
    upool_dir_conf *conf = conf_;

    if (!ap_cstr_casecmp(arg, "always")) {
        conf->keep = UPOOL_KEEP_ALWAYS;
    }
    else if (!ap_cstr_casecmp(arg, "claimed")) {
        conf->keep = UPOOL_KEEP_CLAIMED;
    }
    else {
        return upool_settings_complain(cmd, "must be always or claimed");
    }
    return NULL;
}

static upool_server_conf *main_server_conf(cmd_parms *cmd)
{
    return ap_get_module_config(cmd->server->module_config,
                                &upload_pool_module);
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
    main_server_conf(cmd)->slots = slots;
    return NULL;
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
    upool_server_conf *conf = main_server_conf(cmd);

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

const char *upool_set_read_size(cmd_parms *cmd, void *unused, const char *arg)
{
    apr_int64_t bytes = 0;
    const char *error = parse_size(cmd, arg, &bytes);

    (void)unused;
    if (error) {
        return error;
    }
    if (bytes && (bytes < UPOOL_READ_SIZE_MIN || bytes > UPOOL_READ_SIZE_MAX)) {
        return upool_settings_complain(cmd, "takes 0 or a size from 16K to 1M");
    }
    main_server_conf(cmd)->read_size = bytes;
    return NULL;
}

const char *upool_set_sweep(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    (void)unused;
    return error ? error
                 : parse_time(cmd, arg, &main_server_conf(cmd)->sweep_interval);
}
