/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_SWEEPER_H
#define UPOOL_HTTPD_SWEEPER_H

/* Expired uploads go, every UploadSweepInterval, in one child of the server
 * (httpd's watchdog).  What expires when is said by UploadExpires of the
 * context that names the pool; the longest where several name it.  Pools that
 * only .htaccess names are not known here, and not swept. */

#include <httpd.h>

/* Of the one watchdog that all rounds of the module share. */
#define UPOOL_WATCHDOG_NAME "_upload_pool_"

/* post_config: starts the watchdog's work.  OK, also without a watchdog (one
 * warning in the log). */
int upool_sweeper_start(server_rec *s, apr_pool_t *pconf);

#endif
