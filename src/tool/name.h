/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_TOOL_NAME_H
#define UPOOL_TOOL_NAME_H

/* Names: of uploads, as someone copied them from a log or a URL, and of files,
 * which may be any bytes.  No state. */

#include <apr_pools.h>
#include <jansson.h>

/* The bare identifier that text is or begins with (ID:SIGNATURE), in p.  NULL:
 * none, and a message was written.  The signature is not checked: a user who
 * may read the pool needs no key. */
const char *upool_name_of(const char *text, apr_pool_t *p);

/* name as a JSON text, with U+FFFD for bytes that are not UTF-8; null for
 * NULL. */
json_t *upool_name_json_or_null(const char *name, apr_pool_t *p);

#endif
