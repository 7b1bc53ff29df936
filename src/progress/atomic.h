/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PROGRESS_ATOMIC_H
#define UPOOL_PROGRESS_ATOMIC_H

/* Atomic 64-bit words, the only way this room touches shared memory once a
 * table is up.  They are the compiler's, since apr_atomic has no acquire and
 * release (its reads are full barriers, and some use a mutex of the process,
 * which means nothing to another process).
 *
 * load() and store() are acquire and release: what was stored before a
 * store() is seen by whoever load()s what it stored.  That is all a sequence
 * counter needs if its data words too go through load() and store(), and it
 * needs no bare fences, which ThreadSanitizer does not understand.  The
 * _ordered pair and cas() take part in one total order, which claims need to
 * see each other.  Any thread of any process may call these; none can fail. */

#include <apr.h>

/* A locked emulation would take a mutex that other processes do not share. */
_Static_assert(__atomic_always_lock_free(sizeof(apr_uint64_t), 0),
               "progress needs lock-free 64-bit atomics");

/* The word, with acquire. */
static inline apr_uint64_t upool_load(const apr_uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/* Sets the word, with release. */
static inline void upool_store(apr_uint64_t *word, apr_uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/* The word, in the total order. */
static inline apr_uint64_t upool_load_ordered(const apr_uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

/* Sets the word, in the total order. */
static inline void upool_store_ordered(apr_uint64_t *word, apr_uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

/* Sets the word to value if it equals want.  Returns 1 if it did, 0 if not (and
 * then nothing is changed). */
static inline int upool_cas(apr_uint64_t *word, apr_uint64_t want,
                            apr_uint64_t value)
{
    return __atomic_compare_exchange_n(word, &want, value, 0, __ATOMIC_SEQ_CST,
                                       __ATOMIC_ACQUIRE);
}

/* Adds to the word, in the total order.  Wraps. */
static inline void upool_add(apr_uint64_t *word, apr_uint64_t by)
{
    __atomic_fetch_add(word, by, __ATOMIC_SEQ_CST);
}

/* Sets the word, in the total order; returns what it was. */
static inline apr_uint64_t upool_swap(apr_uint64_t *word, apr_uint64_t value)
{
    return __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST);
}

#endif
