/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/checks.h"

#include <string.h>
#include <sys/stat.h>
#include <apr_strings.h>
#include <ap_mpm.h>
#include <http_core.h>
#include <unixd.h>

#include "config/config.h"
#include "httpd/handlers.h"
#include "httpd/log.h"
#include "config/places.h"
#include "config/reach.h"
#include "config/settings.h"

/* From httpd's core.c: how an unset LimitRequestBody is marked, and which limit
 * that has meant since 2.4.54. */
#define CORE_LIMIT_UNSET ((apr_off_t)-1)
#define CORE_LIMIT_DEFAULT ((apr_off_t)1 << 30)
/* ServerLimit should have room for this many generations of children: the
 * figure of the manual. */
#define GENERATIONS 4

static int complain(const upool_pool_mention *m, int tag, const char *what)
{
    ap_log_error(APLOG_MARK, APLOG_CRIT, 0, m->server,
                 "UPL%04d: UploadPool %s (%s:%d): %s", tag, m->path, m->file,
                 m->line, what);
    return HTTP_INTERNAL_SERVER_ERROR;
}

static int is_temporary(const char *path)
{
    return !strncmp(path, "/tmp/", 5) || !strncmp(path, "/var/tmp/", 9);
}

/* Says why lstat() failed, and what to do about it. */
static int complain_of_missing(const upool_pool_mention *m, apr_pool_t *p)
{
    const char *obstacle = upool_reach_obstacle(m->path, p);

    if (obstacle) {
        return complain(m, 4, obstacle);
    }
    return complain(
        m, 4,
        is_temporary(m->path)
            ? "there is no such directory; a service that systemd starts with"
              " PrivateTmp, such as Debian's, has a /tmp and a /var/tmp of its"
              " own, so put the pool elsewhere"
            : apr_psprintf(p,
                           "there is no such directory; make it: install -d -o"
                           " %s -m 700 %s",
                           ap_unixd_config.user_name ? ap_unixd_config.user_name
                                                     : "USER",
                           m->path));
}

static int check_directory(const upool_pool_mention *m, apr_pool_t *p)
{
    const char *obstacle;
    struct stat st;

    if (lstat(m->path, &st)) {
        return complain_of_missing(m, p);
    }
    if (!S_ISDIR(st.st_mode)) {
        return complain(m, 4, "this is not a directory");
    }
    if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX)) {
        return complain(m, 5,
                        "everybody on this machine may change it;"
                        " take the others' permissions away");
    }
    if (st.st_uid != upool_reach_user()) {
        return complain(m, 6,
                        "it does not belong to the user that the server"
                        " runs as; change its owner");
    }
    if ((st.st_mode & (S_IWUSR | S_IXUSR)) != (S_IWUSR | S_IXUSR)) {
        return complain(m, 6, "its owner may not write to it");
    }
    obstacle = upool_reach_obstacle(m->path, p);
    if (obstacle) {
        return complain(m, 6, obstacle);
    }
    if (is_temporary(m->path)) {
        upool_slog(m->server, NOTICE, 0, 430,
                   "UploadPool %s (%s:%d): a service that systemd starts with"
                   " PrivateTmp, such as Debian's, has another %s",
                   m->path, m->file, m->line,
                   *(m->path + 1) == 't' ? "/tmp" : "/var/tmp");
    }
    return OK;
}

/* The value of UploadPoolPublic where the pool is named, else that of the
 * virtual host. */
static int is_public(const upool_pool_mention *m)
{
    const upool_dir_conf *section =
        ap_get_module_config(m->section, &upload_pool_module);
    const upool_dir_conf *host =
        ap_get_module_config(m->server->lookup_defaults, &upload_pool_module);

    return (section->public == UPOOL_UNSET ? host : section)->public == 1;
}

/* Only the request itself tells whether it can lead there, so this is no
 * error. */
static void check_patterns(const upool_pool_mention *m,
                           const apr_array_header_t *places, apr_pool_t *p)
{
    const upool_place *place =
        is_public(m) ? NULL : upool_places_find(places, m->path, 1, p);

    if (place) {
        upool_slog(m->server, NOTICE, 0, 431,
                   "UploadPool %s (%s:%d): %s gives out by URL what lies below"
                   " %s, and may reach it",
                   m->path, m->file, m->line, place->directive, place->path);
    }
}

static int check_place(const upool_pool_mention *m,
                       const apr_array_header_t *places, apr_pool_t *p)
{
    const upool_place *place =
        is_public(m) ? NULL : upool_places_find(places, m->path, 0, p);

    if (!place) {
        return OK;
    }
    return complain(m, 95,
                    apr_pstrcat(p, place->directive, " ", place->path,
                                " gives out by URL what lies there; move it,"
                                " or say UploadPoolPublic On",
                                NULL));
}

static int complain_of_root(server_rec *s, int tag, const char *what)
{
    const upool_server_conf *conf = upool_config_server(s);

    ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s,
                 "UPL%04d: UploadPoolRoot %s (%s:%d): %s", tag, conf->root,
                 conf->root_said->filename, conf->root_said->line_num, what);
    return HTTP_INTERNAL_SERVER_ERROR;
}

/* The server's user must be able to list the root: it reads the books of the
 * pools there to find how much they hold together. */
static int check_root_directory(server_rec *s, apr_pool_t *p)
{
    const upool_server_conf *conf = upool_config_server(s);
    const char *within = apr_pstrcat(p, conf->root, "/.", NULL);
    const char *obstacle = upool_reach_obstacle(within, p);

    if (obstacle) {
        return complain_of_root(s, 440, obstacle);
    }
    return upool_reach_may_list(conf->root)
               ? OK
               : complain_of_root(s, 440,
                                  "the user that the server runs as may not"
                                  " list it, so its pools are not found; let"
                                  " him read it");
}

