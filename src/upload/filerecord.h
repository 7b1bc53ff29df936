/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_FILERECORD_H
#define UPOOL_UPLOAD_FILERECORD_H

/* Writes into an upload's record what is known of a file that its handlers have
 * kept, in one request or in several.  No state; any thread. */

#include "store/record.h"
#include "upload_pool_handler.h"

/* Sets in *done where the file is, its length, and what handlers have found
 * out; the caller sets what the client said of it.  Uses file's pool. */
void upool_filerecord_kept(upool_file *done, const upload_pool_file *file,
                           const upload_pool_kept *kept);

#endif
