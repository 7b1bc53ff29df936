/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "config/group.h"

apr_int64_t upool_config_lower(apr_int64_t a, apr_int64_t b)
{
    if (a == UPOOL_UNSET || b == UPOOL_UNSET) {
        return a == UPOOL_UNSET ? b : a;
    }
    return a < b ? a : b;
}

apr_int64_t upool_config_higher(apr_int64_t a, apr_int64_t b)
{
    return a > b ? a : b;
}

apr_int64_t upool_config_or_none(apr_int64_t value)
{
    return value == UPOOL_UNSET ? 0 : value;
}
