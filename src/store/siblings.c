/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/siblings.h"

#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

/* Created within one such span, or the one beside it. */
#define SPAN apr_time_from_sec(60)
/* Some MiB at most. */
#define COMING_MAX 32768
#define PUT_OFF_MAX 8192

/* Every byte is a member's, without padding: it is hashed whole. */
typedef struct kin {
    apr_int64_t span;
    apr_uint64_t family; /* owner and URL */
} kin;

typedef struct put_off {
    const char *id;
    kin of;
} put_off;

struct upool_siblings {
    apr_pool_t *p;
    apr_hash_t *coming;       /* kin; the values are the keys */
    apr_array_header_t *late; /* of put_off */
    int next;
};

upool_siblings *upool_siblings_make(apr_pool_t *p)
{
    upool_siblings *siblings = apr_palloc(p, sizeof(*siblings));

    siblings->p = p;
    siblings->coming = apr_hash_make(p);
    siblings->late = apr_array_make(p, 4, sizeof(put_off));
    siblings->next = 0;
    return siblings;
}

/* FNV-1a.  A stranger who hits another's number only keeps some of the other's
 * parts for a while. */
static apr_uint64_t mix(apr_uint64_t hash, const char *text)
{
    do {
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    } while (*text++);
    return hash;
}

static kin kin_of(const upool_resumable *about)
{
    kin of;

    memset(&of, 0, sizeof(of));
    of.span = about->created / SPAN;
    of.family = mix(0xcbf29ce484222325u, about->owner ? about->owner : "");
    of.family = mix(of.family, about->uri);
    return of;
}

void upool_siblings_add(upool_siblings *siblings, const upool_resumable *about)
{
    kin of = kin_of(about);
    const kin *own;

    if (apr_hash_count(siblings->coming) < COMING_MAX
        && !apr_hash_get(siblings->coming, &of, sizeof(of))) {
        own = apr_pmemdup(siblings->p, &of, sizeof(of));
        apr_hash_set(siblings->coming, own, sizeof(*own), own);
    }
}

int upool_siblings_put_off(upool_siblings *siblings,
                           const upool_resumable *about)
{
    put_off *one;

    if (siblings->late->nelts >= PUT_OFF_MAX) {
        return 0;
    }
    one = apr_array_push(siblings->late);
    one->id = apr_pstrdup(siblings->p, about->identifier);
    one->of = kin_of(about);
    return 1;
}

static int has_coming(const upool_siblings *siblings, kin of)
{
    apr_int64_t last = of.span + 1;

    for (of.span--; of.span <= last; of.span++) {
        if (apr_hash_get(siblings->coming, &of, sizeof(of))) {
            return 1;
        }
    }
    return 0;
}

const char *upool_siblings_next(upool_siblings *siblings)
{
    while (siblings->next < siblings->late->nelts) {
        const put_off *one =
            &APR_ARRAY_IDX(siblings->late, siblings->next, const put_off);

        siblings->next++;
        if (!has_coming(siblings, one->of)) {
            return one->id;
        }
    }
    return NULL;
}
