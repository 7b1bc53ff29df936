/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_LEDGER_H
#define UPOOL_STORE_LEDGER_H

/* What every upload of a pool weighs, and the sums of all uploads and of each
 * owner's, in one small file of the pool that all processes share (its layout:
 * row.h); for the quota's own files alone.
 *
 * An upload's requests take the same few reads and writes at known places and
 * no memory, whether the pool holds ten uploads or a million: the total sums
 * are in the header, each owner's sums in a row for that owner, and rows are
 * found by hash.
 *
 * Rows are the truth, sums follow.  Before rows are changed the header is
 * marked; the mark is cleared in the same write that brings the new sums.  A
 * process killed in between leaves the mark, and the next one to open the file
 * adds everything up anew (rebuild.h).  The same happens on meeting a damaged
 * row or a file of an older layout.  Damage by a power cut is found by the next
 * count, which adds rows up while it goes over them.  The file is only a cache
 * of what lies in the pool, except for the reservations of uploads that are
 * under way.
 *
 * An open ledger is held under flock(), and opening one waits for that lock:
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
 * something else has its name; there is nothing to close then. */
apr_status_t upool_ledger_open(upool_ledger *ledger, upool_store *store,
                               int make);

/* The sums of the pool whose directory this is, read without its ledger's lock,
 * so they may be a moment old.  APR_ENOENT: it has none; APR_EGENERAL: damaged;
 * else the system's error. */
apr_status_t upool_ledger_glance(upool_row_sums *sums, int directory);

/* Lets go of lock and descriptor. */
void upool_ledger_close(upool_ledger *ledger);

/* The header: sums, and when all was counted.  Only counted, cost, tried and
 * next_token may be changed; save writes them. */
upool_row_header *upool_ledger_header(upool_ledger *ledger);
apr_status_t upool_ledger_save(upool_ledger *ledger);

/* Finds the row of upload id, *n its number.  Where there is none, gives a row
 * named id that is otherwise empty, and *n = UPOOL_ROW_NONE.  hint: the number
 * that it had, or UPOOL_ROW_NONE.  Returns the system's error. */
apr_status_t upool_ledger_find(upool_ledger *ledger, const char *id, int hint,
                               upool_row *row, int *n);

/* Reads row n, whatever it is.  Returns the system's error, or APR_EGENERAL:
 * damaged. */
apr_status_t upool_ledger_read(const upool_ledger *ledger, int n,
                               upool_row *row);

/* APR_EGENERAL: row n, an upload's or an owner's, cannot be found, because its
 * chain does not lead to it. */
apr_status_t upool_ledger_check(const upool_ledger *ledger, int n,
                                const upool_row *row);

/* The sums of the uploads of row's owner: sets stored and reserved of *sums. */
apr_status_t upool_ledger_of_owner(upool_ledger *ledger, const upool_row *row,
                                   upool_row_sums *sums);

/* Writes what row says of its upload into row *n or, with UPOOL_ROW_NONE, into
 * a new row (then sets *n).  An upload that neither weighs nor reserves
 * anything loses its row.  Returns the system's error, such as ENOSPC where the
 * file had to grow. */
apr_status_t upool_ledger_put(upool_ledger *ledger, const upool_row *row,
                              int *n);

/* An empty row for upload id. */
void upool_ledger_name(upool_row *row, const char *id);

/* Hash of an owner's text into owner; NULL: nobody. */
void upool_ledger_hash_owner(unsigned char *owner, const char *text);

/* Adds all rows up anew and packs them, so their numbers change. */
apr_status_t upool_ledger_rebuild(upool_ledger *ledger);

/* --- A count's own sums ----------------------------------------------------
 *
 * A count goes from row 0 to the last, a few at a time, and closes the ledger
 * in between; a change of a row that it has passed changes its sums too. */

/* Begins a count at row 0.  Returns the count's number, which is the header's
 * until another count begins. */
apr_uint32_t upool_ledger_begin_sums(upool_ledger *ledger);

/* Adds row n, which is the header's cursor, to the count. */
void upool_ledger_add_to_sums(upool_ledger *ledger, const upool_row *row);

/* 1 when all rows are counted, and the sums equal those of the header. */
int upool_ledger_are_sums_right(const upool_ledger *ledger);

#endif
