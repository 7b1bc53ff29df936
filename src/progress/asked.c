/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "progress/asked.h"

#include <string.h>
#include <apr_siphash.h>

#include "progress/atomic.h"

/* One word for each, so that there is nothing to lock:
 *
 *     63          32 31      16 15       0
 *    +--------------+----------+----------+
 *    | hash         | first    | last     |
 *    +--------------+----------+----------+
 *
 * Seconds, of which 16 bits tell 18 hours apart. */
#define SECONDS 0xffffU

/* Pages ask every few seconds; a longer break is the end of it. */
#define BREAK 20U

static unsigned seconds(apr_time_t now)
{
    return (unsigned)apr_time_sec(now) & SECONDS;
}

static unsigned since(unsigned then, unsigned now)
{
    return (now - then) & SECONDS;
}

/* No secret is needed: a place that is fought over is lost, but that does no
 * harm. */
static apr_uint64_t hash_of(const char *id)
{
    static const unsigned char key[APR_SIPHASH_KSIZE];

    return apr_siphash24(id, strlen(id), key);
}

static int is_of(apr_uint64_t word, apr_uint64_t hash, unsigned now)
{
    return word >> 32 == hash >> 32
           && since((unsigned)word & SECONDS, now) <= BREAK;
}

void upool_asked_note(upool_asked *asked, const char *id, apr_time_t now)
{
    apr_uint64_t hash = hash_of(id);
    apr_uint64_t *at = &asked->words[hash % UPOOL_ASKED];
    apr_uint64_t word = upool_load(at);
    unsigned sec = seconds(now);
    unsigned first =
        is_of(word, hash, sec) ? (unsigned)(word >> 16) & SECONDS : sec;

    /* Another process that writes here now writes something as good. */
    (void)upool_cas(at, word,
                    hash >> 32 << 32 | (apr_uint64_t)first << 16 | sec);
}

unsigned upool_asked_for(const upool_asked *asked, const char *id,
                         apr_time_t now)
{
    apr_uint64_t hash = hash_of(id);
    apr_uint64_t word = upool_load(&asked->words[hash % UPOOL_ASKED]);
    unsigned sec = seconds(now);
    unsigned first = (unsigned)(word >> 16) & SECONDS;

    /* Asked for only once: the first time is the last. */
    return is_of(word, hash, sec) && first != ((unsigned)word & SECONDS)
               ? since(first, sec)
               : 0;
}
