/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Content-Digest and Repr-Digest, and digests in form fields. */
#include "parse/digestfield.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

/* RFC 9530, appendix B: {"hello": "world"} and a line feed. */
#define SHA256 "RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg="
#define SHA256_HEX \
    "44aff4ab2d7c3250525675a08f0cfa9591168cffe51791c5f5bbc417c15a6c38"
#define SHA512 \
    "YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCs" \
    "yRZOtw8MjkM7iw7yZ/WkppmM44T3qg=="
#define SHA512_HEX \
    "60c01a9b9d49cff8ce0134faff3bc7acb5603984c6172d5de862623874e886ae" \
    "323fea60938bdfd9a0acc9164eb70f0c8e433b8b0ef267f5a4a6998ce384f7aa"
#define BOTH SHA256_HEX "|" SHA512_HEX
#define FIRST SHA256_HEX "|"
#define SECOND "|" SHA512_HEX
#define NEITHER "|"
#define BAD NULL

static const struct {
    const char *text;
    const char *want; /* hex of sha-256, |, hex of sha-512; NULL: malformed */
} fields[] = {
    { "sha-256=:" SHA256 ":", FIRST },
    { "sha-512=:" SHA512 ":", SECOND },
    { "sha-256=:" SHA256 ":, sha-512=:" SHA512 ":", BOTH },
    { "sha-512=:" SHA512 ":,sha-256=:" SHA256 ":", BOTH },
    { "  sha-512=:" SHA512 ": \t,\t sha-256=:" SHA256 ":  ", BOTH },
    { "", NEITHER },
    { "   ", NEITHER },
    { "md5=:sQqNsWTgdUEFt6mb5y4/5Q==:", NEITHER },
    { "unixsum=:GQU=:, sha-256=:" SHA256 ":", FIRST },
    /* Without its padding; with bits that belong to no byte. */
    { "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg:", FIRST },
    { "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDh=:", FIRST },
    /* Parameters say nothing to us. */
    { "sha-256=:" SHA256 ":;a=1;b;c=\"x\";  d=:YQ==:;e=?0;f=t/o", FIRST },
    /* The last of two counts. */
    { "sha-256=:AAAA:, sha-256=:" SHA256 ":", FIRST },
    { "sha-256, sha-256=:" SHA256 ":", FIRST },
    { "sha-256=:" SHA256 ":, sha-256=1", BAD },
    /* Everything else that may stand in a dictionary. */
    { "a, b=1, c=-1.5, d=\"x\\\"y\\\\\", e=tok/en:*, *f=?1, g.h=@1700000000",
      NEITHER },
    { "a=(1 \"sha-256\" t;p=2 :YQ==:);q, b=(), c=( 1 ), sha-256=:" SHA256 ":",
      FIRST },
    { "a=%\"f%c3%bc\", sha-256=:" SHA256 ":", FIRST },
    { "a=123456789012345, b=123456789012.123", NEITHER },
    { "a=::, b=:YQ:", NEITHER },
    /* What only looks like one. */
    { "a=\"sha-256=:" SHA256 ":\"", NEITHER },
    { "a=\", sha-256=:" SHA256 ":, b=\"", NEITHER },
    { "a=(\"sha-256=:AA==:\")", NEITHER },
    { "xsha-256=:AA==:, sha-2567=:AA==:, sha-25=:AA==:", NEITHER },
    /* A known one that is not what it should be. */
    { "sha-256", BAD },
    { "sha-256=?1", BAD },
    { "sha-256=\"" SHA256 "\"", BAD },
    { "sha-256=" SHA256_HEX, BAD },
    { "sha-256=(:" SHA256 ":)", BAD },
    { "sha-256=::", BAD },
    { "sha-256=:YQ==:", BAD },
    { "sha-256=:" SHA512 ":", BAD },
    { "sha-512=:" SHA256 ":", BAD },
    { "sha-512=:" SHA512 "AAAA:", BAD },
    { "sha-256=:" SHA256 ":, sha-512=:AA==:", BAD },
    /* No dictionary. */
    { "sha-256=:" SHA256, BAD },
    { "sha-256=" SHA256 ":", BAD },
    { "sha-256 =:" SHA256 ":", BAD },
    { "sha-256= :" SHA256 ":", BAD },
    { "SHA-256=:" SHA256 ":", BAD },
    { "SHA-256=" SHA256, BAD },
    { "sha-256=:" SHA256 ":,", BAD },
    { "sha-256=:" SHA256 ":, ", BAD },
    { ",sha-256=:" SHA256 ":", BAD },
    { "sha-256=:" SHA256 ": sha-512=:" SHA512 ":", BAD },
    { "sha-256=:" SHA256 ":; ;a", BAD },
    { "sha-256=:" SHA256 ":;", BAD },
    { "sha-256=:RK/0=18M:", BAD },
    { "sha-256=:RK/0-_18:", BAD },
    { "a=:Y:", BAD },
    { "a=:YQ=:", BAD },
    { "a=:YQ===:", BAD },
    { "a=:====:", BAD },
    { "a=:YQ\r\n==:", BAD },
    { "a=\"x", BAD },
    { "a=\"\\x\"", BAD },
    { "a=\"\xC3\xBC\"", BAD },
    { "a=\"\t\"", BAD },
    { "a=%\"%C3\"", BAD },
    { "a=%\"%c\"", BAD },
    { "a=%x", BAD },
    { "a=?2", BAD },
    { "a=?", BAD },
    { "a=@", BAD },
    { "a=@1.5", BAD },
    { "a=-", BAD },
    { "a=1.", BAD },
    { "a=1.2345", BAD },
    { "a=1234567890123.1", BAD },
    { "a=1234567890123456", BAD },
    { "a=(1", BAD },
    { "a=(1 ", BAD },
    { "a=(1,2)", BAD },
    { "a=((1))", BAD },
    { "a=", BAD },
    { "a=,b", BAD },
    { "=1", BAD },
    { "A=1", BAD },
    { "a=1;B", BAD },
    { "a=1;b=", BAD },
    { "a=!", BAD },
    { "\ta", BAD },
};

