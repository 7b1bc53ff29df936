/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_TAKEOVER_H
#define UPOOL_STORE_TAKEOVER_H

/* How a newer request makes an older one stop that still writes the bytes it
 * wants: by a file "yield" in the bucket, so that it reaches a writer on any
 * node.  In it stand the first of the bytes asked for and the first behind
 * them, in the machine's byte order; a text that is no range means all.
 *
 *    newcomer                                writer
 *    finds the region held, writes yield
 *    tries again, and again …                sees it, lets go of the region
 *    has the region, removes yield
 *
 * One left behind by a newcomer that died makes one writer stop, or none: who
 * gets a region removes it.  No state; any thread. */

#include "store/ranges.h"

/* Between two tries, in microseconds. */
#define UPOOL_TAKEOVER_PAUSE 10000

/* Asks for region.  An error means that nobody will be asked. */
apr_status_t upool_takeover_ask(int directory, const upool_range *region);

/* Does somebody ask for a part of region?  1, 0. */
int upool_takeover_is_asked(int directory, const upool_range *region);

/* Nobody asks any more. */
void upool_takeover_withdraw(int directory);

#endif
