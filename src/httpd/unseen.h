/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_UNSEEN_H
#define UPOOL_HTTPD_UNSEEN_H

/* An application that knows nothing of the module answers 200 to JSON, and
 * nobody learns that it saw no upload.  That is told in the error log, once a
 * minute and location, where everything says so and nothing against it:
 *
 *   - UploadPassAs is not set (who sets it to json has said that it is right)
 *   - the client brought no identifier, and no key signs the hand-off: what
 *     applications and pages do that know of the module
 *   - the application answered 2xx and claimed nothing
 *   - every file is where it was, and nobody has read any (store/unread.h)
 *   - it did not read the JSON to its end; or it is one of those from whom
 *     httpd, PHP or a proxy take the body whether they want it or not */

#include "httpd/request.h"

/* The application is about to run for rq, whose body was made. */
void upool_unseen_prepare(request_rec *r, upool_request *rq);

/* It has answered with status; last is the request that it did it in.  Before
 * anything becomes of the files. */
void upool_unseen_tell(request_rec *r, const request_rec *last,
                       upool_request *rq, int status);

#endif
