/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_ANSWERED_H
#define UPOOL_HTTPD_ANSWERED_H

/* Notices when the application of a form has answered, as far as that can be
 * seen: an output filter waits for the end of the response, whoever made it.
 * Until then the upload is in use (store/run.h).  For uploads of several
 * requests httpd/capture.h does the same. */

#include "httpd/request.h"

/* Once, when the module's hooks are registered. */
void upool_answered_register(void);

/* The application is about to run for rq, whose upload is done.  If no end of a
 * response is seen, the use ends with r's pool. */
void upool_answered_await(request_rec *r, upool_request *rq);

#endif
