/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/drop.h"

typedef struct dropped {
    upool_reason reason;  /* refuses the first byte; NONE: bytes may come */
    upool_repeat *repeat; /* what the bytes have to equal; NULL: any may come */
    apr_off_t received;
    upool_refusal refusal;
} dropped;

static int is_refused(void *self)
{
    return ((dropped *)self)->refusal.reason != UPOOL_REASON_NONE;
}

static void refuse(void *self, upool_reason reason, apr_status_t rv,
                   const char *detail)
{
    dropped *drop = self;

    if (!is_refused(self)) {
        drop->refusal = upool_refusal_make(reason, rv, detail);
    }
}

static int feed(void *self, const char *data, apr_size_t len)
{
    dropped *drop = self;

    drop->received += (apr_off_t)len;
    if (len && drop->reason) {
        refuse(self, drop->reason, 0, "bytes that nobody waits for");
    }
    if (drop->repeat && upool_repeat_data(drop->repeat, data, len)) {
        refuse(self, UPOOL_REASON_OTHER_CONTENT, 0, NULL);
    }
    return is_refused(self);
}

static int finish(void *self)
{
    dropped *drop = self;

    if (drop->repeat && !upool_repeat_is_same(drop->repeat)) {
        refuse(self, UPOOL_REASON_OTHER_CONTENT, 0, NULL);
    }
    return is_refused(self);
}

static apr_off_t received(const void *self)
{
    return ((const dropped *)self)->received;
}

static const upool_refusal *refusal(void *self)
{
    return &((dropped *)self)->refusal;
}

static const upool_sink_ops ops = {
    .feed = feed,
    .flush = is_refused,
    .finish = finish,
    .refuse = refuse,
    .is_unwanted = is_refused,
    .received = received,
    .refusal = refusal,
};

void upool_drop_sink(upool_sink *sink, upool_reason reason,
                     upool_repeat *repeat, apr_pool_t *p)
{
    dropped *drop = apr_pcalloc(p, sizeof(*drop));

    drop->reason = reason;
    drop->repeat = repeat;
    sink->ops = &ops;
    sink->self = drop;
}

int upool_drop_is(const upool_sink *sink)
{
    return sink->ops == &ops;
}
