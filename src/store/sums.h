/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_SUMS_H
#define UPOOL_STORE_SUMS_H

/* The sums of the ledger's rows, kept beside them: those of all rows in the
 * header, an owner's in the owner's row.  For ledger.c and rebuild.c alone,
 * which write the header.  The lock is the ledger's. */

#include "store/row.h"

/* Row n changes from before to after.  Changes the header in memory: its sums,
 * and those of a count that has passed row n. */
void upool_sums_change(upool_row_file *file, int n, const upool_row *before,
                       const upool_row *after);

/* Adds stored and reserved to the row of row's owner, if row has an owner.
 * That row is made if needed, and goes when nothing is left.  Returns the
 * system's error; APR_EGENERAL: a row is damaged. */
apr_status_t upool_sums_turn_owner(upool_row_file *file, const upool_row *row,
                                   apr_int64_t stored, apr_int64_t reserved);

/* Reads the two sums from that row, 0 and 0 where there is none.  As above. */
apr_status_t upool_sums_of_owner(const upool_row_file *file,
                                 const upool_row *row, apr_int64_t *stored,
                                 apr_int64_t *reserved);

/* A count adds row, the one at its cursor, to its own sums. */
void upool_sums_pass(upool_row_file *file, const upool_row *row);

/* 1 when a count that has passed all rows found the header's sums, and for each
 * owner the sums in the owner's row. */
int upool_sums_are_right(const upool_row_file *file);

#endif
