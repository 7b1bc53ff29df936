/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "config/settings.h"

#include <string.h>
#include <apr_file_io.h>
#include <apr_strings.h>

#include "config/config.h"
#include "httpd/log.h"
#include "ident/keyfile.h"

/* UploadKey and UploadKeyFile. */

#define EXEC_PREFIX "exec:"
/* A command that makes a key file; the file's name and ")" follow it. */
#define MAKES_KEY "(umask 77; openssl rand -hex 32 >"

/* mod_info prints the arguments of every directive from the configuration
 * tree; the key must not be among them. */
static void hide_argument(const cmd_parms *cmd)
{
    ap_directive_t *directive = (ap_directive_t *)cmd->directive;

    directive->args = "(hidden)";
}

static void take_keys(const cmd_parms *cmd, upool_dir_conf *conf)
{
    if (!conf->keys) {
        conf->keys = upool_keys_make(cmd->pool);
        conf->keys_are_local = upool_settings_is_local(cmd);
    }
}

static void warn_of_short(const cmd_parms *cmd, apr_size_t len)
{
    if (len && len < UPOOL_KEY_GOOD) {
        upool_slog(cmd->server, WARNING, 0, 8,
                   "%s at %s:%d: a key of %d bytes is short, 32 or more are"
                   " better",
                   cmd->cmd->name, cmd->directive->filename,
                   cmd->directive->line_num, (int)len);
    }
}

static const char *add_key(cmd_parms *cmd, upool_dir_conf *conf,
                           const char *secret)
{
    apr_size_t len = strlen(secret);
    const char *error;

    take_keys(cmd, conf);
    error = upool_keyfile_reason(upool_keys_add(conf->keys, secret, len));
    if (error) {
        return upool_settings_complain(cmd, error);
    }
    warn_of_short(cmd, len);
    return NULL;
}

/* Takes the first line that a program prints, as SSLPassPhraseDialog does. */
static const char *add_from_program(cmd_parms *cmd, upool_dir_conf *conf,
                                    const char *command)
{
    char **argv;
    char *line;

    if (upool_settings_is_local(cmd)) {
        return upool_settings_complain(cmd, "runs no program from .htaccess");
    }
    if (apr_tokenize_to_argv(command, &argv, cmd->temp_pool) || !argv[0]) {
        return upool_settings_complain(cmd, "names no program behind exec:");
    }
    line = ap_get_exec_line(cmd->temp_pool, argv[0], (const char *const *)argv);
    return line && *line
               ? add_key(cmd, conf, line)
               : upool_settings_complain(cmd, "got no key from its program");
}

const char *upool_set_key(cmd_parms *cmd, void *conf, const char *arg)
{
    hide_argument(cmd);
    if (!strncmp(arg, EXEC_PREFIX, sizeof(EXEC_PREFIX) - 1)) {
        return add_from_program(cmd, conf, arg + sizeof(EXEC_PREFIX) - 1);
    }
    return add_key(cmd, conf, arg);
}

/* Says why the file cannot be read, with a command that makes one. */
static const char *unreadable(apr_pool_t *p, const char *path, apr_status_t rv)
{
    char reason[120];

    apr_strerror(rv, reason, sizeof(reason));
    return apr_psprintf(p, "cannot read %s: %s%s%s%s", path, reason,
                        APR_STATUS_IS_ENOENT(rv) ? "; make a key: " MAKES_KEY
                                                 : "",
                        APR_STATUS_IS_ENOENT(rv) ? path : "",
                        APR_STATUS_IS_ENOENT(rv) ? ")" : "");
}

const char *upool_set_key_file(cmd_parms *cmd, void *conf_, const char *arg)
{
    upool_dir_conf *conf = conf_;
    const char *path;
    const char *error;
    apr_size_t shortest = 0;
    apr_status_t rv;
    apr_file_t *file;
    apr_finfo_t info;

    if (!strncmp(arg, EXEC_PREFIX, sizeof(EXEC_PREFIX) - 1)) {
        return add_from_program(cmd, conf, arg + sizeof(EXEC_PREFIX) - 1);
    }
    path = ap_server_root_relative(cmd->pool, arg);
    if (!path) {
        return upool_settings_complain(cmd, "has an invalid path");
    }
    rv = apr_file_open(&file, path, APR_READ | APR_BUFFERED, 0, cmd->temp_pool);
    if (rv) {
        return upool_settings_complain(cmd, unreadable(cmd->pool, path, rv));
    }
    if (!apr_file_info_get(&info, APR_FINFO_PROT, file)
        && (info.protection & APR_WREAD)) {
        upool_slog(cmd->server, WARNING, 0, 12,
                   "%s: everybody on this machine can read %s", cmd->cmd->name,
                   path);
    }
    take_keys(cmd, conf);
    error = upool_keyfile_read(conf->keys, file, &shortest);
    apr_file_close(file);
    if (error && !shortest) {
        /* No line of the file was a key. */
        error = apr_psprintf(cmd->pool, "%s; make one: " MAKES_KEY "%s)", error,
                             path);
    }
    if (error) {
        return upool_settings_complain(cmd, error);
    }
    warn_of_short(cmd, shortest);
    return NULL;
}
