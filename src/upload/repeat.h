/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_REPEAT_H
#define UPOOL_UPLOAD_REPEAT_H

/* A request that brings a whole file again, because an answer got lost, is
 * recognised by what it says of the file.  Its bytes are counted while they
 * pass, and compared where a digest of the file is on record: a file that was
 * changed but kept its name must not be answered as if it had been stored, nor
 * one of which only a part came.
 *
 * One thread at a time. */

#include "store/record.h"

typedef struct upool_repeat upool_repeat;

/* For the only file of record, in p; NULL: there are none, or several. */
upool_repeat *upool_repeat_make(const upool_record *record, apr_pool_t *p);

/* For a part of the file: length bytes, whichever. */
upool_repeat *upool_repeat_of_length(apr_off_t length, apr_pool_t *p);

/* Bytes of it, in order.  0; or 1 when there are more than the file has. */
int upool_repeat_data(upool_repeat *repeat, const char *data, apr_size_t len);

/* After the last byte: 1 when they are as many as the file has and, as far as a
 * digest tells, the same; 0: they are not, or that can no longer be told. */
int upool_repeat_is_same(upool_repeat *repeat);

#endif