/* One quota holds for a pool: that of its virtual host's root.  Where several
 * roots cover the same pool, they must have the same quota. */
static int check_root_beside(server_rec *s, server_rec *other, apr_pool_t *p)
{
    const upool_server_conf *conf = upool_config_server(s);
    const upool_server_conf *beside = upool_config_server(other);
    const char *where;

    if (!beside->root || conf->root_said == beside->root_said) {
        return OK;
    }
    where = apr_psprintf(p, "%s:%d", beside->root_said->filename,
                         beside->root_said->line_num);
    if (strcmp(conf->root, beside->root) == 0) {
        return conf->root_quota == beside->root_quota
                   ? OK
                   : complain_of_root(
                       s, 441,
                       apr_psprintf(p,
                                    "has another quota at %s; give both the"
                                    " same",
                                    where));
    }
    return !beside->root_quota
                   || !upool_places_is_below(conf->root, beside->root)
               ? OK
               : complain_of_root(
                   s, 442,
                   apr_psprintf(p,
                                "lies below the UploadPoolRoot of %s, whose"
                                " quota would not hold here; put them side by"
                                " side",
                                where));
}

static int check_roots(server_rec *first, apr_pool_t *p)
{
    const upool_server_conf *main = upool_config_server(first);
    int result = OK;
    server_rec *s;
    server_rec *other;

    for (s = first; s; s = s->next) {
        const upool_server_conf *conf = upool_config_server(s);

        if (!conf->root || (s != first && conf->root_said == main->root_said)) {
            continue;
        }
        if (check_root_directory(s, p) != OK) {
            result = HTTP_INTERNAL_SERVER_ERROR;
        }
        for (other = first; other; other = other->next) {
            if (check_root_beside(s, other, p) != OK) {
                result = HTTP_INTERNAL_SERVER_ERROR;
            }
        }
    }
    return result;
}

/* Keeps the places and mentions for requests, which ask for them later. */
static const apr_array_header_t *share_places(
    server_rec *first, const apr_array_header_t *mentions, apr_pool_t *pconf)
{
    const apr_array_header_t *places = upool_places_collect(first, pconf);
    server_rec *s;

    for (s = first; s; s = s->next) {
        upool_server_conf *conf =
            ap_get_module_config(s->module_config, &upload_pool_module);

        conf->places = places;
        conf->mentions = mentions;
    }
    return places;
}

static apr_off_t core_limit(const ap_conf_vector_t *section,
                            const server_rec *s)
{
    const core_dir_config *core =
        ap_get_core_module_config((ap_conf_vector_t *)section);

    if (core->limit_req_body == CORE_LIMIT_UNSET) {
        core = ap_get_core_module_config(s->lookup_defaults);
    }
    return core->limit_req_body == CORE_LIMIT_UNSET ? CORE_LIMIT_DEFAULT
                                                    : core->limit_req_body;
}

/* The core refuses whatever exceeds its own limit, even where UploadMaxSize
 * would allow it. */
static void check_core_limit(const upool_pool_mention *m)
{
    const upool_dir_conf *conf =
        ap_get_module_config(m->section, &upload_pool_module);
    apr_off_t limit = core_limit(m->section, m->server);

    if (limit > 0 && conf->limits.body != UPOOL_UNSET
        && conf->limits.body > limit) {
        upool_slog(m->server, NOTICE, 0, 7,
                   "UploadMaxSize for the pool at %s:%d is above"
                   " LimitRequestBody (%" APR_OFF_T_FMT
                   " bytes), which is what holds",
                   m->file, m->line, limit);
    }
}

/* A child that ends gracefully keeps its place until its last upload is done,
 * and a slow client may delay that for hours. */
static void check_generations(server_rec *s)
{
    int threaded = AP_MPMQ_NOT_SUPPORTED;
    int serving = 0;
    int places = 0;

    if (ap_mpm_query(AP_MPMQ_IS_THREADED, &threaded)
        || threaded == AP_MPMQ_NOT_SUPPORTED
        || ap_mpm_query(AP_MPMQ_MAX_DAEMONS, &serving)
        || ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &places)
        || places > serving) {
        return;
    }
    upool_slog(s, WARNING, 0, 400,
               "ServerLimit %d has no room beside the children that"
               " MaxRequestWorkers allows (%d): after a graceful restart nobody"
               " is served while a slow upload is in each of them; ServerLimit"
               " %d has",
               places, serving, GENERATIONS * serving);
}

int upool_checks_run(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                     server_rec *s)
{
    const apr_array_header_t *mentions = upool_settings_mentions(pconf);
    const apr_array_header_t *notes = upool_settings_notes(pconf);
    const apr_array_header_t *places = share_places(s, mentions, pconf);
    int result = upool_handlers_check(pconf);
    int i;

    (void)plog;
    for (i = 0; i < mentions->nelts; i++) {
        const upool_pool_mention *m =
            APR_ARRAY_IDX(mentions, i, const upool_pool_mention *);

        if (check_directory(m, ptemp) != OK
            || check_place(m, places, ptemp) != OK) {
            result = HTTP_INTERNAL_SERVER_ERROR;
            continue;
        }
        check_patterns(m, places, ptemp);
        check_core_limit(m);
    }
    if (check_roots(s, ptemp) != OK) {
        result = HTTP_INTERNAL_SERVER_ERROR;
    }
    for (i = 0; i < notes->nelts; i++) {
        upool_slog(s, NOTICE, 0, 432, "%s",
                   APR_ARRAY_IDX(notes, i, const char *));
    }
    if (mentions->nelts) {
        check_generations(s);
    }
    return result;
}
