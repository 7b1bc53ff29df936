/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "front/early.h"

#include <string.h>
#include <http_protocol.h>

#include "front/cors.h"

static int override_method(request_rec *r, const char *method)
{
    static const char *const allowed[] = { "PATCH", "DELETE", "HEAD",
                                           "OPTIONS" };
    apr_size_t i;

    for (i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
        if (!strcmp(method, allowed[i])) {
            r->method = allowed[i];
            r->method_number = ap_method_number_of(allowed[i]);
            return DECLINED;
        }
    }
    return strcmp(method, "POST") ? HTTP_BAD_REQUEST : DECLINED;
}

int upool_early_request(request_rec *r)
{
    const upool_dir_conf *conf = upool_config_of(r);
    const char *method;

    if (r->prev || conf->on != 1 || conf->url) {
        return DECLINED;
    }
    if (upool_cors_request(r, conf)) {
        return HTTP_NO_CONTENT;
    }
    if (r->method_number != M_POST
        || !upool_config_speaks(conf, UPOOL_PROTOCOL_TUS)
        || !apr_table_get(r->headers_in, "Tus-Resumable")) {
        return DECLINED;
    }
    method = apr_table_get(r->headers_in, "X-HTTP-Method-Override");
    return method ? override_method(r, method) : DECLINED;
}
