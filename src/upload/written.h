/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_WRITTEN_H
#define UPOOL_UPLOAD_WRITTEN_H

/* How a part stood in the client's form, so that an application that is handed
 * a rewritten form reads the same from it as from the client's own.  Pure but
 * for p; any thread. */

#include "parse/part.h"
#include "store/record.h"

/* The facts of a part's head that the record does not have already; all in p.
 * number: of the part, from 0. */
upool_written upool_written_of(const upool_part *part, int number,
                               apr_pool_t *p);

/* A name as browsers write it between quotes, in p. */
const char *upool_written_name(const char *name, apr_pool_t *p);

/* A type and its parameters as one header value, in p; NULL for no type. */
const char *upool_written_type(const char *type, const apr_table_t *params,
                               apr_pool_t *p);

#endif
