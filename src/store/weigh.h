/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_WEIGH_H
#define UPOOL_STORE_WEIGH_H

/* Brings entries of an open ledger in line with what lies in the pool; for
 * quota.c alone.  Changes nothing in the buckets.  A bucket's lock is asked
 * for a moment where a reservation stands in its entry. */

#include <apr_hash.h>

#include "store/ledger.h"

/* Entry n, in memory.  1: it has changed, or may have been changed by the
 * caller before. */
int upool_weigh_one(upool_ledger *ledger, int n);

/* Entry n, in memory, as if the upload that is on its way held nothing yet. */
void upool_weigh_rest(upool_ledger *ledger, int n);

/* Entry n, on the disk too where that changes it or mends it.  The system's
 * error: it cannot be written. */
apr_status_t upool_weigh_entry(upool_ledger *ledger, int n);

/* The buckets whose identifiers are the keys of ids and that have no entry: new
 * ones for them, on the disk too.  Keys that have one are taken out of ids.
 * The system's error: the ledger cannot be written. */
apr_status_t upool_weigh_new(upool_ledger *ledger, apr_hash_t *ids);

/* All entries and all buckets, on the disk too; the header tells when.  The
 * system's error: the pool cannot be read or the ledger not be written. */
apr_status_t upool_weigh_all(upool_ledger *ledger);

#endif
