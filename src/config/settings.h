/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_CONFIG_SETTINGS_H
#define UPOOL_CONFIG_SETTINGS_H

/* The functions behind the directives: each checks its argument and where it
 * stands, and returns NULL or a message that names the directive
 * (http_config.h, cmd_func).  They run while configuration is read: at start,
 * and for .htaccess in the worker that serves the request. */

#include <httpd.h>
#include <http_config.h>

/* A list of pools named in the server's configuration, in the configuration
 * pool: array of upool_pool_mention *, for httpd/checks.h and the sweep. */
typedef struct upool_pool_mention {
    const char *path;
    const char *file; /* where it is configured */
    int line;
    const ap_conf_vector_t *section;
    server_rec *server;
} upool_pool_mention;

apr_array_header_t *upool_settings_mentions(apr_pool_t *pconf);

/* Notes for the administrator that are no mistakes, for httpd/checks.h to log:
 * array of const char *, each with its directive and place. */
apr_array_header_t *upool_settings_notes(apr_pool_t *pconf);

/* How long uploads of the pool at path are kept: the longest UploadExpires of
 * the sections that name it, or of their virtual hosts; 0 when none does. */
apr_interval_time_t upool_settings_expires(const apr_array_header_t *mentions,
                                           const char *path);

/* 1 while an .htaccess file is read. */
int upool_settings_is_local(const cmd_parms *cmd);

/* The two forms of a complaint, in cmd->pool: "UploadX what", and
 * "UploadX: "arg" what" where the directive takes a list. */
const char *upool_settings_complain(const cmd_parms *cmd, const char *what);
const char *upool_settings_refuse(const cmd_parms *cmd, const char *arg,
                                  const char *what);

/* The configuration of the server that the directive stands in. */
struct upool_server_conf *upool_settings_server(const cmd_parms *cmd);

/* Appends word to a list of const char * that may be shared, and may be NULL:
 * *list is another one then, in p. */
void upool_settings_push(apr_pool_t *p, const apr_array_header_t **list,
                         const char *word);

typedef struct upool_settings_named {
    const char *text;
    int value;
} upool_settings_named;

/* The value of the word arg, in any letter case, among count words; UPOOL_UNSET
 * when it is none of them. */
int upool_settings_word(const char *arg, const upool_settings_named *words,
                        apr_size_t count);

/* Parse a size in bytes, and a time in microseconds.  NULL with *value set, or
 * the complaint. */
const char *upool_settings_size(const cmd_parms *cmd, const char *arg,
                                apr_int64_t *value);
const char *upool_settings_time(const cmd_parms *cmd, const char *arg,
                                apr_int64_t *value);

/* Adds the types (are_types) or else the extensions of a group of files
 * (handlers/kinds.h), which is named in lower case, to a list of const char *.
 * 0: there is no such group. */
int upool_settings_add_group(apr_array_header_t *list, const char *name,
                             int are_types);

/* Setters, each in its group's file (config/group.h), but for those that are
 * defined where their value is used: those of keys in httpd/secrets.c, of
 * handlers in httpd/handlers.c and content.c, of the cache
 * in httpd/shared.c.  Setters of one value use cmd->info as the member's
 * offset. */
const char *upool_set_pool(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_root(cmd_parms *cmd, void *conf, const char *dir,
                           const char *quota);
const char *upool_set_size_limit(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_count_limit(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_size(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_flag(cmd_parms *cmd, void *conf, int on);
const char *upool_set_time(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_expires(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_url(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_pass(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_pass_as(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_pass_field(cmd_parms *cmd, void *conf, const char *name,
                                 const char *value);
const char *upool_set_file_field(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_key_use(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_key(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_key_file(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_extension(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_field(cmd_parms *cmd, void *conf, int argc,
                            char *const argv[]);
const char *upool_set_digest_field(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_names(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_digest(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_handler(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_scan(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_scan_failure(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_sniff(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_cleanup(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_owner(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_cors(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_protocol(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_require(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_interim(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_file_mode(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_file_group(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_quota(cmd_parms *cmd, void *conf, int argc,
                            char *const argv[]);
const char *upool_set_min_rate(cmd_parms *cmd, void *conf, const char *rate,
                               const char *grace);
const char *upool_set_park(cmd_parms *cmd, void *conf, const char *arg,
                           const char *size);
const char *upool_set_keep(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_progress(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_slots(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_watchers(cmd_parms *cmd, void *conf, const char *most,
                               const char *holders);
const char *upool_set_read_size(cmd_parms *cmd, void *conf, const char *arg);
const char *upool_set_sweep(cmd_parms *cmd, void *conf, const char *arg);

#endif
