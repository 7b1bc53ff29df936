/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PROGRESS_HASH_H
#define UPOOL_PROGRESS_HASH_H

/* Where an identifier lives in the table.  Without keys the clients choose
 * the identifiers, and one who could predict the hash could crowd a window of
 * the table with uploads of his own and leave others without progress.  So it
 * is SipHash-2-4 (Aumasson and Bernstein, 2012) under a secret drawn with the
 * table.  Pure functions, any thread. */

#include <apr.h>

/* The hash of len bytes under key (two words, as read little-endian). */
apr_uint64_t upool_hash(const apr_uint64_t key[2], const void *data,
                        apr_size_t len);

#endif
