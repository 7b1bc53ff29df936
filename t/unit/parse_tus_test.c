/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Upload-Metadata, Upload-Concat and Upload-Checksum of tus 1.0.0. */
#include "parse/base64.h"
#include "parse/tusfields.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

/* In a block of its exact size: what reads too far is seen by the sanitizers,
 * and there is no NUL to lean on. */
static char *exact(const char *text, size_t len)
{
    char *copy = malloc(len ? len : 1);

    if (copy == NULL) {
        abort();
    }
    memcpy(copy, text, len);
    return copy;
}

static const struct {
    const char *text;
    const char *want; /* NULL: none */
} base64s[] = {
    { "", "" },
    { "Zg==", "f" },
    { "Zm8=", "fo" },
    { "Zm9v", "foo" },
    { "Zm9vYg==", "foob" },
    { "Zm9vYmE=", "fooba" },
    { "Zm9vYmFy", "foobar" },
    { "Zg", "f" },
    { "Zm8", "fo" },
    { "Zm9vYg", "foob" },
    /* Bits that belong to no byte. */
    { "Zh==", "f" },
    { "Z", NULL },
    { "Zm9vY", NULL },
    { "Zg=", NULL },
    { "Zg===", NULL },
    { "Zm8==", NULL },
    { "Zm9v=", NULL },
    { "Zm9v==", NULL },
    { "Zm9v====", NULL },
    { "=", NULL },
    { "==", NULL },
    { "====", NULL },
    { "Z===", NULL },
    { "Zg==Zg==", NULL },
    { "Z=g=", NULL },
    { "Zm 9v", NULL },
    { " Zm9v", NULL },
    { "Zm9v ", NULL },
    { "Zm9v\n", NULL },
    { "Zm-_", NULL },
    { "Zm9\xff", NULL },
};

static void test_base64(void)
{
    size_t i;

    for (i = 0; i < sizeof(base64s) / sizeof(base64s[0]); i++) {
        const char *want = base64s[i].want;
        char *text = exact(base64s[i].text, strlen(base64s[i].text));
        unsigned char out[16];
        size_t len = upool_base64_decode(out, sizeof(out), text,
                                         strlen(base64s[i].text));

        tap_ok(want ? len == strlen(want) && !memcmp(out, want, len)
                    : len == UPOOL_BASE64_BAD,
               "base64 '%s'", base64s[i].text);
        free(text);
    }
}

static void test_base64_room(void)
{
    unsigned char out[4] = { 'x', 'x', 'x', 'x' };
    char own[] = "Zm9vYmFy";

    tap_is_int(upool_base64_decode(out, 2, "Zm9vYmFy", 8), 6,
               "the length is told beyond the room");
    tap_ok(!memcmp(out, "foxx", 4), "and nothing is written there");
    tap_is_int(upool_base64_decode(NULL, 0, "Zm9vYmFy", 8), 6,
               "no room at all");
    tap_ok(upool_base64_decode((unsigned char *)own, 8, own, 8) == 6
               && !memcmp(own, "foobar", 6),
           "in its own place");
    tap_ok(upool_base64_decode(out, 4, "A\0==", 4) == UPOOL_BASE64_BAD,
           "NUL is no letter");
}

#define B256 "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="

