/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/digester.h"

#include <apr_cstr.h>
#include <openssl/evp.h>

#include "upload/crc32.h"

typedef struct algorithm {
    const char *name;
    const char *openssl; /* NULL: crc32, which OpenSSL does not have */
} algorithm;

static const algorithm algorithms[] = {
    { "md5", "MD5" },        { "sha-1", "SHA1" }, { "sha-256", "SHA256" },
    { "sha-512", "SHA512" }, { "crc32", NULL },
};

struct upool_digester {
    const algorithm *algorithm;
    EVP_MD *md;
    EVP_MD_CTX *ctx;
    apr_uint32_t crc;
};

static const algorithm *find(const char *name)
{
    apr_size_t i;

    for (i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        if (!apr_cstr_casecmp(name, algorithms[i].name)) {
            return &algorithms[i];
        }
    }
    return NULL;
}

const char *upool_digester_known(const char *name)
{
    const algorithm *a = find(name);

    return a ? a->name : NULL;
}

const char *upool_digester_name(const upool_digester *digester)
{
    return digester->algorithm->name;
}

static apr_status_t free_digester(void *arg)
{
    upool_digester *digester = arg;

    EVP_MD_CTX_free(digester->ctx);
    EVP_MD_free(digester->md);
    digester->ctx = NULL;
    digester->md = NULL;
    return APR_SUCCESS;
}

upool_digester *upool_digester_make(const char *name, apr_pool_t *p)
{
    const algorithm *a = find(name);
    upool_digester *digester;

    if (!a) {
        return NULL;
    }
    digester = apr_pcalloc(p, sizeof(*digester));
    digester->algorithm = a;
    if (!a->openssl) {
        return digester;
    }
    digester->md = EVP_MD_fetch(NULL, a->openssl, NULL);
    digester->ctx = EVP_MD_CTX_new();
    apr_pool_cleanup_register(p, digester, free_digester,
                              apr_pool_cleanup_null);
    return digester->md && digester->ctx ? digester : NULL;
}

int upool_digester_begin(upool_digester *digester)
{
    digester->crc = UPOOL_CRC32_BEGIN;
    return !digester->ctx
                   || EVP_DigestInit_ex2(digester->ctx, digester->md, NULL)
               ? 0
               : -1;
}

int upool_digester_update(upool_digester *digester, const char *data,
                          apr_size_t len)
{
    if (digester->ctx) {
        return EVP_DigestUpdate(digester->ctx, data, len) ? 0 : -1;
    }
    digester->crc =
        upool_crc32_update(digester->crc, (const unsigned char *)data, len);
    return 0;
}

apr_size_t upool_digester_end(upool_digester *digester,
                              unsigned char value[UPOOL_DIGESTER_MAX])
{
    apr_uint32_t crc = ~digester->crc;
    unsigned len = 0;

    if (digester->ctx) {
        return EVP_DigestFinal_ex(digester->ctx, value, &len) ? len : 0;
    }
    value[0] = (unsigned char)(crc >> 24);
    value[1] = (unsigned char)(crc >> 16);
    value[2] = (unsigned char)(crc >> 8);
    value[3] = (unsigned char)crc;
    return 4;
}

apr_uint32_t upool_digester_crc(const upool_digester *digester)
{
    return digester->crc;
}

void upool_digester_set_crc(upool_digester *digester, apr_uint32_t crc)
{
    digester->crc = crc;
}
