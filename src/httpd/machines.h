/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_MACHINES_H
#define UPOOL_HTTPD_MACHINES_H

/* Checks whether the machines that share a pool keep each other out
 * (store/farm.h), for every pool that the configuration names: a round every
 * two seconds, in one child, with a line in the log when the answer changes.
 * Pools of .htaccess lie on UploadPoolRoot's file system, and are not checked
 * separately. */

#include <httpd.h>

/* post_config, in the parent.  OK. */
int upool_machines_start(server_rec *s, apr_pool_t *pconf);

#endif
