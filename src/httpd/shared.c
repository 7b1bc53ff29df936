/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/shared.h"

#include <string.h>
#include <ap_provider.h>
#include <ap_socache.h>
#include <apr_atomic.h>
#include <apr_network_io.h>
#include <apr_strings.h>
#include <openssl/evp.h>
#include <util_mutex.h>

#include "config/settings.h"
#include "httpd/log.h"
#include "httpd/slots.h"
#include "httpd/process.h"
#include "progress/lanes.h"
#include "progress/wire.h"

/* Providers put this name into keys, with 16 bytes of room for it. */
#define CACHE_NAME "upload-pool"
/* A running upload is reported at least every 3 s: an older record is from a
 * machine that died. */
#define LIVES_RUNNING apr_time_from_sec(12)
/* An upload that has ended is recorded in its bucket.  An error that the pool
 * cannot record (it is full, or away) is visible for this long. */
#define LIVES_ENDED apr_time_from_sec(60)
/* How long a poller waits for the cache. */
#define PATIENCE apr_time_from_msec(200)
/* The pause after a failure.  The providers look again every 5 s. */
#define REST apr_time_from_sec(2)
/* How long the end of a process waits for the cache. */
#define FAREWELL apr_time_from_msec(500)

_Static_assert(UPOOL_WIRE_MAX < UPOOL_LANE_DATA, "a record fits a message");

/* Lives in the configuration's pool; after the fork each process has its
 * own. */
struct upool_shared {
    const char *name; /* name of the provider */
    const ap_socache_provider_t *provider;
    ap_socache_instance_t *instance;
    server_rec *s;
    apr_global_mutex_t *mutex; /* NULL: the provider needs none */
};

/* One upload on its way to the cache. */
typedef struct told_upload {
    unsigned char key[UPOOL_LANE_KEY];
} told_upload;

/* --- Configuration --- */

/* These two providers take a list of addresses, and notice a mistake in it only
 * when the server starts. */
static const char *check_addresses(apr_pool_t *p, const char *args)
{
    char *state = NULL;
    char *list = apr_pstrdup(p, args);
    char *one = apr_strtok(list, ",", &state);

    for (; one; one = apr_strtok(NULL, ",", &state)) {
        char *host = NULL, *scope = NULL;
        apr_port_t port = 0;

        /* The address is not shown: it may hold the password. */
        if (ap_strchr_c(one, '@')) {
            return "has an address with '@' in it: httpd's providers cannot log"
                   " in to a cache, so one that wants a password cannot be"
                   " used";
        }
        if (apr_parse_addr_port(&host, &scope, &port, one, p) || !host) {
            return apr_pstrcat(p, "has an address that is none: ", one, NULL);
        }
    }
    return NULL;
}

/* arg is the text after "socache:".  NULL, or what is wrong with it, worded to
 * follow the directive's name. */
static const char *configure(cmd_parms *cmd, const char *arg,
                             upool_shared **shared)
{
    const char *colon = ap_strchr_c(arg, ':');
    const char *name =
        colon ? apr_pstrmemdup(cmd->pool, arg, (apr_size_t)(colon - arg)) : arg;
    const char *args = colon && colon[1] ? colon + 1 : NULL;
    upool_shared *made = apr_pcalloc(cmd->pool, sizeof(*made));
    const char *wrong;

    made->name = name;
    made->provider = ap_lookup_provider(AP_SOCACHE_PROVIDER_GROUP, name,
                                        AP_SOCACHE_PROVIDER_VERSION);
    if (!made->provider) {
        return apr_psprintf(cmd->pool,
                            "names the cache provider '%s', which is not"
                            " there: is mod_socache_%s loaded?",
                            name, name);
    }
    if (args && (!strcmp(name, "redis") || !strcmp(name, "memcache"))) {
        wrong = check_addresses(cmd->pool, args);
        if (wrong) {
            return wrong;
        }
    }
    wrong = made->provider->create(&made->instance, args, cmd->temp_pool,
                                   cmd->pool);
    if (wrong) {
        return apr_psprintf(cmd->pool, "cannot use socache:%s: %s", name,
                            wrong);
    }
    *shared = made;
    return NULL;
}

