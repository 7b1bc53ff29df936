/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_UNREAD_H
#define UPOOL_STORE_UNREAD_H

/* Has anybody read the files of a complete upload since it was prepared?  A
 * file's access time tells, if the file system keeps it.  Whether it does is
 * tried out, since there are many reasons why it may not (noatime, relatime,
 * network file systems).  No state; any thread. */

#include "store/record.h"
#include "store/store.h"

/* Makes later reads of the files visible: sets their access times to before
 * their content was written, so that every file system that keeps access times
 * sets them at the next read. */
void upool_unread_prepare(upool_store *store, const upool_record *record,
                          apr_pool_t *p);

/* 1 when every file is where it was and nobody has read one since prepare(); 0
 * also where that cannot be found out.  It reads one file to see whether that
 * shows, so later calls return 0. */
int upool_unread_still(upool_store *store, const upool_record *record,
                       apr_pool_t *p);

#endif
