/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "ident/keys.h"

#include <apr_escape.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#define DIGEST_BYTES 32

struct upool_keys {
    EVP_MAC *mac;                       /* HMAC, fetched once */
    int count;                          /* of keyed in use */
    EVP_MAC_CTX *keyed[UPOOL_KEYS_MAX]; /* never updated, only duplicated */
};

static apr_status_t keys_wipe(void *data)
{
    upool_keys *keys = data;
    int i;

    for (i = 0; i < keys->count; i++) {
        EVP_MAC_CTX_free(keys->keyed[i]);
    }
    EVP_MAC_free(keys->mac);
    OPENSSL_cleanse(keys, sizeof(*keys));
    return APR_SUCCESS;
}

upool_keys *upool_keys_make(apr_pool_t *p)
{
    upool_keys *keys = apr_pcalloc(p, sizeof(*keys));

    keys->mac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
    if (!keys->mac) {
        return NULL;
    }
    /* No child cleanup: a forked CGI replaces its memory right away, and
     * freeing there would only dirty the shared pages first. */
    apr_pool_cleanup_register(p, keys, keys_wipe, apr_pool_cleanup_null);
    return keys;
}

apr_status_t upool_keys_add(upool_keys *keys, const char *secret,
                            apr_size_t len)
{
    char digest[] = OSSL_DIGEST_NAME_SHA2_256;
    OSSL_PARAM params[2];
    EVP_MAC_CTX *keyed;

    if (!secret || len < UPOOL_KEY_LEAST) {
        return APR_EINVAL;
    }
    if (keys->count >= UPOOL_KEYS_MAX) {
        return APR_ENOSPC;
    }
    params[0] =
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0);
    params[1] = OSSL_PARAM_construct_end();
    keyed = EVP_MAC_CTX_new(keys->mac);
    if (!keyed
        || !EVP_MAC_init(keyed, (const unsigned char *)secret, len, params)) {
        EVP_MAC_CTX_free(keyed);
        return APR_EGENERAL;
    }
    keys->keyed[keys->count++] = keyed;
    return APR_SUCCESS;
}

int upool_keys_count(const upool_keys *keys)
{
    return keys ? keys->count : 0;
}

apr_status_t upool_keys_hmac(const upool_keys *keys, int n, const void *data,
                             apr_size_t len, char *hex)
{
    unsigned char out[DIGEST_BYTES];
    size_t got = 0;
    EVP_MAC_CTX *ctx;
    int good;

    hex[0] = '\0';
    if (n < 0 || n >= upool_keys_count(keys)) {
        return APR_EINVAL;
    }
    ctx = EVP_MAC_CTX_dup(keys->keyed[n]);
    if (!ctx) {
        return APR_EGENERAL;
    }
    good = EVP_MAC_update(ctx, data, len)
           && EVP_MAC_final(ctx, out, &got, sizeof(out)) && got == sizeof(out);
    EVP_MAC_CTX_free(ctx);
    if (!good) {
        return APR_EGENERAL;
    }
    apr_escape_hex(hex, out, sizeof(out), 0, NULL);
    OPENSSL_cleanse(out, sizeof(out));
    return APR_SUCCESS;
}
