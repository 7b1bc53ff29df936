/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_ROOM_H
#define UPOOL_STORE_ROOM_H

/* Makes room in a pool that seems full: removes what has expired and counts the
 * rest anew, bucket by bucket, while others go on.  For the quota alone.
 *
 * This takes a ninth of the time at most, so that a full pool does not keep the
 * disk busy: the ledger's header knows when it was tried last, and how long
 * that took.  No state; any thread, with no ledger open. */

#include "store/ledger.h"

/* 1: it may be tried again; the caller who tries says so in the header. */
int upool_room_may(const upool_row_header *header);

/* Makes room in a pool.  expires: uploads that nobody has touched for so long
 * have expired; 0: none has.  Returns the time it took.  p: for a moment's
 * work. */
apr_interval_time_t upool_room_make(upool_store *store,
                                    apr_interval_time_t expires, apr_pool_t *p);

/* The same in every pool below root but own, if it may be tried there. */
void upool_room_make_below(const char *root, const upool_store *own,
                           apr_pool_t *p);

#endif
