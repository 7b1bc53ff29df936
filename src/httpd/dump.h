/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_DUMP_H
#define UPOOL_HTTPD_DUMP_H

/* "apachectl -t -D DUMP_UPLOAD_POOLS": every place of the configuration that
 * names a pool, and what holds there, as httpd's own DUMP_VHOSTS does it. */

#include <httpd.h>

/* test_config hook.  Prints to standard output; keys are counted, never
 * shown. */
void upool_dump_pools(apr_pool_t *pconf, server_rec *s);

#endif
