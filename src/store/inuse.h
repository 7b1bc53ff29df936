/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_INUSE_H
#define UPOOL_STORE_INUSE_H

/* An upload whose application works on it (run.h), as seen by the code that
 * would take it away: begin, sweep and clear.
 *
 *     clear                          run
 *     makes "cleared"                lets go of the region
 *     looks at the region            looks for "cleared"
 *
 * Whichever comes second finds the other, and purges.  No state; any thread. */

#include "store/directory.h"

/* 1: somebody runs the application of the upload in the open bucket, or that
 * cannot be found out. */
int upool_inuse_is_held(int directory);

/* 1: it was cleared meanwhile, so readers find nothing. */
int upool_inuse_is_cleared(int directory);

/* Marks it as cleared.  The system's error. */
apr_status_t upool_inuse_clear(int directory);

#endif
