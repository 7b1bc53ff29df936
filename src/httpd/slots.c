/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/slots.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <apr_escape.h>
#include <apr_sha1.h>
#include <apr_shm.h>
#include <apr_strings.h>

#include "config/config.h"
#include "httpd/log.h"
#include "httpd/process.h"
#include "upload/refusal.h"

/* The bytes of the hash of a pool's path that stand before an identifier. */
#define POOL_BYTES ((apr_size_t)8)
#define LINE 64
/* The number changes with retained_slots and with the contents of the segment,
 * so that a new module does not take over what an old one has left. */
#define RETAINED_KEY "mod_upload_pool:slots:5"

/* Enough for the children of two generations, and a few to spare. */
#define CELLS_OF(children) (2 * (apr_uint32_t)(children) + 16)

_Static_assert(UPOOL_REASON_COUNT <= UPOOL_COUNTERS_REASONS,
               "every reason has its counters");

/* This survives restarts and even the unloading of the module's code, so it
 * holds nothing but data. */
typedef struct retained_slots {
    apr_shm_t *shm;
    apr_uint32_t slots;
    apr_uint32_t cells;
} retained_slots;

static retained_slots *find_retained(void)
{
    return ap_retained_data_get(RETAINED_KEY);
}

/* The cache lines of the counters begin where those of the segment do. */
static apr_size_t table_room(apr_uint32_t slots)
{
    return (upool_table_bytes(slots) + LINE) / LINE * LINE;
}

/* Where the counters are in the segment.  APR's memory begins one word after
 * the start of a page, in every process alike. */
static void *counters_place(const retained_slots *retained)
{
    char *at = (char *)apr_shm_baseaddr_get(retained->shm)
               + table_room(retained->slots);

    return at + (LINE - (apr_uintptr_t)at % LINE) % LINE;
}

static apr_uint32_t cells_wanted(void)
{
    int children = 0;

    if (ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &children) || children < 1) {
        children = 1;
    }
    return CELLS_OF(children) < UPOOL_COUNTERS_CELLS_MAX
               ? CELLS_OF(children)
               : UPOOL_COUNTERS_CELLS_MAX;
}

