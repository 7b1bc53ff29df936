/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "front/fronts.h"

#include <string.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <http_request.h>

#include "httpd/reply.h"
#include "httpd/substitute.h"
#include "upload/result.h"

/* For the parent of the frame that a form posts into: the page's script reads
 * the two attributes.  Both are escaped as HTML, the second holds JSON. */
static const char *page(apr_pool_t *p, const char *identifier,
                        const char *status)
{
    return apr_pstrcat(
        p,
        "<!DOCTYPE html>\n<html><head><title>Upload</title></head>"
        "<body data-upload-identifier=\"",
        ap_escape_html2(p, identifier, 0), "\" data-upload-info=\"",
        ap_escape_html2(p, status, 0), "\"></body></html>\n", NULL);
}

static int send_page(request_rec *r, const char *html)
{
    ap_set_content_type(r, "text/html; charset=utf-8");
    upool_reply_uncached(r, "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    ap_set_content_length(r, (apr_off_t)strlen(html));
    ap_rputs(html, r);
    return OK;
}

/* Shown to a person who opens the URL: a form that works without a script. */
static const char *form_page(request_rec *r)
{
    const char *identifier =
        apr_table_get(r->subprocess_env, "UPLOAD_POOL_NEW_IDENTIFIER");
    const char *query =
        identifier ? apr_pstrcat(r->pool, "?X-Progress-ID=", identifier, NULL)
                   : "";

    return apr_pstrcat(
        r->pool,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width\">"
        "<title>Upload</title><style>:root{color-scheme:light dark}"
        "body{font:1rem/1.5 sans-serif;margin:2rem}"
        "input,button{font:inherit;min-height:44px}</style></head><body>"
        "<form method=\"post\" enctype=\"multipart/form-data\" action=\"",
        ap_escape_html2(r->pool, ap_escape_uri(r->pool, r->uri), 0),
        ap_escape_html2(r->pool, query, 0),
        "\"><p><label>Files <input type=\"file\" name=\"file\" multiple"
        " required></label></p><p><button>Upload</button></p></form>"
        "</body></html>\n",
        NULL);
}

/* 1 if path, a URL's or a file's, is the section that names the pool, with or
 * without a slash.  Anything may lie below it. */
static int is_place(const char *path, const char *place)
{
    apr_size_t len = place ? strlen(place) : 0;

    while (len > 1 && place[len - 1] == '/') {
        len--;
    }
    return len && path && !strncmp(path, place, len)
           && (!path[len] || !strcmp(path + len, "/"));
}

/* A form needs an identifier where there is a key. */
static int has_form(const request_rec *r, const upool_dir_conf *conf)
{
    return upool_config_speaks(conf, UPOOL_PROTOCOL_MULTIPART)
           && (!upool_keys_count(upool_config_ident_keys(conf))
               || apr_table_get(r->subprocess_env,
                                "UPLOAD_POOL_NEW_IDENTIFIER"));
}

/* Answers a request that has uploaded nothing. */
static int answer_other(request_rec *r)
{
    const upool_dir_conf *conf = upool_config_of(r);

    if (r->method_number != M_GET || conf->on != 1
        || (!is_place(r->uri, conf->place)
            && !is_place(r->filename, conf->place))) {
        return HTTP_NOT_FOUND;
    }
    if (upool_reply_wants_json(r) || !has_form(r, conf)) {
        ap_allow_standard_methods(r, REPLACE_ALLOW, M_POST, -1);
        return HTTP_METHOD_NOT_ALLOWED;
    }
    apr_table_setn(r->headers_out, "Content-Security-Policy",
                   "default-src 'none'; style-src 'unsafe-inline';"
                   " form-action 'self'");
    return send_page(r, form_page(r));
}

int upool_front_standalone(request_rec *r)
{
    const upool_request *rq;
    const upool_record *record;
    const char *status;

    if (!r->handler || strcmp(r->handler, UPOOL_HANDLER_NAME)) {
        return DECLINED;
    }
    rq = upool_request_substituted(r);
    if (!rq) {
        return answer_other(r);
    }
    record = rq->outcome.record;
    status = upool_result_status(
        record, record->updated + upool_config_expires(rq->conf), r->pool);
    if (!status) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    if (rq->protocol || upool_reply_wants_json(r)) {
        return upool_reply_json(r, HTTP_OK, status, NULL);
    }
    return send_page(r, page(r->pool, rq->id, status));
}
