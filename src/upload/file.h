/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_FILE_H
#define UPOOL_UPLOAD_FILE_H

/* What is known of one file (upool_file, store/record.h), in one request and in
 * several:
 *
 *     of_part, of_head ──> what its client says
 *     make_safe        ──> and the name that is safe to use
 *     show             ──> as its handlers and rules see it
 *     keep             ──> what they have made of it, and where it is now
 *
 * No state; any thread. */

#include "parse/part.h"
#include "store/record.h"
#include "upload_pool_handler.h"

/* What the head of a part says, copied to p; number: of the part in its form,
 * from 0.  No safe name yet. */
upool_file upool_file_of_part(const upool_part *part, int number,
                              apr_pool_t *p);

/* What the head of a request says, copied to p as valid UTF-8.  NULL: it does
 * not say that; the field stays NULL then.  No safe name yet. */
upool_file upool_file_of_head(const char *field, const char *filename,
                              const char *type, apr_pool_t *p);

/* Set what came later, or another way, copied to p as valid UTF-8.  NULL: none.
 * type: a header's value; one that does not parse as a part's counts as
 * none. */
void upool_file_set_name(upool_file *file, const char *filename, apr_pool_t *p);
void upool_file_set_type(upool_file *file, const char *type, apr_pool_t *p);

/* Sets the safe name by the filename.  utf8_names: it keeps every script. */
void upool_file_make_safe(upool_file *file, int utf8_names, apr_pool_t *p);

/* The file as handlers and rules see it, in p; length: in bytes, as far as the
 * client has said, -1 unknown.  Shares the texts of *file. */
upload_pool_file *upool_file_show(const upool_file *file, apr_off_t length,
                                  apr_pool_t *p);

/* Brings *file up to what its handlers have made of it: names and types that
 * they have changed, where they have put it, its size and digests.  The
 * client's spelling of what they have changed is forgotten.  Uses shown's
 * pool. */
void upool_file_keep(upool_file *file, const upload_pool_file *shown,
                     const upload_pool_kept *kept);

#endif
