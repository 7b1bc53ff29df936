/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/request.h"

#include <stdlib.h>
#include <apr_sha1.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>

#include "config/places.h"
#include "httpd/body.h"

extern module AP_MODULE_DECLARE_DATA upload_pool_module;

upool_request *upool_request_get(const request_rec *r)
{
    return ap_get_module_config(r->request_config, &upload_pool_module);
}

static apr_status_t free_request(void *both)
{
    free(both);
    return APR_SUCCESS;
}

/* It does not live in r->pool: a pool takes memory by whole pages, and there
 * are thousands of uploads that wait for their clients. */
upool_request *upool_request_make(request_rec *r, const upool_dir_conf *conf)
{
    struct {
        upool_request rq;
        upool_body body;
    } *both = calloc(1, sizeof(*both));
    upool_request *rq = &both->rq;

    if (!both) {
        ap_abort_on_oom();
    }
    apr_pool_cleanup_register(r->pool, both, free_request,
                              apr_pool_cleanup_null);
    rq->body = &both->body;
    rq->conf = conf;
    rq->content_length = -1;
    rq->base = r->uri;
    ap_set_module_config(r->request_config, &upload_pool_module, rq);
    return rq;
}

upool_request *upool_request_substituted(const request_rec *r)
{
    for (; r; r = r->prev) {
        upool_request *rq = upool_request_get(r);

        if (rq && rq->intake == UPOOL_INTAKE_SUBSTITUTED) {
            return rq;
        }
    }
    return NULL;
}

const char *upool_request_section(const request_rec *r,
                                  const upool_dir_conf *conf)
{
    return apr_psprintf(
        r->pool, "%s:%d %s", r->server->defn_name ? r->server->defn_name : "",
        (int)r->server->defn_line_number, conf->place ? conf->place : "");
}

/* The text is a hash, so that no user name lies in shared memory or on disk,
 * and so that any name fits. */
static const char *owner_text(apr_pool_t *p, const char *kind,
                              const char *value)
{
    const char *text = apr_pstrcat(p, kind, ":", value, NULL);
    char hash[APR_SHA1PW_IDLEN + 2 * APR_SHA1_DIGESTSIZE + 1];

    apr_sha1_base64(text, (int)strlen(text), hash);
    return apr_pstrdup(p, hash);
}

const char *upool_request_owner(request_rec *r, const upool_dir_conf *conf)
{
    switch (upool_config_owner(conf)) {
    case UPOOL_OWNER_USER:
        return r->user ? owner_text(r->pool, "user", r->user) : NULL;
    case UPOOL_OWNER_IP:
        return owner_text(r->pool, "ip", r->useragent_ip);
    case UPOOL_OWNER_NONE:
        break;
    }
    return NULL;
}

/* A pool that only .htaccess names is not known at start-up, so its place is
 * checked here.  NULL, or what is wrong with it. */
static const char *misplaced(request_rec *r, const upool_dir_conf *conf,
                             const upool_store *store)
{
    const apr_array_header_t *places = upool_config_server(r->server)->places;
    const upool_place *place = NULL;

    if (conf->store_is_local && conf->public != 1 && places) {
        place = upool_places_find(places, upool_store_path(store), 0, r->pool);
    }
    return place ? apr_pstrcat(r->pool, place->directive, " ", place->path,
                               " gives out by URL what lies there, and"
                               " UploadPoolPublic is Off",
                               NULL)
                 : NULL;
}

upool_store *upool_request_store(request_rec *r, const upool_dir_conf *conf,
                                 upool_refusal *refusal)
{
    const core_dir_config *core = ap_get_core_module_config(r->per_dir_config);
    upool_store_options options;
    upool_store *store = NULL;
    const char *root = upool_config_server(r->server)->root;
    const char *why = NULL;
    apr_status_t rv;

    options.file_mode = upool_config_file_mode(conf);
    options.sync = conf->sync == 1;
    options.expires = upool_config_expires(conf);
    options.sendfile = core->enable_sendfile == ENABLE_SENDFILE_ON;
    options.has_group = conf->file_group != UPOOL_UNSET;
    options.group = options.has_group ? (gid_t)conf->file_group : 0;
    rv = upool_store_open(&store, conf->store,
                          conf->store_is_local ? root : NULL, &options, r->pool,
                          &why);
    if (!rv && (why = misplaced(r, conf, store)) != NULL) {
        rv = APR_EACCES;
    }
    if (rv) {
        *refusal = upool_refusal_make(
            UPOOL_REASON_POOL, rv,
            apr_psprintf(r->pool, "pool %s%s%s: %s",
                         conf->store_is_local ? root : "",
                         conf->store_is_local ? "/" : "", conf->store,
                         why ? why : "cannot be opened"));
        return NULL;
    }
    return store;
}
