/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_WEIGH_H
#define UPOOL_STORE_WEIGH_H

/* Brings rows of the ledger in line with what lies in the pool; for the quota's
 * own files alone.  Changes nothing in the buckets.  A bucket's lock is asked
 * for a moment where a reservation stands in its row.
 *
 * p is for what is read on the way.  No state; any thread. */

#include "store/ledger.h"

/* What row's upload weighs now; a reservation whose holder is gone goes too.
 * 1; 0: it cannot be looked at, and row is as it was. */
int upool_weigh(upool_row *row, upool_store *store, apr_pool_t *p);

/* The same as if the upload that is on its way held nothing yet. */
void upool_weigh_rest(upool_row *row, upool_store *store, apr_pool_t *p);

/* The bucket of id is there, or was: weighed, its row is in the ledger, or out
 * of it.  *n its number.  The system's error: the ledger cannot be written. */
apr_status_t upool_weigh_bucket(upool_ledger *ledger, const char *id, int *n,
                                apr_pool_t *p);

/* All rows and all buckets; the header tells when.  The system's error: the
 * pool cannot be read or the ledger not be written. */
apr_status_t upool_weigh_all(upool_ledger *ledger, apr_pool_t *p);

#endif