static const struct {
    const char *text;
    const char *want; /* key=base64; of each; NULL: malformed */
} metadatas[] = {
    { "filename d29ybGRfZG9taW5hdGlvbl9wbGFuLnBkZg==,is_confidential",
      "filename=d29ybGRfZG9taW5hdGlvbl9wbGFuLnBkZg==;is_confidential=;" },
    { "a", "a=;" },
    { "a ", "a=;" },
    { "a ,b", "a=;b=;" },
    { "a Zg==", "a=Zg==;" },
    { "a Zg", "a=Zg;" },
    { "a Zg==,b Zm8=,c Zm9v", "a=Zg==;b=Zm8=;c=Zm9v;" },
    { "a Zg==, b Zm8= ,\tc Zm9v  ", "a=Zg==;b=Zm8=;c=Zm9v;" },
    { "A Zg==,a Zg==", "A=Zg==;a=Zg==;" },
    { "a=b;c Zg==", "a=b;c=Zg==;" },
    { "\xc3\xa9t\xc3\xa9 Zg==", "\xc3\xa9t\xc3\xa9=Zg==;" },
    { "aa Zg==,a Zg==", "aa=Zg==;a=Zg==;" },
    { "", NULL },
    { " ", NULL },
    { ",", NULL },
    { "a,", NULL },
    { "a, ", NULL },
    { ",a", NULL },
    { "a,,b", NULL },
    { " a", NULL },
    { "a  Zg==", NULL },
    { "a\tZg==", NULL },
    { "a Zg== Zg==", NULL },
    { "a Zg== b", NULL },
    { "a Zg=", NULL },
    { "a Z", NULL },
    { "a not-base64", NULL },
    { "a Zg==\r\nX-Evil: 1", NULL },
    { "a\r Zg==", NULL },
    { "a\x7f Zg==", NULL },
    { "a\x01 Zg==", NULL },
    { "a\xff Zg==", NULL },
    { "\xc3 Zg==", NULL },
    /* "All keys MUST be unique." */
    { "a,a", NULL },
    { "a Zg==,a Zm8=", NULL },
    { "a Zg==,b,a Zg==", NULL },
    { "filename Zg==,x " B256 ",filename Zg==", NULL },
};

static void test_metadata(void)
{
    size_t i;

    for (i = 0; i < sizeof(metadatas) / sizeof(metadatas[0]); i++) {
        size_t len = strlen(metadatas[i].text);
        char *text = exact(metadatas[i].text, len);
        char got[256] = "";
        upool_tus_reader reader;
        upool_tus_pair pair;

        tap_is_int(upool_tus_metadata_is_good(text, len),
                   metadatas[i].want != NULL, "metadata %d: good or not",
                   (int)i);
        reader.at = text;
        reader.end = text + len;
        while (metadatas[i].want && upool_tus_pair_next(&reader, &pair) == 1) {
            strncat(got, pair.key, pair.key_len);
            strcat(got, "=");
            strncat(got, pair.value, pair.value_len);
            strcat(got, ";");
        }
        tap_is_str(got, metadatas[i].want ? metadatas[i].want : "",
                   "metadata %d: its pairs", (int)i);
        free(text);
    }
}

static void test_metadata_bounds(void)
{
    char *text = malloc(UPOOL_TUS_FIELD_MAX + 2);
    size_t len = 0;
    int i;

    if (text == NULL) {
        abort();
    }
    for (i = 0; i < UPOOL_TUS_PAIRS_MAX; i++) {
        len += (size_t)sprintf(text + len, "%sk%d", i ? "," : "", i);
    }
    tap_ok(upool_tus_metadata_is_good(text, len), "as many keys as may be");
    len += (size_t)sprintf(text + len, ",k%d", i);
    tap_ok(!upool_tus_metadata_is_good(text, len), "one more");
    memset(text, 'A', UPOOL_TUS_FIELD_MAX + 1);
    memcpy(text, "abc ", 4);
    tap_ok(upool_tus_metadata_is_good(text, UPOOL_TUS_FIELD_MAX),
           "as long as may be");
    tap_ok(!upool_tus_metadata_is_good(text, UPOOL_TUS_FIELD_MAX + 1),
           "longer");
    tap_ok(!upool_tus_metadata_is_good("a\0 Zg==", 7), "NUL in a key");
    free(text);
}

