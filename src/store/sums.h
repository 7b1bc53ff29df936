/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_SUMS_H
#define UPOOL_STORE_SUMS_H

/* What the ledger's rows come to, kept beside them: of all in the header, of
 * an owner in his row.  For ledger.c and rebuild.c alone, which write the
 * header.  The lock is the ledger's. */

#include "store/row.h"

/* Row n says after where it said before.  Changes the header in memory: its
 * sums, and those of a count that has passed row n. */
void upool_sums_change(upool_row_file *file, int n, const upool_row *before,
                       const upool_row *after);

/* The row of row's owner, if it has one, grows by so many bytes: it is added,
 * or goes when nothing is left.  The system's error; APR_EGENERAL: a row is
 * damaged. */
apr_status_t upool_sums_turn_owner(upool_row_file *file, const upool_row *row,
                                   apr_int64_t stored, apr_int64_t reserved);

/* What that row says, 0 and 0 where there is none.  As above. */
apr_status_t upool_sums_of_owner(const upool_row_file *file,
                                 const upool_row *row, apr_int64_t *stored,
                                 apr_int64_t *reserved);

/* A count takes row n, its cursor, into its own sums. */
void upool_sums_pass(upool_row_file *file, const upool_row *row);

/* 1 when a count that has passed all rows found what the header says, and of
 * each owner what his row says. */
int upool_sums_are_right(const upool_row_file *file);

#endif
