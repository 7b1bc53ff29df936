/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PROGRESS_SEGMENT_H
#define UPOOL_PROGRESS_SEGMENT_H

/* Where things lie in the table's memory (drawn in table.h), for the files of
 * this room alone.  The number of slots is read from shared memory once it has
 * been checked against the block's size by init or attach, and never changes
 * again.  Pure functions, any thread. */

#include <apr.h>
#include "progress/slot.h"
#include "progress/table.h"

#define UPOOL_AGE_FREE APR_UINT64_C(0)
#define UPOOL_AGE_ACTIVE (~APR_UINT64_C(0))

struct upool_table {
    apr_uint64_t magic; /* stored last */
    apr_uint64_t layout;
    apr_uint64_t slots;
    apr_uint64_t key[2];
    apr_uint64_t fill[3]; /* to a whole cache line */
};

/* Words in each of the two arrays of hints. */
static inline apr_size_t upool_hints_room(apr_uint64_t slots)
{
    return (apr_size_t)((slots + 7) & ~APR_UINT64_C(7));
}

/* A const table means that its holder promises not to change a record; the
 * words themselves are everybody's, and atomic. */
static inline apr_uint64_t *upool_table_tags(const upool_table *table)
{
    return (apr_uint64_t *)(table + 1);
}

static inline apr_uint64_t *upool_table_ages(const upool_table *table)
{
    return upool_table_tags(table) + upool_hints_room(table->slots);
}

static inline upool_slot *upool_table_slot(const upool_table *table,
                                           apr_uint32_t n)
{
    void *slots = upool_table_ages(table) + upool_hints_room(table->slots);

    return (upool_slot *)slots + n;
}

/* How many slots an identifier may live in. */
static inline apr_uint32_t upool_table_window(const upool_table *table)
{
    return table->slots < UPOOL_TABLE_WINDOW ? (apr_uint32_t)table->slots
                                             : UPOOL_TABLE_WINDOW;
}

/* The slot that is step slots into the window from start. */
static inline apr_uint32_t upool_table_step(const upool_table *table,
                                            apr_uint32_t start,
                                            apr_uint32_t step)
{
    apr_uint32_t n = start + step;

    return n < table->slots ? n : n - (apr_uint32_t)table->slots;
}

/* Prepares to look for identifier.  0: it is not one (empty, or too long). */
int upool_table_want(const upool_table *table, const char *identifier,
                     upool_wanted *wanted);

/* Frees slot n, which has no living holder under hold.  0: hold has changed
 * meanwhile. */
int upool_table_forget(upool_table *table, apr_uint32_t n, apr_uint64_t hold);

/* When a record finished, as a hint. */
static inline apr_uint64_t upool_age_of(apr_time_t now)
{
    return now > 0 ? (apr_uint64_t)now : 1;
}

/* For the holder of slot n, in whatever phase of hold: gives the slot up.  Does
 * nothing when the slot is not (or no longer) that holder's. */
void upool_table_give_back(upool_table *table, apr_uint32_t n,
                           apr_uint64_t hold);

#endif