const char *upool_set_progress(cmd_parms *cmd, void *unused, const char *arg)
{
    static const char prefix[] = "socache:";
    upool_server_conf *conf =
        ap_get_module_config(cmd->server->module_config, &upload_pool_module);
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    (void)unused;
    if (error) {
        return error;
    }
    conf->shared = NULL;
    if (!ap_cstr_casecmp(arg, "shm")) {
        return NULL;
    }
    if (ap_cstr_casecmpn(arg, prefix, sizeof(prefix) - 1)) {
        return upool_settings_complain(
            cmd, "must be shm, or socache:provider with the"
                 " provider's arguments behind another colon");
    }
    error = configure(cmd, arg + sizeof(prefix) - 1, &conf->shared);
    return error ? upool_settings_complain(cmd, error) : NULL;
}

int upool_shared_pre_config(apr_pool_t *pconf, apr_pool_t *plog,
                            apr_pool_t *ptemp)
{
    (void)plog;
    (void)ptemp;
    return ap_mutex_register(pconf, UPOOL_SHARED_MUTEX, NULL, APR_LOCK_DEFAULT,
                             0)
               ? HTTP_INTERNAL_SERVER_ERROR
               : OK;
}

static upool_shared *shared_of(const server_rec *s)
{
    return upool_config_server(s)->shared;
}

static apr_status_t destroy(void *data)
{
    upool_shared *shared = data;

    shared->provider->destroy(shared->instance, shared->s);
    return APR_SUCCESS;
}

