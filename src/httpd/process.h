/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_PROCESS_H
#define UPOOL_HTTPD_PROCESS_H

/* What belongs to one child of the server, and to nobody else: made by the
 * hooks of child_init, before there are threads, and gone with the child's
 * pool.  In the parent all of it is zero.
 *
 * Neither the configuration, which nobody writes to after post_config, nor what
 * survives a restart (httpd/slots.h) has anything of it. */

#include <apr_global_mutex.h>
#include <httpd.h>

typedef struct upool_process {
    struct upool_parklist *parked;  /* uploads; NULL: it does not park */
    struct upool_parklist *streams; /* the same for who watches */
    struct upool_magic *magic;      /* UploadSniff; NULL: knows no type */
    apr_uint32_t cell;              /* of the counters: this process's gauges */
    int told_full;                  /* it has said that the table is full */
    struct upool_lanes *lanes;      /* to the cache; NULL: does not serve */
    apr_global_mutex_t *cache_mutex;  /* NULL: the provider needs none */
    volatile apr_uint32_t cache_down; /* what it thinks of the cache */
} upool_process;

/* This one; never NULL.  Members that are not volatile are written by
 * child_init alone, but for told_full, which may be set twice. */
upool_process *upool_process_get(void);

/* child_init, before all others of the module: what they make is forgotten when
 * it is gone. */
void upool_process_child_init(apr_pool_t *pchild, server_rec *s);

#endif
