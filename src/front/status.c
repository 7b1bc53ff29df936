/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "front/fronts.h"

#include "httpd/collected.h"
#include "httpd/lookup.h"
#include "front/events.h"
#include "httpd/reply.h"
#include "upload/result.h"

int upool_front_status(request_rec *r, upool_request *rq)
{
    upool_refusal refusal = UPOOL_NO_REFUSAL;
    apr_time_t expires;
    const upool_record *record;

    if (upool_front_wants_stream(r)) {
        return upool_front_stream(r, rq);
    }
    record = upool_known_visible(r, rq, &expires, &refusal);
    if (refusal.reason) {
        return upool_reply_refusal(r, rq, &refusal);
    }
    if (!record) {
        upool_collected_ask(r, rq);
    }
    return upool_reply_json(r, HTTP_OK,
                            upool_result_status(record, expires, r->pool),
                            rq->callback);
}
