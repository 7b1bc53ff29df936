/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_REBUILD_H
#define UPOOL_STORE_REBUILD_H

/* Makes the ledger's file anew from its sound rows, after its writer was
 * killed, after damage, or from the older layout.  Rows are packed, sums added
 * up, chains made.  Unsound rows are dropped, and the header then says that
 * nothing was counted; it also says so where the old header could not be
 * believed.
 *
 * The older layout (1) had a header of 128 bytes, and rows like those of today
 * without links.
 *
 * Takes memory and time that grow with the file: 128 MiB and half a second for
 * a million rows. */

#include "store/row.h"

/* Layout 2.  It is a number in the machine's byte order, so it also shows a
 * foreign one. */
#define UPOOL_REBUILD_MARK APR_UINT64_C(0x32746f7571706c75)

/* file->fd must be open and locked; the rest is set here.  Returns the system's
 * error, or APR_ENOMEM. */
apr_status_t upool_rebuild(upool_row_file *file);

#endif
