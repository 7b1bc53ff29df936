/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "front/fronts.h"

#include <apr_escape.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <mod_status.h>

#include "httpd/log.h"
#include "httpd/slots.h"
#include "upload/reasons.h"

/* A page of a thousand rows helps nobody. */
#define ROWS_MAX 200

/* What the page shows, in any of its forms; read all at once. */
typedef struct view {
    const upool_counters *counters;
    upool_uploads uploads;
    apr_uint64_t failed, refused;
    apr_uint32_t slots, running, ended;
    upool_slot_record *rows;
    apr_size_t count;
} view;

static void sum_reasons(view *v)
{
    int reason;

    for (reason = UPOOL_REASON_NONE + 1; reason < UPOOL_REASON_COUNT;
         reason++) {
        v->failed += upool_counters_failed(v->counters, reason);
        v->refused += upool_counters_refused(v->counters, reason);
    }
}

/* Names of uploads are for those who may see requests: ExtendedStatus. */
static view *view_make(request_rec *r, int flags)
{
    const upool_table *table = upool_slots_table();
    view *v = apr_pcalloc(r->pool, sizeof(*v));

    v->counters = upool_slots_counters();
    v->uploads = upool_counters_uploads(v->counters);
    sum_reasons(v);
    if (!table) {
        return v;
    }
    v->slots = upool_table_slots(table);
    upool_table_count(table, &v->running, &v->ended);
    if (flags & AP_STATUS_EXTENDED) {
        v->rows = apr_palloc(r->pool, ROWS_MAX * sizeof(*v->rows));
        v->count =
            upool_table_list(table, UPOOL_SLOT_UPLOADING, v->rows, ROWS_MAX);
    }
    return v;
}

static apr_uint64_t total(const view *v, upool_total which)
{
    return upool_counters_total(v->counters, which);
}

static const char *shown_ident(request_rec *r, const upool_slot_record *row)
{
    return upool_log_ident(r->pool, upool_slots_ident(row->identifier));
}

static apr_int64_t age_of(const request_rec *r, const upool_slot_record *row)
{
    apr_int64_t age = apr_time_sec(r->request_time - row->created);

    return age > 0 ? age : 0;
}

/* For "?auto": a line for each fact.  A name is written as one word, so that a
 * line can be read in only one way. */
static void put_lines(request_rec *r, const view *v)
{
    apr_size_t n;

    ap_rprintf(r,
               "UploadsLive: %" APR_UINT64_T_FMT
               "\nUploadsParked: %" APR_UINT64_T_FMT
               "\nUploadsStarted: %" APR_UINT64_T_FMT
               "\nUploadsDone: %" APR_UINT64_T_FMT
               "\nUploadsFailed: %" APR_UINT64_T_FMT
               "\nUploadsRefused: %" APR_UINT64_T_FMT
               "\nUploadBytes: %" APR_UINT64_T_FMT "\n",
               v->uploads.live, v->uploads.parked,
               total(v, UPOOL_TOTAL_STARTED), total(v, UPOOL_TOTAL_DONE),
               v->failed, v->refused, total(v, UPOOL_TOTAL_BYTES));
    ap_rprintf(r, "UploadSlots: %u\nUploadSlotsRunning: %u\n", v->slots,
               v->running);
    for (n = 0; n < v->count; n++) {
        const upool_slot_record *row = &v->rows[n];

        ap_rprintf(r,
                   "Upload: %s %" APR_INT64_T_FMT " %" APR_INT64_T_FMT
                   " %" APR_INT64_T_FMT " %" APR_INT64_T_FMT " %s\n",
                   shown_ident(r, row), row->process, row->received, row->size,
                   age_of(r, row),
                   row->filename[0]
                       ? apr_pescape_urlencoded(r->pool, row->filename)
                       : "-");
    }
}

static void put_row(request_rec *r, const upool_slot_record *row)
{
    ap_rprintf(r,
               "<tr><td>%s</td><td>%" APR_INT64_T_FMT
               "</td><td>%" APR_INT64_T_FMT "</td><td>",
               ap_escape_html(r->pool, shown_ident(r, row)), row->process,
               row->received);
    if (row->size > 0) {
        ap_rprintf(r, "%" APR_INT64_T_FMT "</td><td>%" APR_INT64_T_FMT " %%",
                   row->size, row->received * 100 / row->size);
    }
    else {
        ap_rputs("-</td><td>-", r);
    }
    ap_rprintf(r, "</td><td>%" APR_INT64_T_FMT "</td><td>%s</td></tr>\n",
               age_of(r, row), ap_escape_html(r->pool, row->filename));
}

static void put_table(request_rec *r, const view *v)
{
    apr_size_t n;

    ap_rputs("<table border=\"1\"><tr><th>Upload</th><th>PID</th>"
             "<th>Received</th><th>Size</th><th>Done</th><th>Seconds</th>"
             "<th>File</th></tr>\n",
             r);
    for (n = 0; n < v->count; n++) {
        put_row(r, &v->rows[n]);
    }
    ap_rputs("</table>\n", r);
    if (v->count == ROWS_MAX) {
        ap_rprintf(r, "<p>The first %d of %u.</p>\n", ROWS_MAX, v->running);
    }
}

static void put_page(request_rec *r, const view *v, int flags)
{
    ap_rprintf(r,
               "<hr />\n<h2>Uploads</h2>\n<p>%" APR_UINT64_T_FMT
               " live, %" APR_UINT64_T_FMT
               " of them without a thread; since the start %" APR_UINT64_T_FMT
               " done, %" APR_UINT64_T_FMT " failed, %" APR_UINT64_T_FMT
               " refused, %" APR_UINT64_T_FMT " bytes; %u of %u slots taken by"
               " uploads that run.</p>\n",
               v->uploads.live, v->uploads.parked, total(v, UPOOL_TOTAL_DONE),
               v->failed, v->refused, total(v, UPOOL_TOTAL_BYTES), v->running,
               v->slots);
    if (v->count && !(flags & AP_STATUS_NOTABLE)) {
        put_table(r, v);
    }
}

int upool_front_live(request_rec *r, int flags)
{
    const view *v = view_make(r, flags);

    if (flags & AP_STATUS_SHORT) {
        put_lines(r, v);
    }
    else {
        put_page(r, v, flags);
    }
    return OK;
}
