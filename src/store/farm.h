/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_FARM_H
#define UPOOL_STORE_FARM_H

/* Checks whether the locks of servers that share a pool keep each other out.
 * One machine cannot see that a file system grants every lock to everybody; two
 * machines can:
 *
 *   POOL/.farm/RANDOM.lock   one for each server, which holds its locks
 *                            (flock() and fcntl()) for as long as it lives, and
 *                            writes a number into it that grows at each round
 *   POOL/.farm/unsafe        why nobody may write to the pool
 *
 *     peer's lock is busy                  as it should be
 *     it is ours, its number stands still  that server is dead: its file goes
 *     it is ours, and its number grows     the file system lies: unsafe
 *
 * All servers obey what one of them finds.  "unsafe" is renewed whenever a
 * round finds the pool unsafe, and goes when no round has done so for a while.
 * A server that sees it makes its own lock file anew, since it may have lost
 * its locks (while the network was away) without knowing.
 *
 * None of this is done on a local file system. */

#include "store/store.h"

/* A server in a pool; one thread at a time. */
typedef struct upool_farm upool_farm;

typedef enum upool_farm_state {
    UPOOL_FARM_ALONE = 0, /* local, or too early to tell */
    UPOOL_FARM_SAFE,
    UPOOL_FARM_UNSAFE, /* nobody may write */
    UPOOL_FARM_FAILED  /* it cannot be tried */
} upool_farm_state;

/* Between two rounds. */
#define UPOOL_FARM_PAUSE apr_time_from_sec(2)

/* It lives in p, and its locks go with p. */
upool_farm *upool_farm_make(apr_pool_t *p);

/* One round in the pool, which is opened anew for each: a mount may have come
 * in between.  *why, for UNSAFE and FAILED: a text that lives until the next
 * round; *rv: the error of FAILED. */
upool_farm_state upool_farm_round(upool_farm *farm, const upool_store *store,
                                  const char **why, apr_status_t *rv);

/* The reason why nothing may be written, in p; NULL: writing is allowed.  To be
 * asked before writing begins; costs one call on a local file system. */
const char *upool_farm_unsafe(const upool_store *store, apr_pool_t *p);

/* The same without the text, for a writer that checks again. */
int upool_farm_is_unsafe(const upool_store *store);

/* Tries the file system of the pool alone, as upool_filesystem_try(). */
const char *upool_farm_try(const upool_store *store, apr_status_t *rv,
                           apr_pool_t *p);

#endif
