/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "progress/hash.h"

typedef struct sip_state {
    apr_uint64_t a, b, c, d;
} sip_state;

static apr_uint64_t turn(apr_uint64_t word, unsigned bits)
{
    return (word << bits) | (word >> (64 - bits));
}

static void sip_rounds(sip_state *s, int rounds)
{
    while (rounds-- > 0) {
        s->a += s->b;
        s->c += s->d;
        s->b = turn(s->b, 13) ^ s->a;
        s->d = turn(s->d, 16) ^ s->c;
        s->a = turn(s->a, 32);
        s->c += s->b;
        s->a += s->d;
        s->b = turn(s->b, 17) ^ s->c;
        s->d = turn(s->d, 21) ^ s->a;
        s->c = turn(s->c, 32);
    }
}

/* Little-endian on every machine, so that the test vectors hold on all. */
static apr_uint64_t word_read(const unsigned char *at, apr_size_t len)
{
    apr_uint64_t word = 0;

    while (len > 0) {
        word = (word << 8) | at[--len];
    }
    return word;
}

static void sip_word(sip_state *s, apr_uint64_t word)
{
    s->d ^= word;
    sip_rounds(s, 2);
    s->a ^= word;
}

apr_uint64_t upool_hash(const apr_uint64_t key[2], const void *data,
                        apr_size_t len)
{
    const unsigned char *at = data;
    apr_size_t left = len;
    sip_state s;

    s.a = key[0] ^ APR_UINT64_C(0x736f6d6570736575);
    s.b = key[1] ^ APR_UINT64_C(0x646f72616e646f6d);
    s.c = key[0] ^ APR_UINT64_C(0x6c7967656e657261);
    s.d = key[1] ^ APR_UINT64_C(0x7465646279746573);
    for (; left >= 8; left -= 8, at += 8) {
        sip_word(&s, word_read(at, 8));
    }
    sip_word(&s, word_read(at, left) | ((apr_uint64_t)(len & 0xff) << 56));
    s.c ^= 0xff;
    sip_rounds(&s, 4);
    return s.a ^ s.b ^ s.c ^ s.d;
}
