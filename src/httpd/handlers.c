/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/handlers.h"

#include <string.h>
#include <apr_cstr.h>
#include <apr_strings.h>
#include <ap_provider.h>

#include "mod_upload_pool.h"

#include "handlers/builtin.h"
#include "httpd/content.h"
#include "httpd/log.h"
#include "config/settings.h"

#define MENTIONS_KEY "upload_pool:handlers"

/* One name given to UploadHandler in the server's configuration. */
typedef struct handler_mention {
    const char *name;
    const char *file;
    int line;
    const server_rec *server;
} handler_mention;

static const upload_pool_handler *find_provider(const char *name)
{
    return ap_lookup_provider(UPLOAD_POOL_HANDLER_GROUP, name,
                              UPLOAD_POOL_HANDLER_VERSION);
}

static const char *list_builtins(apr_pool_t *p)
{
    const char *list = "";
    const upool_builtin *const *b;

    for (b = upool_builtins; *b; b++) {
        list =
            apr_pstrcat(p, list, *list ? " " : "", (*b)->handler->name, NULL);
    }
    return list;
}

/* What is wrong with a name in UploadHandler, in p; NULL when nothing is.
 * Called when all modules are loaded. */
static const char *complaint_of(apr_pool_t *p, const char *name)
{
    const upload_pool_handler *handler;

    if (upool_builtin_find(name)) {
        return NULL;
    }
    handler = find_provider(name);
    if (!handler) {
        return apr_pstrcat(p, "is neither built in (", list_builtins(p),
                           ") nor registered by a module that is loaded", NULL);
    }
    /* The magic is checked first: a structure without it may be anything. */
    if (handler->magic != UPLOAD_POOL_HANDLER_MAGIC
        || handler->struct_size != sizeof(*handler)) {
        return "was compiled for another version of mod_upload_pool";
    }
    if (!handler->name || strcmp(handler->name, name) != 0) {
        return "is registered under a name that is not in its table";
    }
    return NULL;
}

static apr_array_header_t *mentions_of(apr_pool_t *pconf)
{
    void *list = NULL;

    apr_pool_userdata_get(&list, MENTIONS_KEY, pconf);
    if (!list) {
        list = apr_array_make(pconf, 4, sizeof(handler_mention));
        apr_pool_userdata_setn(list, MENTIONS_KEY, NULL, pconf);
    }
    return list;
}

/* A module that is loaded later has not registered its handlers yet, so names
 * in the server's configuration are looked up by check_config. */
static void mention(const cmd_parms *cmd, const char *name)
{
    handler_mention *m = apr_array_push(mentions_of(cmd->pool));

    m->name = name;
    m->file = cmd->directive->filename;
    m->line = cmd->directive->line_num;
    m->server = cmd->server;
}

static int is_listed(const apr_array_header_t *names, const char *name)
{
    int i;

    for (i = 0; names && i < names->nelts; i++) {
        if (!ap_cstr_casecmp(APR_ARRAY_IDX(names, i, const char *), name)) {
            return 1;
        }
    }
    return 0;
}

const char *upool_set_handler(cmd_parms *cmd, void *conf_, const char *arg)
{
    upool_dir_conf *conf = conf_;
    int local = upool_settings_is_local(cmd);
    const apr_array_header_t **names =
        local ? &conf->local_handlers : &conf->handlers;
    const char *complaint = local ? complaint_of(cmd->pool, arg) : NULL;
    apr_array_header_t *grown;

    if (is_listed(*names, arg)) {
        complaint = "is named twice";
    }
    if (complaint) {
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": \"", arg, "\" ",
                           complaint, NULL);
    }
    grown = *names ? apr_array_copy(cmd->pool, *names)
                   : apr_array_make(cmd->pool, 4, sizeof(const char *));
    APR_ARRAY_PUSH(grown, const char *) = arg;
    *names = grown;
    if (!local) {
        mention(cmd, arg);
    }
    return NULL;
}