static const struct {
    const char *text;
    const char *want; /* name=hex; NULL: malformed */
} values[] = {
    { "sha-256=" SHA256_HEX, "sha-256=" SHA256_HEX },
    { "sha-256=:" SHA256 ":", "sha-256=" SHA256_HEX },
    { "SHA-256=44AFf4", "sha-256=44aff4" },
    { " \r\n\tmd5=00\r\n", "md5=00" },
    { "sha-512=" SHA512_HEX, "sha-512=" SHA512_HEX },
    { "anything-else-x=ff", "anything-else-x=ff" },
    { "anything-else-xy=ff", BAD },
    { "", BAD },
    { "=", BAD },
    { "=00", BAD },
    { "md5", BAD },
    { "md5=", BAD },
    { "md5=0", BAD },
    { "md5=000", BAD },
    { "md5=0g", BAD },
    { "md5=g0", BAD },
    { "md5= 00", BAD },
    { "md5 =00", BAD },
    { "md5=00 00", BAD },
    { "md5=00,sha-1=00", BAD },
    { "md_5=00", BAD },
    { "md5=::", BAD },
    { "md5=:AA==", BAD },
    { "md5=:AA==: x", BAD },
    { "md5=:AA==:;a=1", BAD },
    { "md5=" SHA512_HEX "00", BAD },
    { "md5=:" SHA512 ":", "md5=" SHA512_HEX },
    { "md5=:AAAA" SHA512 ":", BAD },
};

static char *add_hex(char *out, const upool_digestfield_value *value)
{
    size_t i;

    for (i = 0; i < value->len; i++) {
        out += snprintf(out, 3, "%02x", value->bytes[i]);
    }
    *out = '\0';
    return out;
}

/* A copy without a byte behind it, so that a sanitizer sees every byte too
 * many that is read. */
static char *exact(const char *text, size_t len)
{
    char *copy = malloc(len ? len : 1);

    memcpy(copy, text, len);
    return copy;
}

static void test_fields(void)
{
    size_t i;

    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        char got[2 * 2 * UPOOL_DIGESTFIELD_MAX + 2];
        size_t len = strlen(fields[i].text);
        char *copy = exact(fields[i].text, len);
        upool_digestfield field;
        int error = upool_digestfield_parse(copy, len, &field);

        tap_is_int(error, fields[i].want ? 0 : -1, "%s", fields[i].text);
        if (!error && fields[i].want) {
            char *out = add_hex(got, &field.sha256);

            *out++ = '|';
            add_hex(out, &field.sha512);
            tap_is_str(got, fields[i].want, "its digests");
        }
        free(copy);
    }
}

static void test_values(void)
{
    size_t i;

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char got[2 * UPOOL_DIGESTFIELD_MAX + 20];
        size_t len = strlen(values[i].text);
        char *copy = exact(values[i].text, len);
        upool_digestfield_named named;
        int error = upool_digestfield_named_parse(copy, len, &named);

        tap_is_int(error, values[i].want ? 0 : -1, "%s", values[i].text);
        if (!error && values[i].want) {
            int n = snprintf(got, sizeof(got), "%s=", named.name);

            add_hex(got + n, &named.value);
            tap_is_str(got, values[i].want, "what it says");
        }
        free(copy);
    }
}

/* Every field that is cut short is read without looking behind its end. */
static void test_cut(void)
{
    static const char text[] =
        "a=(1 \"b\");c=%\"%c3\", sha-256=:" SHA256 ":;d=1.5";
    upool_digestfield field;
    size_t good = 0;
    size_t len;

    for (len = 0; len < sizeof(text); len++) {
        char *copy = exact(text, len);

        good += upool_digestfield_parse(copy, len, &field) == 0;
        free(copy);
    }
    /* "", "a", behind the list, its c, behind the string; s to sha-25; behind
     * the digest, its d, =1, =1.5 */
    tap_is_int(good, 15, "of all beginnings just these parse");
    tap_is_int(upool_digestfield_parse("a\0b", 3, &field), -1, "NUL");
    tap_is_int(upool_digestfield_parse("a=\"\0\"", 5, &field), -1,
               "NUL in a string");
}

int main(void)
{
    test_fields();
    test_values();
    test_cut();
    return tap_done();
}
