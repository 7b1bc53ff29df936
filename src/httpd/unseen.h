/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_UNSEEN_H
#define UPOOL_HTTPD_UNSEEN_H

/* Detects an application that knows nothing of the module: it answers 200 to
 * JSON, and nobody learns that it saw no upload.  The error log reports it,
 * once a minute and location, when all signs say so and none speaks against it:
 *
 *   - UploadPassAs is not set (an administrator who sets it to json has said
 *     that it is right)
 *   - the client brought no identifier, and no key signs the hand-off:
 *     pages and applications that know of the module do these things
 *   - the application answered 2xx and claimed nothing
 *   - every file is where it was, and nobody has read any (store/unread.h)
 *   - the application did not read the JSON to its end; or it is of a kind for
 *     which httpd, PHP or a proxy reads the body whether it wants it or not */

#include "httpd/request.h"

/* The application is about to run for rq, whose new body is made. */
void upool_unseen_prepare(request_rec *r, upool_request *rq);

/* The application has answered with status, in the request last.  Called before
 * anything happens to the files. */
void upool_unseen_tell(request_rec *r, const request_rec *last,
                       upool_request *rq, int status);

#endif
