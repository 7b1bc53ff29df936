/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_CONTENT_H
#define UPOOL_HTTPD_CONTENT_H

/* UploadScan and UploadSniff: from directives to what the two handlers need.
 * Both judge on behalf of the administrator: .htaccess can make them stricter,
 * never weaker.  Their setters are in config/settings.h. */

#include "handlers/builtin.h"
#include "httpd/request.h"

/* child_init: prepares libmagic for this process. */
void upool_content_child_init(apr_pool_t *pchild, server_rec *s);

/* Fills *settings with what UploadScan and UploadSniff say in a context: the
 * other members stay as they are, and *scan is what *settings may point to. */
void upool_content_settings(const upool_dir_conf *conf,
                            upool_builtin_settings *settings,
                            upool_scan_options *scan);

#endif
