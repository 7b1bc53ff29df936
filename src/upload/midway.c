/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* The low-level functions are deprecated, not gone. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "upload/midway.h"

#include <string.h>
#include <apr_escape.h>

#include <openssl/md5.h>
#include <openssl/sha.h>

#define WORDS_MAX 8
#define BLOCK_MAX 128

typedef union context {
    MD5_CTX md5;
    SHA_CTX sha1;
    SHA256_CTX sha256;
    SHA512_CTX sha512;
} context;

/* The chaining value, as numbers. */
typedef apr_uint64_t chain_words[WORDS_MAX];

/* The differences between the algorithms.  get and set move the chaining value;
 * set also moves the count of bytes, and the bytes that do not fill a block
 * yet. */
typedef struct kind {
    const char *name;
    int words;
    int word_bytes;
    apr_size_t block;
    void (*init)(context *c);
    void (*update)(context *c, const void *data, apr_size_t len);
    apr_size_t (*final)(context *c, unsigned char *value);
    void (*get)(const context *c, chain_words words, const void **rest);
    void (*set)(context *c, const chain_words words, apr_off_t offset,
                void **rest);
} kind;

struct upool_midway {
    const kind *kind; /* NULL: crc32 */
    apr_off_t offset;
    context c;
    upool_digester *crc;
};

static apr_uint32_t low_bits(apr_off_t offset)
{
    return (apr_uint32_t)((apr_uint64_t)offset << 3);
}

static apr_uint32_t high_bits(apr_off_t offset)
{
    return (apr_uint32_t)((apr_uint64_t)offset >> 29);
}

static void md5_init(context *c)
{
    MD5_Init(&c->md5);
}

static void md5_update(context *c, const void *data, apr_size_t len)
{
    MD5_Update(&c->md5, data, len);
}

static apr_size_t md5_final(context *c, unsigned char *value)
{
    return MD5_Final(value, &c->md5) ? MD5_DIGEST_LENGTH : 0;
}

static void md5_get(const context *c, chain_words words, const void **rest)
{
    words[0] = c->md5.A;
    words[1] = c->md5.B;
    words[2] = c->md5.C;
    words[3] = c->md5.D;
    *rest = c->md5.data;
}

static void md5_set(context *c, const chain_words words, apr_off_t offset,
                    void **rest)
{
    c->md5.A = (MD5_LONG)words[0];
    c->md5.B = (MD5_LONG)words[1];
    c->md5.C = (MD5_LONG)words[2];
    c->md5.D = (MD5_LONG)words[3];
    c->md5.Nl = low_bits(offset);
    c->md5.Nh = high_bits(offset);
    c->md5.num = (unsigned)(offset % MD5_CBLOCK);
    *rest = c->md5.data;
}

static void sha1_init(context *c)
{
    SHA1_Init(&c->sha1);
}

static void sha1_update(context *c, const void *data, apr_size_t len)
{
    SHA1_Update(&c->sha1, data, len);
}

static apr_size_t sha1_final(context *c, unsigned char *value)
{
    return SHA1_Final(value, &c->sha1) ? SHA_DIGEST_LENGTH : 0;
}

static void sha1_get(const context *c, chain_words words, const void **rest)
{
    words[0] = c->sha1.h0;
    words[1] = c->sha1.h1;
    words[2] = c->sha1.h2;
    words[3] = c->sha1.h3;
    words[4] = c->sha1.h4;
    *rest = c->sha1.data;
}

static void sha1_set(context *c, const chain_words words, apr_off_t offset,
                     void **rest)
{
    c->sha1.h0 = (SHA_LONG)words[0];
    c->sha1.h1 = (SHA_LONG)words[1];
    c->sha1.h2 = (SHA_LONG)words[2];
    c->sha1.h3 = (SHA_LONG)words[3];
    c->sha1.h4 = (SHA_LONG)words[4];
    c->sha1.Nl = low_bits(offset);
    c->sha1.Nh = high_bits(offset);
    c->sha1.num = (unsigned)(offset % SHA_CBLOCK);
    *rest = c->sha1.data;
}

static void sha256_init(context *c)
{
    SHA256_Init(&c->sha256);
}

static void sha256_update(context *c, const void *data, apr_size_t len)
{
    SHA256_Update(&c->sha256, data, len);
}

static apr_size_t sha256_final(context *c, unsigned char *value)
{
    return SHA256_Final(value, &c->sha256) ? SHA256_DIGEST_LENGTH : 0;
}

static void sha256_get(const context *c, chain_words words, const void **rest)
{
    int i;

    for (i = 0; i < 8; i++) {
        words[i] = c->sha256.h[i];
    }
    *rest = c->sha256.data;
}

static void sha256_set(context *c, const chain_words words, apr_off_t offset,
                       void **rest)
{
    int i;

    for (i = 0; i < 8; i++) {
        c->sha256.h[i] = (SHA_LONG)words[i];
    }
    c->sha256.Nl = low_bits(offset);
    c->sha256.Nh = high_bits(offset);
    c->sha256.num = (unsigned)(offset % SHA256_CBLOCK);
    *rest = c->sha256.data;
}

static void sha512_init(context *c)
{
    SHA512_Init(&c->sha512);
}

static void sha512_update(context *c, const void *data, apr_size_t len)
{
    SHA512_Update(&c->sha512, data, len);
}

static apr_size_t sha512_final(context *c, unsigned char *value)
{
    return SHA512_Final(value, &c->sha512) ? SHA512_DIGEST_LENGTH : 0;
}

static void sha512_get(const context *c, chain_words words, const void **rest)
{
    int i;

    for (i = 0; i < 8; i++) {
        words[i] = c->sha512.h[i];
    }
    *rest = c->sha512.u.p;
}