static const struct {
    const char *text;
    upool_tus_concat want;
    const char *urls; /* each with a | behind it */
} concats[] = {
    { "partial", UPOOL_TUS_CONCAT_PARTIAL, "" },
    { "final;/files/a /files/b", UPOOL_TUS_CONCAT_FINAL, "/files/a|/files/b|" },
    { "final;/files/a", UPOOL_TUS_CONCAT_FINAL, "/files/a|" },
    { "final; /files/a  /files/b ", UPOOL_TUS_CONCAT_FINAL,
      "/files/a|/files/b|" },
    { "final;/a /a /a", UPOOL_TUS_CONCAT_FINAL, "/a|/a|/a|" },
    { "final;https://h/a;b http://h/b,c", UPOOL_TUS_CONCAT_FINAL,
      "https://h/a;b|http://h/b,c|" },
    { "", UPOOL_TUS_CONCAT_BAD, "" },
    { "final", UPOOL_TUS_CONCAT_BAD, "" },
    { "final;", UPOOL_TUS_CONCAT_BAD, "" },
    { "final; ", UPOOL_TUS_CONCAT_BAD, "" },
    { "final;   ", UPOOL_TUS_CONCAT_BAD, "" },
    { "final /a", UPOOL_TUS_CONCAT_BAD, "" },
    { "Final;/a", UPOOL_TUS_CONCAT_BAD, "" },
    { "finale;/a", UPOOL_TUS_CONCAT_BAD, "" },
    { " final;/a", UPOOL_TUS_CONCAT_BAD, "" },
    { "partial;/a", UPOOL_TUS_CONCAT_BAD, "" },
    { "Partial", UPOOL_TUS_CONCAT_BAD, "" },
    { "partial ", UPOOL_TUS_CONCAT_BAD, "" },
    { "partial, partial", UPOOL_TUS_CONCAT_BAD, "" },
    { "final;/a\t/b", UPOOL_TUS_CONCAT_BAD, "" },
    { "final;/a\r\n/b", UPOOL_TUS_CONCAT_BAD, "" },
    { "final;/\xc3\xa9", UPOOL_TUS_CONCAT_BAD, "" },
    { "final;/a\x7f", UPOOL_TUS_CONCAT_BAD, "" },
};

static void test_concat(void)
{
    size_t i;

    for (i = 0; i < sizeof(concats) / sizeof(concats[0]); i++) {
        size_t len = strlen(concats[i].text);
        char *text = exact(concats[i].text, len);
        char got[128] = "";
        upool_tus_reader reader;
        upool_tus_concat kind = upool_tus_concat_parse(text, len, &reader);
        const char *url;

        tap_is_int(kind, concats[i].want, "concat '%s'", concats[i].text);
        while (kind == UPOOL_TUS_CONCAT_FINAL
               && upool_tus_url_next(&reader, &url, &len)) {
            strncat(got, url, len);
            strcat(got, "|");
        }
        tap_is_str(got, concats[i].urls, "its URLs");
        free(text);
    }
}

static void test_concat_bound(void)
{
    char *text = malloc(UPOOL_TUS_FIELD_MAX + 1);
    upool_tus_reader reader;

    if (text == NULL) {
        abort();
    }
    memset(text, 'a', UPOOL_TUS_FIELD_MAX + 1);
    memcpy(text, "final;", 6);
    tap_is_int(upool_tus_concat_parse(text, UPOOL_TUS_FIELD_MAX, &reader),
               UPOOL_TUS_CONCAT_FINAL, "as long as may be");
    tap_is_int(upool_tus_concat_parse(text, UPOOL_TUS_FIELD_MAX + 1, &reader),
               UPOOL_TUS_CONCAT_BAD, "longer");
    free(text);
}

static const struct {
    const char *url;
    const char *want; /* NULL: none */
} urls[] = {
    { "/files/abc", "abc" },
    { "https://tus.example.org/files/abc", "abc" },
    { "//tus.example.org/files/abc", "abc" },
    { "abc", "abc" },
    { "../abc", "abc" },
    { "/files/abc:0123", "abc:0123" },
    { "/files/abc%3A0123", "abc:0123" },
    { "/files/abc%3a0123", "abc:0123" },
    { "/files/abc?x=/y", "abc" },
    { "/files/abc#/x", "abc" },
    { "/files/abc?", "abc" },
    { "/files/a%2fb", "a/b" },
    { "/files/%2e%2e", ".." },
    { "", NULL },
    { "/", NULL },
    { "/files/", NULL },
    { "/files/?abc", NULL },
    { "?abc", NULL },
    { "/files/a%", NULL },
    { "/files/a%2", NULL },
    { "/files/a%2g", NULL },
    { "/files/a%00", NULL },
    { "/files/0123456789abcde", "0123456789abcde" },
    { "/files/0123456789abcdef", NULL },
};

