/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/connection.h"

#include <http_config.h>

extern module AP_MODULE_DECLARE_DATA upload_pool_module;

upool_connection *upool_connection_get(const conn_rec *c)
{
    return ap_get_module_config(c->conn_config, &upload_pool_module);
}

upool_connection *upool_connection_make(conn_rec *c)
{
    upool_connection *connection = upool_connection_get(c);

    if (!connection) {
        connection = apr_pcalloc(c->pool, sizeof(*connection));
        ap_set_module_config(c->conn_config, &upload_pool_module, connection);
    }
    return connection;
}
