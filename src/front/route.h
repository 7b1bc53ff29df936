/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_FRONT_ROUTE_H
#define UPOOL_FRONT_ROUTE_H

/* Decides, once a request, whether it is ours and which front answers it.
 * Runs after httpd's own authentication and authorisation. */

#include "config/config.h"

/* fixups hook. */
int upool_route_request(request_rec *r);

/* insert_filter hook: handles requests that upool_route_request() could not
 * see. */
void upool_route_late(request_rec *r);

/* 1 if one of our fronts would answer r.  Asked before access is checked;
 * changes nothing. */
int upool_route_is_ours(request_rec *r, const upool_dir_conf *conf);

/* handler hook: hands the request to its front. */
int upool_route_handle(request_rec *r);

#endif
