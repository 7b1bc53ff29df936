/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PROGRESS_WIRE_H
#define UPOOL_PROGRESS_WIRE_H

/* A record as the machines of a farm hand it to each other through a cache.
 * Others may write to that cache too, so what comes out of it is believed only
 * if it is exactly this, and nothing of it is a path, a key or a field:
 *
 *     "UPP1" | state | size | received | created | updated | 4 x text
 *      4 B     1 B     8 B    8 B        8 B       8 B
 *
 *     text   length, 2 B | as many bytes: owner, filename, type, error
 *
 * Numbers are big-endian; a size of all ones is unknown.  The identifier is
 * not in it: who asks knows it, and the cache has its hash alone.  Another
 * version of the module that writes another form has other first bytes, which
 * this one does not know.  Pure functions, any thread. */

#include <apr.h>
#include "progress/table.h"

/* The longest there can be. */
#define UPOOL_WIRE_MAX \
    (4 + 1 + 4 * 8 + 4 * 2 + UPOOL_SLOT_OWNER + UPOOL_SLOT_FILENAME \
     + UPOOL_SLOT_TYPE + UPOOL_SLOT_ERROR)

/* Writes record (identifier and process aside) into out; its length.  Texts
 * that are not UTF-8 would not be read again: the length is 0 then. */
apr_size_t upool_wire_write(unsigned char out[UPOOL_WIRE_MAX],
                            const upool_slot_record *record);

/* Reads it: 1 and the record, with no identifier and process 0; 0: this is
 * none, in whatever way. */
int upool_wire_read(const unsigned char *in, apr_size_t len,
                    upool_slot_record *record);

#endif
