/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_IDENT_KEYFILE_H
#define UPOOL_IDENT_KEYFILE_H

/* Secrets from the file that UploadKeyFile names, one a line.  Blanks around a
 * secret, empty lines and lines that begin with '#' are passed over; a line
 * holds 1024 bytes at most.
 *
 * The secrets pass through a buffer in here, which is wiped.  A buffer of the
 * caller's apr_file_t is not wiped, so open the file unbuffered where that
 * matters.  No state; any thread. */

#include <apr_file_io.h>

#include "ident/keys.h"

/* Adds all secrets in the rest of file; the caller closes it.  Returns NULL, or
 * a static error text to be put behind the name of whatever named the file;
 * some secrets may have been added even then.  *shortest: bytes of the shortest
 * secret that was added, 0 where none was. */
const char *upool_keyfile_read(upool_keys *keys, apr_file_t *file,
                               apr_size_t *shortest);

/* The result of upool_keys_add() as such a text; NULL for APR_SUCCESS. */
const char *upool_keyfile_reason(apr_status_t rv);

#endif
