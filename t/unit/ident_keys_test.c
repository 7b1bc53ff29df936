/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* The keys of a context: RFC 4231's vectors, bounds, and that no block of
 * memory with a secret in it is freed unwiped. */
#include "ident/keys.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <tap.h>
#include "ident/ident.h"

#define SECRET "squeamish-ossifrage-0123456789ab"
#define THREADS 4
#define ROUNDS 2000

/* OpenSSL allocates through these, so that what it frees can be looked at:
 * every block is preceded by its length. */
static struct {
    unsigned long freed;
    unsigned long leaked;
    const char *secret;
    int empty; /* no memory to be had */
} heap;

#define HEAP_HEAD 16

static void *heap_malloc(size_t len, const char *file, int line)
{
    char *block = heap.empty ? NULL : calloc(1, len + HEAP_HEAD);

    (void)file;
    (void)line;
    if (!block) {
        return NULL;
    }
    memcpy(block, &len, sizeof(len));
    return block + HEAP_HEAD;
}

static void heap_free(void *at, const char *file, int line)
{
    size_t len, n, want = heap.secret ? strlen(heap.secret) : 0;
    char *text = at;

    (void)file;
    (void)line;
    if (!at) {
        return;
    }
    memcpy(&len, text - HEAP_HEAD, sizeof(len));
    for (n = 0; want && n + want <= len; n++) {
        if (memcmp(text + n, heap.secret, want) == 0) {
            heap.leaked++;
            break;
        }
    }
    if (want) {
        heap.freed++;
    }
    free(text - HEAP_HEAD);
}

static void *heap_realloc(void *at, size_t len, const char *file, int line)
{
    void *block = heap_malloc(len, file, line);
    size_t old = 0;

    if (at) {
        memcpy(&old, (char *)at - HEAP_HEAD, sizeof(old));
    }
    if (block && at) {
        memcpy(block, at, old < len ? old : len);
        heap_free(at, file, line);
    }
    return block;
}

/* RFC 4231 4.3 has a key of four bytes, below what the module takes, and 4.6
 * a truncated result; the others, whole. */
