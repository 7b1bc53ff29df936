/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_CONTENT_H
#define UPOOL_HTTPD_CONTENT_H

/* UploadScan and UploadSniff: from directives to what the two handlers need.
 * Both judge on behalf of the administrator: .htaccess can make them stricter,
 * never weaker.  Their setters are in config/settings.h. */

#include "httpd/request.h"

/* child_init: the looks at files of this process. */
void upool_content_child_init(apr_pool_t *pchild, server_rec *s);

/* The data of an instance, or NULL where there is nothing to do. */
void *upool_content_sniff(const upool_request *rq,
                          const upool_handler_site *site);
void *upool_content_scan(const upool_request *rq, upool_refusal *refusal,
                         apr_pool_t *p);

#endif
