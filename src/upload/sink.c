/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/sink.h"

int upool_sink_feed(const upool_sink *sink, const char *data, apr_size_t len)
{
    return sink->ops->feed(sink->self, data, len);
}

int upool_sink_flush(const upool_sink *sink)
{
    return sink->ops->flush(sink->self);
}

int upool_sink_finish(const upool_sink *sink)
{
    return sink->ops->finish(sink->self);
}

void upool_sink_refuse(const upool_sink *sink, upool_reason reason,
                       apr_status_t rv, const char *detail)
{
    sink->ops->refuse(sink->self, reason, rv, detail);
}

int upool_sink_is_unwanted(const upool_sink *sink)
{
    return sink->ops->is_unwanted(sink->self);
}

void upool_sink_park(const upool_sink *sink, int parked)
{
    if (sink->ops->park) {
        sink->ops->park(sink->self, parked);
    }
}

apr_off_t upool_sink_received(const upool_sink *sink)
{
    return sink->ops->received(sink->self);
}

const upool_refusal *upool_sink_refusal(const upool_sink *sink)
{
    return sink->ops->refusal(sink->self);
}
