/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "front/early.h"

#include <string.h>
#include <http_config.h>
#include <http_protocol.h>

#include "front/cors.h"
#include "proto/tus.h"
#include "httpd/request.h"

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

/* An upload's resource and the URL that runs its application may well be in the
 * same sections.  httpd then finds the same configuration and treats access
 * as checked, but it was checked for another method.  A copy of the
 * configuration is not the same, so httpd checks again. */
static void check_again(request_rec *r)
{
    const upool_request *rq = r->prev ? upool_request_get(r->prev) : NULL;

    if (rq && rq->answering) {
        r->per_dir_config = ap_merge_per_dir_configs(
            r->pool, r->per_dir_config, ap_create_request_config(r->pool));
    }
}

int upool_early_request(request_rec *r)
{
    const upool_dir_conf *conf = upool_config_of(r);
    const char *method;

    check_again(r);
    if (r->prev || conf->on != 1 || conf->url) {
        return DECLINED;
    }
    if (upool_cors_request(r, conf)) {
        return HTTP_NO_CONTENT;
    }
    if (!upool_config_speaks(conf, UPOOL_PROTOCOL_TUS)
        || !apr_table_get(r->headers_in, "Tus-Resumable")) {
        return DECLINED;
    }
    /* In every answer, even where httpd itself asks for credentials. */
    upool_tus_mark(r);
    if (r->method_number != M_POST) {
        return DECLINED;
    }
    method = apr_table_get(r->headers_in, "X-HTTP-Method-Override");
    return method ? override_method(r, method) : DECLINED;
}
