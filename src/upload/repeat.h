/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_REPEAT_H
#define UPOOL_UPLOAD_REPEAT_H

/* A request that brings a whole file again, because an answer got lost, is
 * recognised by what it says of the file.  Where a digest of the file is on
 * record, its bytes are compared too while they pass: a file that was changed
 * but kept its name and length must not be answered as if it had been stored.
 *
 * One thread at a time. */

#include "store/record.h"

typedef struct upool_repeat upool_repeat;

/* For the only file of record, in p; NULL: there is no digest to compare
 * with. */
upool_repeat *upool_repeat_make(const upool_record *record, apr_pool_t *p);

/* Bytes of it, in order. */
void upool_repeat_data(upool_repeat *repeat, const char *data, apr_size_t len);

/* After the last byte: 1 when they are the bytes of the file; 0: they are not,
 * or that can no longer be told. */
int upool_repeat_is_same(upool_repeat *repeat);

#endif
