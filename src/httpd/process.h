/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_PROCESS_H
#define UPOOL_HTTPD_PROCESS_H

/* The data of one child of the server, shared with no other process: made by
 * the hooks of child_init, before there are threads, and gone with the child's
 * pool.  In the parent all of it is zero.
 *
 * It is kept apart from the configuration, which nobody writes to after
 * post_config, and from the data that survive a restart (httpd/slots.h). */

#include <apr_global_mutex.h>
#include <httpd.h>

typedef struct upool_process {
    struct upool_parklist *parked;  /* uploads; NULL: it does not park */
    struct upool_parklist *streams; /* the same for streams */
    struct upool_magic *magic;      /* UploadSniff; NULL: knows no type */
    apr_uint32_t cell;              /* of the counters: this process's gauges */
    int told_full;                  /* it has said that the table is full */
    struct upool_lanes *lanes;      /* to the cache; NULL: does not serve */
    apr_global_mutex_t *cache_mutex;  /* NULL: the provider needs none */
    volatile apr_uint32_t cache_down; /* what it thinks of the cache */
} upool_process;

/* The data of this process; never NULL.  Members that are not volatile are
 * written by child_init only, but for told_full, which may be set twice. */
upool_process *upool_process_get(void);

/* child_init, before all others of the module: what those make is forgotten
 * here when it is gone. */
void upool_process_child_init(apr_pool_t *pchild, server_rec *s);

/* 1 when this child takes no more connections, because the server stops or
 * restarts, or the child has served its number.  From any thread. */
int upool_process_is_stopping(void);

#endif
