/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_SWEEPER_H
#define UPOOL_HTTPD_SWEEPER_H

/* Removes expired uploads, every UploadSweepInterval, in one child of the
 * server (httpd's watchdog).  UploadExpires of the context that names the pool
 * says when an upload expires; the longest counts where several contexts name
 * it.  Pools that only .htaccess names are looked for below UploadPoolRoot. */

#include <httpd.h>

/* The name of the one watchdog that all rounds of the module share. */
#define UPOOL_WATCHDOG_NAME "_upload_pool_"

/* post_config: starts the watchdog's work.  OK, even without a watchdog (one
 * warning in the log). */
int upool_sweeper_start(server_rec *s, apr_pool_t *pconf);

#endif
