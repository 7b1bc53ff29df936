/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_SLOTS_H
#define UPOOL_HTTPD_SLOTS_H

/* The place of the progress table: an anonymous shared memory segment on the
 * process pool, kept over restarts. mod_slotmem_shm's segments belong to one
 * generation, so an upload that finishes in an old worker after a graceful
 * restart would never show in the new one.  Behind the table, in the same
 * segment, are the counters (progress/counters.h), the notices, and which
 * uploads were asked for before they came. */

#include <httpd.h>
#include "config/config.h"
#include <ap_mpm.h>
#include "progress/asked.h"
#include "progress/counters.h"
#include "progress/notices.h"
#include "progress/table.h"

/* post_config, in the parent: makes the table, or finds that of the previous
 * generation. */
int upool_slots_make(server_rec *s);

/* child_init, before the child serves: a record under its own number belongs to
 * a dead process that had the same number.  Gives the child its cell of the
 * counters. */
void upool_slots_child_init(apr_pool_t *pchild, server_rec *s);

/* child_status, in the parent: the uploads of a child that has ended without
 * ending them become errors. */
void upool_slots_child_status(server_rec *s, pid_t pid, ap_generation_t gen,
                              int slot, mpm_child_status status);

/* The table, or NULL where there is no shared memory.  From any process and any
 * thread. */
upool_table *upool_slots_table(void);

/* The counters, or NULL where there is no shared memory, which callers may use
 * just the same; and this process's cell, for its gauges.  From any thread. */
upool_counters *upool_slots_counters(void);
apr_uint32_t upool_slots_cell(void);

/* Which notices were given when, or NULL where there is no shared memory.  From
 * any thread. */
upool_notices *upool_slots_notices(void);

/* Which uploads were asked for before they came, or NULL where there is no
 * shared memory.  From any thread. */
upool_asked *upool_slots_asked(void);

/* Counts an upload that got no slot, and logs it once for each process. */
void upool_slots_tell_full(const request_rec *r);

/* The table's name for the upload id of conf's pool, in r's pool.  There is one
 * table, but each pool decides what an identifier means: somebody who may use
 * one pool must neither see nor cancel what goes on in another. */
const char *upool_slots_name(const request_rec *r, const upool_dir_conf *conf,
                             const char *id);

/* The identifier within a name of the table. */
const char *upool_slots_ident(const char *name);

/* The number of this process, for a slot's owner. */
apr_int64_t upool_slots_process(void);
/* upool_alive_fn over processes of this machine. */
int upool_slots_alive(apr_int64_t process);

#endif