static void sha512_set(context *c, const chain_words words, apr_off_t offset,
                       void **rest)
{
    int i;

    for (i = 0; i < 8; i++) {
        c->sha512.h[i] = words[i];
    }
    c->sha512.Nl = (SHA_LONG64)offset << 3;
    c->sha512.Nh = (SHA_LONG64)offset >> 61;
    c->sha512.num = (unsigned)(offset % SHA512_CBLOCK);
    *rest = c->sha512.u.p;
}

static const kind kinds[] = {
    { "md5", 4, 4, MD5_CBLOCK, md5_init, md5_update, md5_final, md5_get,
      md5_set },
    { "sha-1", 5, 4, SHA_CBLOCK, sha1_init, sha1_update, sha1_final, sha1_get,
      sha1_set },
    { "sha-256", 8, 4, SHA256_CBLOCK, sha256_init, sha256_update, sha256_final,
      sha256_get, sha256_set },
    { "sha-512", 8, 8, SHA512_CBLOCK, sha512_init, sha512_update, sha512_final,
      sha512_get, sha512_set },
};

static const kind *find(const char *name)
{
    apr_size_t i;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(name, kinds[i].name) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

static void start(upool_midway *midway)
{
    midway->offset = 0;
    if (midway->kind) {
        midway->kind->init(&midway->c);
    }
    else {
        upool_digester_begin(midway->crc);
    }
}

/* EVP decides whether it may be used. */
upool_midway *upool_midway_make(const char *algorithm, apr_pool_t *p)
{
    upool_digester *digester = upool_digester_make(algorithm, p);
    upool_midway *midway;

    if (!digester) {
        return NULL;
    }
    midway = apr_pcalloc(p, sizeof(*midway));
    midway->kind = find(upool_digester_name(digester));
    midway->crc = digester;
    start(midway);
    return midway;
}

const char *upool_midway_name(const upool_midway *midway)
{
    return upool_digester_name(midway->crc);
}

apr_off_t upool_midway_offset(const upool_midway *midway)
{
    return midway->offset;
}

/* Reads that many bytes from hex; -1 where hex is not that. */
static int read_hex(unsigned char *out, const char *hex, apr_size_t bytes)
{
    apr_size_t len = strlen(hex);

    return len != 2 * bytes
                   || apr_unescape_hex(out, hex, (apr_ssize_t)len, 0, NULL)
               ? -1
               : 0;
}

static int take_up_crc(upool_midway *midway, const char *state)
{
    unsigned char bytes[4];

    if (read_hex(bytes, state, 4)) {
        return -1;
    }
    upool_digester_set_crc(
        midway->crc, (apr_uint32_t)bytes[0] << 24 | (apr_uint32_t)bytes[1] << 16
                         | (apr_uint32_t)bytes[2] << 8 | bytes[3]);
    return 0;
}

static int take_up(upool_midway *midway, const char *state, apr_off_t offset)
{
    const kind *k = midway->kind;
    apr_size_t head = (apr_size_t)k->words * (apr_size_t)k->word_bytes;
    apr_size_t rest = (apr_size_t)offset % k->block;
    unsigned char bytes[WORDS_MAX * 8 + BLOCK_MAX] = { 0 };
    chain_words words = { 0 };
    void *buffer;
    apr_size_t i;

    if (read_hex(bytes, state, head + rest)) {
        return -1;
    }
    for (i = 0; i < head; i++) {
        apr_uint64_t *word = &words[i / (apr_size_t)k->word_bytes];

        *word = *word << 8 | bytes[i];
    }
    k->set(&midway->c, words, offset, &buffer);
    memcpy(buffer, bytes + head, rest);
    return 0;
}

int upool_midway_take_up(upool_midway *midway, const char *state,
                         apr_off_t offset)
{
    int bad;

    start(midway);
    bad = offset < 0
          || (midway->kind ? take_up(midway, state, offset)
                           : take_up_crc(midway, state));
    if (bad) {
        start(midway);
        return -1;
    }
    midway->offset = offset;
    return 0;
}

static unsigned char *put_word(unsigned char *at, apr_uint64_t word, int bytes)
{
    while (bytes--) {
        *at++ = (unsigned char)(word >> (8 * bytes));
    }
    return at;
}

const char *upool_midway_put_down(const upool_midway *midway, apr_pool_t *p)
{
    const kind *k = midway->kind;
    unsigned char bytes[WORDS_MAX * 8 + BLOCK_MAX];
    unsigned char *at = bytes;
    apr_size_t rest_len;
    chain_words words;
    const void *rest;
    int n;

    if (!k) {
        put_word(bytes, upool_digester_crc(midway->crc), 4);
        return apr_pescape_hex(p, bytes, 4, 0);
    }
    k->get(&midway->c, words, &rest);
    for (n = 0; n < k->words; n++) {
        at = put_word(at, words[n], k->word_bytes);
    }
    rest_len = (apr_size_t)midway->offset % k->block;
    memcpy(at, rest, rest_len);
    at += rest_len;
    return apr_pescape_hex(p, bytes, (apr_size_t)(at - bytes), 0);
}

void upool_midway_update(upool_midway *midway, const char *data, apr_size_t len)
{
    midway->offset += (apr_off_t)len;
    if (midway->kind) {
        midway->kind->update(&midway->c, data, len);
    }
    else {
        upool_digester_update(midway->crc, data, len);
    }
}

apr_size_t upool_midway_end(upool_midway *midway,
                            unsigned char value[UPOOL_DIGESTER_MAX])
{
    return midway->kind ? midway->kind->final(&midway->c, value)
                        : upool_digester_end(midway->crc, value);
}
