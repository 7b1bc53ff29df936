/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_FRONT_FRONTS_H
#define UPOOL_FRONT_FRONTS_H

/* The small URLs of a context with a pool: each function answers one.  All run
 * in the worker that serves the request, in its handler phase, after the route
 * has checked the identifier; all return what a handler hook returns. */

#include "httpd/request.h"

/* GET U/status and GET U?status. */
int upool_front_status(request_rec *r, upool_request *rq);

/* POST U/new, with UploadMint On. */
int upool_front_mint(request_rec *r, upool_request *rq);

/* GET U/file, with UploadServe On. */
int upool_front_serve(request_rec *r, upool_request *rq);

/* SetHandler upload-pool: answers an upload by itself; DECLINED for every
 * other handler. */
int upool_front_standalone(request_rec *r);

/* SetHandler upload-pool-metrics: the counters as text for Prometheus; DECLINED
 * for every other handler. */
int upool_front_metrics(request_rec *r);

/* mod_status' hook: shows current activity, and a row for each running upload,
 * identifiers shortened and names escaped.  flags: AP_STATUS_*. */
int upool_front_live(request_rec *r, int flags);

/* log_transaction: UploadCleanup. */
int upool_front_clean_up(request_rec *r);

#endif
