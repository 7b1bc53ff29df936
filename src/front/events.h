/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_FRONT_EVENTS_H
#define UPOOL_FRONT_EVENTS_H

/* GET U/status?stream: the status object as server-sent events (HTML, "Server-
 * sent events"), for clients that would otherwise ask again and again.
 *
 *     retry: 2000
 *
 *     event: status
 *     data: {"state": "uploading", "received": 1000, …}
 *
 * The stream ends when the upload is done or has failed.  A browser that then
 * reconnects by itself says what it saw last (Last-Event-ID: end), and is told
 * by 204 to stop. */

#include "httpd/request.h"

/* 1 when the request for a status asks for a stream. */
int upool_front_wants_stream(const request_rec *r);

/* Answers it, as a front does (proto/protocol.h). */
int upool_front_stream(request_rec *r, upool_request *rq);

#endif
