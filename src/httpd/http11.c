/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/http11.h"

#include <string.h>
#include <http_protocol.h>

#include "httpd/log.h"
#include "httpd/park.h"
#include "httpd/process.h"
#include "httpd/slots.h"

/* mod_ssl and mod_http2 agree on this note, but no header of theirs has it; its
 * value is the cause that mod_http2 writes into the log. */
#define NOTE "ssl-renegotiate-forbidden"

int upool_http11_is_wanted(const request_rec *r, const upool_request *rq)
{
    apr_int64_t over = upool_config_park_over(rq->conf);

    return over != UPOOL_UNSET && r->connection->master && !r->main && !r->prev
           && r->proto_num >= HTTP_VERSION(2, 0) && rq->content_length > over
           && apr_table_get(r->headers_in, "Sec-Fetch-Mode")
           && upool_process_get()->parked
           && ap_is_allowed_protocol(r->connection, NULL, r->server,
                                     AP_PROTOCOL_HTTP1);
}

int upool_http11_require(request_rec *r, upool_request *rq)
{
    upool_rlog(r, DEBUG, 0, 415,
               "an upload of %" APR_INT64_T_FMT
               " bytes is asked to come again over HTTP/1.1",
               (apr_int64_t)rq->content_length);
    upool_counters_add(upool_slots_counters(), UPOOL_TOTAL_SENT_OVER, 1);
    apr_table_setn(r->subprocess_env, "UPLOAD_POOL_STATE", "http/1.1 required");
    apr_table_setn(r->notes, NOTE, "upload-park");
    rq->intake = UPOOL_INTAKE_NONE;
    /* Returning an error would run an ErrorDocument for an answer that nobody
     * gets, so the status is set instead. */
    r->status = HTTP_FORBIDDEN;
    r->status_line = NULL;
    return OK;
}

/* Why UploadPark Always cannot do what it says; NULL when it can. */
static const char *obstacle(server_rec *s)
{
    if (!upool_park_is_possible()) {
        return "this httpd or its MPM cannot park (2.4.63 and the event MPM"
               " can)";
    }
    return ap_is_allowed_protocol(NULL, NULL, s, AP_PROTOCOL_HTTP1)
               ? NULL
               : "Protocols has no http/1.1";
}

void upool_http11_check(server_rec *s)
{
    const char *told = "";

    for (; s; s = s->next) {
        const char *place = upool_config_server(s)->park_always;
        const char *what = place ? obstacle(s) : NULL;

        /* A file that several virtual hosts include is one place. */
        if (what && strcmp(place, told) != 0) {
            upool_slog(s, WARNING, 0, 416,
                       "UploadPark Always at %s is as On: %s", place, what);
            told = place;
        }
    }
}
