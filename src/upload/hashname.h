/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_HASHNAME_H
#define UPOOL_UPLOAD_HASHNAME_H

/* An identifier for an upload that clients call by a name of their choice: a
 * hash of everything that makes two uploads the same, so that nobody finds, or
 * chooses, the identifier of another's upload. */

#include <apr_pools.h>

/* Hex digits of SHA-256: just as many as an identifier may have. */
#define UPOOL_HASHNAME_LEN 64

typedef struct upool_hashname_part {
    const char *bytes; /* any */
    apr_size_t len;
} upool_hashname_part;

/* The name of parts, in order: it differs as soon as one part does, and also
 * where the same bytes are split into other parts.  0; -1: no SHA-256, or no
 * memory (name is empty then). */
int upool_hashname_make(char name[UPOOL_HASHNAME_LEN + 1],
                        const upool_hashname_part *parts, int count,
                        apr_pool_t *p);

#endif