int upool_handlers_check(apr_pool_t *pconf)
{
    const apr_array_header_t *mentions = mentions_of(pconf);
    int result = OK;
    int i;

    for (i = 0; i < mentions->nelts; i++) {
        const handler_mention *m =
            &APR_ARRAY_IDX(mentions, i, const handler_mention);
        const char *complaint = complaint_of(pconf, m->name);

        if (complaint) {
            upool_slog(m->server, CRIT, 0, 13, "UploadHandler %s (%s:%d) %s",
                       m->name, m->file, m->line, complaint);
            result = HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    return result;
}

static const apr_array_header_t *names_of(const upool_dir_conf *conf)
{
    return conf->handlers ? conf->handlers : conf->local_handlers;
}

int upool_handlers_refuse(apr_pool_t *p, const upool_dir_conf *conf,
                          upool_refusal *refusal)
{
    const apr_array_header_t *names = names_of(conf);
    int i;

    if (conf->handlers && conf->local_handlers) {
        return upool_refusal_set(
            refusal, UPOOL_REASON_CONFIGURATION, 0,
            "UploadHandler in .htaccess, where the server's"
            " configuration has one");
    }
    for (i = 0; names && i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        const char *complaint = complaint_of(p, name);

        if (complaint) {
            return upool_refusal_set(
                refusal, UPOOL_REASON_CONFIGURATION, 0,
                apr_pstrcat(p, "UploadHandler: ", name, " ", complaint, NULL));
        }
    }
    return 0;
}

/* --- The chain ------------------------------------------------------------ */

/* The settings of a context, for as long as its chain is made. */
typedef struct context {
    const upool_request *rq;
    const upool_handler_site *site;
    upool_builtin_settings settings;
    upool_extension_lists accept;
    upool_scan_options scan;
} context;

static void read_context(context *c, const upool_request *rq,
                         const upool_handler_site *site)
{
    const upool_dir_conf *conf = rq->conf;

    memset(c, 0, sizeof(*c));
    c->rq = rq;
    c->site = site;
    if (conf->allow || conf->deny || conf->local_allow || conf->local_deny) {
        c->accept = upool_config_accept(conf);
        c->settings.accept = &c->accept;
    }
    upool_content_settings(conf, &c->settings, &c->scan);
    c->settings.digests = conf->digests;
    /* An upload that came in several requests has no memory of its own: it is
     * on the disk. */
    c->settings.inline_size = rq->upload ? conf->inline_size : 0;
}

/* 1 when it was added; 0 when it has nothing to do here. */
static int add_builtin(const context *c, const upool_builtin *b)
{
    void *data = b->make(&c->settings, c->site);

    if (data) {
        upool_chain_add(c->site->chain, b->handler, data);
    }
    return data != NULL;
}

/* .htaccess cannot move a guard. */
static int stands_first(const upool_builtin *b, int local,
                        const apr_array_header_t *names)
{
    return b->guards && (local || !is_listed(names, b->handler->name));
}

static void add_named(const context *c, const apr_array_header_t *names)
{
    int local = names == c->rq->conf->local_handlers;
    const upool_builtin *const *first;
    int i;

    for (first = upool_builtins; *first; first++) {
        if (stands_first(*first, local, names)) {
            add_builtin(c, *first);
        }
    }
    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        const upool_builtin *b = upool_builtin_find(name);

        if (!b) {
            upool_chain_add(c->site->chain, find_provider(name), NULL);
        }
        else if (!stands_first(b, local, names)) {
            add_builtin(c, b);
        }
    }
}

/* Where the first bytes do not tell the type, the complete file does: such a
 * handler is added again behind the one that keeps the file.  A file that other
 * handlers have changed is not what the client sent: then the first bytes are
 * all there is to judge. */
static void add_again(const context *c)
{
    const upool_builtin *const *b;

    for (b = upool_builtins; *b; b++) {
        void *data = (*b)->again
                         ? upool_chain_find(c->site->chain, (*b)->handler)
                         : NULL;

        if (data && !upool_handlers_may_change(c->rq->conf)) {
            upool_chain_add(c->site->chain, (*b)->again, data);
        }
    }
}

static void add_all(const context *c)
{
    const apr_array_header_t *names = names_of(c->rq->conf);
    const upool_builtin *const *b;

    if (names) {
        add_named(c, names);
        return;
    }
    for (b = upool_builtins; *b; b++) {
        add_builtin(c, *b);
    }
}

void upool_handlers_add(upool_request *rq, apr_pool_t *p)
{
    upool_handler_site site;
    context c;

    site.chain = upool_upload_chain(rq->upload);
    site.refusal = upool_upload_refusal(rq->upload);
    site.memory = upool_upload_memory(rq->upload);
    site.bucket = upool_upload_bucket(rq->upload);
    site.p = p;
    read_context(&c, rq, &site);
    add_all(&c);
    add_again(&c);
}

int upool_handlers_may_change(const upool_dir_conf *conf)
{
    const apr_array_header_t *names = names_of(conf);
    int i;

    for (i = 0; names && i < names->nelts; i++) {
        if (!upool_builtin_find(APR_ARRAY_IDX(names, i, const char *))) {
            return 1;
        }
    }
    return 0;
}

upool_resume_need upool_handlers_add_stored(const upool_request *rq,
                                            const upool_handler_site *site)
{
    upool_resume_need need = UPOOL_RESUME_NEED_NAME;
    const upool_builtin *const *b;
    context c;

    read_context(&c, rq, site);
    if (upool_handlers_may_change(rq->conf)) {
        add_all(&c);
        return UPOOL_RESUME_NEED_ALL;
    }
    for (b = upool_builtins; *b; b++) {
        if ((*b)->guards && add_builtin(&c, *b) && (*b)->need > need) {
            need = (*b)->need;
        }
    }
    add_again(&c);
    return need;
}
