/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_SIBLINGS_H
#define UPOOL_STORE_SIBLINGS_H

/* Parts of a concatenation that a sweep has met.  A whole part waits for
 * siblings that still come or have come lately.  Nothing links parts until the
 * final upload names them, so siblings are the parts of one owner and one URL
 * that were created within a minute or two of each other, as clients make them.
 *
 * A whole part that has expired is put off until all of the pool was seen, and
 * then goes unless a sibling keeps it.  No request sees all of the pool, so for
 * requests a whole part never expires: it is there until a sweep removes it.
 * Both lists are bounded; a part that does not fit is judged without the other
 * list.  For one sweep and one thread. */

#include "store/resumable.h"

typedef struct upool_siblings upool_siblings;

/* Empty, in p. */
upool_siblings *upool_siblings_make(apr_pool_t *p);

/* Adds a part that has not expired: it keeps its siblings. */
void upool_siblings_add(upool_siblings *siblings, const upool_resumable *about);

/* Puts off a whole part that has expired: 1, and its turn comes; 0: there is no
 * room for it. */
int upool_siblings_put_off(upool_siblings *siblings,
                           const upool_resumable *about);

/* The identifier of the next one that was put off and that no sibling keeps;
 * NULL: there is none left. */
const char *upool_siblings_next(upool_siblings *siblings);

#endif
