/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/collected.h"

#include <string.h>
#include <apr_cstr.h>
#include <http_protocol.h>

#include "httpd/body.h"
#include "httpd/log.h"
#include "httpd/slots.h"

/* In whole seconds: at least three, which means more than two. */
#define ASKED_LEAST 3U
#define BYTES_LEAST ((apr_off_t)1 << 20)
/* Gigabit Ethernet carries 118 bytes per microsecond. */
#define BYTES_EACH_MICROSECOND 128

void upool_collected_ask(const request_rec *r, const upool_request *rq)
{
    upool_asked *asked = upool_slots_asked();

    if (asked) {
        upool_asked_note(asked, upool_slots_name(r, rq->conf, rq->id),
                         r->request_time);
    }
}

void upool_collected_begin(const request_rec *r, upool_request *rq)
{
    const upool_asked *asked = upool_slots_asked();

    rq->body->asked =
        asked && rq->id[0] && !rq->minted ? upool_asked_for(
            asked, upool_slots_name(r, rq->conf, rq->id), r->request_time)
                                          : 0;
}

static int has_fields_of_proxies(const request_rec *r)
{
    static const char *const fields[] = {
        "Via",
        "Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Real-IP",
        "X-Accel-Internal",
        "X-Varnish",
    };
    apr_size_t i;

    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (apr_table_get(r->headers_in, fields[i])) {
            return 1;
        }
    }
    return 0;
}

static int is_behind(const request_rec *r)
{
    const char *connection = apr_table_get(r->headers_in, "Connection");

    return has_fields_of_proxies(r)
           || strcmp(r->useragent_ip, r->connection->client_ip) != 0
           || (r->proto_num == HTTP_VERSION(1, 0) && connection
               && !ap_cstr_casecmp(connection, "close"));
}

static int is_at_once(const request_rec *r, const upool_request *rq)
{
    apr_off_t bytes = upool_sink_received(&rq->sink);
    apr_time_t took = apr_time_now() - r->request_time;

    return bytes >= BYTES_LEAST && took >= 0
           && took <= bytes / BYTES_EACH_MICROSECOND;
}

void upool_collected_end(request_rec *r, const upool_request *rq)
{
    upool_notices *notices = upool_slots_notices();

    if (!notices || rq->body->asked < ASKED_LEAST || !is_behind(r)
        || !is_at_once(r, rq)
        || !upool_notices_once(notices, upool_request_section(r, rq->conf))) {
        return;
    }
    upool_rlog(
        r, INFO, 0, 320,
        "upload %s was asked for over %u seconds, and then all %" APR_OFF_T_FMT
        " bytes of it came at once: as it seems, something"
        " in front of this server collects uploads before it passes them"
        " on, so that nobody sees progress and nothing can be resumed."
        " What helps: \"In front of it\" in the manual"
        " (conf/manual/mod/upload_pool_front.html). Told once%s%s",
        upool_log_ident(r->pool, rq->id), rq->body->asked,
        upool_sink_received(&rq->sink), rq->conf->place ? " for " : "",
        rq->conf->place ? rq->conf->place : "");
}
