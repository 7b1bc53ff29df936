/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_FRONT_FRONTS_H
#define UPOOL_FRONT_FRONTS_H

/* The fronts: each answers one kind of request.  All run in the worker that
 * serves the request, in its handler phase, after the route has checked the
 * identifier; all return what a handler hook returns. */

#include "httpd/request.h"

/* POST multipart/form-data: takes the upload in, substitutes the request;
 * DECLINED lets the real handler run. */
int upool_front_form(request_rec *r, upool_request *rq);

/* GET U/status and GET U?status. */
int upool_front_status(request_rec *r, upool_request *rq);

/* GET or POST U?clear, DELETE U. */
int upool_front_clear(request_rec *r, upool_request *rq);

/* POST U/new, with UploadMint On. */
int upool_front_mint(request_rec *r, upool_request *rq);

/* GET U/file, with UploadServe On. */
int upool_front_serve(request_rec *r, upool_request *rq);

/* SetHandler upload-pool: answers an upload by itself; DECLINED for every
 * other handler. */
int upool_front_standalone(request_rec *r);

/* log_transaction: UploadCleanup. */
int upool_front_clean_up(request_rec *r);

#endif
