/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_CHECKS_H
#define UPOOL_HTTPD_CHECKS_H

/* What "httpd -t" finds beyond the syntax: pools that do not exist, that the
 * wrong people may write to, or that a URL leads into; limits that another
 * directive defeats. */

#include <httpd.h>

/* check_config hook: OK, or an error after one line for each mistake.  Creates
 * nothing. */
int upool_checks_run(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                     server_rec *s);

#endif