static void test_url_name(void)
{
    size_t i;

    for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        size_t len = strlen(urls[i].url);
        char *url = exact(urls[i].url, len);
        char name[16];
        int bad = upool_tus_url_name(url, len, name, sizeof(name));

        tap_is_str(bad ? NULL : name, urls[i].want, "URL '%s'", urls[i].url);
        free(url);
    }
}

/* hello world, as the protocol's page has it. */
#define SHA1 "Kq5sNclPz7QV2+lfQIuc6R7oRu0="

static const struct {
    const char *text;
    const char *name; /* NULL: malformed */
    size_t len;
} checksums[] = {
    { "sha1 " SHA1, "sha1", 20 },
    { "md5 XrY7u+Ae7tCTyyK7j1rNww==", "md5", 16 },
    { "sha256 uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=", "sha256", 32 },
    { "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0", "sha1", 20 },
    { "SHA1 " SHA1, "SHA1", 20 },
    { "crc32 DUoRhQ==", "crc32", 4 },
    { "sha1 QQ==", "sha1", 1 },
    { "unknown-of-15-c QQ==", "unknown-of-15-c", 1 },
    { "unknown-of-16-ch QQ==", NULL, 0 },
    { "", NULL, 0 },
    { "sha1", NULL, 0 },
    { "sha1 ", NULL, 0 },
    { " sha1 " SHA1, NULL, 0 },
    { SHA1, NULL, 0 },
    { "sha1  " SHA1, NULL, 0 },
    { "sha1\t" SHA1, NULL, 0 },
    { "sha1:" SHA1, NULL, 0 },
    { "sha1 " SHA1 " ", NULL, 0 },
    { "sha1 " SHA1 ", md5 XrY7u+Ae7tCTyyK7j1rNww==", NULL, 0 },
    { "sha1 " SHA1 "," SHA1, NULL, 0 },
    { "sha1 2aae6c35c94fcfb415dbe95f408b9ce91ee846ed", "sha1", 30 },
    { "sha1 !!!!", NULL, 0 },
    { "sha1 Kq5sNclPz7QV2-lfQIuc6R7oRu0=", NULL, 0 },
};

static void test_checksum(void)
{
    static const unsigned char want[] = { 0x2a, 0xae, 0x6c, 0x35 };
    upool_digestfield_named sum;
    char longest[96] = "x ";
    size_t i;

    for (i = 0; i < sizeof(checksums) / sizeof(checksums[0]); i++) {
        size_t len = strlen(checksums[i].text);
        char *text = exact(checksums[i].text, len);
        int bad = upool_tus_checksum_parse(text, len, &sum);

        tap_is_str(bad ? NULL : sum.name, checksums[i].name, "checksum '%s'",
                   checksums[i].text);
        tap_is_int(bad ? 0 : sum.value.len, checksums[i].len, "its length");
        free(text);
    }
    tap_ok(!upool_tus_checksum_parse("sha1 " SHA1, 33, &sum)
               && !memcmp(sum.value.bytes, want, sizeof(want)),
           "its bytes");
    memset(longest + 2, 'A', 86);
    tap_ok(!upool_tus_checksum_parse(longest, 88, &sum)
               && sum.value.len == UPOOL_DIGESTFIELD_MAX,
           "as many bytes as the longest digest has");
    memset(longest + 2, 'A', 87);
    tap_ok(upool_tus_checksum_parse(longest, 89, &sum), "one more");
}

int main(void)
{
    test_base64();
    test_base64_room();
    test_metadata();
    test_metadata_bounds();
    test_concat();
    test_concat_bound();
    test_url_name();
    test_checksum();
    return tap_done();
}
