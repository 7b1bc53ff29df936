/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "front/fronts.h"

#include <string.h>
#include <apr_strings.h>

#include "front/known.h"
#include "httpd/reply.h"
#include "upload/result.h"

int upool_front_status(request_rec *r, upool_request *rq)
{
    upool_refusal refusal = { UPOOL_REASON_NONE, 0, NULL, NULL, 0, 0 };
    upool_record *record = upool_known_find(r, rq, &refusal);
    apr_time_t expires = 0;

    if (refusal.reason) {
        return upool_reply_refusal(r, rq, &refusal);
    }
    /* A stranger's upload and none at all look the same (promise I4). */
    if (record && !upool_known_is_mine(record, rq)) {
        record = NULL;
    }
    if (record) {
        expires = record->updated + upool_config_expires(rq->conf);
        if (expires < r->request_time) {
            record = NULL;
        }
    }
    return upool_reply_json(r, HTTP_OK,
                            upool_result_status(record, expires, r->pool),
                            rq->callback);
}
