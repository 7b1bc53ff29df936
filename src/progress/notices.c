/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "progress/notices.h"

#include <string.h>
#include <apr_siphash.h>

#include "progress/atomic.h"

#define AGAIN ((apr_uint64_t)60)

static apr_uint64_t seconds(apr_time_t now)
{
    return (apr_uint64_t)apr_time_sec(now) & 0xffffffff;
}

/* No secret is needed: administrators choose the subjects. */
static apr_uint64_t hash_of(const char *subject)
{
    static const unsigned char key[APR_SIPHASH_KSIZE];

    return apr_siphash24(subject, strlen(subject), key);
}

/* The word of a subject that is told now. */
static apr_uint64_t word_of(const char *subject, apr_time_t now)
{
    return (hash_of(subject) & 0xffffffff) << 32 | seconds(now);
}

static apr_size_t place_of(apr_uint64_t word)
{
    return (apr_size_t)(word >> 32) % UPOOL_NOTICES;
}

/* A clock that was set back starts anew. */
static int is_due(apr_uint64_t told, apr_uint64_t word)
{
    apr_uint64_t then = told & 0xffffffff;
    apr_uint64_t now = word & 0xffffffff;

    return told >> 32 != word >> 32 || now < then || now - then >= AGAIN;
}

int upool_notices_is_due(const upool_notices *notices, const char *subject,
                         apr_time_t now)
{
    apr_uint64_t word = word_of(subject, now);

    return is_due(upool_load(&notices->told[place_of(word)]), word);
}

int upool_notices_take(upool_notices *notices, const char *subject,
                       apr_time_t now)
{
    apr_uint64_t word = word_of(subject, now);
    apr_uint64_t *at = &notices->told[place_of(word)];
    apr_uint64_t told = upool_load(at);

    return is_due(told, word) && upool_cas(at, told, word);
}

int upool_notices_once(upool_notices *notices, const char *subject)
{
    apr_uint64_t hash = hash_of(subject) | 1;
    apr_size_t i;

    for (i = 0; i < UPOOL_NOTICES; i++) {
        if (upool_cas(&notices->ever[i], 0, hash)) {
            return 1;
        }
        if (upool_load(&notices->ever[i]) == hash) {
            return 0;
        }
    }
    return 0;
}

void upool_notices_renew(upool_notices *notices)
{
    apr_size_t i;

    for (i = 0; i < UPOOL_NOTICES; i++) {
        upool_store(&notices->ever[i], 0);
    }
}