int upool_shared_start(apr_pool_t *pconf, server_rec *s)
{
    static const struct ap_socache_hints hints = { UPOOL_LANE_KEY, 160,
                                                   LIVES_ENDED };
    upool_shared *shared = shared_of(s);
    apr_status_t rv = APR_SUCCESS;

    if (!shared) {
        return OK;
    }
    shared->s = s;
    if (shared->provider->flags & AP_SOCACHE_FLAG_NOTMPSAFE) {
        rv = ap_global_mutex_create(&shared->mutex, NULL, UPOOL_SHARED_MUTEX,
                                    NULL, s, pconf, 0);
    }
    if (!rv) {
        rv = shared->provider->init(shared->instance, CACHE_NAME, &hints, s,
                                    pconf);
    }
    if (rv) {
        upool_slog(s, CRIT, rv, 80,
                   "UploadProgress: the cache of socache:%s cannot be prepared",
                   shared->name);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    apr_pool_cleanup_register(pconf, shared, destroy, apr_pool_cleanup_null);
    return OK;
}

/* --- In a lane's thread --- */

/* Describes as much as the provider lets us know.  It hides the words of an
 * answer, and it reports a closed connection as an answer too. */
static const char *describe(apr_status_t rv)
{
    return rv == APR_EGENERAL
               ? "does not answer, or with an error (does it want a password, "
                 "is"
                 " it one of a cluster, or a replica that takes no writes?)"
               : "does not answer";
}

/* Logged once for all processes, and counted. rv says how it failed. */
static void note_health(const upool_shared *shared, int down, apr_status_t rv)
{
    upool_counters *counters = upool_slots_counters();

    if (apr_atomic_xchg32(&upool_process_get()->cache_down, (apr_uint32_t)down)
            == (apr_uint32_t)down
        || !upool_counters_set_down(counters, down)) {
        return;
    }
    if (down) {
        upool_slog(shared->s, WARNING, 0, 81,
                   "the cache of UploadProgress socache:%s %s; uploads go on,"
                   " and other machines learn of them from the pool",
                   shared->name, describe(rv));
    }
    else {
        upool_slog(shared->s, NOTICE, 0, 82,
                   "the cache of UploadProgress socache:%s answers again",
                   shared->name);
    }
}

static apr_status_t act(const upool_shared *shared, upool_lane_message *message,
                        apr_pool_t *p)
{
    const ap_socache_provider_t *provider = shared->provider;

    switch (message->kind) {
    case UPOOL_LANE_STORE:
        return provider->store(shared->instance, shared->s, message->key,
                               UPOOL_LANE_KEY, apr_time_now() + message->lives,
                               message->data, message->len, p);
    case UPOOL_LANE_FIND:
        message->len = UPOOL_LANE_DATA;
        return provider->retrieve(shared->instance, shared->s, message->key,
                                  UPOOL_LANE_KEY, message->data, &message->len,
                                  p);
    case UPOOL_LANE_REMOVE:
        break;
    }
    return provider->remove(shared->instance, shared->s, message->key,
                            UPOOL_LANE_KEY, p);
}

/* A cache whose servers are all away finds nothing, and says no more than that;
 * so finding nothing is no sign of health.  Providers return ENOMEM for a value
 * that is longer than any of ours. */
static upool_lane_result work(void *user, upool_lane_message *message,
                              apr_pool_t *p)
{
    const upool_shared *shared = user;
    apr_global_mutex_t *mutex = upool_process_get()->cache_mutex;
    apr_status_t rv;

    if (mutex && apr_global_mutex_lock(mutex)) {
        return UPOOL_LANE_FAILED;
    }
    rv = act(shared, message, p);
    if (mutex) {
        apr_global_mutex_unlock(mutex);
    }
    if (rv == APR_SUCCESS) {
        note_health(shared, 0, APR_SUCCESS);
        return UPOOL_LANE_GOOD;
    }
    if (message->kind != UPOOL_LANE_STORE
        && (rv == APR_NOTFOUND || rv == APR_ENOMEM)) {
        return UPOOL_LANE_NOTHING;
    }
    note_health(shared, 1, rv);
    return UPOOL_LANE_FAILED;
}

static apr_status_t stop(void *data)
{
    upool_lanes_stop(data, FAREWELL);
    return APR_SUCCESS;
}

void upool_shared_child_init(apr_pool_t *pchild, server_rec *s)
{
    upool_process *process = upool_process_get();
    upool_shared *shared = shared_of(s);
    apr_status_t rv = APR_SUCCESS;

    if (!shared) {
        return;
    }
    process->cache_mutex = shared->mutex;
    if (process->cache_mutex) {
        rv = apr_global_mutex_child_init(
            &process->cache_mutex,
            apr_global_mutex_lockfile(process->cache_mutex), pchild);
    }
    /* A lane that hangs outlives pchild, so the lanes live in the process's
     * pool. */
    if (!rv) {
        process->lanes = upool_lanes_make(work, shared, REST, s->process->pool);
    }
    if (!process->lanes) {
        upool_slog(s, ERR, rv, 83,
                   "this process has no way to the cache of UploadProgress");
        return;
    }
    apr_pool_pre_cleanup_register(pchild, process->lanes, stop);
}

int upool_shared_is_on(const server_rec *s)
{
    return shared_of(s) != NULL;
}

/* --- In the threads that serve --- */

static void make_key(const request_rec *r, const upool_dir_conf *conf,
                     const char *id, unsigned char key[UPOOL_LANE_KEY])
{
    const char *name = upool_slots_name(r, conf, id);
    unsigned int len = UPOOL_LANE_KEY;

    memset(key, 0, UPOOL_LANE_KEY);
    EVP_Digest(name, strlen(name), key, &len, EVP_sha256(), NULL);
}

static void copy_text(char *out, apr_size_t room, const char *text)
{
    apr_size_t len = text ? strlen(text) : 0;

    if (len >= room) {
        /* The text is cut between characters: the other side takes nothing but
         * UTF-8. */
        for (len = room - 1;
             len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80; len--) {
        }
    }
    if (len) {
        memcpy(out, text, len);
    }
    out[len] = '\0';
}

static apr_size_t write_record(unsigned char *out, const upool_record *record)
{
    upool_slot_record slot;

    memset(&slot, 0, sizeof(slot));
    slot.state = record->state == UPOOL_STATE_DONE    ? UPOOL_SLOT_DONE
                 : record->state == UPOOL_STATE_ERROR ? UPOOL_SLOT_ERROR_STATE
                                                      : UPOOL_SLOT_UPLOADING;
    slot.size = record->size;
    slot.received = record->received;
    slot.created = record->created;
    slot.updated = record->updated;
    copy_text(slot.owner, sizeof(slot.owner), record->owner);
    copy_text(slot.filename, sizeof(slot.filename), record->filename);
    copy_text(slot.content_type, sizeof(slot.content_type),
              record->content_type);
    copy_text(slot.error, sizeof(slot.error), record->error);
    return upool_wire_write(out, &slot);
}

/* upool_account_tell_fn. */
static void tell(void *user, const upool_record *record)
{
    const told_upload *told = user;
    upool_lanes *lanes = upool_process_get()->lanes;
    upool_lane_message message;
    apr_size_t len;

    if (!lanes) {
        return;
    }
    memcpy(message.key, told->key, sizeof(message.key));
    message.kind = UPOOL_LANE_REMOVE;
    message.lives = LIVES_ENDED;
    message.len = 0;
    if (record) {
        len = write_record(message.data, record);
        if (!len) {
            return;
        }
        message.kind = UPOOL_LANE_STORE;
        message.len = (unsigned int)len;
        if (record->state == UPOOL_STATE_UPLOADING) {
            message.lives = LIVES_RUNNING;
        }
    }
    message.until = apr_time_now() + message.lives;
    upool_lanes_send(lanes, &message);
}

static told_upload *told_make(const request_rec *r, const upool_dir_conf *conf,
                              const char *id)
{
    told_upload *told = apr_palloc(r->pool, sizeof(*told));

    make_key(r, conf, id, told->key);
    return told;
}

void upool_shared_account(const request_rec *r, const upool_dir_conf *conf,
                          const char *id, upool_account_options *account)
{
    const upool_shared *shared = shared_of(r->server);

    account->name = upool_slots_name(r, conf, id);
    account->table = upool_slots_table();
    account->process = upool_slots_process();
    account->alive = upool_slots_alive;
    account->counters = upool_slots_counters();
    account->cell = upool_slots_cell();
    account->tell = shared ? tell : NULL;
    account->user = shared ? told_make(r, conf, id) : NULL;
}

static int ask_cache(const request_rec *r, const upool_shared *shared,
                     const upool_dir_conf *conf, const char *id,
                     upool_slot_record *record)
{
    upool_lanes *lanes = upool_process_get()->lanes;
    upool_lane_message message;
    upool_lane_result result;

    if (!lanes) {
        return 0;
    }
    make_key(r, conf, id, message.key);
    result = upool_lanes_ask(lanes, &message, PATIENCE);
    if (result == UPOOL_LANE_FAILED) {
        note_health(shared, 1, APR_TIMEUP);
    }
    return result == UPOOL_LANE_GOOD
           && upool_wire_read(message.data, message.len, record);
}

int upool_shared_lookup(const request_rec *r, const upool_dir_conf *conf,
                        const char *id, upool_slot_record *record)
{
    const upool_shared *shared = shared_of(r->server);
    const upool_table *table = upool_slots_table();
    int known =
        table
        && upool_table_lookup(table, upool_slots_name(r, conf, id), record);

    if (!shared) {
        return known;
    }
    if (known && record->state == UPOOL_SLOT_UPLOADING
        && upool_slots_alive(record->process)) {
        return 1;
    }
    return ask_cache(r, shared, conf, id, record);
}

void upool_shared_forget(const request_rec *r, const upool_dir_conf *conf,
                         const char *id)
{
    const upool_shared *shared = shared_of(r->server);

    if (shared) {
        tell(told_make(r, conf, id), NULL);
    }
}
