/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PROGRESS_WIRE_H
#define UPOOL_PROGRESS_WIRE_H

/* The form in which the machines of a farm hand a record to each other through
 * a cache.  Others may write to that cache too, so what comes out of it is
 * believed only if it has exactly this form, and nothing in it is used as a
 * path, a key or a field:
 *
 *     "UPP1" | state | size | received | created | updated | 4 x text
 *      4 B     1 B     8 B    8 B        8 B       8 B
 *
 *     text   length, 2 B | as many bytes: owner, filename, type, error
 *
 * Numbers are big-endian; a size of all ones is unknown.  The identifier is not
 * in it: the reader knows it, and the cache has only its hash.  A version of
 * the module that writes another form uses other first bytes, which this
 * version does not know.  Pure functions, any thread. */

#include <apr.h>
#include "progress/table.h"

/* The longest possible one. */
#define UPOOL_WIRE_MAX \
    (4 + 1 + 4 * 8 + 4 * 2 + UPOOL_SLOT_OWNER + UPOOL_SLOT_FILENAME \
     + UPOOL_SLOT_TYPE + UPOOL_SLOT_ERROR)

/* Writes record, except identifier and process, into out; returns its length,
 * or 0 where a text is not UTF-8, which could not be read again. */
apr_size_t upool_wire_write(unsigned char out[UPOOL_WIRE_MAX],
                            const upool_slot_record *record);

/* Reads it: 1 and the record, with no identifier and process 0; 0: this is not
 * such a record. */
int upool_wire_read(const unsigned char *in, apr_size_t len,
                    upool_slot_record *record);

#endif
