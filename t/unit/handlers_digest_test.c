/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Digests against published values: FIPS 180-4's and RFC 1321's examples, and
 * the check value of CRC-32. */
#include "handlers/builtin.h"

#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <tap.h>

static apr_pool_t *pool;
static upool_refusal refusal;

static void *instance(const char *const *names, int count)
{
    apr_array_header_t *list = apr_array_make(pool, 1, sizeof(const char *));
    int i;

    for (i = 0; i < count; i++) {
        APR_ARRAY_PUSH(list, const char *) = names[i];
    }
    return upool_digest_make(list, &refusal, pool);
}

/* The file's digests when it comes in pieces of that size. */
static const apr_table_t *digest(void *data, const char *bytes, apr_size_t len,
                                 apr_size_t piece)
{
    upload_pool_instance self = { .handler = &upool_digest_handler };
    upload_pool_file file = { .pool = pool };
    upload_pool_kept kept = { NULL, NULL };
    apr_size_t at;

    self.data = data;
    file.digests = apr_table_make(pool, 4);
    upool_digest_handler.new_file(&self, &file);
    for (at = 0; at < len; at += piece) {
        apr_size_t n = len - at < piece ? len - at : piece;
        apr_size_t passed = n;
        const char *from = bytes + at;

        if (upool_digest_handler.receive_data_chunk(&self, &file, &from,
                                                    &passed, (apr_off_t)at)
            || from != bytes + at || passed != n) {
            return apr_table_make(pool, 1);
        }
    }
    upool_digest_handler.file_complete(&self, &file, (apr_off_t)len, &kept);
    return kept.stored || kept.content ? apr_table_make(pool, 1) : file.digests;
}

typedef struct value {
    const char *algorithm;
    const char *text;
    const char *hex;
} value;

/* clang-format off */
static const value values[] = {
    { "crc32", "123456789", "cbf43926" },
    { "crc32", "", "00000000" },
    { "crc32", "The quick brown fox jumps over the lazy dog", "414fa339" },
    { "md5", "", "d41d8cd98f00b204e9800998ecf8427e" },
    { "md5", "abc", "900150983cd24fb0d6963f7d28e17f72" },
    { "md5", "message digest", "f96b697d7cb7938d525a2f31aaf161d0" },
    { "sha-1", "", "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
    { "sha-1", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
    { "sha-256", "",
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { "sha-256", "abc",
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { "sha-512", "",
      "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
      "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e" },
    { "sha-512", "abc",
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
      "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
};
/* clang-format on */

static void test_values(void)
{
    size_t i;

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        const value *v = &values[i];
        void *data = instance(&v->algorithm, 1);
        apr_size_t len = strlen(v->text);

        tap_is_str(apr_table_get(digest(data, v->text, len, 64), v->algorithm),
                   v->hex, "%s of '%s'", v->algorithm, v->text);
        tap_is_str(apr_table_get(digest(data, v->text, len, 1), v->algorithm),
                   v->hex, "the same byte by byte, in the next file");
    }
}

static void test_all_at_once(void)
{
    static const char *const names[] = { "sha-512", "CRC32", "MD5", "sha-1",
                                         "SHA-256" };
    static const char *const one_unknown[] = { "sha-3", "crc32" };
    void *data = instance(names, 5);
    const apr_table_t *table = digest(data, "abc", 3, 2);

    tap_is_int(apr_table_elts(table)->nelts, 5, "five at once");
    tap_is_str(apr_table_get(table, "md5"), "900150983cd24fb0d6963f7d28e17f72",
               "under their names in lower case");
    tap_is_str(apr_table_get(table, "crc32"), "352441c2", "each its own");
    tap_is_int(apr_table_elts(digest(instance(names, 0), "abc", 3, 3))->nelts,
               0, "none asked, none made");
    table = digest(instance(one_unknown, 2), "abc", 3, 3);
    tap_is_int(apr_table_elts(table)->nelts, 1, "an unknown one is left out");
    tap_is_str(apr_table_get(table, "crc32"), "352441c2", "alone");
    tap_is_int(refusal.reason, UPOOL_REASON_NONE, "nothing refused");
}

/* Behind a handler that takes bytes away there is no telling the digest of
 * what it keeps. */
static void test_not_seen(void)
{
    static const char *const names[] = { "md5" };
    upload_pool_instance self = { .handler = &upool_digest_handler };
    upload_pool_file file = { .pool = pool };
    upload_pool_kept kept = { .content = "abc", .size = 3 };

    self.data = instance(names, 1);
    file.digests = apr_table_make(pool, 1);
    upool_digest_handler.new_file(&self, &file);
    upool_digest_handler.file_complete(&self, &file, 0, &kept);
    tap_is_int(apr_table_elts(file.digests)->nelts, 0,
               "no digest of what was not seen");
    kept.content = "";
    kept.size = 0;
    upool_digest_handler.file_complete(&self, &file, 0, &kept);
    tap_is_str(apr_table_get(file.digests, "md5"),
               "d41d8cd98f00b204e9800998ecf8427e", "one of an empty file");
}

static void test_million(void)
{
    static const char *const names[] = { "sha-1", "md5" };
    char *bytes = apr_palloc(pool, 1000000);
    const apr_table_t *table;

    memset(bytes, 'a', 1000000);
    table = digest(instance(names, 2), bytes, 1000000, 8000);
    tap_is_str(apr_table_get(table, "sha-1"),
               "34aa973cd4c4daa4f61eeb2bdbad27316534016f",
               "a million letters a");
    tap_is_str(apr_table_get(table, "md5"), "7707d6ae4e027c70eea2a935c2296f21",
               "by md5");
}

static void test_names(void)
{
    tap_is_str(upool_digest_known("SHA-256"), "sha-256", "known in any case");
    tap_is_str(upool_digest_known("sha256"), NULL, "by these names alone");
    tap_is_str(upool_digest_known(""), NULL, "no empty name");
    tap_is_str(upool_digest_known("crc32c"), NULL, "no other crc");
}

int main(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    refusal = upool_refusal_make(UPOOL_REASON_NONE, 0, NULL);
    test_values();
    test_all_at_once();
    test_not_seen();
    test_million();
    test_names();
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
