/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_IDENT_KEYFILE_H
#define UPOOL_IDENT_KEYFILE_H

/* Secrets from a file, one a line: what UploadKeyFile names.  Blanks around a
 * secret, empty lines and lines that begin with '#' are passed over; a line
 * holds 1024 bytes at most.
 *
 * The secrets pass through a buffer of this room, which is wiped; what an
 * apr_file_t of the caller's buffers is not, so open it unbuffered where that
 * matters.  No state; any thread. */

#include <apr_file_io.h>

#include "ident/keys.h"

/* Adds all secrets that the rest of file holds; closing it is the caller's.
 * NULL, or a static text that goes behind the name of whatever named the
 * file, and then some may have been added.  *shortest: bytes of the shortest
 * secret that was added, 0 where none was. */
const char *upool_keyfile_read(upool_keys *keys, apr_file_t *file,
                               apr_size_t *shortest);

/* What upool_keys_add() has said, as such a text; NULL for APR_SUCCESS. */
const char *upool_keyfile_reason(apr_status_t rv);

#endif
