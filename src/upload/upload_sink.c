/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/upload.h"

/* A whole multipart upload as the sink of its request's body. */

static int feed(void *self, const char *data, apr_size_t len)
{
    return upool_upload_feed(self, data, len);
}

static int flush(void *self)
{
    return upool_upload_flush(self);
}

static int finish(void *self)
{
    return upool_upload_finish(self);
}

static void refuse(void *self, upool_reason reason, apr_status_t rv,
                   const char *detail)
{
    upool_upload_refuse(self, reason, rv, detail);
}

static void park(void *self, int parked)
{
    upool_upload_park(self, parked);
}

static apr_off_t received(const void *self)
{
    return upool_upload_record(self)->received;
}

static const upool_refusal *refusal(void *self)
{
    return upool_upload_refusal(self);
}

/* A flush of nothing tells progress that the upload lives, and looks. */
static const upool_sink_ops ops = {
    .feed = feed,
    .flush = flush,
    .finish = finish,
    .refuse = refuse,
    .is_unwanted = flush,
    .park = park,
    .received = received,
    .refusal = refusal,
};

void upool_upload_sink(upool_upload *upload, upool_sink *sink)
{
    sink->ops = &ops;
    sink->self = upload;
}
