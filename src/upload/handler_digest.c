/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/handlers.h"

#include <string.h>
#include <apr_cstr.h>
#include <apr_strings.h>
#include <openssl/evp.h>

#define DIGESTS_MAX 8

typedef struct algorithm {
    const char *name;
    const char *openssl; /* NULL: crc32, which OpenSSL does not have */
} algorithm;

static const algorithm algorithms[] = {
    { "md5", "MD5" },        { "sha-1", "SHA1" }, { "sha-256", "SHA256" },
    { "sha-512", "SHA512" }, { "crc32", NULL },
};

typedef struct running {
    const algorithm *algorithm;
    EVP_MD_CTX *ctx;
    apr_uint32_t crc;
} running;

typedef struct digest_data {
    running run[DIGESTS_MAX];
    int count;
    apr_uint32_t crc_table[256];
    upool_refusal *refusal;
} digest_data;

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

const char *upool_digest_known(const char *name)
{
    const algorithm *a = find(name);

    return a ? a->name : NULL;
}

static apr_status_t free_contexts(void *arg)
{
    digest_data *data = arg;
    int i;

    for (i = 0; i < data->count; i++) {
        EVP_MD_CTX_free(data->run[i].ctx);
    }
    return APR_SUCCESS;
}

/* The CRC of IEEE 802.3, reflected polynomial 0xEDB88320. */
static void make_crc_table(apr_uint32_t *table)
{
    apr_uint32_t i;

    for (i = 0; i < 256; i++) {
        apr_uint32_t c = i;
        int bit;

        for (bit = 0; bit < 8; bit++) {
            c = c & 1 ? (c >> 1) ^ 0xEDB88320U : c >> 1;
        }
        table[i] = c;
    }
}

void *upool_digest_make(const apr_array_header_t *names, upool_refusal *refusal,
                        apr_pool_t *p)
{
    digest_data *data = apr_pcalloc(p, sizeof(*data));
    int i;

    data->refusal = refusal;
    for (i = 0; i < names->nelts && data->count < DIGESTS_MAX; i++) {
        running *run = &data->run[data->count];

        run->algorithm = find(APR_ARRAY_IDX(names, i, const char *));
        if (!run->algorithm) {
            continue;
        }
        data->count++;
        if (run->algorithm->openssl) {
            run->ctx = EVP_MD_CTX_new();
        }
        else {
            make_crc_table(data->crc_table);
        }
    }
    apr_pool_cleanup_register(p, data, free_contexts, apr_pool_cleanup_null);
    return data;
}

static upload_pool_verdict broken(digest_data *data, const char *what)
{
    *data->refusal = upool_refusal_make(UPOOL_REASON_MEMORY, 0, what);
    return UPLOAD_POOL_STOP;
}

static upload_pool_verdict digest_new_file(upload_pool_instance *self,
                                           upload_pool_file *file)
{
    digest_data *data = self->data;
    int i;

    (void)file;
    for (i = 0; i < data->count; i++) {
        running *run = &data->run[i];

        run->crc = 0xFFFFFFFFU;
        if (run->algorithm->openssl
            && !EVP_DigestInit_ex(run->ctx,
                                  EVP_get_digestbyname(run->algorithm->openssl),
                                  NULL)) {
            return broken(data, "the digest cannot be started");
        }
    }
    return UPLOAD_POOL_GO_ON;
}

static apr_uint32_t crc_update(const apr_uint32_t *table, apr_uint32_t crc,
                               const char *bytes, apr_size_t len)
{
    while (len--) {
        crc = table[(crc ^ (unsigned char)*bytes++) & 0xFF] ^ (crc >> 8);
    }
    return crc;
}

static upload_pool_verdict digest_chunk(upload_pool_instance *self,
                                        upload_pool_file *file,
                                        const char **bytes, apr_size_t *len,
                                        apr_off_t offset)
{
    digest_data *data = self->data;
    int i;

    (void)file;
    (void)offset;
    for (i = 0; i < data->count; i++) {
        running *run = &data->run[i];

        if (!run->ctx) {
            run->crc = crc_update(data->crc_table, run->crc, *bytes, *len);
        }
        else if (!EVP_DigestUpdate(run->ctx, *bytes, *len)) {
            return broken(data, "the digest cannot be updated");
        }
    }
    return UPLOAD_POOL_GO_ON;
}

static char *to_hex(apr_pool_t *p, const unsigned char *bytes, unsigned len)
{
    static const char digit[] = "0123456789abcdef";
    char *hex = apr_palloc(p, 2 * len + 1);
    unsigned i;

    for (i = 0; i < len; i++) {
        hex[2 * i] = digit[bytes[i] >> 4];
        hex[2 * i + 1] = digit[bytes[i] & 15];
    }
    hex[2 * len] = '\0';
    return hex;
}

static upload_pool_verdict digest_complete(upload_pool_instance *self,
                                           upload_pool_file *file,
                                           apr_off_t size,
                                           upload_pool_kept *kept)
{
    digest_data *data = self->data;
    int i;

    /* Kept by a handler before this one, which has taken bytes away: what was
     * seen here is not the file. */
    if ((kept->stored || kept->content || kept->location)
        && kept->size != size) {
        return UPLOAD_POOL_GO_ON;
    }
    for (i = 0; i < data->count; i++) {
        running *run = &data->run[i];
        unsigned char value[EVP_MAX_MD_SIZE];
        unsigned len = 4;

        if (!run->ctx) {
            apr_uint32_t crc = ~run->crc;

            value[0] = (unsigned char)(crc >> 24);
            value[1] = (unsigned char)(crc >> 16);
            value[2] = (unsigned char)(crc >> 8);
            value[3] = (unsigned char)crc;
        }
        else if (!EVP_DigestFinal_ex(run->ctx, value, &len)) {
            return broken(data, "the digest cannot be finished");
        }
        apr_table_setn(file->digests, run->algorithm->name,
                       to_hex(file->pool, value, len));
    }
    return UPLOAD_POOL_GO_ON;
}

const upload_pool_handler upool_digest_handler = {
    UPLOAD_POOL_HANDLER_STUFF("digest"),
    .new_file = digest_new_file,
    .receive_data_chunk = digest_chunk,
    .file_complete = digest_complete,
};
