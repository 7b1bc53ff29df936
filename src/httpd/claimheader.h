/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_CLAIMHEADER_H
#define UPOOL_HTTPD_CLAIMHEADER_H

/* The application's word that it keeps an upload: the response header
 * X-Upload-Claim with the upload's identifier, bare or signed.  An output
 * filter reads it, whoever made the response (CGI, PHP, a proxied server), and
 * takes it away before the client sees it.  It stands behind all filters that
 * set headers, so mod_headers may set it too.
 *
 * A claim in an answer of 500 or more does not count: what an application said
 * before it failed is no decision. */

#include <httpd.h>

/* Once, when the module's hooks are registered. */
void upool_claim_register(void);

/* insert_filter and insert_error_filter hook: adds the filter where an upload
 * is taken in, or the request was redirected from such a one. */
void upool_claim_insert(request_rec *r);

#endif
