/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_CONNECTION_H
#define UPOOL_HTTPD_CONNECTION_H

/* The module's data for one connection from a client. httpd has one place for
 * it, shared by all parts of the module.  It lives in the connection's pool and
 * belongs to whoever works on the connection. */

#include <httpd.h>

typedef struct upool_connection {
    struct upool_network *network; /* httpd/network.h; NULL: httpd reads */
    struct upool_parked *parked;   /* httpd/parklist.h; NULL: never could */
} upool_connection;

/* NULL when nobody has needed it yet. */
upool_connection *upool_connection_get(const conn_rec *c);
/* Makes it where there is none. */
upool_connection *upool_connection_make(conn_rec *c);

#endif