static void test_vectors(apr_pool_t *p)
{
    static const struct {
        unsigned char fill;
        apr_size_t key_len;
        const char *data;
        unsigned char data_fill;
        apr_size_t data_len;
        const char *want;
    } cases[] = {
        { 0x0b, 20, "Hi There", 0, 8,
          "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
        { 0xaa, 20, NULL, 0xdd, 50,
          "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
        { 0, 25, NULL, 0xcd, 50,
          "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
        { 0xaa, 131, "Test Using Larger Than Block-Size Key - Hash Key First",
          0, 54,
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
        { 0xaa, 131,
          "This is a test using a larger than block-size key and a larger "
          "than block-size data. The key needs to be hashed before being "
          "used by the HMAC algorithm.",
          0, 152,
          "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2" },
    };
    char key[131], data[152], hex[65];
    size_t n, i;

    for (n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
        upool_keys *keys = upool_keys_make(p);

        memset(key, cases[n].fill, sizeof(key));
        for (i = 0; !cases[n].fill && i < cases[n].key_len; i++) {
            key[i] = (char)(i + 1);
        }
        memset(data, cases[n].data_fill, sizeof(data));
        if (cases[n].data) {
            memcpy(data, cases[n].data, cases[n].data_len);
        }
        tap_is_int(upool_keys_add(keys, key, cases[n].key_len), APR_SUCCESS,
                   "vector %u: key added", (unsigned)n);
        tap_is_int(upool_keys_hmac(keys, 0, data, cases[n].data_len, hex),
                   APR_SUCCESS, "vector %u: computed", (unsigned)n);
        tap_is_str(hex, cases[n].want, "vector %u: as in RFC 4231",
                   (unsigned)n);
    }
}

static void test_bounds(apr_pool_t *p)
{
    upool_keys *keys = upool_keys_make(p);
    char hex[65] = "unset";
    int i, rv = APR_SUCCESS;

    tap_is_int(upool_keys_count(NULL), 0, "no set has no keys");
    tap_is_int(upool_keys_count(keys), 0, "a new set has none");
    tap_is_int(upool_keys_add(keys, SECRET, UPOOL_KEY_LEAST - 1), APR_EINVAL,
               "15 bytes are too few");
    tap_is_int(upool_keys_add(keys, NULL, UPOOL_KEY_GOOD), APR_EINVAL,
               "no secret is none");
    tap_is_int(upool_keys_count(keys), 0, "what was refused does not count");
    tap_is_int(upool_keys_hmac(keys, 0, "x", 1, hex), APR_EINVAL,
               "no HMAC without a key");
    tap_is_str(hex, "", "and its hex is empty");
    tap_is_int(upool_keys_add(keys, SECRET, UPOOL_KEY_LEAST), APR_SUCCESS,
               "16 bytes are enough");
    for (i = 1; i < UPOOL_KEYS_MAX; i++) {
        rv |= upool_keys_add(keys, SECRET, UPOOL_KEY_GOOD);
    }
    tap_is_int(rv, APR_SUCCESS, "sixteen keys fit");
    tap_is_int(upool_keys_count(keys), UPOOL_KEYS_MAX, "and are counted");
    tap_is_int(upool_keys_add(keys, SECRET, UPOOL_KEY_GOOD), APR_ENOSPC,
               "a seventeenth does not");
    tap_is_int(upool_keys_hmac(keys, -1, "x", 1, hex), APR_EINVAL,
               "no key before the first");
    tap_is_int(upool_keys_hmac(keys, UPOOL_KEYS_MAX, "x", 1, hex), APR_EINVAL,
               "none after the last");
}

static void test_nul(apr_pool_t *p)
{
    upool_keys *keys = upool_keys_make(p);
    char one[65], two[65];

    upool_keys_add(keys, "0123456789abcde\0tail-one", 24);
    upool_keys_add(keys, "0123456789abcde\0tail-two", 24);
    upool_keys_hmac(keys, 0, "ab\0cd", 5, one);
    upool_keys_hmac(keys, 1, "ab\0cd", 5, two);
    tap_ok(strcmp(one, two) != 0, "a NUL does not end a secret");
    upool_keys_hmac(keys, 0, "ab\0ce", 5, two);
    tap_ok(strcmp(one, two) != 0, "nor the data");
}

static void test_wiped(apr_pool_t *p)
{
    apr_pool_t *life;
    upool_keys *keys;
    char hex[65];
    char *bait;

    heap.secret = SECRET;
    bait = OPENSSL_malloc(64);
    memcpy(bait + 7, SECRET, sizeof(SECRET));
    OPENSSL_free(bait);
    tap_is_int(heap.leaked, 1, "an unwiped secret is noticed when freed");
    heap.leaked = 0;
    heap.freed = 0;
    apr_pool_create(&life, p);
    keys = upool_keys_make(life);
    upool_keys_add(keys, SECRET, strlen(SECRET));
    upool_keys_hmac(keys, 0, "id", 2, hex);
    tap_ok(heap.freed > 0, "an HMAC frees its context (%lu blocks)",
           heap.freed);
    apr_pool_destroy(life);
    tap_is_int(heap.leaked, 0, "no block with the secret in it was freed");
    heap.secret = NULL;
}

/* Out of memory nothing is signed and nothing is good. */
static void test_failing(apr_pool_t *p)
{
    upool_keys *keys = upool_keys_make(p);
    char text[UPOOL_IDENT_TEXT_MAX + 1], id[UPOOL_IDENT_MAX + 1], hex[65];
    apr_status_t hmac_rv, sign_rv, add_rv;
    int verdict;

    upool_keys_add(keys, SECRET, strlen(SECRET));
    upool_ident_sign(text, "upload", keys);
    heap.empty = 1;
    hmac_rv = upool_keys_hmac(keys, 0, "id", 2, hex);
    verdict = (int)upool_ident_check(text, keys, id);
    sign_rv = upool_ident_sign(text, "upload", keys);
    add_rv = upool_keys_add(keys, SECRET, strlen(SECRET));
    heap.empty = 0;
    tap_is_int(hmac_rv, APR_EGENERAL, "no memory: no HMAC");
    tap_is_str(hex, "", "its hex is empty");
    tap_is_int(verdict, UPOOL_IDENT_FORGED, "what was good is not");
    tap_is_str(id, "", "and gives no identifier");
    tap_is_int(sign_rv, APR_EGENERAL, "nothing is signed");
    tap_is_str(text, "", "nor left half signed");
    tap_is_int(add_rv, APR_EGENERAL, "no key is added");
    tap_is_int(upool_keys_count(keys), 1, "or counted");
    tap_is_int(upool_keys_hmac(keys, 0, "id", 2, hex), APR_SUCCESS,
               "with memory again all is well");
}

/* An administrator's choice of providers may have no HMAC. */
static void test_without_hmac(apr_pool_t *p)
{
    upool_keys *none;

    EVP_set_default_properties(NULL, "provider=none");
    none = upool_keys_make(p);
    EVP_set_default_properties(NULL, "");
    tap_ok(none == NULL, "no HMAC: no set is made");
    tap_ok(upool_keys_make(p) != NULL, "with one there is a set");
}

typedef struct worker {
    const upool_keys *keys;
    const char *want;
    unsigned long bad;
} worker;

static void *worker_run(void *data)
{
    worker *w = data;
    char hex[65];
    int i;

    for (i = 0; i < ROUNDS; i++) {
        if (upool_keys_hmac(w->keys, i & 1, "id", 2, hex) != APR_SUCCESS
            || ((i & 1) == 0 && strcmp(hex, w->want) != 0)) {
            w->bad++;
        }
    }
    return NULL;
}

static void test_threads(apr_pool_t *p)
{
    upool_keys *keys = upool_keys_make(p);
    pthread_t threads[THREADS];
    worker workers[THREADS];
    unsigned long bad = 0;
    char want[65];
    int i;

    upool_keys_add(keys, SECRET, strlen(SECRET));
    upool_keys_add(keys, "another-secret-of-some-length", 29);
    upool_keys_hmac(keys, 0, "id", 2, want);
    for (i = 0; i < THREADS; i++) {
        workers[i].keys = keys;
        workers[i].want = want;
        workers[i].bad = 0;
        pthread_create(&threads[i], NULL, worker_run, &workers[i]);
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        bad += workers[i].bad;
    }
    tap_is_int(bad, 0, "%d threads share one set of keys", THREADS);
}

int main(void)
{
    apr_pool_t *p;

    if (!CRYPTO_set_mem_functions(heap_malloc, heap_realloc, heap_free)) {
        return 1;
    }
    apr_initialize();
    apr_pool_create(&p, NULL);
    test_vectors(p);
    test_bounds(p);
    test_nul(p);
    test_wiped(p);
    test_failing(p);
    test_without_hmac(p);
    test_threads(p);
    apr_pool_destroy(p);
    apr_terminate();
    return tap_done();
}
