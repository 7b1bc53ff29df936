/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_CHOICE_H
#define UPOOL_UPLOAD_CHOICE_H

/* A form whose fields alone tell whether it is a whole upload or a piece of
 * one.  The body is held back until the first file begins, or it ends without
 * one, or more fields have come than any client of chunks sends; then a
 * callback chooses where it goes, and all of it goes there as if it had never
 * been held back.  Until then an upload may wait for the choice: it is told
 * that the client lives, or why the request ended.
 *
 * One thread at a time.  Lives in the pool of make. */

#include "upload/fields.h"
#include "upload/limits.h"
#include "upload/sink.h"

/* How much is held back at most, apart from what one feed brings. */
#define UPOOL_CHOICE_MAX ((apr_size_t)32768)

typedef struct upool_choice upool_choice;

/* Chooses by the fields before the first file (of upool_field), as far as the
 * body can be read.  Sets *inner; 0, or 1 with *refusal set. */
typedef int upool_choice_pick(void *user, const apr_array_header_t *fields,
                              upool_sink *inner, upool_refusal *refusal);

/* boundary: UPOOL_BOUNDARY_MAX bytes at most.  waiting: the sink of the upload
 * that waits; NULL: none. */
upool_choice *upool_choice_make(const char *boundary, apr_size_t boundary_len,
                                const upool_limits *limits,
                                const upool_sink *waiting,
                                upool_choice_pick *pick, void *user,
                                apr_pool_t *p);

/* Where the body goes. */
upool_sink upool_choice_sink(upool_choice *choice);

#endif
