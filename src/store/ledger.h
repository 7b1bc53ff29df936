/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_LEDGER_H
#define UPOOL_STORE_LEDGER_H

/* What every upload of a pool weighs, and what they and each owner's come to,
 * in one small file of the pool that all processes share (its layout: row.h);
 * for the quota's own files alone.
 *
 * What an upload asks of it takes the same few reads and writes by place and no
 * memory, whether the pool holds ten uploads or a million: the sums stand in
 * the header, an owner's in a row of his own, and rows are found by hash.
 *
 * Rows are the truth, sums follow.  Before rows are changed the header says so,
 * and afterwards, in the same write that brings the new sums, that all is well
 * again.  Somebody killed in between leaves the first, and who opens next adds
 * everything up anew (rebuild.h).  So does who meets a damaged row, or a file
 * of an older layout.  What a power cut made of it is found by the next count,
 * which adds rows up while it goes over them.  The file is nothing but a cache
 * of what lies in the pool, apart from the reservations of uploads that are
 * under way at this moment.
 *
 * An open ledger is held under flock(), and whoever opens one waits for it:
 * nothing that can wait for a client may be done before it is closed.  Plain
 * data of the caller; one thread at a time per open ledger. */

#include "store/row.h"
#include "store/store.h"

typedef struct upool_ledger {
    upool_store *store;
    upool_row_file file;
} upool_ledger;

/* Opens the pool's ledger and takes its lock.  make: 1 to make it where there
 * is none (else APR_ENOENT).  Else the system's error, APR_EACCES where
 * something else bears its name; there is nothing to close then. */
apr_status_t upool_ledger_open(upool_ledger *ledger, upool_store *store,
                               int make);

/* The sums of the pool that directory is, past the lock of its ledger: as they
 * were a moment ago.  APR_ENOENT: it has none; APR_EGENERAL: damaged; else the
 * system's error. */
apr_status_t upool_ledger_glance(upool_row_sums *sums, int directory);

/* Lets go of lock and descriptor. */
void upool_ledger_close(upool_ledger *ledger);

/* The header: sums, and when all was counted.  Only counted, cost, tried and
 * next_token may be changed; save writes them. */
upool_row_header *upool_ledger_header(upool_ledger *ledger);
apr_status_t upool_ledger_save(upool_ledger *ledger);

/* The row of upload id, *n its number; a row named id that is empty otherwise
 * and n = UPOOL_ROW_NONE where there is none.  hint: the number that it had, or
 * UPOOL_ROW_NONE.  The system's error. */
apr_status_t upool_ledger_find(upool_ledger *ledger, const char *id, int hint,
                               upool_row *row, int *n);

/* Row n, whatever it is.  The system's error, APR_EGENERAL: damaged. */
apr_status_t upool_ledger_read(const upool_ledger *ledger, int n,
                               upool_row *row);

/* APR_EGENERAL: row n, an upload's or an owner's, is found by nobody, for its
 * chain does not lead to it. */
apr_status_t upool_ledger_check(const upool_ledger *ledger, int n,
                                const upool_row *row);

/* What the uploads of row's owner come to: the stored and reserved of *sums. */
apr_status_t upool_ledger_of_owner(upool_ledger *ledger, const upool_row *row,
                                   upool_row_sums *sums);

/* Writes what row says of its upload, which has row *n or, with UPOOL_ROW_NONE,
 * a new one (*n is set then).  One that neither weighs nor reserves anything
 * loses its row.  The system's error: ENOSPC where the file had to grow. */
apr_status_t upool_ledger_put(upool_ledger *ledger, const upool_row *row,
                              int *n);

/* An empty row for upload id. */
void upool_ledger_name(upool_row *row, const char *id);

/* Hash of an owner's text into owner; NULL: nobody. */
void upool_ledger_hash_owner(unsigned char *owner, const char *text);

/* All rows are added up anew and packed: numbers change. */
apr_status_t upool_ledger_rebuild(upool_ledger *ledger);

/* --- A count's own sums ----------------------------------------------------
 *
 * It goes from row 0 to the last, a few at a time, and lets the ledger go in
 * between; who changes a row that it has passed changes its sums too. */

/* From row 0.  Returns the count's number: the header's, until another count
 * begins. */
apr_uint32_t upool_ledger_begin_sums(upool_ledger *ledger);

/* Takes row n = header's cursor in. */
void upool_ledger_add_to_sums(upool_ledger *ledger, const upool_row *row);

/* 1 when all rows are in, and the sums are those of the header. */
int upool_ledger_are_sums_right(const upool_ledger *ledger);

#endif
