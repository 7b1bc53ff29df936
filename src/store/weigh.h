/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_WEIGH_H
#define UPOOL_STORE_WEIGH_H

/* Brings rows of the ledger in line with what lies in the pool; for the quota's
 * own files alone.  Changes nothing in the buckets.  Where a row has a
 * reservation, its bucket's lock is taken for a moment.
 *
 * p is for documents read on the way.  No state; any thread. */

#include "store/ledger.h"

/* Sets in row what its upload weighs now, and removes a reservation whose
 * holder is gone.  1; 0: the upload cannot be looked at, and row is
 * unchanged. */
int upool_weigh(upool_row *row, upool_store *store, apr_pool_t *p);

/* The same as if the upload that is on its way held nothing yet. */
void upool_weigh_rest(upool_row *row, upool_store *store, apr_pool_t *p);

/* Weighs the bucket of id, which is there or was, and puts its row into the
 * ledger, or removes it.  *n is the row's number.  Returns the system's error
 * where the ledger cannot be written. */
apr_status_t upool_weigh_bucket(upool_ledger *ledger, const char *id, int *n,
                                apr_pool_t *p);

/* Weighs all rows and all buckets, and writes the time into the header.
 * Returns the system's error where the pool cannot be read or the ledger not be
 * written. */
apr_status_t upool_weigh_all(upool_ledger *ledger, apr_pool_t *p);

#endif
