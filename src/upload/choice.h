/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_CHOICE_H
#define UPOOL_UPLOAD_CHOICE_H

/* A form of which its fields alone tell whether it is a whole upload or a piece
 * of one.  The body is held back until the first file begins, or there is none,
 * or more fields have come than any client of chunks sends; then somebody
 * chooses where it goes, and all of it goes there as if nothing had been.
 * Until then an upload may wait for the choice: it hears that the client lives,
 * or why it does not.
 *
 * One thread at a time.  Lives in the pool of make. */

#include "upload/fields.h"
#include "upload/limits.h"
#include "upload/sink.h"

/* So much is held back at most, and what one feed brings. */
#define UPOOL_CHOICE_MAX ((apr_size_t)32768)

typedef struct upool_choice upool_choice;

/* The fields before the first file (of upool_field), as far as the body can be
 * read.  Sets *inner; 0, or 1 with *refusal set. */
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
