/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "front/fronts.h"

#include <string.h>
#include <http_protocol.h>
#include <http_request.h>

#include "httpd/reply.h"
#include "httpd/shared.h"
#include "httpd/slots.h"
#include "upload/reasons.h"

#define HANDLER_NAME "upload-pool-metrics"
/* Text format 0.0.4, which every scraper reads. */
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

static void head(request_rec *r, const char *name, const char *type,
                 const char *help)
{
    ap_rprintf(r, "# HELP upload_pool_%s %s\n# TYPE upload_pool_%s %s\n", name,
               help, name, type);
}

static void metric(request_rec *r, const char *name, const char *type,
                   const char *help, apr_uint64_t value)
{
    head(r, name, type, help);
    ap_rprintf(r, "upload_pool_%s %" APR_UINT64_T_FMT "\n", name, value);
}

typedef struct total_row {
    upool_total total;
    const char *name;
    const char *help;
} total_row;

/* clang-format off */
static const total_row totals[] = {
    { UPOOL_TOTAL_STARTED, "uploads_started_total",
      "Requests that began an upload or went on with one." },
    { UPOOL_TOTAL_DONE, "uploads_done_total", "Uploads that are complete." },
    { UPOOL_TOTAL_PAUSED, "uploads_paused_total",
      "Requests that ended before their upload did, which another continues." },
    { UPOOL_TOTAL_BYTES, "received_bytes_total",
      "Bytes of uploads, framing included." },
    { UPOOL_TOTAL_SENT_OVER, "uploads_sent_over_total",
      "Uploads over HTTP/2 that were asked to come again over HTTP/1.1." },
    { UPOOL_TOTAL_SLOTLESS, "uploads_without_slot_total",
      "Uploads that found the progress table full." },
    { UPOOL_TOTAL_SWEEPS, "sweeps_total", "Times that a pool was swept." },
    { UPOOL_TOTAL_SWEPT, "swept_uploads_total",
      "Uploads removed because they had expired." },
};
/* clang-format on */

static void put_totals(request_rec *r, const upool_counters *counters)
{
    apr_size_t n;

    for (n = 0; n < sizeof(totals) / sizeof(totals[0]); n++) {
        metric(r, totals[n].name, "counter", totals[n].help,
               upool_counters_total(counters, totals[n].total));
    }
}

/* Every reason has its line from the start, so that its first occurrence shows
 * as an increase. */
static void put_reasons(request_rec *r, const upool_counters *counters,
                        const char *name, const char *help,
                        apr_uint64_t (*count)(const upool_counters *, int))
{
    int reason;

    head(r, name, "counter", help);
    for (reason = UPOOL_REASON_NONE + 1; reason < UPOOL_REASON_COUNT;
         reason++) {
        ap_rprintf(r, "upload_pool_%s{reason=\"%s\"} %" APR_UINT64_T_FMT "\n",
                   name, upool_reason_name((upool_reason)reason),
                   count(counters, reason));
    }
}

static void put_slots(request_rec *r, const upool_table *table)
{
    apr_uint32_t running = 0, ended = 0;

    if (table) {
        upool_table_count(table, &running, &ended);
    }
    metric(r, "slots", "gauge", "Size of the progress table.",
           table ? upool_table_slots(table) : 0);
    head(r, "slots_used", "gauge",
         "Slots of the progress table that are taken; ended ones make room.");
    ap_rprintf(r,
               "upload_pool_slots_used{state=\"running\"} %u\n"
               "upload_pool_slots_used{state=\"ended\"} %u\n",
               running, ended);
}

int upool_front_metrics(request_rec *r)
{
    const upool_counters *counters = upool_slots_counters();
    upool_uploads uploads = upool_counters_uploads(counters);

    if (!r->handler || strcmp(r->handler, HANDLER_NAME)) {
        return DECLINED;
    }
    ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, -1);
    if (r->method_number != M_GET) {
        return HTTP_METHOD_NOT_ALLOWED;
    }
    ap_set_content_type(r, METRICS_TYPE);
    upool_reply_uncached(r, "no-store");
    put_totals(r, counters);
    put_reasons(r, counters, "uploads_failed_total",
                "Uploads that began and ended as an error.",
                upool_counters_failed);
    put_reasons(r, counters, "uploads_refused_total",
                "Requests that were turned away before their upload began.",
                upool_counters_refused);
    metric(r, "uploads_live", "gauge", "Uploads that come in.", uploads.live);
    metric(r, "uploads_parked", "gauge",
           "Those of them that wait without a thread.", uploads.parked);
    metric(r, "watchers", "gauge", "Clients that watch an upload by a stream.",
           upool_counters_gauge(counters, UPOOL_GAUGE_WATCHING));
    metric(r, "watchers_on_threads", "gauge", "Those that hold a thread.",
           upool_counters_gauge(counters, UPOOL_GAUGE_HOLDING));
    put_slots(r, upool_slots_table());
    if (upool_shared_is_on(r->server)) {
        metric(r, "cache_up", "gauge",
               "Whether the cache that the farm shares answers.",
               !upool_counters_is_down(counters));
        metric(r, "cache_outages_total", "counter",
               "Times that the cache stopped answering.",
               upool_counters_total(counters, UPOOL_TOTAL_OUTAGES));
    }
    return OK;
}
