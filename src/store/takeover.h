/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_TAKEOVER_H
#define UPOOL_STORE_TAKEOVER_H

/* How a newer request stops an older one that still writes the bytes it wants:
 * by a file "yield" in the bucket, which reaches a writer on any node.  The
 * file holds the first of the bytes asked for and the first behind them, in the
 * machine's byte order; a content that is not a range means all bytes.
 *
 *    newcomer                                writer
 *    finds the region held, writes yield
 *    tries again, and again …                sees it, lets go of the region
 *    has the region, removes yield
 *
 * A file left behind by a newcomer that died stops at most one writer: a
 * process that gets a region removes the file.  No state; any thread. */

#include "store/ranges.h"

/* Between two tries, in microseconds. */
#define UPOOL_TAKEOVER_PAUSE 10000

/* Asks for region.  An error means that no writer will see the request. */
apr_status_t upool_takeover_ask(int directory, const upool_range *region);

/* Does somebody ask for a part of region?  1, 0. */
int upool_takeover_is_asked(int directory, const upool_range *region);

/* Nobody asks any more. */
void upool_takeover_withdraw(int directory);

#endif
