/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_DROP_H
#define UPOOL_UPLOAD_DROP_H

/* A sink that keeps nothing: for a request that should bring no bytes, and for
 * one that brings again what is stored, because it wants the answer. */

#include "upload/repeat.h"
#include "upload/sink.h"

/* Makes it, in p.  reason refuses the first byte; NONE: bytes may come.  repeat
 * says what they have to equal (else OTHER_CONTENT, at the end, or where more
 * come than the file has); NULL: any. */
void upool_drop_sink(upool_sink *sink, upool_reason reason,
                     upool_repeat *repeat, apr_pool_t *p);

/* 1 when sink is one of these. */
int upool_drop_is(const upool_sink *sink);

#endif
