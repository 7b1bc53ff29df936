/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "front/events.h"

#include <string.h>
#include <apr_strings.h>

#include "httpd/lookup.h"
#include "httpd/reply.h"
#include "httpd/stream.h"
#include "parse/query.h"
#include "upload/result.h"

#define LAST_ID "end"

int upool_front_wants_stream(const request_rec *r)
{
    char value[8];

    return upool_query_find(r->args, "stream", value, sizeof(value))
           != UPOOL_QUERY_ABSENT;
}

/* The status that a request would get now.  It has a pool for this look alone:
 * repeated looks while a client watches must not fill r->pool. */
static const char *say(request_rec *r, upool_request *rq, apr_pool_t *p,
                       int *last)
{
    request_rec now = *r;
    upool_refusal refusal = UPOOL_NO_REFUSAL;
    const upool_record *record;
    apr_time_t expires;
    const char *json;

    now.pool = p;
    now.request_time = apr_time_now();
    record = upool_known_visible(&now, rq, &expires, &refusal);
    if (refusal.reason) {
        return NULL;
    }
    *last = record
            && (record->state == UPOOL_STATE_DONE
                || record->state == UPOOL_STATE_ERROR);
    json = upool_result_status(record, expires, p);
    return json ? apr_pstrcat(p, *last ? "id: " LAST_ID "\n" : "",
                              "event: status\ndata: ", json, "\n\n", NULL)
                : NULL;
}

int upool_front_stream(request_rec *r, upool_request *rq)
{
    const char *seen = apr_table_get(r->headers_in, "Last-Event-ID");
    upool_refusal refusal = UPOOL_NO_REFUSAL;

    if (rq->callback) {
        refusal = upool_refusal_make(UPOOL_REASON_CALLBACK, 0,
                                     "callback with stream");
    }
    /* Opened before say(), whose pool does not last. */
    else if (upool_known_store(r, rq, &refusal)) {
        return seen && !strcmp(seen, LAST_ID)
                   ? upool_reply_text(r, HTTP_NO_CONTENT, NULL, "")
                   : upool_stream_run(r, rq, say);
    }
    return upool_reply_refusal(r, rq, &refusal);
}
