/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_FRONT_EARLY_H
#define UPOOL_FRONT_EARLY_H

/* httpd's header_parser phase: the configuration of a request is known, but its
 * access has not been checked yet. */

#include <httpd.h>

/* header_parser hook.  With UploadProtocol tus, X-HTTP-Method-Override on a
 * POST with Tus-Resumable becomes the method (tus 1.0.0, "Headers"), so that
 * <Limit> and "Require method" judge what is really done.  It may name PATCH,
 * DELETE, HEAD and OPTIONS; anything else gets 400.
 *
 * A preflight that UploadCORS allows is answered here: browsers send it without
 * credentials, so it would not get past "Require valid-user".
 *
 * A request that runs the application of an upload in several requests has its
 * access checked again. */
int upool_early_request(request_rec *r);

#endif
