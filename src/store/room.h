/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_ROOM_H
#define UPOOL_STORE_ROOM_H

/* Room where there seems to be none: what has expired goes, and the rest is
 * counted anew, bucket by bucket, while others go on.  For the quota alone.
 *
 * So that a full pool does not keep the disk busy, this takes a ninth of the
 * time at most: the ledger's header knows when it was tried last, and what that
 * has cost.  No state; any thread, with no ledger open. */

#include "store/ledger.h"

/* 1: it may be tried again.  Who does says so in the header. */
int upool_room_may(const upool_row_header *header);

/* Makes room in a pool; what nobody has touched for so long has expired, 0:
 * nothing has.  Returns what it has cost.  p: for a moment's work. */
apr_interval_time_t upool_room_make(upool_store *store,
                                    apr_interval_time_t expires, apr_pool_t *p);

/* The same in every pool below root but the pool own, where it may be tried. */
void upool_room_make_below(const char *root, const upool_store *own,
                           apr_pool_t *p);

#endif
