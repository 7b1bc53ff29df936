/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_UNREAD_H
#define UPOOL_STORE_UNREAD_H

/* Has anybody looked at the files of a complete upload since?  A file's time of
 * access tells, where the file system keeps it; whether it does is tried, for
 * there are many ways to have it not (noatime, relatime, network file systems).
 * No state; any thread. */

#include "store/record.h"
#include "store/store.h"

/* From now on it shows when a file is read: their times of access become older
 * than their content, which every file system that keeps them takes for a
 * reason to set them. */
void upool_unread_prepare(upool_store *store, const upool_record *record,
                          apr_pool_t *p);

/* 1 when every file is where it was and nobody has read any since prepare(); 0
 * also where nobody can tell.  Reads one to see whether that shows, so it is 0
 * from then on. */
int upool_unread_still(upool_store *store, const upool_record *record,
                       apr_pool_t *p);

#endif
