/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_FILERECORD_H
#define UPOOL_UPLOAD_FILERECORD_H

/* What the record of an upload says of a file that its handlers have kept, in
 * one request or in several.  No state; any thread. */

#include "store/record.h"
#include "upload_pool_handler.h"

/* Sets in *done where the file is, how long, and what handlers have found out;
 * what the client said of it is the caller's.  In file's pool. */
void upool_filerecord_kept(upool_file *done, const upload_pool_file *file,
                           const upload_pool_kept *kept);

#endif
