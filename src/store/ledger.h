/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_LEDGER_H
#define UPOOL_STORE_LEDGER_H

/* What every upload of a pool weighs, in one small file of the pool that all
 * processes share; for quota.c alone.
 *
 *    POOL/.quota      +--------+---------+---------+---------+----
 *                     | header | entry 0 | entry 1 | entry 2 | …
 *                     +--------+---------+---------+---------+----
 *                       128 B    128 B each, in the machine's byte order
 *
 *    header   mark and layout | next token | time and cost of the last count
 *    entry    identifier | hash of the owner | stored | reserved | written |
 *             token | check
 *
 * An entry is written by one pwrite() that crosses no page, so a process killed
 * in the middle of it leaves the old or the new one; a power cut may leave
 * neither, which the check tells, and then the entry reads as free until the
 * next count.  The file is nothing but a cache of what lies in the pool, apart
 * from the reservations of uploads that are under way at this moment.
 *
 * An open ledger is held under flock(), and whoever opens one waits for it:
 * nothing that can wait for a client may be done before it is closed.  One
 * thread at a time per open ledger. */

#include <apr_time.h>

#include "store/store.h"

#define UPOOL_LEDGER_IDENT 64
#define UPOOL_LEDGER_OWNER 20
#define UPOOL_LEDGER_LAST (-1)

typedef struct upool_ledger_entry {
    char identifier[UPOOL_LEDGER_IDENT];     /* padded with NUL; empty: free */
    unsigned char owner[UPOOL_LEDGER_OWNER]; /* all zero: nobody's */
    apr_uint32_t fill;
    apr_int64_t stored;   /* bytes of the complete upload */
    apr_int64_t reserved; /* bytes that the one under way may come to */
    apr_int64_t written;  /* of those, on the disk when last looked at */
    apr_uint64_t token;   /* whose reservation it is; 0: none */
    apr_uint32_t spare;
    apr_uint32_t check;
} upool_ledger_entry;

typedef struct upool_ledger {
    upool_store *store;
    apr_pool_t *pool; /* its own; goes with the close */
    int fd;
    int counted_in_full;         /* the header says that a count was done */
    apr_time_t counted;          /* when the last count ended */
    apr_interval_time_t cost;    /* how long it took */
    apr_uint64_t next_token;     /* never 0 */
    int first;                   /* number of the first that was read */
    apr_array_header_t *entries; /* of upool_ledger_entry, from there on */
    int free_from;               /* no free entry is worth finding before it */
} upool_ledger;

/* Opens the pool's ledger and takes its lock; p: for a sub-pool.  make: 1 to
 * make it where there is none (else APR_ENOENT).  Else the system's error,
 * APR_EACCES where something else bears its name. */
apr_status_t upool_ledger_open(upool_ledger **ledger, upool_store *store,
                               int make, apr_pool_t *p);

/* The same of a part: no more than most entries from number first on, or, where
 * first is UPOOL_LEDGER_LAST, the last of all.  Takes no time that grows with
 * the pool.  Only at, is_sound, write, write_header are for such a one, and
 * trim for one that has the last. */
apr_status_t upool_ledger_open_part(upool_ledger **ledger, upool_store *store,
                                    int first, int most, apr_pool_t *p);

/* Lets go of lock, descriptor and memory. */
void upool_ledger_close(upool_ledger *ledger);

/* Number of the entry of id; -1: none. */
int upool_ledger_find(const upool_ledger *ledger, const char *id);

/* A free entry named id, in memory alone: the number of one that was free, or
 * of a new one behind the last. */
int upool_ledger_add(upool_ledger *ledger, const char *id);

upool_ledger_entry *upool_ledger_at(const upool_ledger *ledger, int n);

/* 0: entry n was read damaged, or was changed since it was read. */
int upool_ledger_is_sound(const upool_ledger *ledger, int n);

/* Writes entry n, or the header.  The system's error (ENOSPC where the file
 * had to grow). */
apr_status_t upool_ledger_write(upool_ledger *ledger, int n);
apr_status_t upool_ledger_write_header(upool_ledger *ledger);

/* Cuts the free entries at the end of the file off. */
void upool_ledger_trim(upool_ledger *ledger);

/* Hash of an owner's text into owner; NULL: nobody. */
void upool_ledger_hash_owner(unsigned char *owner, const char *text);

#endif
