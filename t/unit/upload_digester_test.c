/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Digests of known texts, whatever pieces they come in. */
#include "upload/digester.h"

#include <string.h>

#include <apr_general.h>
#include <tap.h>

#include "upload/crc32.h"

static const char FOX[] = "The quick brown fox jumps over the lazy dog";

static apr_pool_t *pool;

static const char *to_hex(const unsigned char *value, apr_size_t len)
{
    static const char digits[] = "0123456789abcdef";
    static char hex[2 * UPOOL_DIGESTER_MAX + 1];
    apr_size_t i;

    for (i = 0; i < len; i++) {
        hex[2 * i] = digits[value[i] >> 4];
        hex[2 * i + 1] = digits[value[i] & 15];
    }
    hex[2 * len] = '\0';
    return hex;
}

static void digests(const char *algorithm, const char *expected)
{
    upool_digester *d = upool_digester_make(algorithm, pool);
    unsigned char value[UPOOL_DIGESTER_MAX];
    apr_size_t cut;

    tap_ok(d != NULL, "%s is to be had", algorithm);
    tap_is_str(upool_digester_name(d), algorithm, "and so named");
    for (cut = 0; cut < 4; cut++) {
        upool_digester_begin(d);
        upool_digester_update(d, FOX, cut);
        upool_digester_update(d, FOX + cut, strlen(FOX) - cut);
        tap_is_str(to_hex(value, upool_digester_end(d, value)), expected,
                   "%s, cut at %d, begun again", algorithm, (int)cut);
    }
}

/* Bit by bit, as IEEE 802.3 says it. */
static apr_uint32_t slow_crc(apr_uint32_t crc, const unsigned char *at, int len)
{
    int bit;

    while (len--) {
        crc ^= *at++;
        for (bit = 0; bit < 8; bit++) {
            crc = crc & 1 ? (crc >> 1) ^ 0xEDB88320U : crc >> 1;
        }
    }
    return crc;
}

/* Each entry of each table: one byte in each place of a step. */
static void test_crc_tables(void)
{
    int wrong = 0;
    int place, byte;

    for (place = 0; place < 4; place++) {
        for (byte = 0; byte < 256; byte++) {
            unsigned char step[4] = { 0 };

            step[place] = (unsigned char)byte;
            wrong += upool_crc32_update(0, step, 4) != slow_crc(0, step, 4);
        }
    }
    tap_is_int(wrong, 0, "no entry of the tables is wrong");
}

/* A CRC goes on from where another one was. */
static void test_crc(void)
{
    upool_digester *one = upool_digester_make("crc32", pool);
    upool_digester *other = upool_digester_make("crc32", pool);
    unsigned char value[UPOOL_DIGESTER_MAX];

    upool_digester_begin(one);
    upool_digester_update(one, FOX, 10);
    upool_digester_begin(other);
    upool_digester_set_crc(other, upool_digester_crc(one));
    upool_digester_update(other, FOX + 10, strlen(FOX) - 10);
    tap_is_str(to_hex(value, upool_digester_end(other, value)), "414fa339",
               "a CRC in two parts");
}

int main(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    digests("md5", "9e107d9d372bb6826bd81d3542a419d6");
    digests("sha-1", "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12");
    digests("sha-256", "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0b"
                       "f37c9e592");
    digests("crc32", "414fa339");
    test_crc();
    test_crc_tables();
    tap_is_str(upool_digester_known("SHA-512"), "sha-512", "any letter case");
    tap_is_str(upool_digester_known("sha-3"), NULL, "or not known");
    tap_ok(!upool_digester_make("sha-3", pool), "nor made");
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
