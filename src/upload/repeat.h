/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_REPEAT_H
#define UPOOL_UPLOAD_REPEAT_H

/* A request that brings a whole file again, for an answer that got lost, is
 * known by what it says of the file.  Where a digest of the file is on record
 * its bytes are compared too, while they pass: a file that was changed and kept
 * its name and length must not be answered for as if it had been taken.
 *
 * One thread at a time. */

#include "store/record.h"

typedef struct upool_repeat upool_repeat;

/* For the one file of record, in p; NULL: nothing is known to compare with. */
upool_repeat *upool_repeat_make(const upool_record *record, apr_pool_t *p);

/* Bytes of it, in order. */
void upool_repeat_data(upool_repeat *repeat, const char *data, apr_size_t len);

/* After the last one: 1 when they are those of the file; 0: they are others, or
 * it cannot be told any more. */
int upool_repeat_is_same(upool_repeat *repeat);

#endif
