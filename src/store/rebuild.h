/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_REBUILD_H
#define UPOOL_STORE_REBUILD_H

/* Makes the ledger's file anew from those of its rows that are sound: of one
 * whose writer was killed, one that was damaged, one of the older layout.  Rows
 * are packed, sums added up, chains made.  What was not sound is gone, and the
 * header then says that nothing was counted; so it does where there was none
 * that could be believed.
 *
 * The older layout (1) had a header of 128 bytes, and rows like those of today
 * without links.
 *
 * Takes memory and time that grow with the file: 128 MiB and half a second for
 * a million rows. */

#include "store/row.h"

/* Layout 2; as a number of the machine it tells a foreign byte order too. */
#define UPOOL_REBUILD_MARK APR_UINT64_C(0x32746f7571706c75)

/* file->fd is open and locked, and the rest set here.  The system's error;
 * APR_ENOMEM. */
apr_status_t upool_rebuild(upool_row_file *file);

#endif