static int make_segment(server_rec *s, retained_slots *retained,
                        apr_uint32_t slots)
{
    apr_uint32_t cells = cells_wanted();
    apr_size_t counted = upool_counters_bytes(cells);
    apr_size_t bytes = table_room(slots) + LINE + counted
                       + sizeof(upool_notices) + sizeof(upool_asked);
    apr_status_t rv =
        apr_shm_create(&retained->shm, bytes, NULL, s->process->pool);

    if (rv) {
        retained->shm = NULL;
        upool_slog(s, ERR, rv, 2,
                   "no shared memory of %" APR_SIZE_T_FMT " bytes for"
                   " UploadProgressSlots %u",
                   bytes, slots);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    retained->slots = slots;
    retained->cells = cells;
    memset(apr_shm_baseaddr_get(retained->shm), 0, bytes);
    upool_table_init(apr_shm_baseaddr_get(retained->shm),
                     upool_table_bytes(slots), slots);
    upool_counters_init(counters_place(retained), counted, cells);
    return OK;
}

int upool_slots_make(server_rec *s)
{
    apr_uint32_t slots = upool_config_slots(upool_config_server(s));
    retained_slots *retained = find_retained();

    if (!retained) {
        retained = ap_retained_data_create(RETAINED_KEY, sizeof(*retained));
    }
    if (!retained->shm) {
        return make_segment(s, retained, slots);
    }
    upool_notices_renew(upool_slots_notices());
    if (retained->slots != slots) {
        upool_slog(s, NOTICE, 0, 3,
                   "UploadProgressSlots stays %u until the server is stopped"
                   " and started",
                   retained->slots);
    }
    return OK;
}

upool_table *upool_slots_table(void)
{
    retained_slots *retained = find_retained();

    return retained && retained->shm
               ? upool_table_attach(apr_shm_baseaddr_get(retained->shm),
                                    apr_shm_size_get(retained->shm))
               : NULL;
}

upool_counters *upool_slots_counters(void)
{
    retained_slots *retained = find_retained();

    return retained && retained->shm ? upool_counters_attach(
               counters_place(retained), upool_counters_bytes(retained->cells))
                                     : NULL;
}

upool_notices *upool_slots_notices(void)
{
    const retained_slots *retained = find_retained();

    return retained && retained->shm
               ? (upool_notices *)((char *)counters_place(retained)
                                   + upool_counters_bytes(retained->cells))
               : NULL;
}

upool_asked *upool_slots_asked(void)
{
    upool_notices *notices = upool_slots_notices();

    return notices ? (upool_asked *)(notices + 1) : NULL;
}

apr_uint32_t upool_slots_cell(void)
{
    return upool_process_get()->cell;
}

/* A part of the hash is enough to tell pools apart, because only the
 * administrator names them.  The same pool may be written with and without a
 * slash. */
const char *upool_slots_name(const request_rec *r, const upool_dir_conf *conf,
                             const char *id)
{
    const char *root = upool_config_server(r->server)->root;
    unsigned char digest[APR_SHA1_DIGESTSIZE];
    char scope[2 * POOL_BYTES + 1];
    apr_sha1_ctx_t sha1;
    apr_size_t len = strlen(conf->store);

    while (len > 1 && conf->store[len - 1] == '/') {
        len--;
    }
    apr_sha1_init(&sha1);
    if (conf->store_is_local && root) {
        apr_sha1_update(&sha1, root, (unsigned int)strlen(root));
        apr_sha1_update(&sha1, "/", 1);
    }
    apr_sha1_update(&sha1, conf->store, (unsigned int)len);
    apr_sha1_final(digest, &sha1);
    apr_escape_hex(scope, digest, POOL_BYTES, 0, NULL);
    return apr_pstrcat(r->pool, scope, id, NULL);
}

const char *upool_slots_ident(const char *name)
{
    return strlen(name) > 2 * POOL_BYTES ? name + 2 * POOL_BYTES : "";
}

apr_int64_t upool_slots_process(void)
{
    return (apr_int64_t)getpid();
}

/* EPERM means that the process lives, as another user. */
int upool_slots_alive(apr_int64_t process)
{
    return !kill((pid_t)process, 0) || errno == EPERM;
}

static int is_another_alive(apr_int64_t process)
{
    return process != upool_slots_process() && upool_slots_alive(process);
}

static void reap(upool_alive_fn *alive)
{
    upool_table *table = upool_slots_table();

    if (table) {
        upool_table_reap(
            table, upool_slots_process(), apr_time_now(), alive,
            upool_refusal_make(UPOOL_REASON_INTERRUPTED, 0, NULL).text);
    }
    upool_counters_reap(upool_slots_counters(), upool_slots_process(), alive,
                        UPOOL_REASON_INTERRUPTED);
}

void upool_slots_child_init(apr_pool_t *pchild, server_rec *s)
{
    (void)pchild;
    (void)s;
    reap(is_another_alive);
    upool_process_get()->cell =
        upool_counters_join(upool_slots_counters(), upool_slots_process());
}

void upool_slots_child_status(server_rec *s, pid_t pid, ap_generation_t gen,
                              int slot, mpm_child_status status)
{
    (void)s;
    (void)pid;
    (void)gen;
    (void)slot;
    if (status == MPM_CHILD_EXITED) {
        reap(upool_slots_alive);
    }
}

void upool_slots_tell_full(const request_rec *r)
{
    const retained_slots *retained = find_retained();
    upool_process *process = upool_process_get();

    upool_counters_add(upool_slots_counters(), UPOOL_TOTAL_SLOTLESS, 1);
    if (!retained || !retained->shm || process->told_full) {
        return;
    }
    process->told_full = 1;
    upool_rlog(r, WARNING, 0, 23,
               "all %u progress slots are taken by running uploads; further"
               " ones go on, their status comes from the disk"
               " (UploadProgressSlots)",
               retained->slots);
}
