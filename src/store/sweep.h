/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_SWEEP_H
#define UPOOL_STORE_SWEEP_H

/* Removes what has expired, a bounded number of steps at a time. */

#include <apr_time.h>
#include "store/store.h"

typedef struct upool_sweep upool_sweep;

typedef struct upool_sweep_result {
    apr_size_t seen;
    apr_size_t removed;
    int finished;        /* the whole directory has been looked at */
} upool_sweep_result;

/* Starts a round over the pool.  Lives in p; call step until finished. */
apr_status_t upool_sweep_begin(upool_sweep **sweep, upool_store *store,
                               apr_pool_t *p);
/* Looks at up to steps entries: a bucket whose last activity (metadata, or
 * newest modification) is before deadline and that nobody holds goes.
 * Anything that is not a bucket by name and content is left alone. */
apr_status_t upool_sweep_step(upool_sweep *sweep, apr_size_t steps,
                              apr_time_t deadline,
                              upool_sweep_result *result);

#endif
