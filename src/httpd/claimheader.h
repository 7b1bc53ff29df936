/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_CLAIMHEADER_H
#define UPOOL_HTTPD_CLAIMHEADER_H

/* How an application says that it keeps an upload: by the response header
 * X-Upload-Claim with the upload's identifier, bare or signed.  An output
 * filter reads it, whoever made the response (CGI, PHP, a proxied server), and
 * removes it before the client sees it.  The filter stands behind all that set
 * headers, so mod_headers may set this one too.
 *
 * A claim in an answer of 500 or more does not count: what an application said
 * before it failed is no decision. */

#include <httpd.h>

/* Once, when the module's hooks are registered. */
void upool_claim_register(void);

/* insert_filter and insert_error_filter hook: adds the filter to a request that
 * takes in an upload, or that was redirected from one. */
void upool_claim_insert(request_rec *r);

#endif
