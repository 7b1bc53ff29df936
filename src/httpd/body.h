/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_BODY_H
#define UPOOL_HTTPD_BODY_H

/* How a request's body is read: the state that filter, turn, drive, wait and
 * park keep between two turns.  Only httpd/ sees it (t/check/layers.t): fronts
 * and protocols have upool_request and httpd/drive.h.
 *
 * It belongs to whoever has the request: the worker, or the holder of the mutex
 * of the list in which it is parked (httpd/parklist.h). */

#include <util_filter.h>

#include "httpd/request.h"
#include "upload/pace.h"
#include "upload/rate.h"

typedef struct upool_body {
    upool_drive_then *then;     /* when the body is in */
    ap_filter_t *filter;        /* our own filter */
    apr_bucket_brigade *pulled; /* what the last pull brought */
    apr_bucket_brigade *held;   /* fed, but not yet written */
    int seen_end;               /* nothing more will come */
    int sent;                   /* AP_FILTER_ERROR: httpd has answered */
    int empties;                /* pulls in a row that gave nothing */
    int blocks;                 /* there is nothing to poll for the client */
    int only_blocks;            /* a filter can only be read blocking */
    int slow;                   /* the client had to be waited for */
    unsigned asked;             /* for how many seconds: httpd/collected.h */
    apr_time_t now;             /* time of the last turn */
    apr_time_t heard;           /* when the client last sent something */
    apr_time_t looked;          /* when the sink was last asked */
    apr_interval_time_t wait;   /* before the next turn */
    upool_pace pace;            /* UploadMinRate */
    upool_rate rate;            /* UploadRate */
} upool_body;

#endif
