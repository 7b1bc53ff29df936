/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_SIBLINGS_H
#define UPOOL_STORE_SIBLINGS_H

/* Parts of a concatenation that a sweep has met.  A part that is whole waits
 * for those that still come: until the final upload names them nothing links
 * them, so siblings are the parts of one owner and one URL that were created
 * within a minute or two of each other, as clients make them.
 *
 * What is whole and has expired is put off until all of the pool was seen, and
 * then goes unless a sibling is coming.  Both lists are bounded; what does not
 * fit is judged without the other.  One sweep's, one thread. */

#include "store/resumable.h"

typedef struct upool_siblings upool_siblings;

/* Empty, in p. */
upool_siblings *upool_siblings_make(apr_pool_t *p);

/* 1 when about tells of a part of a concatenation. */
int upool_siblings_is_part(const upool_resumable *about);

/* A part that is still coming. */
void upool_siblings_add(upool_siblings *siblings, const upool_resumable *about);

/* A part that is whole and has expired: 1, and its turn comes; 0: there is no
 * room for it. */
int upool_siblings_put_off(upool_siblings *siblings,
                           const upool_resumable *about);

/* The identifier of the next one that was put off and has no sibling on its
 * way; NULL: there is none left. */
const char *upool_siblings_next(upool_siblings *siblings);

#endif
