/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_TRAILERS_H
#define UPOOL_HTTPD_TRAILERS_H

/* Handles the end of a chunked body (RFC 9112 7.1) that comes slowly.
 *
 * HTTP_IN reads a body without waiting, but once it has seen the last chunk it
 * reads the trailer section line by line, and waits for each.  So a filter
 * behind it holds the line of the last chunk back until the whole section has
 * come, up to its empty line: until then HTTP_IN finds nothing for now, and the
 * upload is parked.
 *
 * This filter reads line by line too, so that it takes nothing of the
 * connection's next request.  Where a section is longer than 8 KiB, HTTP_IN
 * reads the rest itself. */

#include "httpd/request.h"

/* Once, when the module's hooks are registered. */
void upool_trailers_register(void);

/* insert_filter hook, for a request whose body we shall take in: adds the
 * filter where the body is in chunks and its upload could be parked. */
void upool_trailers_insert(request_rec *r, const upool_request *rq);

#endif
